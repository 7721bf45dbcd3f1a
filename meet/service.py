"""The service's parts put together, and the clock that ends meetings which last too long."""

import asyncio
from contextlib import suppress
from dataclasses import dataclass

from meet.directory import Directories
from meet.errors import RefusedError
from meet.gate import checked, in_test_room, passes, trial_over
from meet.house import Houses
from meet.livekit import LiveKit, Tokens
from meet.lobby import Lobby
from meet.meetings import Meetings
from meet.moderation import Moderation
from meet.names import TEST_ROOM
from meet.ownerless import Empty
from meet.places import LoneBox, Places
from meet.policy import Policy
from meet.rooms import Rooms
from meet.signed import Signer, now
from meet.staff import Sessions
from meet.store import Store
from meet.tries import Tries
from meet.visit import Visits

CLOCK_SECONDS = 5.0
SWEEP_SECONDS = 60.0


@dataclass
class Service:
    """Everything that an endpoint may need."""

    houses: Houses
    signer: Signer
    tokens: Tokens
    livekit: LiveKit
    store: Store
    rooms: Rooms
    meetings: Meetings
    visits: Visits
    moderation: Moderation
    places: Places
    sessions: Sessions
    directories: Directories
    codes: Tries
    passwords: Tries
    made: Tries
    texts: Tries

    @staticmethod
    def of(key: bytes, livekit_key: str, livekit_secret: str) -> "Service":
        """The service of this box, with its own key and LiveKit's."""
        store, signer = Store(), Signer(key)
        tokens = Tokens(livekit_key, livekit_secret)
        livekit, lobby, meetings = LiveKit(tokens), Lobby(), Meetings(store)
        rooms = Rooms(store, signer)
        places = Places(LoneBox(livekit), tokens)
        visits = Visits(signer, meetings, lobby, places, livekit, rooms)
        return Service(
            houses=Houses(store),
            signer=signer,
            tokens=tokens,
            livekit=livekit,
            store=store,
            rooms=rooms,
            meetings=meetings,
            visits=visits,
            moderation=Moderation(visits, meetings, lobby, livekit),
            places=places,
            sessions=Sessions(store),
            directories=Directories(signer),
            # Wrong ones a minute: of one address, where a class may sit; of all together fewer than
            # find one code in a month.
            codes=Tries(30, 300),
            passwords=Tries(10, 300),
            # Rooms without an account, in ten minutes: one address never fills all their places.
            made=Tries(10, 200, 600.0),
            # Texts of one seat, in ten seconds: a line of live text is sent with each letter, and a
            # page of ours sends no more than half as many.
            texts=Tries(300, 10_000, 10.0, who=str),
        )

    async def opens(self, address: str, authorization: str) -> bool:
        """Whether LiveKit's signalling is open to a request: see meet.gate."""
        claims = checked(self.tokens, address, authorization)
        if claims is None:
            return False
        if in_test_room(claims):
            return True
        meeting = await self.meetings.get(claims.video.room)
        policy = (await self.houses.get()).policy
        if not passes(claims, meeting, policy):
            return False
        # LiveKit would make a room that is not there by itself, but without its limits.
        await self.livekit.open(claims.video.room, policy.with_rules(meeting.rules).max_people)
        return True

    async def end_trials(self, room: str) -> None:
        """Put those out of a test room whose time there is over; the gate keeps them out."""
        # What goes wrong here keeps no meeting from its end; the clock comes round again.
        with suppress(RefusedError):
            for one in await self.livekit.people(room):
                if trial_over(one.attributes):
                    await self.livekit.remove(room, one.identity)

    async def look_after(self) -> None:
        """End, for ever, meetings that last longer than allowed, or that all have left.

        And have those that go on follow the house, whose rules may have changed.
        """
        # They may have changed while the service was away, too.
        before: Policy | None = None
        while True:
            await asyncio.sleep(CLOCK_SECONDS)
            with suppress(RefusedError):
                house = (await self.houses.get()).policy
                for room, people in (await self.livekit.rooms()).items():
                    if TEST_ROOM.fullmatch(room):
                        await self.end_trials(room)
                    elif people:
                        self.meetings.alive(room)
                for room, meeting in self.meetings.known().items():
                    most = house.with_rules(meeting.rules).max_minutes * 60
                    if meeting.people and self.meetings.quiet(room):
                        await self.meetings.change(room, lambda one: one.deserted(now()))
                    elif meeting.people and meeting.started and now() - meeting.started >= most:
                        await self.moderation.end(room)
                    elif meeting.people and house != before:
                        await self.moderation.follow(room, house)
                before = house

    async def end_ownerless(self) -> None:
        """End, for ever, rooms made without an account in which nobody is any more."""
        empty = Empty()
        while True:
            await asyncio.sleep(SWEEP_SECONDS)
            with suppress(RefusedError):
                known = await self.rooms.without_owner()
                for room in empty.over(known, await self.livekit.rooms()):
                    # Somebody may have come in just now.
                    if self.meetings.quiet(room):
                        await self._forget(room)

    async def _forget(self, room: str) -> None:
        """End `room` for good; one of another house keeps nobody from going on to the next."""
        with suppress(RefusedError):
            await self.rooms.cancel(await self.rooms.get(room, await self.houses.get()))
            await self.moderation.end(room)

    async def begin(self) -> None:
        """Take over what was; where the store is not up yet, later and room by room."""
        with suppress(RefusedError):
            await self.meetings.load()
        await asyncio.gather(self.meetings.keep_writing(), self.look_after(), self.end_ownerless())

    async def close(self) -> None:
        """End all connections to LiveKit and the store."""
        await self.livekit.close()
        await self.store.close()
