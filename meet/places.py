"""Where people meet: on which box, and with which token. One box today, behind one interface."""

from typing import Protocol

from pydantic import BaseModel, ConfigDict

from meet.errors import RefusedError
from meet.livekit import LiveKit, Tokens
from meet.meeting import Meeting
from meet.policy import Policy
from meet.signed import Seat, Ticket


class Place(BaseModel):
    """What a browser needs to join: LiveKit's address and a token for it."""

    model_config = ConfigDict(frozen=True)

    url: str
    token: str
    identity: str
    room: str


class Placement(Protocol):
    """Says which box carries a room, and sees to it that it runs there."""

    async def carry(self, room: str, most: int, host: str) -> str:
        """Have `room` run for at most `most` people; the address of its signalling.

        `host` is the name under which the person reached this box. Raises RefusedError.
        """


class LoneBox:
    """This box carries every room itself."""

    def __init__(self, livekit: LiveKit) -> None:
        self._livekit = livekit

    async def carry(self, room: str, most: int, host: str) -> str:
        """As Placement says."""
        await self._livekit.open(room, most)
        return f"wss://{host}"


class Places:
    """Gives out places to those whom a meeting has let in."""

    def __init__(self, placement: Placement, tokens: Tokens) -> None:
        self._placement = placement
        self._tokens = tokens

    async def give(
        self, person: Seat | Ticket, meeting: Meeting, house: Policy, host: str
    ) -> Place:
        """A place for `person`, with the rights that he has at this moment."""
        if person.identity not in meeting.people:
            raise RefusedError("removed")
        policy = house.with_rules(meeting.rules)
        url = await self._placement.carry(person.room, policy.max_people, host)
        token = self._tokens.place(
            person.room,
            person.identity,
            person.name,
            meeting.people[person.identity].role,
            meeting.sources(person.identity, house),
            meeting.data(person.identity, house),
            hand=str(meeting.people[person.identity].hand or ""),
        )
        return Place(url=url, token=token, identity=person.identity, room=person.room)
