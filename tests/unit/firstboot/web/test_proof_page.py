"""The page of what works, without JavaScript, and the way in for a phone without a session."""

import asyncio
import html
from typing import Any

import httpx
import pytest

from firstboot import proof
from firstboot.texts import topic
from firstboot.web import proof as page
from firstboot.web.findings import Findings
from tests.unit.firstboot.web.conftest import Clerk, House

pytestmark = pytest.mark.unit

REPORT = {"now": "relay", "direct": "fails", "relay": "works"}


@pytest.fixture
def findings(house: House, monkeypatch: pytest.MonkeyPatch) -> Findings:
    """What is kept, on a box whose own call has ended well."""
    addresses = house.box.folder / "address.json"
    monkeypatch.setattr(page, "ADDRESSES", addresses)
    kept = Findings(house.sessions.file.with_name("findings.json"))
    kept.of_the_box(
        [{"way": way, "works": True, "why": "", "milliseconds": 7} for way in proof.WAYS]
    )
    return kept


def post(house: House, place: str, body: Any, language: str = "de-DE") -> httpx.Response:
    """What a phone sends: no cookie, no form."""
    client = httpx.AsyncClient(
        transport=httpx.ASGITransport(app=house.pages),
        base_url="https://ratssaal.local",
        headers={"Accept-Language": language},
    )
    return asyncio.run(client.post(f"/test/pass/{place}", json=body))


def passed(clerk: Clerk) -> str:
    """The pass in the QR code of the open page."""
    found = [one for one in clerk.seen.elements if one.attributes.get("id") == "qr"]
    return found[0].attributes["data-link"].partition("/test/#")[2]


def until(given: str) -> int:
    """When a pass ends, in seconds since 1970."""
    return int(given.split(".")[1], 16)


def rows(clerk: Clerk) -> dict[str, str]:
    """Which ways the table names, and whether they work."""
    return {
        one.attributes["data-way"]: one.attributes.get("data-works", "")
        for one in clerk.seen.elements
        if "data-way" in one.attributes
    }


def test_a_phone_gets_in_by_its_pass_alone_and_its_line_appears(
    house: House, ready: Clerk, findings: Findings
) -> None:
    ready.get("/setup/proof")
    assert rows(ready) == {
        "box-web": "true", "box-udp": "true", "box-relay": "true",
        "browser-none": "", "phone-none": "",
    }  # fmt: skip
    given = passed(ready)
    answer = post(house, "place", {"pass": given})
    assert answer.json() == {"room": "ratssaal-test", "name": "Handy", "until": until(given)}
    foreign = post(house, "place", {"pass": given}, "en-GB,en;q=0.9")
    assert foreign.json() == {"room": "ratssaal-test", "name": "Phone", "until": until(given)}
    assert "set-cookie" not in answer.headers
    assert post(house, "report", {"pass": given, **REPORT}).json() == {"where": "unknown"}
    ready.get("/setup/proof")
    found = rows(ready)
    assert (found["phone-direct"], found["phone-relay"]) == ("false", "true")
    ready.sign_in()
    ready.get("/admin/proof")
    assert rows(ready) == found


@pytest.mark.parametrize("place", ["place", "report"])
def test_what_is_no_pass_opens_nothing(
    house: House, ready: Clerk, findings: Findings, place: str
) -> None:
    ready.get("/setup/proof")
    given = passed(ready)
    before = findings.file.read_bytes()
    for wrong in (given[:-1] + "!", given.replace("phone", "browser"), "", 7):
        assert post(house, place, {"pass": wrong, **REPORT}).status_code == 403
    bodies: list[Any] = [[], {}, "x" * 3000, {"pass": given, "more": "x" * 3000}]
    for body in bodies:
        assert post(house, place, body).status_code == 400
    assert findings.file.read_bytes() == before


def test_a_report_of_anything_else_is_not_taken(
    house: House, ready: Clerk, findings: Findings
) -> None:
    ready.get("/setup/proof")
    given = passed(ready)
    assert post(house, "report", {"pass": given, **REPORT, "now": "<b>"}).status_code == 400
    assert post(house, "report", {"pass": given, **REPORT, "name": "x"}).status_code == 400
    assert findings.read()["seen"] == []


@pytest.mark.parametrize("why", [one for one in proof.WHY if one])
def test_each_reason_has_a_sentence_for_each_way(
    ready: Clerk, findings: Findings, why: str
) -> None:
    results = [{"way": way, "works": False, "why": why, "milliseconds": 1} for way in proof.WAYS]
    findings.of_the_box(results)
    ready.get("/setup/proof")
    shown = html.unescape(ready.page)
    for way in proof.WAYS:
        sentence = topic("de", "proof")[f"{way}_{why}"]
        assert sentence.format(host="ratssaal.local") in shown


def test_before_set_up_there_is_nothing_to_prove(inside: Clerk) -> None:
    inside.get("/setup/proof", follow=False)
    assert "proof" not in inside.get("/setup/proof").url.path
