"""Who gets in: nobody without the code or a password, and nothing by a forged form."""

import asyncio
import time
from pathlib import Path

import pytest
from starlette.routing import Route

from firstboot.access import code
from firstboot.web.app import application
from firstboot.web.session import COOKIE
from tests.unit.firstboot.folders import PASSWORD
from tests.unit.firstboot.web.conftest import SENSIBLE, Clerk, House

pytestmark = pytest.mark.unit

FREE = ("/setup/", "/setup/code", "/admin/sign-in")
VERBS_OF_ANYBODY = {"state", "code", "sign-in", "sign-out"}
# What whoever has set the box up sees afterwards, too: how it went, and what works.
STAYS_OPEN = (
    "/setup/progress",
    "/setup/events",
    "/setup/sheet.pdf",
    "/setup/room",
    "/setup/proof",
    "/setup/proof/events",
)


def places(house: House, method: str, root: str) -> list[str]:
    """All addresses below `root` that take `method`, a step's name in them."""
    found = []
    for route in house.pages.routes:
        assert isinstance(route, Route)
        if method in (route.methods or ()) and route.path.startswith(root):
            found.append(route.path.replace("{step}", "house"))
    assert found
    return found


def everything_kept(house: House) -> dict[str, bytes]:
    return {
        str(one): one.read_bytes()
        for one in house.box.files()
        if one.name not in ("permits.json", "store.lock")
    }


def test_without_the_code_there_is_no_page_of_the_wizard(house: House, clerk: Clerk) -> None:
    for place in places(house, "GET", "/setup/"):
        if place not in FREE:
            answer = clerk.get(place)
            assert clerk.place == "/setup/", place
            assert "Willkommen" in answer.text
    assert set(house.asked) <= VERBS_OF_ANYBODY


def test_no_page_answers_to_a_path_that_the_web_server_takes_for_another(
    house: House, ready: Clerk
) -> None:
    for place in FREE:
        assert ready.get(place).status_code == 200
        house.asked.clear()
        assert ready.get(f"{place}%0A").status_code == 404, place
        assert house.asked == []


def test_without_a_password_there_is_no_page_of_the_administrators(
    house: House, ready: Clerk
) -> None:
    house.asked.clear()
    # Neither for a stranger, nor for the clerk whose code was good for set-up alone.
    for who in (house.visitor(), ready):
        for place in places(house, "GET", "/admin/"):
            answer = who.get(place)
            assert who.place == "/admin/sign-in", place
            assert "Anna" not in answer.text
    assert set(house.asked) <= VERBS_OF_ANYBODY


def test_before_set_up_nobody_signs_in(clerk: Clerk) -> None:
    clerk.get("/admin/")
    assert clerk.place == "/setup/"


def test_after_set_up_every_page_of_the_wizard_leads_to_the_sign_in(
    house: House, inside: Clerk
) -> None:
    inside.walk()
    left_open = house.visitor()
    left_open.open_with_code()
    inside.finish()
    for place in places(house, "GET", "/setup/"):
        stranger = house.visitor()
        stranger.get(place)
        assert stranger.place == "/admin/sign-in", place
        if place in STAYS_OPEN:
            continue
        left_open.get(place)
        assert left_open.place == "/admin/sign-in", place


def test_after_set_up_a_page_of_the_wizard_left_open_changes_nothing(
    house: House, inside: Clerk
) -> None:
    inside.walk()
    other = house.visitor()
    other.open_with_code()
    other.get("/setup/house")
    page = other.page
    inside.finish()
    before = everything_kept(house)
    for place in set(places(house, "POST", "/setup/")) - set(STAYS_OPEN):
        other.page = page
        other.send(place, **SENSIBLE["house"] | {"code": "aaaaaaaa", "language": "en"})
        assert other.place == "/admin/sign-in", place
    assert everything_kept(house) == before


def test_who_still_sat_in_the_wizard_is_told_that_it_is_closed(house: House, inside: Clerk) -> None:
    inside.walk()
    other = house.visitor()
    other.open_with_code()
    other.get("/setup/house")
    inside.finish()
    other.send("/setup/house", name="Stadt Beispielstadt")
    assert other.place == "/admin/sign-in"
    assert "inzwischen abgeschlossen" in other.page
    # Whoever goes on to sign in after setting the box up has lost nothing, and is told nothing.
    inside.get("/admin/")
    assert "inzwischen abgeschlossen" not in inside.page
    stranger = house.visitor()
    stranger.get("/admin/sign-in")
    assert "inzwischen abgeschlossen" not in stranger.page


def test_the_code_is_worth_nothing_after_set_up(house: House, inside: Clerk) -> None:
    shown = house.box.code()
    stranger = house.visitor()
    stranger.get("/setup/")
    page = stranger.page
    inside.walk()
    inside.finish()
    assert code.read() is None
    stranger.page = page
    stranger.send("/setup/code", code=shown)
    assert stranger.place == "/admin/sign-in"


@pytest.fixture(params=["anybody", "clerk", "administrator"])
def sitter(request: pytest.FixtureRequest, house: House) -> tuple[Clerk, list[str]]:
    """Somebody who sits at a page, and every address that takes a form from them."""
    who = house.visitor()
    if request.param == "anybody":
        who.get("/setup/")
        return who, list(FREE)
    who.open_with_code()
    who.walk()
    if request.param == "clerk":
        return who, places(house, "POST", "/setup/")
    who.finish()
    who.sign_in()
    return who, places(house, "POST", "/admin/")


def test_every_address_that_takes_a_form_takes_it_from_somebody(house: House) -> None:
    """What is new is tried by the tests below without a word about it.

    A pass is no cookie: no other site can send it along, and below /test/pass/ none can forge.
    """
    taken = {*FREE, *places(house, "POST", "/setup/"), *places(house, "POST", "/admin/")}
    by_pass = set(places(house, "POST", "/test/pass/"))
    assert taken | by_pass == set(places(house, "POST", "/"))


FORM = SENSIBLE["house"] | {"number": "1", "how": "reboot", "code": "aaaabbbb", "language": "en"}


def test_a_form_without_the_mark_of_the_session_is_refused_and_changes_nothing(
    house: House, sitter: tuple[Clerk, list[str]]
) -> None:
    """Nor with another session's mark, whatever page or site has sent it."""
    who, addresses = sitter
    stranger = house.visitor()
    stranger.get("/setup/")
    stranger.get(stranger.place)
    before, commands = everything_kept(house), house.box.commands()
    house.asked.clear()
    for place in addresses:
        for mark in ({}, {"form": ""}, {"form": "x" * 43}, {"form": stranger.hidden("form")}):
            post = who.client.post(place, data={**FORM, **mark})
            answer = asyncio.run(post)
            assert answer.status_code == 403, place
            assert "Es ist nichts geschehen" in answer.text
            assert "set-cookie" not in answer.headers
    assert house.asked == []
    assert everything_kept(house) == before
    assert house.box.commands() == commands


def test_a_form_without_a_cookie_is_refused_everywhere(
    house: House, sitter: tuple[Clerk, list[str]]
) -> None:
    """As a browser sends it from another site: the mark may be right, the cookie stays at home."""
    who, addresses = sitter
    mark = who.hidden("form")
    before, commands = everything_kept(house), house.box.commands()
    house.asked.clear()
    for place in addresses:
        who.client.cookies.clear()
        answer = asyncio.run(who.client.post(place, data={**FORM, "form": mark}))
        assert answer.status_code == 403, place
        assert "lange offen" in answer.text
        # Nor is the cookie that stayed at home replaced by another.
        assert "set-cookie" not in answer.headers
    assert house.asked == []
    assert everything_kept(house) == before
    assert house.box.commands() == commands


def test_a_link_on_another_site_signs_nobody_out(house: House, ready: Clerk) -> None:
    """The browser keeps the cookie back, and sends it with the step that follows by itself."""
    ready.sign_in()
    cookies = dict(ready.client.cookies)
    ready.client.cookies.clear()
    ready.client.headers["Sec-Fetch-Site"] = "cross-site"
    answer = ready.get("/admin/")
    assert answer.status_code == 200
    assert "set-cookie" not in answer.headers
    (way,) = [
        one.attributes["href"] for one in ready.seen.all("a") if "?" in one.attributes["href"]
    ]
    for name, value in cookies.items():
        ready.client.cookies.set(name, value, domain="ratssaal.local")
    ready.client.headers["Sec-Fetch-Site"] = "same-origin"
    ready.get(way)
    assert ready.heading() == "Übersicht"
    # Whoever has no cookie at all comes in by the same way, once and not in circles.
    stranger = house.visitor()
    stranger.client.headers["Sec-Fetch-Site"] = "cross-site"
    stranger.get(way, follow=False)
    assert stranger.client.cookies


def test_to_look_at_a_page_changes_nothing(house: House, sitter: tuple[Clerk, list[str]]) -> None:
    """A picture or link on another site can make a browser ask for any address."""
    who, _ = sitter
    before, commands = everything_kept(house), house.box.commands()
    for place in places(house, "GET", "/"):
        if not place.endswith("/room"):  # there is no stack below a unit test
            asked = f"{place}?name=x&number=1&how=reboot&host_name=evil.example&code=aaaabbbb"
            who.glance(asked)
    after = everything_kept(house)
    # Keys of a request for a certificate and of passes are made when first needed, and stay.
    made = {Path(name).name for name in after if name not in before}
    assert made <= {"request.key", "passes.key"}
    assert {name: after[name] for name in before} == before
    # Who is meeting, and whether a preview is under way, is asked for; that changes nothing.
    asking = {"start ratssaal-rooms.service", "is-active ratssaal-preview.service"}
    done = [one for one in house.box.commands() if one not in asking]
    assert done == [one for one in commands if one not in asking]


def test_a_cookie_from_before_the_code_is_worthless_after_it(house: House, clerk: Clerk) -> None:
    clerk.get("/setup/")
    planted = clerk.client.cookies[COOKIE]
    clerk.send("/setup/", language="de")
    assert clerk.client.cookies[COOKIE] == planted
    clerk.send("/setup/code", code=house.box.code())
    assert clerk.client.cookies[COOKIE] != planted
    thief = house.visitor()
    thief.client.cookies.set(COOKIE, planted, domain="ratssaal.local")
    thief.get("/setup/house")
    assert thief.place == "/setup/"
    assert house.sessions.find(planted) is None


def test_a_cookie_from_before_the_password_is_worthless_after_it(
    house: House, ready: Clerk
) -> None:
    visitor = house.visitor()
    visitor.get("/admin/sign-in")
    planted = visitor.client.cookies[COOKIE]
    visitor.sign_in()
    assert visitor.place == "/admin/"
    assert visitor.client.cookies[COOKIE] != planted
    assert house.sessions.find(planted) is None
    del ready


def test_a_cookie_is_sent_over_tls_alone_to_no_script_and_to_this_site_alone(
    house: House, clerk: Clerk
) -> None:
    sent = []

    def remember(place: str, **answers: str) -> None:
        found = clerk.send_only(place, **answers) if answers else clerk.get(place, follow=False)
        sent.extend(found.headers.get_list("set-cookie"))

    remember("/setup/")
    page = clerk.page
    remember("/setup/", language="de")
    clerk.page = page
    remember("/setup/code", code=house.box.code())
    clerk.walk()
    clerk.finish()
    visitor = house.visitor()
    visitor.get("/admin/sign-in")
    clerk.client, clerk.page = visitor.client, visitor.page
    remember("/admin/sign-in", name="Anna Beispiel", password=PASSWORD)
    assert len(sent) == 3
    for cookie in sent:
        name, *rest = [one.strip().lower() for one in cookie.split(";")]
        # The prefix makes browsers insist on Secure, Path=/ and no Domain (RFC 6265bis, 4.1.3.2).
        assert name.startswith("__host-")
        assert {"secure", "httponly", "samesite=strict", "path=/"} <= set(rest)
        assert not any(one.startswith("domain") for one in rest)


def test_nothing_of_all_this_stays_in_a_cache(house: House, ready: Clerk) -> None:
    ready.sign_in()
    for who in (ready, house.visitor()):
        for place in (*places(house, "GET", "/setup/"), *places(house, "GET", "/admin/")):
            if place.endswith("/proof/events"):
                continue  # as long as the page is open
            answer = who.get(place, follow=False)
            assert answer.headers["cache-control"] == "no-store", place
    assert ready.get("/setup/nowhere/at/all").headers["cache-control"] == "no-store"


def test_a_wrong_code_is_counted_told_and_shown_at_the_box(house: House, clerk: Clerk) -> None:
    clerk.get("/setup/")
    clerk.send("/setup/", language="de")
    for number in range(1, 4):
        answer = clerk.send("/setup/code", code="aaaa bbbb")
        assert answer.status_code == 403
        known = code.read()
        assert known
        assert known.wrong == number
    assert "3 falsche Codes" in clerk.page
    assert "restart --no-block ratssaal-console.service" in house.box.commands()
    clerk.send("/setup/code", code=house.box.code().upper())
    assert clerk.place == "/setup/network"


def test_codes_are_tried_one_after_the_other(house: House) -> None:
    """However many come at once, they take one place at root's side."""
    inside: list[str] = []
    most: list[int] = []

    async def slow(verb: str, **arguments: object) -> object:
        if verb == "code":
            inside.append(verb)
            most.append(len(inside))
            await asyncio.sleep(0.01)
            inside.pop()
        return await house.ask(verb, **arguments)

    clerk = Clerk(house.box, application(slow, house.sessions))
    clerk.get("/setup/")
    data = {"form": clerk.hidden("form"), "code": "aaaabbbb"}

    async def all_at_once() -> None:
        await asyncio.gather(*(clerk.client.post("/setup/code", data=data) for _ in range(8)))

    asyncio.run(all_at_once())
    assert most == [1] * 8
    known = code.read()
    assert known
    assert known.wrong == 8


def test_whoever_lost_a_password_comes_in_by_a_new_code_once_and_for_administrators(
    house: House, ready: Clerk
) -> None:
    visitor = house.visitor()
    visitor.get("/admin/sign-in")
    assert "/setup/code" not in visitor.page
    # The key at the box: nothing is wiped, a code stands on the screen again.
    shown = code.renew().shown
    assert shown
    visitor.get("/admin/sign-in")
    assert "/setup/code" in visitor.page
    visitor.get("/setup/code")
    visitor.send("/setup/code", code="aaaabbbb")
    assert visitor.place == "/setup/code"
    visitor.send("/setup/code", code=shown)
    assert visitor.place == "/admin/settings/administrators"
    assert code.read() is None
    other = house.visitor()
    other.get("/setup/code")
    assert other.place == "/admin/sign-in"
    new = "sieben blaue traktoren singen"
    visitor.send(visitor.place, **SENSIBLE["administrators"] | {"password1": new})
    visitor.send("/admin/settings/apply")
    assert house.box.converge()
    other.sign_in(password=new)
    assert other.place == "/admin/"
    ready.sign_in()
    assert "stimmen nicht" in ready.page


def test_a_new_code_lets_no_clerk_of_set_up_in_again(house: House, ready: Clerk) -> None:
    code.renew()
    ready.get("/setup/house")
    assert ready.place == "/admin/sign-in"


def test_whoever_only_knocks_puts_nobody_out(house: House, inside: Clerk) -> None:
    for _ in range(510):
        house.sessions.begin()
    inside.get("/setup/house")
    assert inside.place == "/setup/house"


def test_an_hour_without_a_visit_ends_a_session(
    house: House, inside: Clerk, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = time.time()
    monkeypatch.setattr(time, "time", lambda: now + 3599)
    inside.get("/setup/house")
    assert inside.place == "/setup/house"
    monkeypatch.setattr(time, "time", lambda: now + 2 * 3600)
    inside.get("/setup/house")
    assert inside.place == "/setup/"
    del house
