"""What the pages hold: what people need who have them read aloud, and no secrets."""

import asyncio
import json
import re
import stat
from pathlib import Path

import httpx
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from firstboot import progress
from firstboot.store import Draft
from firstboot.texts import say
from firstboot.web import agent
from firstboot.web.app import application
from firstboot.web.forms import View
from firstboot.web.frame import LATER, STEPS, TEMPLATES
from firstboot.web.session import COOKIE
from tests.unit.firstboot.folders import PASSWORD
from tests.unit.firstboot.web.conftest import SENSIBLE, Clerk, House, Seen

pytestmark = pytest.mark.unit

BOTH = pytest.mark.parametrize("language", ["de", "en"])
MARKUP = '<b onmouseover="x()">\'&amp;</b>'


def assert_readable(page: str, language: str) -> None:
    """The rules of WCAG 2.1 that a program can check without drawing the page."""
    seen = Seen(page)
    assert [one.attributes["lang"] for one in seen.all("html")] == [language]
    assert len(seen.all("h1")) == 1
    assert seen.all("h1")[0].text.strip()
    assert re.fullmatch(r"\S.* – Ratssaal", seen.all("title")[0].text.strip(), re.DOTALL)
    assert len(seen.all("main")) == 1
    ids = [one.attributes["id"] for one in seen.elements if one.attributes.get("id")]
    assert len(ids) == len(set(ids))
    labels = {one.attributes.get("for"): one.text.strip() for one in seen.all("label")}
    for field in seen.all("input", "select", "textarea", "progress"):
        if field.attributes.get("type") == "hidden":
            continue
        named = labels.get(field.attributes.get("id", "")) or field.attributes.get("aria-label")
        assert named, field
    for element in seen.elements:
        for words in element.attributes.get("aria-describedby", "").split():
            assert words in ids, f"{element} is described by what is not there"
    assert len(seen.all("legend")) == len(seen.all("fieldset"))
    for one in seen.all("a", "button"):
        assert one.text.strip(), one
    for one in seen.all("a"):
        place = one.attributes["href"]
        assert not place.startswith("#") or place[1:] in ids
    for one in seen.all("form"):
        assert one.attributes["method"] == "post"
    # No program in a page: the header of the web server forbids it.
    assert not any(key.startswith("on") for one in seen.elements for key in one.attributes)
    assert all(one.attributes.get("src") and not one.text for one in seen.all("script"))
    assert not any("style" in one.attributes for one in seen.elements)


@BOTH
def test_every_page_of_the_wizard_can_be_read_aloud(house: House, language: str) -> None:
    clerk = house.visitor(language)
    assert_readable(clerk.get("/setup/").text, language)
    assert_readable(clerk.send("/setup/", language=language).text, language)
    for _ in range(3):
        assert_readable(clerk.send("/setup/code", code="wrong").text, language)
    clerk.send("/setup/code", code=house.box.code())
    assert_readable(clerk.get("/setup/language").text, language)
    for name in STEPS:
        assert_readable(clerk.get(f"/setup/{name}").text, language)
        wrong = clerk.send(f"/setup/{name}", mode="static", kind="files", host_name="a b")
        assert_readable(wrong.text, language)
        clerk.get(f"/setup/{name}")
        clerk.send(f"/setup/{name}", **SENSIBLE[name])
    clerk.get("/setup/reach")
    clerk.send("/setup/reach", reach="public")
    clerk.get("/setup/domain")
    named = clerk.send("/setup/domain", host_name="sitzung.musterhausen.de", then="again")
    assert named.text.count("<textarea") == 1
    assert_readable(named.text, language)
    assert_readable(clerk.get("/setup/summary").text, language)
    assert_readable(clerk.send("/setup/apply").text, language)
    house.box.converge()
    assert_readable(clerk.get("/setup/progress").text, language)


@BOTH
def test_every_page_of_the_administrators_can_be_read_aloud(
    house: House, ready: Clerk, language: str
) -> None:
    clerk = house.visitor(language)
    assert_readable(clerk.get("/admin/").text, language)
    assert_readable(clerk.send("/admin/sign-in", name="x", password="y").text, language)
    clerk.sign_in()
    assert clerk.place == "/admin/"
    assert_readable(clerk.page, language)
    for name in (*STEPS, *LATER, "summary"):
        assert_readable(clerk.get(f"/admin/settings/{name}").text, language)
    assert_readable(clerk.send("/admin/settings/apply").text, language)
    assert house.box.converge()
    assert_readable(clerk.get("/admin/").text, language)
    assert_readable(clerk.send("/admin/power", how="reboot").text, language)
    assert_readable(clerk.get("/admin/reset").text, language)
    (house.box.store.secrets / "recovery-key").write_text("-".join(["cbdefghi"] * 8))
    assert_readable(clerk.get("/admin/").text, language)
    assert_readable(clerk.get("/admin/recovery").text, language)
    assert_readable(clerk.send("/admin/recovery", password=PASSWORD).text, language)
    clerk.get("/admin/reset")
    assert_readable(clerk.send("/admin/reset", password="x", typed="y").text, language)
    del ready


@BOTH
def test_a_page_that_does_not_exist_says_so_in_ones_own_language(
    house: House, language: str
) -> None:
    clerk = house.visitor(language)
    for place in ("/setup/nothing/here", "/somewhere", "/setup/house/"):
        answer = clerk.get(place)
        assert answer.status_code == 404
        assert say(language, "setup.not_found") in answer.text
        assert_readable(answer.text, language)
    clerk.open_with_code(language)
    for place in ("/setup/nonsense", "/setup/..%2fcode", "/setup/nonsense/letter.txt"):
        answer = clerk.get(place)
        assert answer.status_code == 404
        assert say(language, "setup.not_found") in answer.text
    assert clerk.get("/admin/power").status_code == 405
    assert_readable(clerk.page, language)


@BOTH
def test_a_fault_of_ours_gives_a_plain_page_and_keeps_what_was_answered(
    house: House, monkeypatch: pytest.MonkeyPatch, language: str
) -> None:
    clerk = house.visitor(language, quiet=True)
    clerk.open_with_code(language)
    before = Draft(house.box.store).read()

    def broken(*_: object) -> None:
        raise RuntimeError("a secret that was in the way")

    monkeypatch.setattr(progress, "read", broken)
    answer = clerk.get("/setup/progress")
    assert answer.status_code == 500
    assert say(language, "setup.broken") in answer.text.replace("&#39;", "'")
    assert "secret" not in answer.text
    assert_readable(answer.text, language)
    assert Draft(house.box.store).read() == before


def test_root_s_side_that_does_not_answer_gives_a_sentence(
    house: House, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(agent, "SOCKET", tmp_path / "nobody.sock")
    clerk = Clerk(house.box, application(agent.BoxAgent(), house.sessions))
    answer = clerk.get("/setup/")
    assert answer.status_code == 409
    assert say("de", "setup.no_answer") in answer.text


def test_the_language_is_that_of_the_browser_until_somebody_chooses(house: House) -> None:
    for wanted, language in (
        ("de-DE,de;q=0.9,en;q=0.8", "de"),
        ("en-GB,en;q=0.9,de;q=0.8", "en"),
        ("fr,en;q=0.5", "en"),
        ("fr", "de"),
        ("", "de"),
        (";;,,q=;" * 50, "de"),
    ):
        assert_readable(house.visitor(wanted).get("/setup/").text, language)
    german = house.visitor("de")
    german.open_with_code("en")
    assert_readable(german.page, "en")


@pytest.mark.parametrize(
    "text",
    [MARKUP, "🏛️ Rathaus 🇩🇪", "x" * 500, "{{ 191 * 7919 }}{% raw %}", "{0}{name}", "a\u0000b\u202e"],
)
def test_whatever_is_typed_comes_back_as_text(house: House, inside: Clerk, text: str) -> None:
    for name, step in STEPS.items():
        inside.get(f"/setup/{name}")
        fields = inside.seen
        answers = {
            one.attributes["name"]: text
            for one in fields.all("input", "textarea", "select")
            if one.attributes.get("name", "form") not in ("form", "revision")
        }
        answer = inside.send(f"/setup/{name}", **answers)
        assert answer.status_code in (200, 422), name
        assert_readable(answer.text, "de")
        assert MARKUP not in answer.text
        if answer.status_code == 422:
            for field in step.fields(_view(house)):
                if field.kind in ("text", "textarea"):
                    assert _without_nul(inside.hidden(field.name)) == _without_nul(text)
    assert "1512529" not in inside.get("/setup/summary").text


def _view(house: House) -> View:
    draft = Draft(house.box.store).public()
    return View("de", draft["settings"], frozenset(draft["secrets"]), {"cards": []})


def _without_nul(text: str) -> str:
    return text.replace("\u0000", "").replace("\ufffd", "").lstrip("\n")


def test_markup_in_names_stays_text_wherever_it_is_shown(house: House, inside: Clerk) -> None:
    name = "<script src=//x></script>&"
    answers = {
        "house": {"name": name},
        "administrators": SENSIBLE["administrators"] | {"name1": name, "alone_because": name},
        "texts": {"imprint": name, "privacy": name, "notice": name},
    }
    inside.walk(**answers)
    assert "&lt;script" in inside.page
    inside.finish()
    other = house.visitor()
    other.sign_in(name=name)
    assert other.place == "/admin/"
    pages = [inside.page, other.page]
    for one in ("house", "administrators", "texts", "domain", "summary"):
        pages.append(other.get(f"/admin/settings/{one}").text)
    for page in pages:
        assert "<script src=//x" not in page
        assert_readable(page, "de")
    assert "&lt;script" in pages[1]


def test_a_letter_with_five_hundred_signs_in_it_is_still_a_letter(inside: Clerk) -> None:
    inside.walk("domain", house={"name": "Ä" * 80}, reach={"reach": "public"})
    answer = inside.send("/setup/domain", host_name="a.de", then="again")
    assert "Ä" * 80 in answer.text


TEXTS = st.text(max_size=60) | st.sampled_from(
    ["", " ", MARKUP, "-1", "0", "static", "acme", "files", "own", "9" * 400, "192.0.2.1/24", "a.b"]
)


@pytest.mark.parametrize("name", STEPS)
@settings(
    max_examples=12,
    derandomize=True,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(data=st.data())
def test_no_answer_breaks_a_page(inside: Clerk, name: str, data: st.DataObject) -> None:
    inside.get(f"/setup/{name}")
    names = [
        one.attributes["name"]
        for one in inside.seen.all("input", "textarea", "select")
        if one.attributes.get("name", "form") != "form"
    ]
    answers = data.draw(st.fixed_dictionaries({}, optional=dict.fromkeys(names, TEXTS)))
    answer = inside.send(f"/setup/{name}", **answers)
    assert answer.status_code in (200, 422)


def test_a_huge_upload_is_refused_with_a_sentence(inside: Clerk) -> None:
    before = Draft(inside.box.store).read()
    inside.get("/setup/certificate")
    chain = {"chain": ("chain.pem", b"x" * 600_001, "application/x-pem-file")}
    answer = inside.upload("/setup/certificate", chain, kind="files")
    assert answer.status_code == 409
    assert "größer als 600 kB" in answer.text
    inside.get("/setup/texts")
    answer = inside.upload("/setup/texts", {"none": ("", b"")}, imprint="x" * 600_001)
    assert answer.status_code == 413
    assert "größer als 600 kB" in answer.text
    assert Draft(inside.box.store).read() == before


def test_a_form_that_is_no_form_is_refused_with_a_sentence(inside: Clerk) -> None:
    headers = {"Content-Type": "multipart/form-data; boundary=x"}
    for body in (b"", b"--x\r\nnonsense", b"\xff" * 100):
        post = inside.client.post("/setup/house", content=body, headers=headers)
        answer: httpx.Response = asyncio.run(post)
        assert answer.status_code in (400, 403)
        assert_readable(answer.text, "de")


def test_a_certificate_that_is_none_is_refused_with_a_sentence(inside: Clerk) -> None:
    inside.get("/setup/certificate")
    chain = {"chain": ("chain.pem", b"-----BEGIN CERTIFICATE-----\nAAAA\n", "text/plain")}
    answer = inside.upload("/setup/certificate", chain, kind="files")
    assert answer.status_code == 422
    assert_readable(answer.text, "de")


def test_passwords_are_in_no_page_and_in_no_file_that_others_may_read(
    house: House, inside: Clerk
) -> None:
    key = "c2VjcmV0c2VjcmV0c2VjcmV0"
    dns = {"kind": "acme", "dns_server": "192.0.2.53", "dns_key_name": "key", "dns_secret": key}
    pages = []
    inside.walk(certificate=dns)
    wrong = SENSIBLE["administrators"] | {"name1": "", "password1": "ein anderes passwort"}
    inside.get("/setup/administrators")
    pages.append(inside.send("/setup/administrators", **wrong).text)
    for name in (*STEPS, "summary"):
        pages.append(inside.get(f"/setup/{name}").text)
    inside.finish()
    pages.append(inside.page)
    inside.get("/admin/sign-in")
    pages.append(inside.send("/admin/sign-in", name="Anna Beispiel", password="falsch!").text)
    inside.sign_in()
    pages.append(inside.page)
    for name in (*STEPS, "summary"):
        pages.append(inside.get(f"/admin/settings/{name}").text)
    told = json.dumps(
        [Draft(house.box.store).public(), [one.public for one in house.box.store.history()]]
    )
    for page in (*pages, told):
        for secret in (PASSWORD, "ein anderes passwort", "falsch!", "$argon2id", key):
            assert secret not in page
    for field in Seen(pages[0]).all("input"):
        if field.attributes["type"] == "password":
            assert field.attributes["value"] == ""
    secrets = 0
    for file in (*house.box.files(), house.sessions.file):
        content = file.read_text()
        assert PASSWORD not in content
        if "$argon2id" in content or key in content:
            secrets += 1
            assert stat.S_IMODE(file.stat().st_mode) == 0o600, file
    assert secrets > 0
    assert stat.S_IMODE(house.sessions.file.stat().st_mode) == 0o600


def test_neither_codes_nor_permits_nor_cookies_are_kept_as_they_are(
    house: House, inside: Clerk
) -> None:
    cookie = inside.client.cookies[COOKIE]
    session = house.sessions.find(cookie)
    assert session
    assert cookie not in house.sessions.file.read_text()
    permits = house.box.store.secrets / "permits.json"
    assert session.permit
    assert session.permit not in permits.read_text()
    assert stat.S_IMODE(permits.stat().st_mode) == 0o600
    assert session.permit not in inside.page


def test_no_template_switches_escaping_off() -> None:
    found = sorted(TEMPLATES.glob("*.j2"))
    assert found
    for file in found:
        assert not re.search(r"\|\s*safe\b|autoescape", file.read_text()), file.name
