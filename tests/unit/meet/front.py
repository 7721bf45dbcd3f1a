"""The rooms service in this process: its store in memory, its house a file, no LiveKit."""

import asyncio
import json
import time
from pathlib import Path
from typing import Any

import httpx
import pytest

from meet import service as module
from meet.app import application
from meet.house import PLACE, Houses
from meet.service import Service
from meet.staff import COOKIE

NAME = "sitzung.example"


class Memory:
    """The store, without etcd behind it."""

    def __init__(self) -> None:
        self.kept: dict[str, str] = {}
        self.ends: dict[str, float] = {}

    async def close(self) -> None:
        """Nothing to close."""

    def _there(self) -> dict[str, str]:
        now = time.time()
        return {key: one for key, one in self.kept.items() if self.ends.get(key, now + 1) > now}

    async def get(self, key: str) -> str | None:
        return self._there().get(key)

    async def all(self, prefix: str) -> dict[str, str]:
        found = self._there().items()
        return {key.removeprefix(prefix): one for key, one in found if key.startswith(prefix)}

    async def count(self, prefix: str) -> int:
        return len(await self.all(prefix))

    async def put(self, key: str, value: str, seconds: int | None = None) -> None:
        self.kept[key] = value
        self.ends.pop(key, None)
        if seconds:
            self.ends[key] = time.time() + seconds

    async def keep(self, key: str, value: str, seconds: int) -> None:
        await self.put(key, value, seconds)

    async def add(self, pairs: dict[str, str], seconds: int | None = None) -> bool:
        if any(key in self._there() for key in pairs):
            return False
        for key, one in pairs.items():
            await self.put(key, one, seconds)
        return True

    async def delete(self, *keys: str) -> None:
        for key in keys:
            self.kept.pop(key, None)


class Front:
    """The service's front door, and what a test says stands behind it."""

    def __init__(self, folder: Path, monkeypatch: pytest.MonkeyPatch, preset: str) -> None:
        self.store = Memory()
        monkeypatch.setattr(module, "Store", lambda: self.store)
        self.service = Service.of(b"k" * 32, "key", "s" * 64)
        names = folder / "names.json"
        names.write_text(json.dumps({"host_name": NAME}))
        self.service.houses = Houses(self.store, names)  # type: ignore[arg-type]
        self.settings: dict[str, Any] = {"meetings": {"preset": preset}}
        self.publish()
        # How many people are in which room, as LiveKit would say.
        self.people: dict[str, int] = {}
        self.closed: list[str] = []
        monkeypatch.setattr(self.service.livekit, "rooms", self._rooms)
        monkeypatch.setattr(self.service.livekit, "close_room", self._close)
        self.pages = application(self.service, "1")
        self.token = ""

    async def _rooms(self, *names: str) -> dict[str, int]:
        return {one: self.people[one] for one in names or self.people if one in self.people}

    async def _close(self, room: str) -> None:
        self.closed.append(room)

    def publish(self) -> None:
        """Bring `settings` into force."""
        self.store.kept[PLACE] = json.dumps(self.settings)
        self.service.houses._known = None

    def ask(
        self, method: str, path: str, content: Any = None, *, address: str = "192.0.2.1"
    ) -> httpx.Response:
        """One request of a page's; the cookie of whoever signed in last goes along."""

        async def ask() -> httpx.Response:
            cookies = {COOKIE: self.token} if self.token else {}
            headers = {"X-Ratssaal": "1", "X-Forwarded-For": address}
            transport = httpx.ASGITransport(app=self.pages)
            async with httpx.AsyncClient(
                transport=transport, base_url=f"https://{NAME}", cookies=cookies, headers=headers
            ) as client:
                return await client.request(method, f"/api/{path}", json=content)

        answer = asyncio.run(ask())
        self.token = answer.cookies.get(COOKIE) or self.token
        return answer
