"""A neighbour on the network, run inside a stage: which doors answer, and what they say."""

import asyncio
import contextlib
import json
import resource
import socket
import ssl
import sys
import urllib.error
import urllib.request
from email.message import Message
from typing import Any


async def _tcp(address: str) -> list[int]:
    """All of the 65535 TCP ports that accept or refuse; a dropped packet is no answer."""
    gate = asyncio.Semaphore(8000)

    async def knock(port: int) -> int | None:
        async with gate:
            with contextlib.suppress(TimeoutError):
                try:
                    connecting = asyncio.open_connection(address, port)
                    _, writer = await asyncio.wait_for(connecting, 1.5)
                except OSError as error:
                    return port if isinstance(error, ConnectionRefusedError) else None
                writer.close()
                return port
            return None

    found = await asyncio.gather(*(knock(port) for port in range(1, 65536)))
    return sorted(port for port in found if port)


def _udp(address: str, ports: list[int]) -> list[int]:
    """Those of `ports` from which anything comes back, an error message included."""
    answered = []
    for port in ports:
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as one:
            one.settimeout(0.7)
            one.connect((address, port))
            # A question that name services and STUN servers would answer.
            one.send(bytes.fromhex("1234012000010000000000000566696c6c65056c6f63616c0000010001"))
            with contextlib.suppress(TimeoutError):
                with contextlib.suppress(ConnectionRefusedError):
                    one.recv(2048)
                answered.append(port)
    return answered


class _NoRedirect(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, *_: Any, **__: Any) -> None:
        return None


def _http(url: str) -> tuple[int, dict[str, str], str]:
    context = ssl._create_unverified_context()
    handlers = [_NoRedirect(), urllib.request.HTTPSHandler(context=context)]
    try:
        answer: Any = urllib.request.build_opener(*handlers).open(url, timeout=5)
    except urllib.error.HTTPError as error:
        answer = error
    headers: Message = answer.headers
    lower = {name.lower(): value for name, value in headers.items()}
    return answer.status, lower, answer.read().decode()


if __name__ == "__main__":
    kind, target, *rest = sys.argv[1:]
    if kind == "tcp":
        resource.setrlimit(resource.RLIMIT_NOFILE, (20000, 20000))
        print(json.dumps(asyncio.run(_tcp(target))))
    elif kind == "udp":
        print(json.dumps(_udp(target, [int(port) for port in rest])))
    else:
        print(json.dumps(_http(target)))
