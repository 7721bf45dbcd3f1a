"""What holds in one meeting and must survive the service: who was let in, as what, and the lock.

Random identities alone. Who sits in the room at this moment is asked of LiveKit, never kept.
"""

from collections.abc import Collection
from typing import Any

from pydantic import BaseModel, ConfigDict

from meet.names import Identity, Role, Source, Topic
from meet.policy import Policy, Rules
from meet.signed import SEAT_SECONDS, Seat

# Of people let in and declined, so that nobody fills the store by coming in again and again.
MOST_PEOPLE = 2000


class _Model(BaseModel):
    model_config = ConfigDict(frozen=True, hide_input_in_errors=True)


class Person(_Model):
    """Somebody who was let in (`since`, seconds since 1970) and neither left nor was removed.

    came: the role at the door, which moderators do not change; None: the same as `role`.
    hand: since when it is raised, in ms since 1970; 0: it is down.
    """

    role: Role
    since: int
    came: Role | None = None
    given: frozenset[Source] = frozenset()
    taken: frozenset[Source] = frozenset()
    hand: int = 0


class Meeting(_Model):
    """The state of one room. Every method gives a new state."""

    rules: Rules = Rules()
    people: dict[Identity, Person] = {}
    declined: tuple[Identity, ...] = ()
    locked: bool = False
    # Somebody was removed: whoever comes anew waits, since a link knows no faces.
    guarded: bool = False
    # Who was removed had come in as a moderator: the link for moderators opens no more than that
    # for participants, since a waiting moderator looks like anybody else who waits.
    doubted: bool = False
    # Taken from all who do not moderate, those who come later as well.
    silenced: frozenset[Source] = frozenset()
    started: int = 0
    ended: int = 0
    # All had gone: their seats are worthless, and who waits goes on waiting.
    emptied: int = 0
    # Ended, and no moderator has opened it again.
    over: bool = False

    def _with(self, **changes: Any) -> "Meeting":
        return self.model_copy(update=changes)

    def begun(self, rules: Rules, now: int) -> "Meeting":
        """A meeting that begins now, with nobody in it; who waits goes on waiting."""
        return Meeting(
            rules=rules, started=now, ended=self.ended, emptied=self.emptied, declined=self.declined
        )

    def entered(
        self, identity: Identity, role: Role, now: int, present: Collection[Identity] = ()
    ) -> "Meeting":
        """With somebody let in; `present`: who sits in the room, where that is known."""
        since = now - SEAT_SECONDS
        people = {key: one for key, one in self.people.items() if one.since > since}
        while len(people) >= MOST_PEOPLE:
            # Who only takes seats, however many, puts out nobody who sits there, and no moderator.
            def worth(key: Identity) -> tuple[bool, bool, int]:
                return key in present, people[key].role == "moderator", people[key].since

            del people[min(people, key=worth)]
        person = Person(role=role, since=now, came=role, taken=self._taken(role))
        return self._with(people={**people, identity: person})

    def _taken(self, role: Role) -> frozenset[Source]:
        return frozenset() if role == "moderator" else self.silenced

    def left(self, identity: Identity) -> "Meeting":
        """Without somebody who went: the seat is worth nothing afterwards."""
        return self._with(people={key: one for key, one in self.people.items() if key != identity})

    def removed(self, identity: Identity) -> "Meeting":
        """Without somebody who was sent out, and with a guard at the door."""
        one = self.people.get(identity)
        moderated = one is not None and (one.came or one.role) == "moderator"
        return self.left(identity)._with(guarded=True, doubted=self.doubted or moderated)

    def role_by(self, link: Role, staff: bool) -> Role:
        """As what somebody comes in by a link, if at all; `staff`: signed in, and so known."""
        return "participant" if link == "moderator" and self.doubted and not staff else link

    def refused(self, identities: list[Identity]) -> "Meeting":
        """With people who waited and were sent away."""
        return self._with(declined=(*self.declined, *identities)[-MOST_PEOPLE:])

    def with_role(self, identity: Identity, role: Role) -> "Meeting":
        """With another role for somebody; what was given to or taken from him is forgotten."""
        before = self.people[identity]
        person = Person(
            role=role, since=before.since, came=before.came or before.role, taken=self._taken(role),
            hand=before.hand,
        )  # fmt: skip
        return self._with(people={**self.people, identity: person})

    def with_hand(self, identity: Identity, hand: int) -> "Meeting":
        """With somebody's hand raised since `hand`, or lowered; without him nothing changes."""
        if identity not in self.people:
            return self
        person = self.people[identity].model_copy(update={"hand": hand})
        return self._with(people={**self.people, identity: person})

    def given(self, identity: Identity, source: Source) -> "Meeting":
        """With a source that a moderator allows somebody."""
        one = self.people[identity]
        person = one.model_copy(
            update={"given": one.given | {source}, "taken": one.taken - {source}}
        )
        return self._with(people={**self.people, identity: person})

    def taken(self, identity: Identity, source: Source) -> "Meeting":
        """With a source taken from somebody, for good."""
        one = self.people[identity]
        person = one.model_copy(
            update={"given": one.given - {source}, "taken": one.taken | {source}}
        )
        return self._with(people={**self.people, identity: person})

    def silent(self, source: Source) -> "Meeting":
        """With a source taken from all who do not moderate, now or later."""
        meeting = self._with(silenced=self.silenced | {source})
        for identity, one in self.people.items():
            if one.role != "moderator":
                meeting = meeting.taken(identity, source)
        return meeting

    def freed(self, source: Source) -> "Meeting":
        """With a source taken from nobody any more."""
        people = {
            key: one.model_copy(update={"taken": one.taken - {source}})
            for key, one in self.people.items()
        }
        return self._with(silenced=self.silenced - {source}, people=people)

    def shut(self, locked: bool) -> "Meeting":
        """Locked: nobody new comes in; who has a seat comes back to it."""
        return self._with(locked=locked)

    def finished(self, now: int) -> "Meeting":
        """Ended for all: every seat given so far is worthless."""
        return Meeting(rules=self.rules, ended=now, over=True)

    def deserted(self, now: int) -> "Meeting":
        """Over because nobody is in it any more: lock and guard go with those who were."""
        return Meeting(rules=self.rules, declined=self.declined, ended=self.ended, emptied=now)

    def why_not(self, seat: Seat) -> str | None:
        """None where `seat` is good, else why not: `ended` or `removed`."""
        if seat.identity in self.people:
            return None
        since = max(self.ended, self.emptied)
        return "ended" if self.over or seat.iat <= since else "removed"

    def sources(self, identity: Identity, policy: Policy) -> tuple[Source, ...]:
        """What somebody may send now."""
        one = self.people[identity]
        return policy.with_rules(self.rules).sources(one.role, one.given, one.taken)

    def data(self, identity: Identity, policy: Policy) -> bool:
        """Whether LiveKit takes texts from somebody now."""
        return policy.with_rules(self.rules).data(self.people[identity].role)

    def relays(self, identity: Identity, policy: Policy, topic: Topic) -> bool:
        """Whether the service passes texts of `topic` on that somebody writes."""
        return policy.with_rules(self.rules).relays(self.people[identity].role, topic)
