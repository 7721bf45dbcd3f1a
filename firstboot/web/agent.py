"""Asks root's side of the wizard, firstboot.agent, through its socket."""

import asyncio
import json
from pathlib import Path
from typing import Any, Protocol

from firstboot.texts import SaidError

SOCKET = Path("/run/ratssaal-agent.sock")
# For an answer, once root's side has taken the request. A wrong code waits a second, behind whoever
# else tries one.
LIMIT_SECONDS = 60.0
# Fewer than ratssaal-agent.socket has for the web server: there one is free again only a moment
# after the other side has ended. Whoever finds none waits here; the socket would turn them away.
TRIES = ("code", "sign-in", "recovery", "reset")
PLACES_TO_TRY = 3
PLACES = 5


class Agent(Protocol):
    """Whoever answers the verbs of firstboot.agent."""

    async def __call__(self, verb: str, **arguments: object) -> Any:
        """The verb's result. Raises SaidError with what root's side says to a person."""


async def _exchange(line: bytes) -> bytes:
    """Send one line to the agent on this box, and get the one that it answers; empty: none."""
    reader, writer = await asyncio.open_unix_connection(SOCKET, limit=4_000_000)
    try:
        writer.write(line + b"\n")
        await writer.drain()
        answer = await reader.readline()
        await reader.read()  # Until the other side has ended.
        return answer
    finally:
        writer.close()


class BoxAgent:
    """Root's side on this box. Tries at a secret, which take their time, have their own places."""

    def __init__(self) -> None:
        self._to_try = asyncio.Semaphore(PLACES_TO_TRY)
        self._others = asyncio.Semaphore(PLACES)

    async def __call__(self, verb: str, **arguments: object) -> Any:
        """One request, as Agent says. Raises SaidError also where there is no answer."""
        line = json.dumps({"verb": verb, **arguments}).encode()
        try:
            async with self._to_try if verb in TRIES else self._others:
                answer = await asyncio.wait_for(_exchange(line), LIMIT_SECONDS)
        except (OSError, TimeoutError) as error:
            raise SaidError("setup.no_answer") from error
        if not answer:
            raise SaidError("setup.no_answer")
        reply = json.loads(answer)
        if "said" in reply:
            key, values = reply["said"]
            raise SaidError(key, **values)
        return reply["ok"]
