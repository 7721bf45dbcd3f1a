"""How LiveKit is asked on this box."""

import asyncio
from typing import Any

import httpx
import pytest

from meet import livekit
from meet.livekit import LiveKit, Tokens

pytestmark = pytest.mark.unit

TWIRP = "/twirp/livekit.RoomService"


class Server:
    """LiveKit's administration, and the questions that it was asked."""

    def __init__(self) -> None:
        self.people: dict[str, int] = {}
        self.asked: list[str] = []

    def __call__(self, request: httpx.Request) -> httpx.Response:
        method = request.url.path.removeprefix(f"{TWIRP}/")
        self.asked.append(method)
        rooms = [{"name": room, "num_participants": many} for room, many in self.people.items()]
        content: dict[str, Any] = {"rooms": rooms} if method == "ListRooms" else {}
        return httpx.Response(200, json=content)


def test_whoever_comes_in_asks_for_his_room_once(monkeypatch: pytest.MonkeyPatch) -> None:
    async def story() -> None:
        server, asks = Server(), LiveKit(Tokens("key", "s" * 64))
        await asks.close()
        asks._client = httpx.AsyncClient(
            base_url=livekit.ADDRESS, transport=httpx.MockTransport(server)
        )
        # What does not run is asked for again, and made.
        assert await asks.count("a") is None
        assert await asks.open("a", 80)
        assert server.asked == ["ListRooms", "ListRooms", "CreateRoom"]
        server.people["a"] = 3
        assert await asks.count("a") == 3
        server.people["a"] = 4
        assert await asks.count("a") == 3
        assert not await asks.open("a", 80)
        assert server.asked[3:] == ["ListRooms"]
        # What ended is not taken for running.
        await asks.close_room("a")
        del server.people["a"]
        assert await asks.open("a", 80)
        assert server.asked[4:] == ["DeleteRoom", "ListRooms", "CreateRoom"]
        # Nor is what was so a moment ago.
        server.people["a"] = 5
        assert await asks.count("a") == 5
        monkeypatch.setattr(livekit, "FRESH_SECONDS", 0.0)
        server.people["a"] = 6
        assert await asks.count("a") == 6
        await asks.close()

    asyncio.run(story())
