"""Who waits outside of a room. Kept in memory: a browser that waits says so again by its stream."""

import asyncio
import time
from dataclasses import dataclass, field

from meet.errors import RefusedError
from meet.names import Identity
from meet.signed import Ticket

# Who has a ticket and no stream is about to open one, or has gone.
GRACE_SECONDS = 15.0
MOST_IN_ROOM = 300
MOST_ROOMS = 1000


@dataclass(eq=False)
class _Waiting:
    ticket: Ticket
    since: int
    streams: int = 0
    gone: float = field(default_factory=time.monotonic)

    def there(self) -> bool:
        return self.streams > 0 or time.monotonic() - self.gone < GRACE_SECONDS


@dataclass(frozen=True)
class Waiter:
    """Somebody who waits, as moderators see it; `since` in seconds since 1970."""

    id: Identity
    name: str
    since: int


class Lobby:
    """All lobbies of this box. Whoever watches one is woken by each change and asks what holds."""

    def __init__(self) -> None:
        self._rooms: dict[str, dict[Identity, _Waiting]] = {}
        self._bells: dict[str, asyncio.Event] = {}
        self._rung: dict[str, int] = {}

    def join(self, ticket: Ticket) -> None:
        """Have somebody wait; RefusedError where too many do."""
        room = self._rooms.get(ticket.room, {})
        for identity in [key for key, one in room.items() if not one.there()]:
            del room[identity]
        if ticket.identity in room:
            return
        if len(self._rooms) >= MOST_ROOMS:
            self._rooms = {
                key: one for key, one in self._rooms.items() if any(w.there() for w in one.values())
            }
        if len(room) >= MOST_IN_ROOM or len(self._rooms) >= MOST_ROOMS:
            raise RefusedError("busy")
        self._rooms.setdefault(ticket.room, room)[ticket.identity] = _Waiting(ticket, ticket.iat)
        self.ring(ticket.room)

    def come(self, ticket: Ticket) -> None:
        """The stream of somebody who waits has begun."""
        self.join(ticket)
        self._rooms[ticket.room][ticket.identity].streams += 1

    def go(self, ticket: Ticket) -> None:
        """That stream has ended; moderators see it at once, and again where it comes back."""
        waiting = self._rooms.get(ticket.room, {}).get(ticket.identity)
        if waiting:
            waiting.streams -= 1
            if not waiting.streams:
                self.take(ticket.room, [ticket.identity])

    def waiting(self, room: str) -> list[Waiter]:
        """Who waits for `room`, in the order of coming."""
        there = [one for one in self._rooms.get(room, {}).values() if one.there()]
        there.sort(key=lambda one: (one.since, one.ticket.identity))
        return [Waiter(one.ticket.identity, one.ticket.name, one.since) for one in there]

    def take(self, room: str, identities: list[Identity]) -> list[Ticket]:
        """Those of `identities` who waited, and wait no more."""
        there = self._rooms.get(room, {})
        taken = [there.pop(one).ticket for one in identities if one in there]
        if not there:
            self._rooms.pop(room, None)
        if taken:
            self.ring(room)
        return taken

    def ring(self, room: str) -> None:
        """Wake whoever watches `room`: those who wait, and their moderators."""
        self._rung[room] = self._rung.get(room, 0) + 1
        bell = self._bells.pop(room, None)
        if bell:
            bell.set()

    def rung(self, room: str) -> int:
        """How often `room` has changed. To be asked for before one looks what holds there."""
        return self._rung.get(room, 0)

    async def change(self, room: str, seen: int, seconds: float) -> None:
        """Return once `room` has changed more often than `seen`, or after `seconds`."""
        if self.rung(room) != seen:
            return
        bell = self._bells.setdefault(room, asyncio.Event())
        try:
            await asyncio.wait_for(bell.wait(), seconds)
        except TimeoutError:
            return
