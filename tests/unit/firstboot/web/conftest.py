"""The web application in this process, with root's side behind it as on a box."""

import asyncio
from dataclasses import dataclass, replace
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import httpx
import pytest
from starlette.applications import Starlette
from starlette.types import Message, Receive, Scope, Send

from firstboot.texts import Said
from firstboot.web import outcome
from firstboot.web.app import application
from firstboot.web.forms import Note
from firstboot.web.frame import STEPS
from firstboot.web.session import Sessions
from tests.unit.firstboot.folders import PASSWORD, Box

# What a clerk answers who knows little: mostly what is there already.
SENSIBLE: dict[str, dict[str, str]] = {
    "network": {"mode": "dhcp"},
    "house": {"name": "Gemeinde Musterhausen"},
    "reach": {"reach": "house"},
    "domain": {"host_name": ""},
    "certificate": {"kind": "own"},
    "administrators": {
        "name1": "Anna Beispiel",
        "password1": PASSWORD,
        "alone_because": "Die zweite Stelle ist nicht besetzt.",
    },
    "meetings": {"preset": "council"},
    "texts": {"imprint": "Rathausplatz 1"},
    "cluster": {"cluster": "alone"},
}


@dataclass
class Element:
    """One element of a page, and the text in it."""

    tag: str
    attributes: dict[str, str]
    text: str = ""


class Seen(HTMLParser):
    """A page as programs see it that read it aloud: its elements in order."""

    VOID = ("meta", "link", "input", "br", "img")

    def __init__(self, page: str) -> None:
        super().__init__()
        self.elements: list[Element] = []
        self._open: list[Element] = []
        self.feed(page)
        self.close()
        assert self._open == [], "all elements are closed"

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        element = Element(tag, {key: value or "" for key, value in attrs})
        self.elements.append(element)
        if tag not in self.VOID:
            self._open.append(element)

    def handle_endtag(self, tag: str) -> None:
        assert self._open.pop().tag == tag, f"</{tag}> closes what was opened last"

    def handle_data(self, data: str) -> None:
        for element in self._open:
            element.text += data

    def all(self, *tags: str) -> list[Element]:
        """All elements with one of these names."""
        return [one for one in self.elements if one.tag in tags]

    def value(self, name: str) -> str:
        """What stands in the form under `name`."""
        for one in self.elements:
            if one.attributes.get("name") != name:
                continue
            if one.tag == "textarea":
                return one.text
            if one.tag == "select":
                inside = self.elements[self.elements.index(one) + 1 :]
                options = [each for each in inside if each.tag == "option"]
                chosen = [each for each in options if "selected" in each.attributes]
                return (chosen or options)[0].attributes["value"]
            if one.attributes.get("type") != "radio" or "checked" in one.attributes:
                return one.attributes.get("value", "")
        raise AssertionError(f"there is no {name} on this page")


class Clerk:
    """A browser without JavaScript."""

    def __init__(self, box: Box, pages: Starlette, language: str = "de", quiet: bool = False):
        self.box = box
        self.pages = pages
        self.in_a_hurry = False
        transport = httpx.ASGITransport(app=self._visit, raise_app_exceptions=not quiet)
        headers = {"Accept-Language": language}
        self.client = httpx.AsyncClient(
            transport=transport, base_url="https://ratssaal.local", headers=headers
        )
        self.page = ""
        self.place = ""

    @property
    def seen(self) -> Seen:
        """The open page, taken apart."""
        return Seen(self.page)

    def heading(self) -> str:
        """What the open page is about."""
        return " ".join(one.text for one in self.seen.all("h1"))

    def recovery_key(self) -> str:
        """The recovery key on the open page, its groups joined as systemd writes them."""
        lists = [one for one in self.seen.all("ol") if one.attributes.get("class") == "groups"]
        return "-".join(word for one in lists for word in one.text.split())

    def get(self, place: str, *, follow: bool = True) -> httpx.Response:
        """Open a page."""
        return self._keep(asyncio.run(self.client.get(place, follow_redirects=follow)))

    def glance(self, place: str) -> httpx.Response:
        """Ask for a page and go away; a page that tells what happens would never end by itself."""
        self.in_a_hurry = True
        try:
            return asyncio.run(self.client.get(place))
        finally:
            self.in_a_hurry = False

    async def _visit(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Reach the pages, until the browser goes away."""

        async def heard() -> Message:
            if not self.in_a_hurry:
                return await receive()
            try:
                return await asyncio.wait_for(receive(), 0.1)
            except TimeoutError:
                return {"type": "http.disconnect"}

        more = False

        async def said(message: Message) -> None:
            nonlocal more
            more = bool(message.get("more_body")) or message["type"] == "http.response.start"
            await send(message)

        await self.pages(scope, heard, said)
        if more:
            await send({"type": "http.response.body"})

    def send(self, place: str, /, **answers: str) -> httpx.Response:
        """Send the form of the page that is open, with `answers` in it; follow where it leads."""
        answer = self.send_only(place, **answers)
        while answer.is_redirect:
            answer = self.get(answer.headers["location"])
        return answer

    def send_only(self, place: str, /, **answers: str) -> httpx.Response:
        """As `send`, without following."""
        return self._keep(asyncio.run(self.client.post(place, data=self._form(answers))))

    def upload(self, place: str, files: dict[str, Any], /, **answers: str) -> httpx.Response:
        """As `send`, with files in the form."""
        post = self.client.post(place, data=self._form(answers), files=files, follow_redirects=True)
        return self._keep(asyncio.run(post))

    def _form(self, answers: dict[str, str]) -> dict[str, str]:
        found = {"form": self.hidden("form"), **answers}
        if "revision" not in found and 'name="revision"' in self.page:
            found["revision"] = self.hidden("revision")
        return found

    def _keep(self, answer: httpx.Response) -> httpx.Response:
        self.page, self.place = answer.text, answer.url.path
        return answer

    def hidden(self, name: str) -> str:
        """What the open page carries along under `name`."""
        return self.seen.value(name)

    def open_with_code(self, language: str = "de") -> None:
        """Through language and code, to the first step that is not done."""
        self.get("/setup/")
        self.send("/setup/", language=language)
        self.send("/setup/code", code=self.box.code())

    def walk(self, until: str = "summary", /, **answers: dict[str, str]) -> None:
        """Answer all steps before `until`, sensibly where `answers` says nothing else."""
        for name in STEPS:
            if name == until:
                break
            self.get(f"/setup/{name}")
            answer = self.send(f"/setup/{name}", **answers.get(name, SENSIBLE[name]))
            assert answer.status_code == 200, (name, self.page)
        self.get(f"/setup/{until}")

    def finish(self) -> None:
        """Bring all into force, and look how it went."""
        self.get("/setup/summary")
        self.send("/setup/apply")
        assert self.box.converge()
        self.get("/setup/progress")

    def sign_in(
        self, name: str = "Anna Beispiel", password: str = PASSWORD, totp: str = ""
    ) -> None:
        """As an administrator, once the box is set up."""
        self.get("/admin/sign-in")
        self.send("/admin/sign-in", name=name, password=password, totp=totp)


class House:
    """The box with its web server, and whoever comes to it."""

    def __init__(self, box: Box) -> None:
        self.box = box
        self.asked: list[str] = []
        self.sessions = Sessions(box.folder / "sessions.json")
        self.pages = application(self.ask, self.sessions)

    async def ask(self, verb: str, **arguments: object) -> Any:
        """One request of the web server's to root's side."""
        self.asked.append(verb)
        return await asyncio.to_thread(self.box.ask, verb, **arguments)

    def visitor(self, language: str = "de", *, quiet: bool = False) -> Clerk:
        """Another browser. quiet: faults of ours are shown to it alone, as on a box."""
        return Clerk(self.box, self.pages, language, quiet)


@pytest.fixture
def house(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> House:
    """A box that nobody has set up, in a network where names lead nowhere."""
    box = Box(tmp_path, monkeypatch)
    findings = [Note("problem", Said("setup.network.no_card"))]
    own = {"own": ["192.0.2.10"]}
    step = replace(STEPS["domain"], look=lambda _: own, notes=lambda _: findings)
    monkeypatch.setitem(STEPS, "domain", step)
    addresses = tmp_path / "address.json"
    addresses.write_text('{"all": ["192.0.2.10"]}')
    monkeypatch.setattr(outcome, "ADDRESSES", addresses)
    return House(box)


@pytest.fixture
def clerk(house: House) -> Clerk:
    """Somebody before a box that nobody has set up."""
    return house.visitor()


@pytest.fixture
def inside(clerk: Clerk) -> Clerk:
    """Somebody who has typed the code."""
    clerk.open_with_code()
    return clerk


@pytest.fixture
def ready(inside: Clerk) -> Clerk:
    """Somebody who has set the box up."""
    inside.walk()
    inside.finish()
    return inside
