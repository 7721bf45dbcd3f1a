"""How the wizard asks root's side: never more at once than the socket has places."""

import asyncio
import json
from pathlib import Path
from typing import Any

import pytest

from builder.paths import OVERLAYS
from firstboot.texts import SaidError
from firstboot.web import agent

pytestmark = pytest.mark.unit

UNIT = OVERLAYS / "base/usr/lib/systemd/system/ratssaal-agent.socket"


def places() -> int:
    """How many connections of the web server's user systemd takes at once."""
    (found,) = (
        line.partition("=")[2]
        for line in UNIT.read_text().splitlines()
        if line.startswith("MaxConnectionsPerSource=")
    )
    return int(found)


class Root:
    """A socket with as many places as the box's; who finds none is turned away."""

    def __init__(self) -> None:
        self.inside = 0
        self.most = 0
        self.go_on = asyncio.Event()

    async def answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if self.inside == places():
            writer.close()
            return
        self.inside += 1
        self.most = max(self.most, self.inside)
        asked = json.loads(await reader.readline())
        await self.go_on.wait()
        self.inside -= 1
        writer.write(json.dumps({"ok": asked["verb"]}).encode() + b"\n")
        await writer.drain()
        writer.close()


def ask_all(verbs: list[str], folder: Path, monkeypatch: pytest.MonkeyPatch) -> tuple[Root, Any]:
    """Ask for all of `verbs` at once; what came back for each."""
    monkeypatch.setattr(agent, "SOCKET", folder / "socket")

    async def run() -> tuple[Root, Any]:
        root, ask = Root(), agent.BoxAgent()
        async with await asyncio.start_unix_server(root.answer, folder / "socket"):
            asking = asyncio.gather(*(ask(one) for one in verbs), return_exceptions=True)
            await asyncio.sleep(0.3)
            root.go_on.set()
            return root, await asking

    return asyncio.run(run())


@pytest.mark.parametrize(
    "verbs", [["state"] * 40, ["code"] * 40, ["state", "code", "sign-in"] * 20]
)
def test_many_at_once_wait_and_nobody_is_turned_away(
    verbs: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    root, answers = ask_all(verbs, tmp_path, monkeypatch)
    assert answers == verbs
    assert 0 < root.most < places()


def test_those_who_try_codes_leave_room_for_whoever_looks(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    root, answers = ask_all(["code"] * 40 + ["state"], tmp_path, monkeypatch)
    assert root.most == agent.PLACES_TO_TRY + 1
    assert answers[-1] == "state"


def test_no_answer_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(agent, "SOCKET", tmp_path / "nothing")
    with pytest.raises(SaidError, match=r"setup\.no_answer"):
        asyncio.run(agent.BoxAgent()("state"))
