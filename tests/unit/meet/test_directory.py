"""Staff sign in by the house's directory: the right person comes in, and nothing else does.

The directory is one of authlib's own making (tests.unit.meet.provider), asked over TLS.
"""

import asyncio
import json
import os
import socket
import ssl
import subprocess
import sys
import threading
import time
from collections.abc import AsyncIterator, Coroutine, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, parse_qsl, urlencode, urlsplit, urlunsplit

import httpx
import pytest

from builder.paths import PROJECT
from firstboot.settings import OpenId
from meet import directory, openid, staff
from meet.app import application
from meet.house import House
from meet.service import Service
from meet.signed import Errand
from tests.unit.meet.provider import BACK, CLIENT, SECRET, Claims, Provider

pytestmark = pytest.mark.unit

HOST = "rathaus.example"
OWN_PAGE = {"X-Ratssaal": "1"}
GROUP = {"claim": "groups", "value": "sitzungsdienst"}


class Memory:
    """The store, in memory."""

    def __init__(self) -> None:
        self.kept: dict[str, str] = {}

    async def get(self, key: str) -> str | None:
        return self.kept.get(key)

    async def put(self, key: str, value: str, seconds: int | None = None) -> None:
        del seconds
        self.kept[key] = value

    async def delete(self, *keys: str) -> None:
        for key in keys:
            self.kept.pop(key, None)


class Houses:
    """The settings in force."""

    def __init__(self, house: House) -> None:
        self.house = house

    async def get(self) -> House:
        return self.house


class Town:
    """A house with a directory, its rooms service, and a browser."""

    def __init__(self, provider: Provider, folder: Path, **more: Any) -> None:
        self.provider = provider
        own = OpenId(
            issuer=provider.issuer, client_id=CLIENT, client_secret=SECRET,
            authority=provider.root, **more,
        )  # fmt: skip
        self.known = openid.Known(directory=own)
        self.socket = folder / "openid.sock"
        self.service = Service.of(b"k" * 32, "key", "s" * 32)
        self.service.directories = directory.Directories(self.service.signer, self.socket)
        self.store = Memory()
        self.service.sessions = staff.Sessions(self.store)  # type: ignore[arg-type]
        self.houses = Houses(self.house(own))
        self.service.houses = self.houses  # type: ignore[assignment]
        transport = httpx.ASGITransport(app=application(self.service, "1"))
        self.browser = httpx.AsyncClient(transport=transport, base_url=f"https://{HOST}")

    @staticmethod
    def house(own: OpenId | None) -> House:
        """The house as the store has it: without secrets."""
        published = own.model_dump(mode="json", exclude={"client_secret"}) if own else None
        people = [{"name": "Anna", "proof": "p"}]
        return House.of(HOST, {"administration": {"people": people, "openid": published}})

    @asynccontextmanager
    async def open(self) -> AsyncIterator["Town"]:
        """With the unit that asks the directory, as systemd starts it for each question."""

        async def asked(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            line = await reader.readline()
            reply = await asyncio.to_thread(openid.answer, line, self.known)
            writer.write(json.dumps(reply).encode() + b"\n")
            writer.close()

        server = await asyncio.start_unix_server(asked, self.socket)
        try:
            yield self
        finally:
            server.close()
            await self.browser.aclose()
            await self.service.close()

    async def begin(self) -> httpx.URL:
        """Press the button; where the browser is led."""
        answer = await self.browser.get(directory.BEGIN)
        assert answer.status_code == 303, answer.text
        return httpx.URL(answer.headers["location"])

    async def there(self, address: httpx.URL) -> str:
        """Sign in at the directory; where the browser is led back to."""
        trust = ssl.create_default_context(cadata=self.provider.root)
        async with httpx.AsyncClient(verify=trust, trust_env=False) as client:
            answer = await client.get(address)
        assert answer.status_code == 302, answer.text
        return str(answer.headers["location"])

    async def back(self, address: str) -> str:
        """Come back; empty where the person is signed in, else the word that the page says."""
        answer = await self.browser.get(address)
        assert answer.status_code == 303, answer.text
        assert answer.headers["cache-control"] == "no-store"
        page, _, word = answer.headers["location"].partition("#refused=")
        assert page == "/rooms/"
        # Whatever came of it: the next try begins anew.
        assert f'{directory.COOKIE}="";' in " ".join(answer.headers.get_list("set-cookie"))
        return str(word)

    async def all(self) -> str:
        """There and back."""
        return await self.back(await self.there(await self.begin()))

    async def who(self) -> str | None:
        """Who is signed in."""
        found: str | None = (await self.browser.get("/api/staff")).json()["name"]
        return found


def changed(address: str, **values: str | None) -> str:
    """`address` with other values in its query; None takes one out."""
    parts = urlsplit(address)
    query = dict(parse_qsl(parts.query)) | values
    kept = {key: value for key, value in query.items() if value is not None}
    return urlunsplit(parts._replace(query=urlencode(kept)))


@pytest.fixture
def provider(tmp_path: Path) -> Iterator[Provider]:
    made = Provider(tmp_path)
    yield made
    made.close()


@pytest.fixture
def town(provider: Provider, tmp_path: Path) -> Town:
    return Town(provider, tmp_path, **GROUP)


def run(work: Coroutine[Any, Any, None]) -> None:
    asyncio.run(work)


def test_the_right_person_signs_in_and_out_again(town: Town) -> None:
    async def scene() -> None:
        async with town.open():
            assert await town.all() == ""
            look = (await town.browser.get("/api/staff")).json()
            assert look == {"name": "Kanarienvogel", "may_create": True, "directory": ""}
            cookies = dict(town.browser.cookies)
            done = await town.browser.post("/api/staff/sign-out", headers=OWN_PAGE)
            assert done.status_code == 200
            # Even who has kept the cookie is signed out.
            town.browser.cookies.update(cookies)
            assert await town.who() is None
            assert (await town.browser.get("/api/rooms")).status_code == 401
        assert town.store.kept == {}

    run(scene())


def test_where_the_browser_is_led_and_what_it_carries(town: Town) -> None:
    async def scene() -> None:
        async with town.open():
            answer = await town.browser.get(directory.BEGIN)
            address = urlsplit(answer.headers["location"])
            asked = {key: value[0] for key, value in parse_qs(address.query).items()}
            fresh = [asked.pop(key) for key in ("state", "nonce", "code_challenge")]
            assert asked == {
                "response_type": "code", "client_id": CLIENT, "redirect_uri": BACK,
                "scope": "openid profile groups", "code_challenge_method": "S256",
            }  # fmt: skip
            assert all(len(one) == 43 for one in fresh)
            assert len(set(fresh)) == 3
            assert f"https://{address.netloc}{address.path}" == f"{town.provider.issuer}/authorize"
            cookie = answer.headers["set-cookie"]
            for word in ("__Host-", "HttpOnly", "Secure", "SameSite=lax", "Max-Age=600", "Path=/;"):
                assert word in cookie, word
            # Once known, nobody asks the directory again where to go.
            other = await town.begin()
            assert town.provider.asked.count("/.well-known/openid-configuration") == 1
            assert other.params["state"] not in fresh

    run(scene())


def test_by_another_name_of_the_box_the_way_leads_over_its_own(town: Town) -> None:
    async def scene() -> None:
        async with town.open():
            answer = await town.browser.get(directory.BEGIN, headers={"Host": "ratssaal.local"})
            assert answer.headers["location"] == f"https://{HOST}{directory.BEGIN}"
            assert "set-cookie" not in answer.headers

    run(scene())


def test_a_state_of_somebody_else_s_is_refused(town: Town) -> None:
    async def scene() -> None:
        async with town.open():
            address = await town.there(await town.begin())
            for state in ("x", "", None):
                assert await town.back(changed(address, state=state)) == "directory_again"
                await town.begin()
            # The first way, after a second was begun.
            assert await town.back(address) == "directory_again"
            # Without the cookie, or with one that this box has not signed.
            town.browser.cookies.clear()
            assert await town.back(address) == "directory_again"
            town.browser.cookies.set(directory.COOKIE, "eyJhbGciOiJub25lIn0.e30.", domain=HOST)
            assert await town.back(address) == "directory_again"
            assert await town.who() is None

    run(scene())


def test_a_way_that_takes_too_long_is_refused(town: Town, monkeypatch: pytest.MonkeyPatch) -> None:
    async def scene() -> None:
        async with town.open():
            monkeypatch.setattr(directory, "SECONDS", -1)
            address = await town.begin()
            # Browsers forget the cookie by then; one that does not gains nothing.
            errand = town.service.signer.sign(
                Errand(
                    state=address.params["state"], nonce="n", verifier="v",
                    mark=town.houses.house.directory.mark,  # type: ignore[union-attr]
                    exp=int(time.time()) - 1,
                )
            )  # fmt: skip
            town.browser.cookies.set(directory.COOKIE, errand, domain=HOST)
            assert await town.back(await town.there(address)) == "directory_again"

    run(scene())


def _set(**values: Any) -> Any:
    def change(header: Claims, claims: Claims) -> None:
        del header
        claims.update(values)

    return change


def _drop(name: str) -> Any:
    def change(header: Claims, claims: Claims) -> None:
        del header
        del claims[name]

    return change


def _header(**values: Any) -> Any:
    def change(header: Claims, claims: Claims) -> None:
        del claims
        header.update(values)

    return change


@pytest.mark.parametrize(
    ("change", "word"),
    [
        (_set(nonce="another"), "directory_wrong"),
        (_drop("nonce"), "directory_wrong"),
        (_set(iss="https://elsewhere.example"), "directory_wrong"),
        (_drop("iss"), "directory_wrong"),
        (_set(aud="another"), "directory_wrong"),
        (_set(aud=[]), "directory_wrong"),
        (_set(aud=[CLIENT, "another"], azp="another"), "directory_wrong"),
        (_set(exp=int(time.time()) - 3600), "directory_wrong"),
        (_drop("exp"), "directory_wrong"),
        (_set(nbf=int(time.time()) + 3600), "directory_wrong"),
        (_set(iat=int(time.time()) + 3600), "directory_wrong"),
        (_set(at_hash="AAAA"), "directory_wrong"),
        (_drop("sub"), "directory_wrong"),
        (_header(alg="none"), "directory_wrong"),
        (_header(alg="HS256"), "directory_wrong"),
        (_header(foreign=True), "directory_wrong"),
        (_header(crit=["b64"], b64=True), "directory_wrong"),
        (_set(groups=["bauamt"]), "directory_person"),
        (_set(groups="nicht-sitzungsdienst"), "directory_person"),
        (_set(groups={"sitzungsdienst": True}), "directory_person"),
        (_set(groups="sitzungsdienst"), ""),
    ],
)
def test_what_an_id_token_must_say(town: Town, change: Any, word: str) -> None:
    town.provider.change = change

    async def scene() -> None:
        async with town.open():
            assert await town.all() == word
            assert await town.who() == (None if word else "Kanarienvogel")

    run(scene())


def test_who_does_not_carry_the_claim_at_all_may_not_book(town: Town) -> None:
    del town.provider.person["groups"]

    async def scene() -> None:
        async with town.open():
            assert await town.all() == "directory_person"

    run(scene())


def test_what_the_id_token_leaves_out_is_asked_for(town: Town) -> None:
    town.provider.in_token = ("sub",)

    async def scene() -> None:
        async with town.open():
            assert await town.all() == ""
            assert await town.who() == "Kanarienvogel"
            # Of somebody else nothing is believed (OpenID Connect Core 1.0, section 5.3.2).
            town.provider.change = _set(sub="4712")
            assert await town.all() == "directory_wrong"

    run(scene())


@pytest.mark.parametrize(
    ("description", "given", "word"),
    [
        ({"issuer": "https://elsewhere.example"}, {}, "directory_wrong"),
        ({"token_endpoint": "http://127.0.0.1/token"}, {}, "directory_wrong"),
        ({"jwks_uri": None}, {}, "directory_wrong"),
        ({"authorization_response_iss_parameter_supported": True}, {}, "directory_wrong"),
        ({}, {"iss": "https://elsewhere.example"}, "directory_wrong"),
        ({}, {"iss": "own"}, ""),
        ({"authorization_response_iss_parameter_supported": True}, {"iss": "own"}, ""),
        ({"token_endpoint_auth_methods_supported": ["client_secret_post"]}, {}, ""),
        ({}, {"error": "access_denied"}, "directory_denied"),
        ({}, {"code": None}, "directory_denied"),
        ({}, {"code": "x" * 5000}, "directory_denied"),
        ({}, {"code": "x"}, "directory_wrong"),
    ],
)
def test_what_description_and_answer_must_say(
    town: Town, description: Claims, given: dict[str, str | None], word: str
) -> None:
    async def scene() -> None:
        async with town.open():
            address = await town.there(await town.begin())
            town.provider.description = description
            values = {k: town.provider.issuer if v == "own" else v for k, v in given.items()}
            assert await town.back(changed(address, **values)) == word

    run(scene())


def test_a_directory_that_names_itself_otherwise_is_another_one(town: Town) -> None:
    async def scene() -> None:
        async with town.open():
            address = await town.there(await town.begin())
            elsewhere = "https://elsewhere.example"
            # Description and ID token agree, but not with the settings.
            town.provider.description = {"issuer": elsewhere}
            town.provider.change = _set(iss=elsewhere)
            assert await town.back(address) == "directory_wrong"

    run(scene())


def test_a_way_that_was_begun_to_another_directory_leads_nowhere(town: Town) -> None:
    async def scene() -> None:
        async with town.open():
            address = await town.there(await town.begin())
            other = town.known.directory.model_copy(update={"client_id": "another"})
            town.houses.house = town.house(other)
            assert await town.back(address) == "directory_again"

    run(scene())


def test_a_code_counts_once_and_in_its_own_browser_alone(town: Town, tmp_path: Path) -> None:
    async def scene() -> None:
        async with town.open():
            address = await town.there(await town.begin())
            cookies = dict(town.browser.cookies)
            assert await town.back(address) == ""
            town.browser.cookies.clear()
            town.browser.cookies.update(cookies)
            assert await town.back(address) == "directory_wrong"
            # A code that was given to another browser: PKCE tells them apart (RFC 7636).
            theirs = dict(parse_qsl(urlsplit(await town.there(await town.begin())).query))
            mine = await town.there(await town.begin())
            assert await town.back(changed(mine, code=theirs["code"])) == "directory_wrong"
            assert await town.who() is None

    run(scene())


def test_a_wrong_secret_of_the_box_s_own_opens_nothing(town: Town) -> None:
    async def scene() -> None:
        async with town.open():
            address = await town.there(await town.begin())
            own = town.known.directory.model_copy(update={"client_secret": "another"})
            town.known = openid.Known(directory=own)
            assert await town.back(address) == "directory_wrong"

    run(scene())


def test_while_the_directory_is_away_passwords_go_on_working(
    town: Town, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def check(name: str, password: str, totp: str) -> staff.Proven:
        del password, totp
        return staff.Proven(name=name, proof="p")

    monkeypatch.setattr(staff, "check", check)
    provider, issuer = town.provider, f"https://127.0.0.1:{_free_port()}"
    own = town.known.directory.model_copy(update={"issuer": issuer})

    async def scene() -> None:
        async with town.open():
            address = await town.there(await town.begin())
            town.known = openid.Known(directory=own)
            assert await town.back(address) == "directory_away"
            town.service.directories = directory.Directories(town.service.signer, town.socket)
            answer = await town.browser.get(directory.BEGIN)
            assert answer.headers["location"] == "/rooms/#refused=directory_away"
            given = {"name": "Anna", "password": "richtig", "totp": ""}
            signed = await town.browser.post("/api/staff/sign-in", json=given, headers=OWN_PAGE)
            assert signed.json()["name"] == "Anna"
            assert await town.who() == "Anna"
            # Nor does it matter that the unit itself does not answer.
            town.socket.unlink()
            answer = await town.browser.get(directory.BEGIN)
            assert answer.headers["location"] == "/rooms/#refused=directory_away"
        assert provider.issuer != issuer

    run(scene())


def _free_port() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return int(one.getsockname()[1])


def test_a_directory_with_a_root_that_nobody_knows_is_not_believed(town: Town) -> None:
    own = town.known.directory.model_copy(update={"authority": None})
    town.known = openid.Known(directory=own)

    async def scene() -> None:
        async with town.open():
            answer = await town.browser.get(directory.BEGIN)
            assert answer.headers["location"] == "/rooms/#refused=directory_away"

    run(scene())


def test_a_house_without_a_directory_has_no_way_there(town: Town) -> None:
    async def scene() -> None:
        async with town.open():
            assert await town.all() == ""
            address = await town.there(await town.begin())
            # It is taken out of the settings: who came by it has to go.
            town.houses.house = town.house(None)
            assert await town.who() is None
            assert (await town.browser.get("/api/staff")).json()["directory"] is None
            assert await town.back(address) == "no_directory"
            answer = await town.browser.get(directory.BEGIN)
            assert answer.headers["location"] == "/rooms/#refused=no_directory"

    run(scene())


def test_whoever_asks_for_more_ends_the_sessions_of_before(town: Town) -> None:
    async def scene() -> None:
        async with town.open():
            assert await town.all() == ""
            own = town.known.directory
            town.houses.house = town.house(own.model_copy(update={"button": "Rathauskonto"}))
            assert await town.who() == "Kanarienvogel"
            town.houses.house = town.house(own.model_copy(update={"value": "leitung"}))
            assert await town.who() is None

    run(scene())


def test_nobody_becomes_an_administrator_by_the_same_name(town: Town) -> None:
    town.provider.person["name"] = "Anna"

    async def scene() -> None:
        async with town.open():
            assert await town.all() == ""
            assert await town.who() == "Anna"
            # Not an administrator's session: without the directory it is worth nothing.
            town.houses.house = town.house(None)
            assert "anna" in town.houses.house.staff
            assert await town.who() is None

    run(scene())


@pytest.mark.parametrize(
    ("person", "shown"),
    [
        ({"name": "  Kana\u202erien\nvogel "}, "Kanarien vogel"),
        ({"name": "K" * 300}, "K" * 80),
        ({"name": "", "preferred_username": "kanari"}, "kanari"),
        ({"name": ["x"], "preferred_username": None}, "4711"),
        ({"name": "<b>K</b>"}, "<b>K</b>"),
    ],
)
def test_names_are_taken_as_those_that_people_type(town: Town, person: Claims, shown: str) -> None:
    town.provider.person |= person
    town.provider.in_token = ("sub", "name", "preferred_username", "groups")

    async def scene() -> None:
        async with town.open():
            assert await town.all() == ""
            assert await town.who() == shown

    run(scene())


class Tunnel(threading.Thread):
    """A proxy that knows CONNECT alone (RFC 9110, section 9.3.6), and counts."""

    def __init__(self) -> None:
        super().__init__(daemon=True)
        self.server = socket.create_server(("127.0.0.1", 0))
        self.address = f"http://127.0.0.1:{self.server.getsockname()[1]}"
        self.seen: list[str] = []

    def run(self) -> None:
        while True:
            try:
                near, _ = self.server.accept()
            except OSError:
                return
            asked = b""
            while b"\r\n\r\n" not in asked:
                asked += near.recv(4096)
            method, where, _ = asked.split(b" ", 2)
            self.seen.append(f"{method.decode()} {where.decode()}")
            host, _, port = where.decode().partition(":")
            far = socket.create_connection((host, int(port)))
            near.sendall(b"HTTP/1.1 200 OK\r\n\r\n")
            for one, other in ((near, far), (far, near)):
                threading.Thread(target=_pass_on, args=(one, other), daemon=True).start()


def _pass_on(one: socket.socket, other: socket.socket) -> None:
    try:
        while content := one.recv(65536):
            other.sendall(content)
    except OSError:
        pass
    finally:
        one.close()
        other.close()


def test_the_way_out_leads_through_the_house_s_proxy(town: Town) -> None:
    tunnel = Tunnel()
    tunnel.start()
    town.known = town.known.model_copy(update={"proxy": tunnel.address})

    async def scene() -> None:
        async with town.open():
            assert await town.all() == ""

    run(scene())
    tunnel.server.close()
    assert set(tunnel.seen) == {f"CONNECT 127.0.0.1:{town.provider.port}"}


def test_the_unit_s_program_answers_one_line_and_writes_down_nobody(
    town: Town, tmp_path: Path
) -> None:
    """The program itself, as the unit starts it."""
    file = tmp_path / openid.CREDENTIAL
    file.write_text(json.dumps(town.known.model_dump(mode="json")))
    file_environment = {
        **os.environ, "CREDENTIALS_DIRECTORY": str(tmp_path), "PYTHONPATH": str(PROJECT),
    }  # fmt: skip

    def ask(asked: dict[str, Any]) -> tuple[dict[str, Any], str]:
        ended = subprocess.run(
            [sys.executable, "-m", "meet.openid"], input=json.dumps(asked) + "\n", text=True,
            env=file_environment, capture_output=True, check=True,
        )  # fmt: skip
        found: dict[str, Any] = json.loads(ended.stdout)
        return found, ended.stderr

    where, told = ask({"verb": "where"})
    assert where["ok"]["address"] == f"{town.provider.issuer}/authorize"
    assert told == ""

    async def scene() -> None:
        async with town.open():
            for word in ("", "directory_wrong"):
                begun = await town.begin()
                cookie = town.browser.cookies[directory.COOKIE]
                errand = town.service.signer.read(Errand, cookie)
                back = dict(parse_qsl(urlsplit(await town.there(begun)).query))
                town.provider.change = _set(nonce="x") if word else _set()
                who = {
                    "verb": "who", "code": back["code"], "verifier": errand.verifier,
                    "nonce": errand.nonce, "back": BACK,
                }  # fmt: skip
                reply, said = await asyncio.to_thread(ask, who)
                assert reply == ({"refused": word} if word else {"ok": {"name": "Kanarienvogel"}})
                assert said == ("<4>directory: InvalidClaimError nonce\n" if word else "")

    run(scene())


def test_nothing_of_a_person_is_written_down(
    town: Town, capfd: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
) -> None:
    addresses = []

    async def scene() -> None:
        async with town.open():
            for change in (_set(), _set(aud="x"), _set(groups=[])):
                town.provider.change = change
                addresses.append(await town.there(await town.begin()))
                await town.back(addresses[-1])

    with caplog.at_level("WARNING"):
        run(scene())
    told = "".join(capfd.readouterr()) + caplog.text
    assert told == "<4>directory: InvalidClaimError aud\n"
    for address in addresses:
        assert dict(parse_qsl(urlsplit(address).query))["code"] not in told
    kept = json.dumps(town.store.kept)
    assert "4711" not in kept
    assert "sitzungsdienst" not in kept
