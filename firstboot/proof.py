"""Has the box call itself: asks the sandboxed program of the stack, and checks what it says.

The program gets places in the test room and the certificates that the box serves, and nothing else.
"""

import json
import socket
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from firstboot.certificates import named
from firstboot.certificates.own import SERVED
from firstboot.files import write_whole
from firstboot.texts import SaidError

SOCKET = Path("/run/ratssaal-prove.sock")
SECONDS = 45.0  # the program itself ends sooner
FRESH_SECONDS = 10.0  # whoever asks again sooner gets the same result
WAYS = ("web", "udp", "relay")
# own: the certificate is the box's own, which browsers do not take for the relay.
WHY = ("", "name", "timeout", "refused", "certificate", "other", "way", "dead", "own")


def _exchange(line: bytes, path: Path) -> bytes:
    with socket.socket(socket.AF_UNIX) as connection:
        connection.settimeout(SECONDS)
        connection.connect(str(path))
        connection.sendall(line)
        return connection.makefile("rb").readline(10_000)


def _checked(raw: Any) -> list[dict[str, Any]]:
    """The results of all ways, in order. Raises ValueError, KeyError or TypeError."""
    found = {one["way"]: one for one in raw}
    results = []
    for way in WAYS:
        works, why, taken = found[way]["works"], found[way]["why"], found[way]["milliseconds"]
        if type(works) is not bool or why not in WHY or type(taken) is not int:
            raise ValueError(way)
        results.append({"way": way, "works": works, "why": why, "milliseconds": taken})
    return results


def call_itself(
    host: str, relay_name: str, places: Sequence[object], served: Path = SERVED, path: Path = SOCKET
) -> list[dict[str, Any]]:
    """What came of each of WAYS: `way`, `works`, `why` (one of WHY), `milliseconds`.

    places: one for each way. Raises SaidError where somebody else has the box call itself already.
    """
    certificate = named.read(served)
    trusted = [served / "fullchain.pem", served / "named/fullchain.pem"]
    asked = {
        "host_name": host,
        "places": places,
        "trust": "".join(one.read_text() for one in trusted if one.exists()),
    }
    try:
        answer = _exchange(json.dumps(asked).encode() + b"\n", path)
        results = _checked(json.loads(answer))
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise SaidError("proof.busy") from error
    # For the first name alone is enough: web and relay then share it.
    if certificate is None or not (certificate.covers(relay_name) or certificate.covers(host)):
        relay = results[-1]
        if relay["works"]:
            relay.update(works=False, why="own")
    return results


def latest(file: Path) -> list[dict[str, Any]] | None:
    """The result of a moment ago, so that nobody keeps the box busy with itself; else None."""
    try:
        kept = json.loads(file.read_text())
        if 0 <= time.time() - kept["at"] < FRESH_SECONDS:
            return _checked(kept["results"])
    except (OSError, ValueError, KeyError, TypeError):
        pass
    return None


def keep(file: Path, results: list[dict[str, Any]]) -> None:
    """Remember a result for `latest`."""
    write_whole(file, json.dumps({"at": time.time(), "results": results}), mode=0o600)
