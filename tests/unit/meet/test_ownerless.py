"""Rooms that anybody makes: few of them, not for long, and gone once nobody is in them."""

import asyncio
import datetime
import time
from pathlib import Path
from typing import Any

import pytest

from meet import ownerless, rooms, service
from meet.errors import RefusedError
from meet.meeting import Meeting
from meet.ownerless import EMPTY_SECONDS, LONGEST, Empty, times
from meet.policy import PRESETS, Rules
from meet.rooms import CODES, OWNERLESS, ROOMS
from meet.signed import Invitation
from tests.unit.meet.front import Front

pytestmark = pytest.mark.unit

NOW = datetime.datetime(2026, 11, 28, 9, 0, tzinfo=datetime.UTC)
OPEN = PRESETS["open"]


def hours(number: float) -> datetime.datetime:
    return NOW + datetime.timedelta(hours=number)


@pytest.fixture
def front(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Front:
    return Front(tmp_path, monkeypatch, "open")


def booked(front: Front, **more: Any) -> dict[str, Any]:
    """A room that somebody has made without an account."""
    answer = front.ask("POST", "rooms", {"title": "Stammtisch", **more})
    assert answer.status_code == 200, answer.text
    return dict(answer.json())


def test_such_a_room_has_an_end_within_four_hours() -> None:
    assert times(None, None, NOW) == (NOW, hours(4))
    assert times(hours(1), hours(2), NOW) == (hours(1), hours(2))
    assert times(hours(3), None, NOW) == (hours(3), hours(4))
    for opens, closes in ((None, hours(4.1)), (hours(5), None), (hours(24), hours(25))):
        with pytest.raises(RefusedError, match="times_without_account"):
            times(opens, closes, NOW)


def test_nobody_meets_in_it_for_longer_than_it_may_be_open() -> None:
    most = int(LONGEST.total_seconds()) // 60
    assert OPEN.max_minutes > most
    assert OPEN.with_rules(ownerless.rules(Rules(), OPEN)).max_minutes == most
    shorter = Rules(max_minutes=30, lobby=True)
    assert ownerless.rules(shorter, OPEN) == shorter
    strict = OPEN.model_copy(update={"max_minutes": 60})
    assert ownerless.rules(Rules(), strict) == Rules()


def test_a_house_may_keep_rooms_to_staff_and_hand_them_to_anybody(front: Front) -> None:
    made = "Stammtisch"
    for preset, create, status in (("open", "staff", 401), ("council", "anyone", 200)):
        front.settings["meetings"] = {"preset": preset, "create": create, "chat": False}
        front.publish()
        assert front.ask("GET", "staff").json()["may_create"] is (status == 200)
        assert front.ask("POST", "rooms", {"title": made}).status_code == status
        looser = {"title": made, "policy": {"chat": True}}
        assert front.ask("POST", "rooms", looser).status_code == (status if status == 401 else 403)


def test_its_links_and_what_the_store_keeps_of_it_end_with_it(front: Front) -> None:
    room = booked(front)
    until = time.time() + LONGEST.total_seconds()
    link = room["links"]["moderator"].split("#i=")[1]
    assert abs(front.service.signer.read(Invitation, link).exp - until) < 5
    assert room["policy"]["max_minutes"] == 240
    for key in (ROOMS + room["id"], CODES + room["code"], OWNERLESS + room["id"]):
        assert until < front.store.ends[key] < until + 120, key


def test_whoever_is_signed_in_books_as_before(front: Front, monkeypatch: Any) -> None:
    async def found(*_: object) -> str:
        return "Anna"

    monkeypatch.setattr(front.service.sessions, "find", found)
    front.token = "x"
    closes = datetime.datetime.now(datetime.UTC) + datetime.timedelta(days=3)
    for given in ({}, {"closes": closes.isoformat()}):
        for _ in range(12):
            room = booked(front, **given)
            assert room["policy"]["max_minutes"] == OPEN.max_minutes
            assert ROOMS + room["id"] not in front.store.ends
            assert OWNERLESS + room["id"] not in front.store.kept


def test_one_address_makes_a_few_and_then_waits(front: Front) -> None:
    for _ in range(10):
        booked(front)
    refused = front.ask("POST", "rooms", {"title": "Stammtisch"})
    assert (refused.status_code, refused.json()) == (429, {"error": "slow"})
    other = front.ask("POST", "rooms", {"title": "Stammtisch"}, address="192.0.2.2")
    assert other.status_code == 200


def test_they_never_take_all_places(front: Front, monkeypatch: pytest.MonkeyPatch) -> None:
    assert ownerless.MOST < rooms.MOST_ROOMS / 2
    monkeypatch.setattr(ownerless, "MOST", 2)
    booked(front)
    booked(front)
    refused = front.ask("POST", "rooms", {"title": "Stammtisch"})
    assert (refused.status_code, refused.json()) == (409, {"error": "too_many_rooms"})


def test_a_room_is_over_when_it_was_empty_for_half_an_hour(monkeypatch: pytest.MonkeyPatch) -> None:
    empty, begun = Empty(), 1000.0

    def after(seconds: float, known: dict[str, int], people: dict[str, int]) -> list[str]:
        monkeypatch.setattr(time, "monotonic", lambda: begun + seconds)
        return empty.over(known, people)

    later = int(time.time()) + 7200
    known = {"a": 0, "b": 0, "c": later}
    assert after(0, known, {"b": 3}) == []
    assert after(EMPTY_SECONDS - 1, known, {"b": 0}) == []
    # Nobody came; left a second ago; opens in two hours.
    assert after(EMPTY_SECONDS, known, {}) == ["a"]
    assert after(EMPTY_SECONDS + 60, {"a": 0, "b": 0}, {"a": 1}) == []
    assert after(2 * EMPTY_SECONDS, {"a": 0, "b": 0}, {"a": 1}) == ["b"]
    assert after(2 * EMPTY_SECONDS + 60, {"a": 0}, {}) == []


def test_the_service_ends_what_is_empty_and_leaves_what_is_not(
    front: Front, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Of a house with another name: there is no such booking here.
    front.store.kept[OWNERLESS + "a" * 10] = "0"
    left, used, fresh = (booked(front) for _ in range(3))
    link = left["links"]["participant"].split("#i=")[1]
    front.people = {used["id"]: 2}
    monkeypatch.setattr(service, "SWEEP_SECONDS", 0.01)
    monkeypatch.setattr(ownerless, "EMPTY_SECONDS", 0.0)
    quiet = front.service.meetings.quiet
    monkeypatch.setattr(
        front.service.meetings, "quiet", lambda room: room != fresh["id"] and quiet(room)
    )
    ended = asyncio.Event()

    async def closed(room: str) -> None:
        front.closed.append(room)
        ended.set()

    monkeypatch.setattr(front.service.livekit, "close_room", closed)

    async def run() -> Meeting:
        working = asyncio.create_task(front.service.end_ownerless())
        await asyncio.wait_for(ended.wait(), 20)
        working.cancel()
        return await front.service.meetings.get(left["id"])

    assert asyncio.run(run()).over
    assert front.closed == [left["id"]]
    assert ROOMS + left["id"] not in front.store.kept
    assert OWNERLESS + left["id"] not in front.store.kept
    assert front.ask("POST", "look", {"invitation": link}).json()["state"] == "over"
    for one in (used, fresh):
        assert ROOMS + one["id"] in front.store.kept
