"""The way in by a link: as what, and past whom, once somebody has been removed."""

import asyncio
import json
from typing import Any, cast

import pytest

from meet.errors import RefusedError
from meet.house import House
from meet.livekit import LiveKit, Participant, Tokens
from meet.lobby import Lobby
from meet.meetings import Meetings
from meet.moderation import Moderation
from meet.names import Role, Topic, new_room
from meet.places import LoneBox, Places
from meet.policy import PRESETS
from meet.rooms import Rooms
from meet.signed import Invitation, Seat, Signer, now
from meet.store import Store
from meet.visit import Entry, Visits

pytestmark = pytest.mark.unit

HOST = "sitzung.musterhausen.example"


class Empty:
    """A store that has nothing and takes everything, a LiveKit without people, no bookings."""

    def __init__(self) -> None:
        self.there: list[Participant] = []
        self.said: list[tuple[str, str, Any]] = []
        self.permitted: dict[str, tuple[Role, object, bool]] = {}

    async def get(self, _: str) -> None:
        return None

    async def keep(self, *_: object) -> None:
        pass

    async def count(self, _: str) -> int | None:
        return None

    async def people(self, *_: str) -> list[Participant]:
        return self.there

    async def say(self, room: str, topic: str, text: str) -> None:
        self.said.append((room, topic, json.loads(text)))

    async def cancelled(self, _: str) -> bool:
        return False

    async def permit(self, _: str, who: str, role: Role, sources: object, data: bool) -> None:
        self.permitted[who] = role, sources, data

    async def nothing(self, *_: object) -> None:
        pass

    open = remove = hand = nothing


class Room:
    """A room in a house in which citizens wait for nobody."""

    def __init__(self, preset: str = "open") -> None:
        empty = self.livekit = Empty()
        livekit = cast(LiveKit, empty)
        self.signer = Signer(b"k" * 32)
        self.house = House(tenant=HOST, policy=PRESETS[preset])
        self.meetings = Meetings(cast(Store, empty))
        places = Places(LoneBox(livekit), Tokens("key", "s" * 64))
        lobby = Lobby()
        self.visits = Visits(self.signer, self.meetings, lobby, places, livekit, cast(Rooms, empty))
        self.moderation = Moderation(self.visits, self.meetings, lobby, livekit)
        self.name = new_room()

    def link(self, role: Role) -> Invitation:
        return Invitation(room=self.name, tenant=HOST, role=role, title="Rat", exp=now() + 3600)

    async def enter(self, role: Role, *, staff: bool = False) -> Entry:
        return await self.visits.enter(self.link(role), "A", True, self.house, staff, HOST)

    async def seat(self, role: Role) -> Seat:
        entry = await self.enter(role)
        assert entry.seat
        return self.signer.read(Seat, entry.seat)


def test_a_removed_moderator_waits_and_comes_in_as_a_participant() -> None:
    async def story() -> None:
        room = Room()
        anna, bernd = await room.seat("moderator"), await room.seat("moderator")
        await room.moderation.remove(anna, bernd.identity)
        look = await room.visits.look(room.link("moderator"), room.house, False)
        assert (look.role, look.lobby) == ("participant", True)
        entry = await room.enter("moderator")
        assert (entry.state, entry.seat) == ("waiting", None)
        await room.moderation.admit(anna, "all", room.house)
        roles = [one.role for one in (await room.meetings.get(room.name)).people.values()]
        assert roles == ["moderator", "participant"]
        # Whoever is known needs no link to be believed.
        look = await room.visits.look(room.link("moderator"), room.house, True)
        assert (look.role, look.lobby) == ("moderator", False)
        assert (await room.enter("moderator", staff=True)).state == "admitted"

    asyncio.run(story())


def test_a_moderator_who_was_given_another_role_first_is_one_all_the_same() -> None:
    async def story() -> None:
        room = Room()
        anna, bernd = await room.seat("moderator"), await room.seat("moderator")
        await room.moderation.role(anna, bernd.identity, "participant", room.house)
        await room.moderation.remove(anna, bernd.identity)
        assert (await room.enter("moderator")).state == "waiting"

    asyncio.run(story())


def test_moderators_do_not_wait_because_a_participant_was_removed() -> None:
    async def story() -> None:
        room = Room()
        anna, bernd = await room.seat("moderator"), await room.seat("participant")
        # Bernd moderates for a while, and has no link for it.
        await room.moderation.role(anna, bernd.identity, "moderator", room.house)
        await room.moderation.remove(anna, bernd.identity)
        assert (await room.enter("participant")).state == "waiting"
        assert (await room.enter("moderator")).state == "admitted"

    asyncio.run(story())


def test_a_lock_and_a_house_without_guests_hold_for_a_removed_moderator_too() -> None:
    async def story() -> None:
        room = Room()
        anna, bernd = await room.seat("moderator"), await room.seat("moderator")
        await room.moderation.remove(anna, bernd.identity)
        await room.moderation.lock(anna, True)
        with pytest.raises(RefusedError, match="locked"):
            await room.enter("moderator")
        room.house = room.house.model_copy(
            update={"policy": room.house.policy.model_copy(update={"guests": False})}
        )
        with pytest.raises(RefusedError, match="guests"):
            await room.enter("moderator")
        assert (await room.enter("moderator", staff=True)).state == "admitted"

    asyncio.run(story())


def test_all_microphones_stay_blocked_until_all_are_freed() -> None:
    async def story() -> None:
        room = Room()
        anna = await room.seat("moderator")
        await room.moderation.mute(anna, "all", "microphone", True, room.house)
        bernd = await room.seat("participant")
        queue = await anext(room.moderation.watch(anna, room.house))
        assert queue
        assert queue.silenced == ["microphone"]
        meeting = await room.meetings.get(room.name)
        assert "microphone" not in meeting.sources(bernd.identity, room.house.policy)
        assert "microphone" in meeting.sources(anna.identity, room.house.policy)
        await room.moderation.allow(anna, "all", "microphone", room.house)
        meeting = await room.meetings.get(room.name)
        assert "microphone" in meeting.sources(bernd.identity, room.house.policy)

    asyncio.run(story())


def test_who_only_takes_seats_puts_out_nobody_who_sits_there(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("meet.meeting.MOST_PEOPLE", 4)
    monkeypatch.setattr("meet.visit.MOST_PEOPLE", 4)

    async def story() -> None:
        room = Room()
        anna, bernd = await room.seat("moderator"), await room.seat("participant")
        there = [Participant(identity=one.identity) for one in (anna, bernd)]
        room.livekit.there = there
        for _ in range(5):
            await room.seat("participant")
        people = (await room.meetings.get(room.name)).people
        assert len(people) == 4
        assert {anna.identity, bernd.identity} <= set(people)

    asyncio.run(story())


def test_a_raised_hand_is_still_up_at_the_next_place_until_it_is_lowered() -> None:
    async def story() -> None:
        room = Room()
        anna, bernd = await room.seat("moderator"), await room.seat("participant")

        async def hand() -> str:
            meeting = await room.meetings.get(room.name)
            place = await room.visits.places.give(bernd, meeting, room.house.policy, HOST)
            return Tokens("key", "s" * 64).read(place.token).attributes["hand"]

        assert await hand() == ""
        await room.visits.hand(bernd, True)
        since = await hand()
        assert int(since) > 0
        await room.moderation.role(anna, bernd.identity, "viewer", room.house)
        assert await hand() == since
        await room.moderation.lower(anna, "all")
        assert await hand() == ""

    asyncio.run(story())


def test_the_next_meeting_knows_nothing_of_the_removal() -> None:
    async def story() -> None:
        room = Room()
        anna, bernd = await room.seat("moderator"), await room.seat("moderator")
        await room.moderation.remove(anna, bernd.identity)
        await room.meetings.change(room.name, lambda one: one.finished(now()))
        assert (await room.enter("moderator")).state == "admitted"

    asyncio.run(story())


def test_texts_are_passed_on_where_only_one_kind_is_allowed_and_to_whom_it_is() -> None:
    async def story() -> None:
        room = Room()
        viewer, bernd = await room.seat("viewer"), await room.seat("participant")

        async def refused(seat: Seat, topic: Topic) -> None:
            with pytest.raises(RefusedError, match="policy"):
                await room.visits.say(seat, room.house, topic, "1", "Guten", False)

        room.house = House.of(HOST, {"meetings": {"preset": "open", "encryption": "required"}})
        await refused(bernd, "chat")
        room.house = House.of(HOST, {"meetings": {"preset": "open", "live_text": False}})
        await room.visits.say(bernd, room.house, "chat", "1", "Guten Abend", True)
        said = {"from": bernd.identity, "id": "1", "text": "Guten Abend", "done": True}
        assert room.livekit.said == [(room.name, "chat", said)]
        await refused(bernd, "text")
        await refused(viewer, "chat")
        await room.moderation.remove(await room.seat("moderator"), bernd.identity)
        with pytest.raises(RefusedError, match="removed"):
            await room.visits.say(bernd, room.house, "chat", "1", "Guten Abend", True)
        assert len(room.livekit.said) == 1

    asyncio.run(story())


def test_whoever_sits_there_follows_a_house_that_changes_its_rules() -> None:
    async def story() -> None:
        room = Room()
        anna, bernd = await room.seat("moderator"), await room.seat("participant")
        policy = PRESETS["open"].model_copy(update={"share": "moderators", "chat": False})
        await room.moderation.follow(room.name, policy)
        every, fewer = ("microphone", "camera", "screen"), ("microphone", "camera")
        assert room.livekit.permitted == {
            anna.identity: ("moderator", every, False),
            bernd.identity: ("participant", fewer, False),
        }

    asyncio.run(story())


def test_places_have_what_the_house_allows_by_rules_of_its_own_and_follow_a_change() -> None:
    async def story() -> None:
        room = Room()
        council = {"preset": "council", "lobby": False, "share": "everyone", "camera": "moderators"}

        async def grants(**more: object) -> tuple[list[str] | None, bool]:
            room.house = House.of(HOST, {"meetings": {**council, **more}})
            meeting = await room.meetings.get(room.name)
            place = await room.visits.places.give(bernd, meeting, room.house.policy, HOST)
            video = Tokens("key", "s" * 64).read(place.token).video
            return video.can_publish_sources, video.can_publish_data

        room.house = House.of(HOST, {"meetings": council})
        bernd = await room.seat("participant")
        screen = ["screen_share", "screen_share_audio"]
        assert await grants() == (["microphone", *screen], True)
        assert await grants(speak="asked", chat=False) == (screen, False)
        silent = await grants(speak="asked", chat=False, live_text=False)
        assert silent == (screen, False)
        room.house = House.of(HOST, {"meetings": {**council, "guests": False}})
        with pytest.raises(RefusedError, match="guests"):
            await room.enter("participant")
        room.house = House.of(HOST, {"meetings": {"preset": "open", "lobby": True}})
        assert (await room.enter("participant")).state == "waiting"

    asyncio.run(story())
