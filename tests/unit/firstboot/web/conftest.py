"""The wizard in this process, with root's side behind it as on a box, but in folders of a test."""

import asyncio
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from firstboot import agent, code, progress
from firstboot.store import Store
from firstboot.texts import SaidError
from firstboot.web import app
from firstboot.web.app import Wizard
from firstboot.web.session import Sessions


class Clerk:
    """A browser without JavaScript, and the box behind its pages."""

    def __init__(self, folder: Path) -> None:
        self.store = Store(folder / "settings", folder / "secrets")
        self.sessions = Sessions(folder / "sessions.json")
        self.asked: list[str] = []
        application = Wizard(self._ask, self.sessions).application()
        transport = httpx.ASGITransport(app=application)
        self.client = httpx.AsyncClient(transport=transport, base_url="https://ratssaal.local")
        self.page = ""

    async def _ask(self, verb: str, **arguments: object) -> Any:
        """As the agent's socket does: all that goes through is JSON."""
        self.asked.append(verb)
        line = json.dumps({"verb": verb, **arguments})
        try:
            answer = await asyncio.to_thread(agent.answer, json.loads(line), self.store)
        except SaidError as error:
            said = json.loads(json.dumps([error.said.key, error.said.values]))
            raise SaidError(said[0], **said[1]) from error
        return json.loads(json.dumps(answer))

    def get(self, place: str) -> httpx.Response:
        """Open a page; redirections are followed."""
        return self._keep(asyncio.run(self.client.get(place, follow_redirects=True)))

    def send(self, place: str, **answers: str) -> httpx.Response:
        """Send the form of the page that is open, with `answers` in it."""
        found = {"form": self.hidden("form"), **answers}
        if "revision" not in found and 'name="revision"' in self.page:
            found["revision"] = self.hidden("revision")
        return self._keep(
            asyncio.run(self.client.post(place, data=found, follow_redirects=True))
        )

    def _keep(self, answer: httpx.Response) -> httpx.Response:
        self.page = answer.text
        return answer

    def hidden(self, name: str) -> str:
        """What the open page carries along under `name`."""
        _, _, rest = self.page.partition(f'name="{name}" value="')
        return rest.partition('"')[0]

    def open_with_code(self) -> None:
        """Through language and code, to the first step."""
        self.get("/setup/")
        self.send("/setup/", language="de")
        shown = code.read()
        assert shown
        self.send("/setup/code", code=str(shown.shown))


@pytest.fixture
def clerk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Clerk]:
    """Somebody before a box that nobody has set up."""
    (tmp_path / "secrets").mkdir()
    file = tmp_path / "secrets/code.json"
    for function in (code.read, code.renew, code.forget):
        monkeypatch.setattr(function, "__defaults__", (file,))
    monkeypatch.setattr(code.check, "__defaults__", (file, 0.0))
    monkeypatch.setattr(agent, "subprocess", _NoSystemd())
    monkeypatch.setattr(agent, "REQUEST", tmp_path / "secrets/request.key")
    monkeypatch.setattr(progress.read, "__defaults__", (tmp_path / "progress.json",))
    monkeypatch.setattr(app, "image_version", lambda: "test")
    code.renew()
    yield Clerk(tmp_path)


class _NoSystemd:
    """There is no systemd below a unit test: what would be started is remembered."""

    started: list[list[str]] = []

    def run(self, command: list[str], **_: object) -> None:
        self.started.append(command)
