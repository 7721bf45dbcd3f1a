"""What moderators do: the lobby, the lock, microphones and cameras of others, roles, the end."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Literal

from pydantic import BaseModel

from meet.errors import RefusedError
from meet.house import House
from meet.livekit import SENT, LiveKit
from meet.lobby import Lobby, Waiter
from meet.meeting import Meeting
from meet.meetings import Meetings
from meet.names import Identity, Role, Source
from meet.policy import Policy
from meet.signed import Seat, now
from meet.visit import ALIVE_SECONDS, Visits

All = Literal["all"]


class Queue(BaseModel):
    """A lobby as moderators see it."""

    waiting: list[Waiter]
    locked: bool
    silenced: list[Source]


@dataclass
class Moderation:
    """Each method is for a seat whose holder moderates at this moment."""

    visits: Visits
    meetings: Meetings
    lobby: Lobby
    livekit: LiveKit

    async def moderated(self, seat: Seat, house: House) -> Meeting:
        """The meeting that the holder of `seat` moderates now; RefusedError where he does not."""
        meeting = await self.visits.seated(seat, house)
        if meeting.people[seat.identity].role != "moderator":
            raise RefusedError("moderators_only")
        return meeting

    async def watch(self, seat: Seat, house: House) -> AsyncIterator[Queue | None]:
        """The lobby, each time it changes; ends with the moderation. None: nothing new."""
        last: Queue | None = None
        while True:
            seen = self.lobby.rung(seat.room)
            try:
                meeting = await self.moderated(seat, house)
            except RefusedError:
                return
            queue = Queue(
                waiting=self.lobby.waiting(seat.room),
                locked=meeting.locked,
                silenced=sorted(meeting.silenced),
            )
            yield None if queue == last else queue
            last = queue
            await self.lobby.change(seat.room, seen, ALIVE_SECONDS)

    async def admit(self, seat: Seat, ids: list[Identity] | All, house: House) -> None:
        """Let in those who wait, in the order of coming, as far as there is room."""
        wanted = self._waiting(seat.room, ids)
        meeting = await self.meetings.get(seat.room)
        people = await self.livekit.people(seat.room)
        present = {one.identity for one in people}
        policy = house.policy.with_rules(meeting.rules)
        free = policy.max_people - len(people)
        if wanted and free <= 0:
            raise RefusedError("full")
        tickets = self.lobby.take(seat.room, wanted[:free])
        # Their streams see that they are in, and give them their places.

        def how(meeting: Meeting) -> Meeting:
            for one in tickets:
                meeting = meeting.entered(one.identity, one.role, now(), present)
            return meeting

        await self.meetings.change(seat.room, how)
        self.lobby.ring(seat.room)

    async def decline(self, seat: Seat, ids: list[Identity] | All) -> None:
        """Send away those who wait."""
        tickets = self.lobby.take(seat.room, self._waiting(seat.room, ids))
        gone = [one.identity for one in tickets]
        await self.meetings.change(seat.room, lambda one: one.refused(gone))
        self.lobby.ring(seat.room)

    def _waiting(self, room: str, ids: list[Identity] | All) -> list[Identity]:
        there = [one.id for one in self.lobby.waiting(room)]
        return there if ids == "all" else [one for one in there if one in ids]

    async def lock(self, seat: Seat, locked: bool) -> None:
        """Close the room to all who are not in it yet, or open it again."""
        await self.meetings.change(seat.room, lambda one: one.shut(locked))
        self.lobby.ring(seat.room)

    async def end(self, room: str) -> None:
        """End the meeting for all. Seats are worthless before anybody is sent out."""
        await self.meetings.change(room, lambda one: one.finished(now()))
        self.lobby.ring(room)
        await self.livekit.close_room(room)

    async def mute(
        self, seat: Seat, who: Identity | All, source: Source, lasting: bool, house: House
    ) -> None:
        """Mute somebody, or all who do not moderate; `lasting`: until a moderator allows it.

        What is taken from all for good is taken from those who come later as well.
        """
        meeting = await self.meetings.get(seat.room)
        if who == "all":
            muted = [key for key, one in meeting.people.items() if one.role != "moderator"]
        else:
            muted = [self._known(meeting, who)]
        if lasting:
            # A moderator has all rights: who is to have fewer gets another role first.
            if any(meeting.people[one].role == "moderator" for one in muted):
                raise RefusedError("policy", rule="moderator")

            def how(meeting: Meeting) -> Meeting:
                if who == "all":
                    return meeting.silent(source)
                return meeting.taken(who, source) if who in meeting.people else meeting

            after = await self.meetings.change(seat.room, how)
            self.lobby.ring(seat.room)
            for one in after.people if who == "all" else muted:
                await self._permit(seat.room, one, after, house.policy)
            return
        for person in await self.livekit.people(seat.room):
            if person.identity not in muted:
                continue
            for track in person.tracks:
                if track.source.lower() in SENT[source] and not track.muted:
                    await self.livekit.mute(seat.room, person.identity, track.sid)

    async def allow(self, seat: Seat, who: Identity | All, source: Source, house: House) -> None:
        """Let somebody use a source, as far as the policy leaves that to moderators.

        All: a source that was taken from all is taken from nobody any more.
        """
        if who == "all":
            after = await self.meetings.change(seat.room, lambda one: one.freed(source))
            self.lobby.ring(seat.room)
            for key in after.people:
                await self._permit(seat.room, key, after, house.policy)
            return
        meeting = await self.meetings.get(seat.room)
        person = meeting.people[self._known(meeting, who)]
        policy = house.policy.with_rules(meeting.rules)
        if person.role == "viewer" or policy.level(source) == "moderators":
            raise RefusedError("policy", rule=source)
        after = await self.meetings.change(seat.room, lambda one: one.given(who, source))
        await self._permit(seat.room, who, after, house.policy)

    async def remove(self, seat: Seat, who: Identity) -> None:
        """Put somebody out, and keep him out: his seat and his tokens are worthless first."""
        self._known(await self.meetings.get(seat.room), who)
        await self.meetings.change(seat.room, lambda one: one.removed(who))
        self.lobby.ring(seat.room)
        await self.livekit.remove(seat.room, who)

    async def role(self, seat: Seat, who: Identity, role: Role, house: House) -> None:
        """Give somebody another role; the last moderator cannot give up his own."""
        meeting = await self.meetings.get(seat.room)
        self._known(meeting, who)
        others = [key for key, one in meeting.people.items() if one.role == "moderator"]
        if role != "moderator" and others == [who]:
            raise RefusedError("policy", rule="last_moderator")
        after = await self.meetings.change(seat.room, lambda one: one.with_role(who, role))
        self.lobby.ring(seat.room)
        await self._permit(seat.room, who, after, house.policy)

    async def lower(self, seat: Seat, who: Identity | All) -> None:
        """Lower somebody's hand, or all."""

        def how(meeting: Meeting) -> Meeting:
            for key, one in meeting.people.items():
                if one.hand and who in ("all", key):
                    meeting = meeting.with_hand(key, 0)
            return meeting

        await self.meetings.change(seat.room, how)
        for person in await self.livekit.people(seat.room):
            if who in ("all", person.identity) and person.attributes.get("hand"):
                await self.livekit.hand(seat.room, person.identity, "")

    async def follow(self, room: str, house: Policy) -> None:
        """Give everybody in `room` the rights that the house allows now."""
        meeting = await self.meetings.get(room)
        for who in meeting.people:
            await self._permit(room, who, meeting, house)

    async def _permit(self, room: str, who: Identity, meeting: Meeting, house: Policy) -> None:
        if who in meeting.people:
            sources, data = meeting.sources(who, house), meeting.data(who, house)
            await self.livekit.permit(room, who, meeting.people[who].role, sources, data)

    @staticmethod
    def _known(meeting: Meeting, who: Identity) -> Identity:
        if who not in meeting.people:
            raise RefusedError("no_such_person")
        return who
