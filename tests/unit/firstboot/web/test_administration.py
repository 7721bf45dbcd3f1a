"""The administrators' pages: who signs in, what they change, and how it is brought back."""

import asyncio
import datetime
import json

import pyotp
import pytest

from firstboot.access.passwords import hash_password, totp_secret
from firstboot.access.permits import ROOT
from firstboot.settings import Settings
from firstboot.store import Draft
from firstboot.texts import Said, SaidError, say
from firstboot.web.forms import Field, FieldError
from firstboot.web.words import (
    certificate_notes,
    changed_words,
    explained,
    imprint_notes,
    in_short,
)
from tests.unit.firstboot.folders import PASSWORD
from tests.unit.firstboot.web.conftest import Clerk, House
from tests.unit.firstboot.web.test_door import places

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
    assert "Angefangene Änderungen" not in anna.page
    assert "Gemeinde Musterhausen (bisher: Stadt Beispielstadt)" in anna.page
    assert house.box.store.numbers() == [1, 2]
    anna.send("/admin/undo", number="1", sure="yes")
    assert house.box.converge()
    anna.get("/admin/")
    assert "Dieses Gerät gehört zu: Gemeinde Musterhausen" in anna.page
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


def test_the_box_is_reset_by_password_and_name_and_says_what_is_lost(
    house: House, anna: Clerk
) -> None:
    anna.get("/admin/reset")
    assert "Das lässt sich nicht rückgängig machen" in anna.page
    for password, typed in ((PASSWORD, "muster"), ("falsch", "ratssaal.local"), ("", "")):
        answer = anna.send("/admin/reset", password=password, typed=typed)
        assert answer.status_code == 403
        assert 'role="alert"' in answer.text
        assert password not in answer.text or not password
    assert "start ratssaal-reset.service" not in house.box.commands()
    answer = anna.send("/admin/reset", password=PASSWORD, typed="ratssaal.local")
    assert "startet jetzt neu und löscht alles" in answer.text
    assert house.box.commands()[-1] == "start ratssaal-reset.service"


def test_the_recovery_key_is_shown_after_the_password_alone(house: House, anna: Clerk) -> None:
    assert "/admin/recovery" not in anna.get("/admin/").text
    assert "nicht verschlüsselt" in anna.page
    key = "-".join(["cbdefghi"] * 8)
    (house.box.store.secrets / "recovery-key").write_text(key)
    assert "/admin/recovery" in anna.get("/admin/").text
    assert "noch niemand aufgeschrieben" in anna.page
    assert "cbdefghi" not in anna.get("/admin/recovery").text
    assert anna.send("/admin/recovery", password="falsch").status_code == 403
    assert "cbdefghi" not in anna.page
    anna.send("/admin/recovery", password=PASSWORD)
    assert anna.recovery_key() == key
    anna.send("/admin/recovery", group="cbdefghi")
    assert "noch niemand aufgeschrieben" not in anna.get("/admin/").text
    anna.get("/admin/recovery")
    anna.send("/admin/recovery", password=PASSWORD)
    assert anna.recovery_key() == key
    assert 'name="group"' not in anna.page


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
    assert "Sie sind nicht mehr angemeldet" in anna.page


def test_no_page_is_open_to_whoever_has_lost_the_office(house: House, anna: Clerk) -> None:
    settings = house.box.store.settings(1).model_dump(mode="json")
    settings["cluster"]["administration"]["people"][0]["name"] = "Berta Beispiel"
    house.box.set_up(Settings.model_validate(settings))
    kept = house.sessions.file.read_text()
    pages = places(house, "GET", "/admin/")
    assert len(pages) > 10
    for place in pages:
        house.sessions.file.write_text(kept)
        if place.endswith("events"):
            assert "{" not in anna.glance(place).text, place
            continue
        # The cookie stays the one that Anna had.
        answer = anna.get(place, follow=False)
        assert answer.is_redirect, place
        assert answer.headers["location"] == "/admin/sign-in?over"


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


def test_the_certificate_is_told_of_as_root_s_side_knows_it() -> None:
    end = datetime.datetime.now(datetime.UTC) + datetime.timedelta(days=20, hours=1)
    names = ["rat.example", "turn.rat.example"]
    found = {"names": names, "issuer": "CN=x", "not_after": end.isoformat()}
    box = {"certificate": {"kind": "acme"}, "host_name": names[0], "turn_name": names[1]}
    tried = {"time": "2026-11-24T11:05+00:00", "said": ["acme.caa", {}]}
    state = {"settings": {"box": box}, "certificate": found, "attempt": tried}
    notes = certificate_notes(state)
    assert [(one.severity, one.said.key) for one in notes] == [
        ("problem", "admin.certificate_ends_acme"),
        ("problem", "admin.certificate_attempt"),
    ]
    assert "CAA" in notes[1].said.text("de")
    (note,) = certificate_notes({"settings": None, "certificate": None, "attempt": None})
    assert note.said.key == "admin.certificate_own"


@pytest.mark.parametrize(
    ("imprint", "said"),
    [
        ("", ["admin.imprint_missing"]),
        ("Musterhausen\n[Anschrift]", ["admin.imprint_gaps"]),
        ("Musterhausen\nMarkt 1", []),
    ],
)
def test_an_imprint_that_is_missing_or_has_gaps_is_told_of(imprint: str, said: list[str]) -> None:
    state = {"settings": {"cluster": {"texts": {"imprint": imprint}}}}
    assert [one.said.key for one in imprint_notes(state)] == said


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
    anna.get("/admin/settings/reach")
    anna.send("/admin/settings/reach", reach="public")
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


def test_bringing_back_never_brings_back_who_administers(house: House, anna: Clerk) -> None:
    """Anna changes her password, Berta comes, the name changes: back to the first."""
    settings = house.box.store.settings(1).model_dump(mode="json")
    new = hash_password("sieben blaue traktoren im nebel")
    administration = settings["cluster"]["administration"]
    administration["people"][0] |= {"password": new, "totp": totp_secret()}
    berta = {"name": "Berta", "password": hash_password(PASSWORD)}
    administration["people"].append(berta)
    settings["cluster"]["house"]["name"] = "Stadt Beispielstadt"
    house.box.set_up(Settings.model_validate(settings))
    permit = house.box.ask("sign-in", name="Berta", password=PASSWORD, totp="")["permit"]
    told = house.box.ask("generation", permit=permit, number=1)
    assert told["what"] == ["cluster.house.name"]
    assert "$argon2" not in json.dumps(told)
    house.box.ask("undo", permit=permit, number=1, who="")
    assert house.box.converge()
    now = house.box.store.settings(3)
    assert now.cluster.house.name == "Gemeinde Musterhausen"
    assert now.cluster.administration == house.box.store.settings(2).cluster.administration
    # And whoever was removed stays removed.
    settings = now.model_dump(mode="json")
    del settings["cluster"]["administration"]["people"][1]
    house.box.set_up(Settings.model_validate(settings))
    with pytest.raises(SaidError, match=r"setup\.not_allowed"):
        house.box.ask("undo", permit=permit, number=3, who="")
    with pytest.raises(SaidError, match=r"nothing_to_bring_back"):
        house.box.ask_as(ROOT, "undo", number=3, who="root")


def test_what_failed_stands_in_the_history_with_its_reason(house: House, anna: Clerk) -> None:
    anna.get("/admin/settings/domain")
    anna.send("/admin/settings/domain", host_name="rat.musterhausen.de")
    house.box.said = Said("converge.not_healthy", {"answer": "box.host_name"})
    anna.send("/admin/settings/apply")
    assert not house.box.converge()
    anna.get("/admin/")
    row = [one.text for one in anna.seen.all("tr")][1]
    assert "gescheitert" in row
    assert "vermutlich wegen dieser – Name im Internet" in row
    assert "zurückholen" not in row


def test_open_changes_are_told_with_a_way_on_and_a_way_back(house: House, anna: Clerk) -> None:
    anna.get("/admin/")
    assert "Angefangene Änderungen" not in anna.page
    anna.get("/admin/settings/administrators")
    people = {"name1": "Anna Beispiel", "alone_because": "klein"}
    anna.send(
        "/admin/settings/administrators", **people, password1="sieben blaue traktoren im nebel"
    )
    assert anna.place == "/admin/settings/summary"
    assert "Personen, Passwörter oder Einmalcodes" in anna.page
    anna.get("/admin/")
    assert "Angefangene Änderungen" in anna.page
    assert "gelten aber noch nicht: Verwaltung" in anna.page
    anna.send("/admin/discard")
    assert "Angefangene Änderungen" not in anna.page


def test_the_preview_waits_shows_files_and_is_of_this_draft_alone(
    house: House, anna: Clerk
) -> None:
    box = house.box
    anna.get("/admin/settings/house")
    anna.send("/admin/settings/house", name="Stadt Beispielstadt")
    assert "Stadt Beispielstadt (bisher: Gemeinde Musterhausen)" in anna.page
    # A preview of another draft is none.
    revision = Draft(box.store).read()["revision"]
    box.preview.write_text(json.dumps({"revision": revision - 1, "ok": True, "files": []}))
    anna.get("/admin/settings/preview")
    assert anna.place == "/admin/settings/summary"
    box.program("systemctl", f'echo "$@" >>{box.folder}/commands; echo activating')
    anna.send("/admin/settings/preview")
    assert box.commands()[-2:] == [
        "start --no-block ratssaal-preview.service", "is-active ratssaal-preview.service"
    ]  # fmt: skip
    assert anna.place == "/admin/settings/preview"
    assert "Das dauert einige Sekunden" in anna.page
    box.program("systemctl", "echo inactive")
    files = [{"path": "/etc/ratssaal.json", "diff": '-"<a>"\n+"<b>"'}]
    box.preview.write_text(json.dumps({"revision": revision, "ok": True, "files": files}))
    anna.get("/admin/settings/preview")
    assert [one.text for one in anna.seen.all("pre")] == ['-"<a>"\n+"<b>"']
    answer = anna.client.get("/admin/settings/preview/events")
    assert '"finished": true' in asyncio.run(answer).text
    box.preview.write_text(json.dumps({"revision": revision, "ok": False, "files": []}))
    anna.get("/admin/settings/preview")
    assert "ließ sich nicht feststellen" in anna.page


def test_the_bundle_for_support_is_handed_over_and_stays_nowhere(house: House, anna: Clerk) -> None:
    page = anna.page
    house.box.bundle.write_bytes(b"packed")
    answer = anna.send("/admin/support")
    assert answer.content == b"packed"
    assert answer.headers["content-disposition"].endswith('"ratssaal-support.tar.gz"')
    assert not house.box.bundle.exists()
    anna.page = page
    assert anna.send("/admin/support").status_code == 409
    assert "ließ sich nicht zusammenstellen" in anna.page


def test_bringing_back_networks_without_ones_own_is_warned_of(house: House, anna: Clerk) -> None:
    settings = house.box.store.settings(1).model_dump(mode="json")
    for networks in (["192.0.2.0/24"], []):
        settings["cluster"]["administration"]["networks"] = networks
        house.box.set_up(Settings.model_validate(settings))
    anna.get("/admin/")
    page = anna.page
    for sits, warned in (("198.51.100.7", True), ("192.0.2.7", False)):
        anna.client.headers["X-Real-IP"] = sits
        anna.page = page
        anna.send("/admin/undo", number="2")
        assert (f"Sie selbst sind gerade unter {sits} angemeldet" in anna.page) == warned


@pytest.mark.parametrize(
    ("texts", "told"),
    [
        ({}, "Entwürfe, noch nicht angesehen"),
        ({"notice": say("de", "setup.texts.notice_draft")}, "Entwürfe, unverändert gespeichert"),
        ({"imprint": "[Anschrift]"}, "Eigene Texte, mit Lücken in eckigen Klammern"),
        ({"imprint": "Rathausplatz 1"}, "Eigene Texte"),
    ],
)
def test_texts_nobody_has_seen_are_not_called_saved(texts: dict[str, str], told: str) -> None:
    settings = Settings.model_validate({"cluster": {"texts": texts}})
    assert in_short("texts", settings.model_dump(mode="json"), "de") == told
