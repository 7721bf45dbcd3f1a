"""All meetings that this box knows: in memory, and in the store for the next start."""

import asyncio
import time
from collections.abc import Callable
from contextlib import suppress

from meet.errors import RefusedError
from meet.meeting import Meeting
from meet.store import Store

PLACE = "/ratssaal/meetings/"
KEPT_SECONDS = 24 * 3600
AGAIN_SECONDS = 2.0
# How long the store may keep a change waiting before it is left for later.
PATIENCE_SECONDS = 1.5
# A room in which nobody was for so long is deserted, and not just between two tries to reconnect.
QUIET_SECONDS = 120.0


class Meetings:
    """Memory first: a box whose store is away goes on, and writes down later what was changed."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._known: dict[str, Meeting] = {}
        self._unwritten: set[str] = set()
        self._locks: dict[str, asyncio.Lock] = {}
        self._alive: dict[str, float] = {}

    async def load(self) -> None:
        """Take over what the service before this one knew."""
        for room, text in (await self._store.all(PLACE)).items():
            self._known.setdefault(room, Meeting.model_validate_json(text))
            self.alive(room)

    def alive(self, room: str) -> None:
        """People are in `room`, or are about to be."""
        self._alive[room] = time.monotonic()

    def quiet(self, room: str) -> bool:
        """Whether nobody has been in `room` for a while."""
        return time.monotonic() - self._alive.get(room, 0.0) > QUIET_SECONDS

    async def get(self, room: str) -> Meeting:
        """The meeting in `room`; RefusedError where only the store could know, and is away."""
        if room not in self._known:
            text = await self._store.get(PLACE + room)
            if text is None:
                return Meeting()
            self._known.setdefault(room, Meeting.model_validate_json(text))
            self.alive(room)
        return self._known[room]

    def known(self) -> dict[str, Meeting]:
        """All meetings by room, as memory has them."""
        return dict(self._known)

    async def change(self, room: str, how: Callable[[Meeting], Meeting]) -> Meeting:
        """Change the meeting in `room`; it holds at once, and is in the store if that is there."""
        # One change after the other, so that the store never gets an older state last.
        async with self._locks.setdefault(room, asyncio.Lock()):
            before = await self.get(room)
            after = how(before)
            if after == before:
                return after
            self._known[room] = after
            self._unwritten.add(room)
            if len(after.people) > len(before.people):
                self.alive(room)
            with suppress(RefusedError, TimeoutError):
                await asyncio.wait_for(self._write(room), PATIENCE_SECONDS)
            return after

    async def _write(self, room: str) -> None:
        await self._store.keep(PLACE + room, self._known[room].model_dump_json(), KEPT_SECONDS)
        self._unwritten.discard(room)

    async def keep_writing(self) -> None:
        """Write down, for ever, what the store could not take; forget what it has forgotten."""
        while True:
            await asyncio.sleep(AGAIN_SECONDS)
            for room, meeting in self.known().items():
                # The store forgets them after a day; until then it is asked.
                if not meeting.people and self.quiet(room) and room not in self._unwritten:
                    del self._known[room]
                    self._alive.pop(room, None)
            for room in list(self._unwritten):
                async with self._locks.setdefault(room, asyncio.Lock()):
                    with suppress(RefusedError):
                        await self._write(room)
