"""Those who wait: in the order of coming, seen while they are there, woken by each change."""

import asyncio
import time

import pytest

from meet import lobby as module
from meet.errors import RefusedError
from meet.lobby import Lobby
from meet.names import new_identity
from meet.signed import Ticket, now

pytestmark = pytest.mark.unit
ROOM = "abcdefghij"


def ticket(name: str, room: str = ROOM, late: int = 0) -> Ticket:
    return Ticket(
        room=room, tenant="a.example", identity=new_identity(), role="participant", name=name,
        iat=now() + late, exp=now() + 60,
    )  # fmt: skip


def names(lobby: Lobby, room: str = ROOM) -> list[str]:
    return [one.name for one in lobby.waiting(room)]


def test_people_wait_in_the_order_of_coming_each_room_for_itself() -> None:
    lobby = Lobby()
    first, second = ticket("A"), ticket("B", late=1)
    lobby.join(second)
    lobby.join(first)
    lobby.join(first)
    lobby.join(ticket("C", room="jihgfedcba"))
    assert names(lobby) == ["A", "B"]
    assert lobby.take(ROOM, [second.identity, new_identity()]) == [second]
    assert lobby.take(ROOM, [second.identity]) == []
    assert names(lobby) == ["A"]


def test_who_goes_is_gone_and_is_back_with_the_next_stream() -> None:
    lobby, one = Lobby(), ticket("A")
    lobby.come(one)
    lobby.come(one)
    lobby.go(one)
    assert names(lobby) == ["A"]
    lobby.go(one)
    assert names(lobby) == []
    lobby.come(one)
    assert names(lobby) == ["A"]


def test_who_never_opens_a_stream_waits_for_a_moment_only(monkeypatch: pytest.MonkeyPatch) -> None:
    lobby = Lobby()
    lobby.join(ticket("A"))
    begun = time.monotonic()
    monkeypatch.setattr(time, "monotonic", lambda: begun + module.GRACE_SECONDS + 1)
    assert names(lobby) == []


def test_a_lobby_has_an_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MOST_IN_ROOM", 2)
    lobby = Lobby()
    lobby.join(ticket("A"))
    lobby.join(ticket("B"))
    with pytest.raises(RefusedError, match="busy"):
        lobby.join(ticket("C"))


def test_whoever_watches_is_woken_by_a_change_even_by_one_just_before() -> None:
    async def watch() -> float:
        lobby = Lobby()
        begun = time.monotonic()
        seen = lobby.rung(ROOM)
        lobby.join(ticket("A"))
        await lobby.change(ROOM, seen, 30)
        waiting = asyncio.create_task(lobby.change(ROOM, lobby.rung(ROOM), 30))
        await asyncio.sleep(0)
        lobby.join(ticket("B"))
        await waiting
        # Another room wakes nobody here.
        seen = lobby.rung(ROOM)
        lobby.join(ticket("C", room="jihgfedcba"))
        assert lobby.rung(ROOM) == seen
        return time.monotonic() - begun

    assert asyncio.run(watch()) < 10
