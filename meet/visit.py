"""How somebody comes in by a link, waits, takes a place, comes back to it and leaves."""

import datetime
import json
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Literal

from pydantic import BaseModel

from meet.errors import RefusedError
from meet.house import House
from meet.livekit import LiveKit
from meet.lobby import Lobby
from meet.meeting import MOST_PEOPLE, Meeting
from meet.meetings import Meetings
from meet.names import Identity, Role, Topic, new_identity, shown
from meet.places import Place, Places
from meet.policy import Policy
from meet.rooms import Rooms
from meet.signed import SEAT_SECONDS, Invitation, Seat, Signer, Ticket, now

# Moderators prepare the room before it opens.
EARLIER_SECONDS = 1800
# LiveKit counts the people of a room anew every few seconds: near the limit they are counted here.
LATE_PEOPLE = 20
# Comments in a stream, so that nothing in between takes it for dead.
ALIVE_SECONDS = 15.0

State = Literal["open", "early", "over", "locked", "full", "ended"]


class Look(BaseModel):
    """What an invitation leads to."""

    room: str
    title: str
    role: Role
    opens: datetime.datetime | None
    closes: datetime.datetime | None
    state: State
    lobby: bool
    policy: Policy


class Entry(BaseModel):
    """The answer to who wants to come in: a seat and a place, or a ticket."""

    state: Literal["admitted", "waiting"]
    seat: str | None = None
    place: Place | None = None
    ticket: str | None = None


class Waited(BaseModel):
    """What somebody who waits is told."""

    state: Literal["waiting", "admitted", "declined", "over"]
    seat: str | None = None
    place: Place | None = None


@dataclass
class Visits:
    """The way in, for everybody."""

    signer: Signer
    meetings: Meetings
    lobby: Lobby
    places: Places
    livekit: LiveKit
    rooms: Rooms

    def read(self, text: str, house: House) -> Invitation:
        """The invitation in a link; RefusedError where this house has not made it."""
        found = self.signer.read(Invitation, text)
        if found.tenant != house.tenant:
            raise RefusedError("wrong_invitation")
        return found

    async def look(self, invitation: Invitation, house: House, staff: bool) -> Look:
        """What would happen to whoever comes in now; `staff`: signed in to book rooms."""
        meeting = await self.meetings.get(invitation.room)
        policy = house.policy.with_rules(invitation.rules)
        role = meeting.role_by(invitation.role, staff)
        state = await self._state(invitation, role, meeting, policy)
        return Look(
            room=invitation.room,
            title=invitation.title,
            role=role,
            opens=_moment(invitation.nbf),
            closes=None if invitation.lasting else _moment(invitation.exp),
            state=state,
            lobby=_waits(role, meeting, policy),
            policy=policy,
        )

    async def _state(
        self, invitation: Invitation, role: Role, meeting: Meeting, policy: Policy
    ) -> State:
        moderates = role == "moderator"
        if invitation.exp <= now() or await self.rooms.cancelled(invitation.room):
            return "over"
        opens = (invitation.nbf or 0) - (EARLIER_SECONDS if moderates else 0)
        if opens > now():
            return "early"
        if meeting.over and not moderates:
            return "ended"
        if meeting.locked and not moderates:
            return "locked"
        people = await self.livekit.count(invitation.room) or 0
        if people >= policy.max_people - LATE_PEOPLE:
            people = len(await self.livekit.people(invitation.room))
        return "full" if people >= policy.max_people else "open"

    async def enter(
        self, invitation: Invitation, name: str, seen: bool, house: House, staff: bool, host: str
    ) -> Entry:
        """Let somebody in, or have him wait. RefusedError says what stands in the way."""
        policy = house.policy.with_rules(invitation.rules)
        person = shown(name)
        if policy.notice and not seen:
            raise RefusedError("notice")
        meeting = await self.meetings.get(invitation.room)
        role = meeting.role_by(invitation.role, staff)
        moderates = role == "moderator"
        if not (policy.guests or staff or moderates):
            raise RefusedError("guests")
        state = await self._state(invitation, role, meeting, policy)
        if state != "open":
            values = {"opens": str(_moment(invitation.nbf))} if state == "early" else {}
            raise RefusedError(state, **values)
        begun = now()
        await self._begin(invitation, moderates)
        # Once more: somebody may have been removed meanwhile.
        meeting = await self.meetings.get(invitation.room)
        ticket = Ticket(
            room=invitation.room,
            tenant=invitation.tenant,
            identity=new_identity(),
            role=meeting.role_by(invitation.role, staff),
            name=person,
            iat=begun,
            exp=begun + SEAT_SECONDS,
        )
        if _waits(ticket.role, meeting, policy):
            self.lobby.join(ticket)
            return Entry(state="waiting", ticket=self.signer.sign(ticket))
        seat, place = await self.admit(ticket, house, host)
        return Entry(state="admitted", seat=seat, place=place)

    async def _begin(self, invitation: Invitation, moderates: bool) -> None:
        """Begin the meeting where none is on; one that was ended, for moderators alone."""

        def how(meeting: Meeting) -> Meeting:
            if meeting.over and not moderates:
                return meeting
            if meeting.over or not meeting.started:
                return meeting.begun(invitation.rules, now())
            # Its time runs from the first who is let in, not from whoever knocked in the morning.
            return meeting if meeting.people else meeting.model_copy(update={"started": now()})

        await self.meetings.change(invitation.room, how)

    async def admit(self, ticket: Ticket, house: House, host: str) -> tuple[str, Place]:
        """A seat and a place for somebody who is let in."""
        meeting = await self.meetings.get(ticket.room)
        present: set[Identity] = set()
        if len(meeting.people) >= MOST_PEOPLE:
            present = {one.identity for one in await self.livekit.people(ticket.room)}
        meeting = await self.meetings.change(
            ticket.room, lambda one: one.entered(ticket.identity, ticket.role, now(), present)
        )
        place = await self.places.give(ticket, meeting, house.policy, host)
        return self.signer.seat(ticket), place

    async def wait(self, ticket: Ticket, house: House, host: str) -> AsyncIterator[Waited | None]:
        """What somebody who waits is told, from now to the end; None: nothing new."""
        told = False
        self.lobby.come(ticket)
        try:
            while True:
                seen = self.lobby.rung(ticket.room)
                meeting = await self.meetings.get(ticket.room)
                if ticket.identity in meeting.people:
                    place = await self.places.give(ticket, meeting, house.policy, host)
                    yield Waited(state="admitted", seat=self.signer.seat(ticket), place=place)
                    return
                if ticket.identity in meeting.declined:
                    yield Waited(state="declined")
                    return
                if meeting.over or meeting.ended >= ticket.iat or ticket.exp <= now():
                    yield Waited(state="over")
                    return
                yield None if told else Waited(state="waiting")
                told = True
                await self.lobby.change(ticket.room, seen, ALIVE_SECONDS)
        finally:
            self.lobby.go(ticket)

    async def seated(self, seat: Seat, house: House) -> Meeting:
        """The meeting in which `seat` is good. RefusedError says why it is not."""
        if seat.tenant != house.tenant:
            raise RefusedError("not_allowed")
        meeting = await self.meetings.get(seat.room)
        if reason := meeting.why_not(seat):
            raise RefusedError(reason)
        return meeting

    async def leave(self, seat: Seat) -> None:
        """Somebody goes, and gives up his seat."""
        await self.meetings.change(seat.room, lambda one: one.left(seat.identity))
        await self.livekit.remove(seat.room, seat.identity)

    async def say(
        self, seat: Seat, house: House, topic: Topic, line: str, text: str, done: bool
    ) -> None:
        """Pass a text on. RefusedError("policy") where the room has none or is encrypted."""
        meeting = await self.seated(seat, house)
        if not meeting.relays(seat.identity, house.policy, topic):
            raise RefusedError("policy")
        said = {"from": seat.identity, "id": line, "text": text, "done": done}
        await self.livekit.say(seat.room, topic, json.dumps(said, ensure_ascii=False))

    async def hand(self, seat: Seat, raised: bool) -> None:
        """Raise or lower one's own hand; the moment orders those who want to speak."""
        moment = int(datetime.datetime.now(datetime.UTC).timestamp() * 1000)
        await self.livekit.hand(seat.room, seat.identity, str(moment) if raised else "")
        # LiveKit forgets it with whoever loses the line.
        hand = moment if raised else 0
        await self.meetings.change(seat.room, lambda one: one.with_hand(seat.identity, hand))


def _waits(role: Role, meeting: Meeting, policy: Policy) -> bool:
    return role != "moderator" and (policy.lobby or meeting.guarded)


def _moment(seconds: int | None) -> datetime.datetime | None:
    return datetime.datetime.fromtimestamp(seconds, datetime.UTC) if seconds else None
