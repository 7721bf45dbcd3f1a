"""The administrators' pages: who signs in, what they change, and how it is brought back."""

import datetime
import json

import pyotp
import pytest

from firstboot.passwords import hash_password, totp_secret
from firstboot.settings import Settings
from firstboot.store import Draft
from firstboot.texts import Said, SaidError
from firstboot.web.forms import Field, FieldError
from firstboot.web.words import certificate_notes, changed_words, explained
from tests.unit.firstboot.folders import PASSWORD
from tests.unit.firstboot.web.conftest import Clerk, House

pytestmark = pytest.mark.unit

WRONG = "Name, Passwort oder Einmalcode stimmen nicht"


@pytest.fixture
def anna(ready: Clerk) -> Clerk:
    """An administrator who has signed in."""
    ready.sign_in()
    assert ready.place == "/admin/"
    return ready


def test_a_wrong_password_and_an_unknown_name_are_told_in_the_same_words(ready: Clerk) -> None:
    ready.sign_in(password="etwas ganz anderes")
    assert ready.place == "/admin/sign-in"
    assert WRONG in ready.page
    wrong_password = ready.page.replace(ready.hidden("form"), "")
    ready.sign_in(name="Berta Beispiel")
    unknown = ready.page.replace(ready.hidden("form"), "")
    assert unknown == wrong_password.replace("Anna Beispiel", "Berta Beispiel")


def test_names_are_written_small_or_large(ready: Clerk) -> None:
    ready.sign_in(name="ANNA beispiel")
    assert "Guten Tag, Anna Beispiel" in ready.page


def test_digits_of_the_app_open_once(house: House) -> None:
    secret = totp_secret()
    person = {"name": "Anna Beispiel", "password": hash_password(PASSWORD), "totp": secret}
    administration = {"people": [person], "alone_because": "klein"}
    house.box.set_up(Settings.model_validate({"cluster": {"administration": administration}}))
    digits = pyotp.TOTP(secret).now()
    clerk = house.visitor()
    clerk.sign_in()
    assert WRONG in clerk.page
    clerk.sign_in(password="falsch", totp=digits)
    assert WRONG in clerk.page
    clerk.sign_in(totp=digits)
    assert clerk.place == "/admin/"
    assert secret not in clerk.page
    again = house.visitor()
    again.sign_in(totp=digits)
    assert WRONG in again.page


def test_signing_out_ends_session_and_permit(house: House, anna: Clerk) -> None:
    cookies = dict(anna.client.cookies)
    token = next(iter(cookies.values()))
    session = house.sessions.find(token)
    assert session
    anna.send("/admin/sign-out")
    assert anna.place == "/admin/sign-in"
    thief = house.visitor()
    for name, value in cookies.items():
        thief.client.cookies.set(name, value, domain="ratssaal.local")
    thief.get("/admin/")
    assert thief.place == "/admin/sign-in"
    with pytest.raises(SaidError, match=r"setup\.not_allowed"):
        house.box.ask("history", permit=session.permit)


def test_a_change_is_looked_at_brought_into_force_and_brought_back(
    house: House, anna: Clerk
) -> None:
    anna.get("/admin/settings/house")
    anna.send("/admin/settings/house", name="Stadt Beispielstadt")
    assert anna.place == "/admin/settings/summary"
    assert "Stadt Beispielstadt" in anna.page
    anna.send("/admin/settings/apply")
    assert anna.place == "/admin/progress"
    assert house.box.converge()
    anna.get("/admin/")
    assert "Stadt Beispielstadt" in anna.page
    rows = [one.text for one in anna.seen.all("td")]
    assert rows[1] == "Anna Beispiel"
    assert rows[2] == "Ihr Haus"
    anna.send("/admin/undo", number="1")
    assert anna.heading() == "Diesen Stand zurückholen?"
    assert "Gemeinde Musterhausen (bisher: Stadt Beispielstadt)" in anna.page
    assert house.box.store.numbers() == [1, 2]
    anna.send("/admin/undo", number="1", sure="yes")
    assert house.box.converge()
    anna.get("/admin/")
    assert "Dies ist das Gerät von Gemeinde Musterhausen" in anna.page
    assert house.box.store.numbers() == [1, 2, 3]


def test_bringing_back_what_never_was_is_told(anna: Clerk) -> None:
    page = anna.page
    assert anna.send("/admin/undo", number="77").status_code == 409
    assert "77" in anna.page
    for number in ("", "-1", "9" * 5000, "x"):
        anna.page = page
        assert anna.send("/admin/undo", number=number).status_code == 400


def test_an_open_change_can_be_thrown_away(house: House, anna: Clerk) -> None:
    anna.get("/admin/settings/house")
    anna.send("/admin/settings/house", name="Stadt Beispielstadt")
    anna.send("/admin/discard")
    assert anna.place == "/admin/"
    assert Draft(house.box.store).settings().cluster.house.name == "Gemeinde Musterhausen"


def test_the_box_is_restarted_and_switched_off_and_nothing_else(house: House, anna: Clerk) -> None:
    page = anna.page
    house.box.rooms.write_text('{"rooms": 2, "people": 7}')
    asked = house.box.commands()
    anna.send("/admin/power", how="reboot")
    assert anna.heading() == "Jetzt neu starten?"
    assert "Personen darin: 7" in anna.page
    assert house.box.commands() == [*asked, "start ratssaal-rooms.service"]
    assert "startet neu" in anna.send("/admin/power", how="reboot", sure="yes").text
    anna.page = page
    answer = anna.send("/admin/power", how="poweroff", sure="yes")
    assert "schaltet sich aus" in answer.text
    before = house.box.commands()
    start = "start --no-block --job-mode=replace-irreversibly"
    assert before[-2:] == [f"{start} reboot.target", f"{start} poweroff.target"]
    for how in ("", "halt", "reboot; x", "--help"):
        anna.page = page
        assert anna.send("/admin/power", how=how).status_code == 409
    assert house.box.commands() == before


def test_whoever_is_no_administrator_any_more_is_out_at_once(house: House, anna: Clerk) -> None:
    settings = house.box.store.settings(1).model_dump(mode="json")
    settings["cluster"]["administration"]["people"][0]["name"] = "Berta"
    house.box.set_up(Settings.model_validate(settings))
    for place in ("/admin/", "/admin/settings/house"):
        anna.get(place)
        assert anna.place == "/admin/sign-in"


def test_a_new_password_ends_what_the_old_one_opened(house: House, anna: Clerk) -> None:
    settings = house.box.store.settings(1).model_dump(mode="json")
    hashed = hash_password("sieben blaue traktoren")
    settings["cluster"]["administration"]["people"][0]["password"] = hashed
    house.box.set_up(Settings.model_validate(settings))
    anna.get("/admin/")
    assert anna.place == "/admin/sign-in"


def test_a_password_that_is_not_typed_again_stays(house: House, anna: Clerk) -> None:
    anna.get("/admin/settings/administrators")
    anna.send(
        "/admin/settings/administrators",
        name1="Anna Beispiel",
        mail1="anna@musterhausen.de",
        name2="Berta Beispiel",
        password2="sieben blaue traktoren",
    )
    anna.send("/admin/settings/apply")
    assert house.box.converge()
    people = house.box.store.settings(2).cluster.administration.people
    former = house.box.store.settings(1).cluster.administration.people
    assert people[0].password == former[0].password
    assert people[0].mail == "anna@musterhausen.de"
    assert [one.name for one in people] == ["Anna Beispiel", "Berta Beispiel"]


@pytest.mark.parametrize(
    ("kind", "days", "names", "severity", "key"),
    [
        ("own", None, [], "note", "admin.certificate_own"),
        ("acme", None, [], "problem", "admin.certificate_missing"),
        ("acme", 60, ["other.example"], "problem", "admin.certificate_missing"),
        ("acme", 60, ["rat.example"], "good", "admin.certificate_good"),
        ("acme", 60, ["*.example"], "good", "admin.certificate_good"),
        ("files", 21, ["rat.example"], "good", "admin.certificate_good"),
        ("files", 20, ["rat.example"], "problem", "admin.certificate_ends"),
        ("files", -1, ["rat.example"], "problem", "admin.certificate_ends"),
    ],
)
def test_a_certificate_that_ends_soon_is_told_of_three_weeks_before(
    kind: str, days: int | None, names: list[str], severity: str, key: str
) -> None:
    # An hour more than whole days, so that the clock of this test may go on.
    end = datetime.datetime.now(datetime.UTC) + datetime.timedelta(days=days or 0, hours=1)
    found = {"names": names, "not_after": end.isoformat()} if days is not None else None
    box = {"certificate": {"kind": kind}, "host_name": "rat.example"}
    (note,) = certificate_notes({"settings": {"box": box}, "certificate": found})
    assert (note.severity, note.said.key) == (severity, key)
    for language in ("de", "en"):
        assert note.said.text(language)


def test_history_names_questions_not_settings() -> None:
    what = ["box.host_name", "box.turn_name", "cluster.house.name", "box.certificate.kind"]
    assert changed_words(what, "de") == ["Name im Internet", "Ihr Haus", "Zertifikat"]


def test_every_setting_has_a_question_that_history_names() -> None:
    def leaves(content: dict[str, object], before: str) -> list[str]:
        found: list[str] = []
        for key, value in content.items():
            if isinstance(value, dict):
                found += leaves(value, f"{before}{key}.")
            else:
                found.append(f"{before}{key}")
        return found

    for name in leaves(Settings().model_dump(mode="json"), ""):
        if name != "version":
            assert changed_words([name], "en"), name


@pytest.mark.parametrize(
    ("place", "name"),
    [
        ("box.network.gateway", "gateway"),
        ("box.network.dns.1", "dns"),
        ("box.network", ""),
        ("box.certificate.dns.server", ""),
        ("", ""),
    ],
)
def test_what_root_s_side_refuses_is_told_by_the_words_of_its_question(
    place: str, name: str
) -> None:
    fields = [Field("gateway"), Field("dns")]
    refused = SaidError("setup.not_accepted", answer=place)
    told = explained(refused, "network", fields, "de")
    words = {"gateway": "Gateway", "dns": "DNS-Server"}.get(name, "Netzwerk")
    if place == "box.certificate.dns.server":
        # A word of the name fits: better the nearest question than none.
        name, words = "dns", "DNS-Server"
    assert told.said == Said("setup.not_accepted", {"answer": words})
    assert (told.name if isinstance(told, FieldError) else "") == name


def test_the_progress_of_a_box_that_has_nothing_to_do_leads_to_the_overview(
    house: House, anna: Clerk
) -> None:
    house.box.progress.unlink()
    anna.get("/admin/progress")
    assert anna.place == "/admin/"


def test_the_handover_sheet_is_for_those_who_have_set_up_or_administer(anna: Clerk) -> None:
    assert anna.get("/admin/sheet.pdf").content.startswith(b"%PDF")


def test_administrators_get_letters_and_requests_too(house: House, anna: Clerk) -> None:
    anna.get("/admin/settings/domain")
    anna.send("/admin/settings/domain", host_name="sitzung.musterhausen.de", then="again")
    assert anna.place == "/admin/settings/domain"
    links = [one.attributes["href"] for one in anna.seen.all("a")]
    assert "/admin/settings/domain/letter.txt" in links
    assert "sitzung.musterhausen.de" in anna.get("/admin/settings/domain/letter.txt").text
    anna.get("/admin/settings/certificate")
    assert "/admin/request.csr" in [one.attributes["href"] for one in anna.seen.all("a")]
    assert "BEGIN CERTIFICATE REQUEST" in anna.get("/admin/request.csr").text
    assert json.loads((house.box.store.secrets / "permits.json").read_text())
