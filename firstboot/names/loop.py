"""Tries whether the box reaches itself by its public name, the way that its guests take.

Only the addresses that name servers gave for the name are tried: systemd resolves a box's own name
to itself (nss-myhostname(8)), which would prove nothing.
"""

import asyncio
import errno
import json
import ssl
from contextlib import suppress

from firstboot.names.lookup import NOWHERE, Facts, LoopResult, among

PORT = 443
PLACE = "/.well-known/ratssaal"  # what firstboot.health found, which nginx serves to anybody
SECONDS = 3.0  # for all, since the addresses are tried at the same time
MOST_ADDRESSES = 8
MOST_BYTES = 4096  # of an answer; that of a box has about 300 with its header


def _is_of_a_box(answer: bytes, version: str) -> bool:
    """Whether an answer of HTTP is the state of a box with the image `version`."""
    head, _, body = answer.partition(b"\r\n\r\n")
    if head.split(maxsplit=2)[1:2] != [b"200"]:
        return False
    try:
        said = json.loads(body)
    except (ValueError, RecursionError):  # the latter for "[[[[…", which is not from a box
        return False
    return isinstance(said, dict) and "ready" in said and said.get("version") == version


async def _ask(name: str, address: str, port: int) -> bytes:
    """What the server at `address` answers; raises OSError, ssl.SSLError among them."""
    # Without verification: the certificate is often the box's own still, and nothing is told here.
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    # Where web and relay share a name, who does not say what it speaks is led to the relay.
    context.set_alpn_protocols(["http/1.1"])
    reader, writer = await asyncio.open_connection(address, port, ssl=context, server_hostname=name)
    try:
        # HTTP 1.0: the answer comes as it is, not in chunks, and ends with the connection.
        writer.write(f"GET {PLACE} HTTP/1.0\r\nHost: {name}\r\n\r\n".encode())
        answer = b""
        with suppress(ssl.SSLError, ConnectionError):  # an end without a word is an end
            while len(answer) < MOST_BYTES and (more := await reader.read(MOST_BYTES)):
                answer += more
    finally:
        writer.transport.abort()
    return answer


async def _try(name: str, address: str, port: int, version: str) -> LoopResult | None:
    """What came of one address; None where there is no way to it, as without IPv6."""
    try:
        async with asyncio.timeout(SECONDS):
            answer = await _ask(name, address, port)
    except TimeoutError:
        return "timeout"
    except ConnectionRefusedError:
        return "refused"
    except (ssl.SSLError, ConnectionError):  # whoever took the connection speaks otherwise
        return "other"
    except OSError as error:
        return "timeout" if error.errno == errno.EHOSTUNREACH else None
    return "reached" if _is_of_a_box(answer, version) else "other"


def reach_itself(name: str, facts: Facts, version: str, port: int = PORT) -> LoopResult | None:
    """What came of the box's own connections to `name`, in 3 s; "reached" where all of them did.

    Of the addresses in `facts`, the box's own are tried only where there are no others: they lead
    here whatever a router does. `version`: that of the image, as in the box's state. None where
    there was nothing to try.
    """
    found = [one for one in facts.found if not among([one], NOWHERE)]
    tried = [one for one in found if one not in facts.own] or found

    async def all_of_them() -> list[LoopResult | None]:
        return await asyncio.gather(
            *(_try(name, one, port, version) for one in tried[:MOST_ADDRESSES])
        )

    results = asyncio.run(all_of_them())
    worst_first: tuple[LoopResult, ...] = ("other", "refused", "timeout", "reached")
    return next((one for one in worst_first if one in results), None)
