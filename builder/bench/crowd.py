"""A crowd in a meeting: participants of tests/load, on a box or on LiveKit alone."""

import json
import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from builder import stack
from builder.bench.attendance import Attendance, attendance, looked_at, rates
from builder.bench.recording import recordings
from builder.bench.spent import Moment, Parts, between, memory, now, processors_of
from builder.call import token, trial_room
from builder.errors import CommandError
from builder.machines.place import Place
from builder.machines.stage import Stage, die_with_parent
from builder.paths import PROJECT
from builder.processes import descendant
from builder.run import Argument
from builder.stack import Stack
from builder.toolbox import Toolbox

LOCK = PROJECT / "tests/load"
PORT = 7880
# A whole house comes in from one address, no faster than the box takes them for good: two questions
# each, ten a second (zone `guests` of nginx.conf.j2).
PER_SECOND = 5
# What the program says when counting begins and when it ends.
MARKS = ("counting", "counted")


def program(toolbox: Toolbox) -> Path:
    """The crowd's program, compiled first where that is needed."""
    return stack.build_own(Stack("load", LOCK), toolbox)


def attend(
    stage: Stage,
    people: int,
    parts: Parts,
    *,
    url: str = "",
    keys: str = "",
    link: str = "",
    authority: Path | None = None,
    pause: float = 3.0,
    seconds: float = 15.0,
    rush: bool = True,
) -> Attendance:
    """Bring `people` into a room and count for `seconds`, after `pause` seconds, what reaches them.

    link: an invitation to a box, which all follow; without one they come with tokens by LiveKit's
    key file `keys` to LiveKit alone at `url`. parts: the server's processes; authority: who vouches
    for the server (PEM). rush: whether they come at once, PER_SECOND, or one after the other, each
    once the one before is there for all. Raises CommandError where the crowd breaks off.
    """
    room = trial_room()
    wish = {
        "url": url,
        "link": link,
        "recorded": str(recordings()),
        "pause": pause,
        "seconds": seconds,
        "per_second": PER_SECOND if rush else 0,
        "people": [
            {
                "name": (name := f"Person {number}"),
                "token": "" if link else token(keys, room, name),
                "sound": (sent := rates(number, people))["sound"],
                "video": "large" in sent,
                "share": "screen" in sent,
                "large": looked_at(number),
            }
            for number in range(people)
        ],
    }
    environment = {**os.environ, "SSL_CERT_FILE": str(authority)} if authority else os.environ
    child = subprocess.Popen(
        stage.enter([program(stage.toolbox)]),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=environment,
        preexec_fn=die_with_parent,
    )
    assert child.stdin
    assert child.stdout
    assert child.stderr
    said: list[str] = []
    moments: list[Moment] = []
    held: dict[str, float] = {}
    with child:
        child.stdin.write(json.dumps(wish))
        child.stdin.close()
        for line in child.stderr:
            said.append(line.strip())
            if line.strip() in MARKS:
                moments.append(now(parts))
                held = memory(parts)
        output = child.stdout.read()
    try:
        report = json.loads(output)
        begun, ended = moments
    except ValueError as error:
        raise CommandError(f"The crowd broke off: {', '.join(said)[-2000:]}") from error
    spent = between(begun, ended, report["seconds"], report["cpu"], held, processors_of(parts))
    return attendance(report, spent)


@contextmanager
def alone(place: Place, address: str, tree: Path, keys: str) -> Iterator[tuple[str, Parts]]:
    """LiveKit alone, with its own defaults, in a place of its own at `address`, for the block.

    Gives its address for clients, and its process.
    """
    file = place.folder / "alone.keys.yaml"
    file.write_text(keys)
    file.chmod(0o600)
    command: list[Argument] = [tree / "usr/lib/ratssaal/stack/livekit-server"]
    command += ["--key-file", file, "--bind", "0.0.0.0", "--node-ip", address]  # noqa: S104
    log = place.folder / "alone.log"
    with log.open("wb") as output:
        inside = place.toolbox.command(command, own_processes=True)
        silent = "LiveKit alone did not start."
        with place.serving(inside, address, PORT, silent, output) as child:
            process = descendant(child.pid, "livekit-server")
            yield f"ws://{address}:{PORT}", lambda: {"livekit": [process]}
