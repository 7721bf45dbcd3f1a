"""What the service does by its clock."""

import asyncio
from typing import Any, cast

import pytest

from meet.livekit import LiveKit, Participant
from meet.service import Service
from meet.signed import now

pytestmark = pytest.mark.unit


class Rooms:
    """LiveKit with people in the test room, by identity: until when they may stay."""

    def __init__(self, people: dict[str, dict[str, str]]) -> None:
        self.there = people

    async def people(self, room: str) -> list[Participant]:
        assert room == "ratssaal-test"
        return [Participant(identity=one, attributes=it) for one, it in self.there.items()]

    async def remove(self, _: str, identity: str) -> None:
        del self.there[identity]

    async def close(self) -> None:
        pass


def test_whose_time_in_the_test_room_is_over_is_put_out() -> None:
    async def story() -> None:
        service = Service.of(b"k" * 32, "key", "s" * 64)
        await service.livekit.close()
        people: dict[str, Any] = {
            "phone": {"until": str(now() - 1)},
            "clerk": {"until": str(now() + 60)},
            "nobody": {},
        }
        rooms = Rooms(people)
        service.livekit = cast(LiveKit, rooms)
        await service.end_trials("ratssaal-test")
        assert list(rooms.there) == ["clerk"]
        await service.close()

    asyncio.run(story())
