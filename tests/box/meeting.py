"""A house in which a meeting can be held: a set-up box, its staff, guests and clients."""

import json
import os
import ssl
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import httpx
import yaml

from builder import answers
from builder.artifacts import Artifacts
from builder.call import Reachable
from builder.machines.container import Box
from builder.machines.shell import wait_for
from builder.machines.stage import Stage, die_with_parent
from builder.paths import PROJECT

NAME = "sitzung.musterhausen.example"
RELAY = f"turn.{NAME}"
PASSWORD = "korrekt pferd batterie klammer"
OWN_PAGE = {"X-Ratssaal": "1"}
# In an emulated machine a password alone takes many seconds: argon2 fills 64 MiB of memory.
ANSWER_SECONDS = 120.0


class Client:
    """A participant program on the stage; see tests.box.participant."""

    def __init__(self, stage: Stage, authority: str) -> None:
        environment = {
            **os.environ, "PYTHONPATH": str(PROJECT), "SSL_CERT_FILE": authority, "RUST_LOG": "off",
        }  # fmt: skip
        environment.pop("SSL_CERT_DIR", None)
        self._child = subprocess.Popen(
            stage.enter([sys.executable, "-m", "tests.box.participant"]),
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True,
            env=environment, preexec_fn=die_with_parent,
        )  # fmt: skip

    def do(self, what: str, **arguments: Any) -> dict[str, Any]:
        """Have the client do something, and get its answer."""
        assert self._child.stdin
        assert self._child.stdout
        self._child.stdin.write(json.dumps({"do": what, **arguments}) + "\n")
        self._child.stdin.flush()
        answer: dict[str, Any] = json.loads(self._child.stdout.readline())
        return answer

    def join(self, place: dict[str, Any]) -> dict[str, Any]:
        """Join with a place that the rooms service gave."""
        return self.do("join", url=place["url"], token=place["token"])

    def close(self) -> None:
        """End the program."""
        self._child.kill()
        self._child.wait()


@dataclass
class Hall:
    """A box in use, and what a test needs to hold meetings on it."""

    stage: Stage
    box: Reachable
    http: httpx.Client
    authority: str
    clients: list[Client] = field(default_factory=list)

    def client(self) -> Client:
        """A new client, which ends with the test."""
        self.clients.append(Client(self.stage, self.authority))
        return self.clients[-1]

    def ask(
        self, method: str, path: str, content: Any = None, *, seat: str = "", status: int = 200,
        page: bool = False,
    ) -> Any:  # fmt: skip
        """One request through the front door, which must be answered with `status`."""
        headers = {"Authorization": f"Bearer {seat}"} if seat else {}
        headers |= OWN_PAGE if page else {}
        with self.stage.joined():
            answer = self.http.request(method, f"/api/{path}", json=content, headers=headers)
        assert answer.status_code == status, (answer.status_code, answer.text)
        assert answer.headers["cache-control"] == "no-store" or status == 429
        return answer.json()

    def post(self, path: str, content: Any = None, **more: Any) -> Any:
        """POST, as `ask`."""
        return self.ask("POST", path, content, **more)

    def join(self, entry: dict[str, Any], *, sends: bool = True) -> Client:
        """A client in the room, with the place it was given; it sends picture and sound."""
        client = self.client()
        answer = client.join(entry["place"])
        assert answer == {"identity": entry["place"]["identity"]}, answer
        if sends:
            assert "track" in client.do("show")
            assert "track" in client.do("speak")
        return client

    def sign_in(self) -> None:
        """Anna signs in; her cookie is sent from now on."""
        given = {"name": "Anna", "password": PASSWORD, "totp": ""}
        known = {"name": "Anna", "may_create": True, "directory": None}
        assert self.post("staff/sign-in", given, page=True) == known

    def book(
        self, title: str = "Gemeinderat", *, times: Mapping[str, str] | None = None, **policy: Any
    ) -> dict[str, Any]:
        """A room, with `times` (`opens`, `closes`) or without, and its invitations by role."""
        asked = {"title": title, "policy": policy, **(times or {})}
        room = self.post("rooms", asked, page=True)
        room["invitations"] = {role: link.split("#i=")[1] for role, link in room["links"].items()}
        return dict(room)

    def enter(self, room: dict[str, Any], role: str, name: str, **more: Any) -> dict[str, Any]:
        """Come in with the invitation for `role`."""
        asked = {"invitation": room["invitations"][role], "name": name, "notice_seen": True}
        return dict(self.post("enter", asked, **more))

    @contextmanager
    def stream(self, path: str, bearer: str) -> Iterator[Iterator[dict[str, Any]]]:
        """The events of a stream, as they come; comments are left out."""
        with self.stage.joined():
            made = httpx.Client(
                base_url=str(self.http.base_url),
                verify=ssl.create_default_context(cafile=self.authority),
                timeout=30,
            )
            headers = {"Authorization": f"Bearer {bearer}"}
            with made, made.stream("GET", f"/api/{path}", headers=headers) as answer:
                assert answer.status_code == 200, answer.read()
                lines = answer.iter_lines()
                yield (json.loads(one[6:]) for one in lines if one.startswith("data: "))

    def rtc(self, token: str) -> int:
        """The status with which the front door answers a token at LiveKit's signalling."""
        with self.stage.joined():
            return self.http.get("/rtc/validate", params={"access_token": token}).status_code

    def keys(self) -> tuple[str, str]:
        """LiveKit's key and secret, for tokens made by hand."""
        text = self.box.shell("cat /var/lib/ratssaal/secrets/stack/keys.yaml")
        ((key, secret),) = yaml.safe_load(text).items()
        return str(key), str(secret)


@dataclass
class House(Hall):
    """A box in a container, in use."""

    box: Box


def answered(
    preset: str = "council", box: dict[str, Any] | None = None, **administration: Any
) -> bytes:
    """An answers file of a house in which Anna may book; `box`: what it says of the box besides."""
    own = {"reach": "public", "host_name": NAME, "certificate": {"kind": "own"}}
    content = {
        "box": {**own, **(box or {})},
        "cluster": {
            "house": {"name": "Gemeinde Musterhausen"},
            "meetings": {"preset": preset},
            "administration": {
                "people": [{"name": "Anna", "password": answers.hash_password(PASSWORD)}],
                "alone_because": "Ein kleines Haus",
                **administration,
            },
        },
    }
    return yaml.safe_dump(content).encode()


@contextmanager
def opened(
    stage: Stage, artifacts: Artifacts, preset: str = "council", **administration: Any
) -> Iterator[House]:
    """A box set up by an answers file; nobody is signed in."""
    file = stage.folder / "answers.yaml"
    file.write_bytes(answered(preset, **administration))
    with (
        Box(stage, artifacts, credentials={"ratssaal.answers": file}) as box,
        met(stage, box) as hall,
    ):
        yield House(stage, box, hall.http, hall.authority, hall.clients)


@contextmanager
def met(stage: Stage, box: Reachable) -> Iterator[Hall]:
    """What meetings on a box need that is set up; clients end with the block."""
    stage.name(NAME, box.address)
    authority = stage.folder / "authority.pem"
    authority.write_text(box.shell("cat /var/lib/ratssaal/tls/authority.pem"))
    context = ssl.create_default_context(cafile=str(authority))
    with httpx.Client(
        base_url=f"https://{box.address}", verify=context, timeout=ANSWER_SECONDS
    ) as http:
        made = Hall(stage, box, http, str(authority))
        try:
            yield made
        finally:
            for one in made.clients:
                one.close()


def until(client: Client, holds: Any, what: str, seconds: float = 20) -> dict[str, Any]:
    """Wait until what `client` sees is as `holds` says; what it saw then."""
    found: dict[str, Any] = {}

    def look() -> bool:
        found.clear()
        found.update(client.do("look"))
        return bool(holds(found))

    wait_for(look, seconds, what)
    return found


def sees(who: str, frames: int = 20) -> Any:
    """Whether moving pictures and sound of `who` have come in."""

    def look(saw: dict[str, Any]) -> bool:
        return bool(saw["seen"].get(who, 0) >= frames and saw["heard"].get(who, 0) >= frames)

    return look


def meet_by_lobby(hall: Hall) -> None:
    """Anna's guest waits outside, is let in, and both see and hear each other."""
    room = hall.book()
    assert hall.post("look", {"invitation": room["invitations"]["participant"]})["lobby"] is True
    anna = hall.enter(room, "moderator", "Anna")
    assert anna["state"] == "admitted"
    first = hall.join(anna)
    waiting = hall.enter(room, "participant", "Bernd")
    assert (waiting["state"], waiting["seat"], waiting["place"]) == ("waiting", None, None)
    with (
        hall.stream("wait", waiting["ticket"]) as told,
        hall.stream("lobby", anna["seat"]) as queue,
    ):
        assert next(told) == {"state": "waiting"}
        (one,) = next(queue)["waiting"]
        assert one["name"] == "Bernd"
        hall.post("lobby/admit", {"ids": [one["id"]]}, seat=anna["seat"])
        bernd = next(told)
        assert next(queue)["waiting"] == []
    assert bernd["state"] == "admitted"
    second = hall.join(bernd)
    for client, other in ((first, bernd), (second, anna)):
        who = other["place"]["identity"]
        saw = until(client, sees(who, 30), "Nothing was seen or heard of the other.", 40)
        print(f"frames {saw['seen'][who]}, loud pieces of sound {saw['heard'][who]}")
    name, attributes = saw["people"][anna["place"]["identity"]]
    assert (name, attributes["role"]) == ("Anna", "moderator")
