"""The wizard's pages: who gets in, in which order, and what is kept."""

import datetime
import json
import struct
import zlib

import pyotp
import pytest

from firstboot import handover
from firstboot.access.passwords import hash_password
from firstboot.certificates.fingerprint import mark
from firstboot.settings import Settings
from firstboot.store import Draft
from firstboot.texts import LANGUAGES, Said, say
from firstboot.web.frame import STEPS
from firstboot.web.steps import BEFORE_AND_AFTER
from firstboot.web.steps.meetings import PRESETS
from tests.unit.firstboot import issuing
from tests.unit.firstboot.folders import PASSWORD
from tests.unit.firstboot.web.conftest import SENSIBLE, Clerk, House, Seen

pytestmark = pytest.mark.unit

NAMES = list(STEPS)


def _chunk(kind: bytes, content: bytes) -> bytes:
    checked = struct.pack(">I", zlib.crc32(kind + content))
    return struct.pack(">I", len(content)) + kind + content + checked


# One white point (PNG, third edition, section 11).
PNG = (
    b"\x89PNG\r\n\x1a\n"
    + _chunk(b"IHDR", struct.pack(">IIBBBBB", 1, 1, 8, 0, 0, 0, 0))
    + _chunk(b"IDAT", zlib.compress(b"\0\xff"))
    + _chunk(b"IEND", b"")
)


def test_the_code_opens_the_first_step(inside: Clerk) -> None:
    assert inside.place == f"/setup/{NAMES[0]}"
    assert inside.heading() == "Netzwerk"


def test_the_whole_way_leads_to_a_box_that_is_set_up(
    inside: Clerk, monkeypatch: pytest.MonkeyPatch
) -> None:
    inside.walk()
    assert inside.place == "/setup/summary"
    assert "Gemeinde Musterhausen" in inside.page
    assert "Anna Beispiel" in inside.page
    inside.send("/setup/apply")
    assert inside.place == "/setup/progress"
    assert inside.box.commands() == ["start --no-block ratssaal-converge.service"]
    assert inside.heading() == "Das Gerät richtet sich ein"
    assert inside.box.converge()
    inside.get("/setup/progress")
    assert inside.heading() == "Ihr Gerät ist bereit"
    assert inside.get("/setup/sheet.pdf").content.startswith(b"%PDF")
    drawn: list[handover.Sheet] = []

    def draw(sheet: handover.Sheet, _: str) -> bytes:
        drawn.append(sheet)
        return b""

    monkeypatch.setattr(handover, "pdf", draw)
    inside.get("/setup/sheet.pdf")
    assert drawn[0].test_room == "https://192.0.2.10/test/", "a phone may not know ratssaal.local"


def test_an_encrypted_box_shows_its_recovery_key_until_it_is_written_down(inside: Clerk) -> None:
    (inside.box.store.secrets / "recovery-key").write_text(
        "-".join(["cbdefghi"] * 7 + ["vutrnlkj"])
    )
    inside.walk()
    for place, form in (("apply", {}), ("recovery", {"group": "cbdefghi"})):
        inside.send(f"/setup/{place}", **form)
        assert inside.place == "/setup/recovery"
        assert inside.recovery_key().endswith("cbdefghi-vutrnlkj")
        back = [one.attributes["href"] for one in inside.seen.all("a") if one.text == "Zurück"]
        assert back == ["/setup/summary"]
        assert inside.box.commands() == []
    assert "nicht die letzte Gruppe" in inside.page
    inside.send("/setup/recovery", group="vutrnlkj")
    assert inside.place == "/setup/progress"
    assert inside.box.converge()


@pytest.mark.parametrize("name", NAMES)
def test_each_step_leads_to_the_one_after_it(inside: Clerk, name: str) -> None:
    inside.walk(name)
    inside.send(f"/setup/{name}", **SENSIBLE[name])
    following = [*NAMES, "summary"][NAMES.index(name) + 1]
    assert inside.place == f"/setup/{following}"


@pytest.mark.parametrize("name", NAMES)
def test_a_second_visit_goes_on_at_the_first_step_that_is_not_done(
    house: House, inside: Clerk, name: str
) -> None:
    inside.walk(name)
    inside.get("/setup/")
    assert inside.place == f"/setup/{name}"
    # Another browser, or the same one after an hour: the code opens the same place.
    other = house.visitor()
    other.open_with_code()
    assert other.place == f"/setup/{name}"


def test_a_second_visit_goes_on_at_a_step_that_was_left_out(inside: Clerk) -> None:
    inside.walk()
    content = Draft(inside.box.store).read()
    content["done"].remove("reach")
    (inside.box.store.secrets / "draft.json").write_text(json.dumps(content))
    inside.get("/setup/")
    assert inside.place == "/setup/reach"
    inside.get("/setup/summary")
    assert "fehlt noch" in inside.page
    assert "/setup/apply" not in inside.page


def test_a_step_is_kept_as_soon_as_it_is_done(inside: Clerk) -> None:
    for name in NAMES:
        before = Draft(inside.box.store).read()
        inside.get(f"/setup/{name}")
        assert Draft(inside.box.store).read() == before
        inside.send(f"/setup/{name}", **SENSIBLE[name])
        assert Draft(inside.box.store).read()["done"][-1] == name


def test_back_keeps_the_answers(inside: Clerk) -> None:
    answers = {
        "network": {
            "mode": "static",
            "address": "192.0.2.10/24",
            "gateway": "192.0.2.1",
            "dns": "192.0.2.53 2001:db8::53",
            "vlan": "12",
            "proxy": "http://proxy.example:3128",
            "time_servers": "time.example",
            "uplink": "40",
        },
        "house": {"name": "Stadt Großräschen", "colour": "#123456"},
        "reach": {"reach": "datacentre"},
        "domain": {"host_name": "sitzung.musterhausen.de"},
        "certificate": {"kind": "acme", "contact": "it@musterhausen.de", "dns_server": ""},
        "administrators": SENSIBLE["administrators"] | {"networks": "192.0.2.0/24"},
        "meetings": {"preset": "school"},
        "texts": {"imprint": "Zeile 1\nZeile 2", "privacy": "Datenschutz", "notice": "Hinweis"},
        "cluster": {"cluster": "alone"},
    }
    inside.box.show_cards("two-cards")
    inside.get("/setup/network")
    cards = [one.attributes["value"] for one in inside.seen.all("option")]
    assert cards[0] == ""
    answers["network"]["card"] = cards[-1]
    inside.walk(**answers)
    place = "/setup/cluster"
    for name in reversed(NAMES):
        assert inside.get(place).status_code == 200
        for field, typed in answers[name].items():
            if not field.startswith("password"):
                assert inside.hidden(field) == typed, field
        back = [one for one in inside.seen.all("a") if one.text == "Zurück"]
        (link,) = [one.attributes["href"] for one in back]
        place = link
    assert place == "/setup/language"


def test_the_summary_says_how_the_box_is_reached_and_gets_out(inside: Clerk) -> None:
    proxy = "http://proxy.example:3128"
    inside.walk(network={"mode": "dhcp", "proxy": proxy, "uplink": "40"})
    inside.get("/setup/summary")
    assert f"Automatisch vom Netz (DHCP), Proxy {proxy}, Upload 40 Mbit/s" in inside.page


def as_drawn(seen: Seen) -> dict[str, str]:
    """What a browser sends of the open form where nobody has touched it."""
    found: dict[str, str] = {}
    for one in seen.all("input", "textarea", "select"):
        kind, name = one.attributes.get("type", ""), one.attributes.get("name", "")
        chosen = kind not in ("radio", "checkbox") or "checked" in one.attributes
        if name and kind != "file" and chosen:
            found[name] = seen.value(name)
    return found


def had_to_be_answered(clerk: Clerk, name: str) -> list[str]:
    """Send a step as it is drawn, and only what is asked for then; the questions that were."""
    place, typed = f"/setup/{name}", dict[str, str]()
    clerk.get(place)
    clerk.send(place, **as_drawn(clerk.seen))
    while clerk.place == place:
        wrong = [one.attributes.get("id", "") for one in clerk.seen.elements]
        (field,) = [one.removesuffix("-error") for one in wrong if one.endswith("-error")]
        assert field not in typed, f"{field} is asked for again"
        typed[field] = SENSIBLE[name][field]
        clerk.send(place, **as_drawn(clerk.seen) | typed)
    return list(typed)


def test_there_are_at_most_twelve_decisions_on_the_way(clerk: Clerk) -> None:
    """Counted on the pages: what everybody is asked for, and each page that is only agreed to.

    Who a person is, name and password, is one decision.
    """
    clerk.get("/setup/")
    clerk.send("/setup/", **as_drawn(clerk.seen))
    assert clerk.place == "/setup/code"
    clerk.send("/setup/code", code=clerk.box.code())
    count = BEFORE_AND_AFTER
    for name, step in STEPS.items():
        assert clerk.place == f"/setup/{name}", "no page comes between"
        asked = [one for one in had_to_be_answered(clerk, name) if one != "password1"]
        assert step.decisions == max(1, len(asked)), (name, asked)
        count += step.decisions
    assert clerk.place == "/setup/summary"
    assert count <= 12
    clerk.finish()
    assert clerk.heading() == "Ihr Gerät ist bereit"


def test_a_wrong_answer_comes_back_as_it_was_typed_with_what_is_wrong_beside_it(
    inside: Clerk,
) -> None:
    answer = inside.send("/setup/network", mode="static", address="192.0.2.300/24", vlan="7")
    assert answer.status_code == 422
    assert inside.hidden("address") == "192.0.2.300/24"
    assert inside.hidden("vlan") == "7"
    assert inside.hidden("mode") == "static"
    wrong = [one for one in inside.seen.elements if "aria-invalid" in one.attributes]
    assert [one.attributes["name"] for one in wrong] == ["address"]
    said = [one.text for one in inside.seen.elements if one.attributes.get("id") == "address-error"]
    assert "Adresse mit Netzlänge" in said[0]
    assert "box.network" not in inside.page
    assert "open" in inside.seen.all("details")[0].attributes
    assert Draft(inside.box.store).read()["done"] == ["language"]
    inside.send("/setup/network", mode="static", address="192.0.2.30/24", vlan="7")
    assert inside.place == "/setup/house"


@pytest.mark.parametrize(
    ("step", "answers", "at_fault"),
    [
        ("network", {"mode": "static"}, "address"),
        ("network", {"mode": "static", "address": "nonsense"}, "address"),
        ("network", {"mode": "static", "address": "192.0.2.9/24", "gateway": "x"}, "gateway"),
        ("network", {"mode": "static", "address": "192.0.2.9/24", "dns": "192.0.2.1 y"}, "dns"),
        ("network", {"mode": "dhcp", "vlan": "4095"}, "vlan"),
        ("network", {"mode": "dhcp", "vlan": "9" * 5000}, "vlan"),
        ("network", {"mode": "dhcp", "proxy": "proxy.example"}, "proxy"),
        ("network", {"mode": "dhcp", "time_servers": "a b/c"}, "time_servers"),
        ("network", {"mode": "dhcp", "uplink": "40,5"}, "uplink"),
        ("network", {"mode": "dhcp", "uplink": "0"}, "uplink"),
        ("network", {"mode": "by pigeon"}, "mode"),
        (
            "administrators",
            SENSIBLE["administrators"] | {"openid_issuer": "http://id.example"},
            "openid_issuer",
        ),
        (
            "administrators",
            SENSIBLE["administrators"] | {"openid_issuer": "https://id.example"},
            "openid_client_id",
        ),
        (
            "administrators",
            SENSIBLE["administrators"]
            | {"openid_issuer": "https://id.example", "openid_client_id": "a"},
            "openid_client_secret",
        ),
        (
            "administrators",
            SENSIBLE["administrators"]
            | {
                "openid_issuer": "https://id.example",
                "openid_client_id": "a",
                "openid_client_secret": "b",
                "openid_claim": "groups",
            },
            "openid_value",
        ),
        (
            "administrators",
            SENSIBLE["administrators"]
            | {
                "openid_issuer": "https://id example",
                "openid_client_id": "a",
                "openid_client_secret": "b",
            },
            "openid_issuer",
        ),
        ("house", {"name": " "}, "name"),
        ("house", {"name": "a" * 81}, "name"),
        ("house", {"name": "Haus", "colour": "red"}, "colour"),
        ("reach", {}, "reach"),
        ("domain", {"host_name": "not a name"}, "host_name"),
        ("certificate", {"kind": "gut"}, "kind"),
        ("certificate", {"kind": "files"}, "chain"),
        ("certificate", {"kind": "acme", "directory": "ftp://x"}, "directory"),
        ("certificate", {"kind": "acme", "contact": "nobody"}, "contact"),
        ("certificate", {"kind": "acme", "authority": "nothing"}, "authority"),
        ("certificate", {"kind": "acme", "dns_server": "192.0.2.53"}, "dns_secret"),
        (
            "certificate",
            {"kind": "acme", "dns_server": "x", "dns_key_name": "k", "dns_secret": "A" * 24},
            "dns_server",
        ),
        ("administrators", {}, "name1"),
        ("administrators", {"name1": "Anna"}, "password1"),
        ("administrators", {"name1": "Anna", "password1": "short"}, "password1"),
        ("administrators", SENSIBLE["administrators"] | {"alone_because": ""}, "alone_because"),
        ("administrators", SENSIBLE["administrators"] | {"mail1": "a b"}, "mail1"),
        ("administrators", SENSIBLE["administrators"] | {"networks": "x"}, "networks"),
        (
            "administrators",
            SENSIBLE["administrators"] | {"name2": "anna beispiel", "password2": "vier rote hunde"},
            "name2",
        ),
        ("meetings", {"preset": "anarchy"}, "preset"),
    ],
)
def test_an_answer_that_does_not_fit_is_marked_and_not_kept(
    inside: Clerk, step: str, answers: dict[str, str], at_fault: str
) -> None:
    before = Draft(inside.box.store).read()
    inside.get(f"/setup/{step}")
    answer = inside.send(f"/setup/{step}", **answers)
    assert answer.status_code == 422
    assert f'id="{at_fault}-error"' in answer.text
    assert answer.text.count('-error"') >= 1
    assert Draft(inside.box.store).read() == before


def test_a_fixed_address_goes_to_the_only_card_by_itself_and_else_to_one_that_is_named(
    inside: Clerk,
) -> None:
    static = {"mode": "static", "address": "192.0.2.30/24"}
    inside.send("/setup/network", **static)
    assert inside.place == "/setup/house"
    assert Draft(inside.box.store).settings().box.network.card
    inside.box.show_cards("two-cards")
    inside.get("/setup/network")
    answer = inside.send("/setup/network", **static)
    assert answer.status_code == 422
    assert 'id="card-error"' in answer.text


def test_what_a_page_does_not_show_stays(inside: Clerk) -> None:
    hashed = hash_password(PASSWORD)
    people = [{"name": one, "password": hashed} for one in ("Anna", "Bert", "Cara")]
    wanted = {
        "box": {"network": {"card": "enp1s0", "dns": ["192.0.2.53"]}},
        "cluster": {"administration": {"people": people}},
    }
    Draft(inside.box.store).begin(Settings.model_validate(wanted))
    inside.get("/setup/network")
    inside.send("/setup/network", mode="dhcp", dns=inside.hidden("dns"))
    inside.get("/setup/administrators")
    assert "Cara" in inside.page
    assert inside.send("/setup/administrators", name1="Anna", name2="Cara").status_code == 422
    inside.send("/setup/administrators", name1="Anna")
    kept = Draft(inside.box.store).settings()
    assert (kept.box.network.card, kept.box.network.dns) == ("enp1s0", ("192.0.2.53",))
    administration = kept.cluster.administration
    assert [(one.name, one.password) for one in administration.people] == [
        ("Anna", hashed),
        ("Cara", hashed),
    ]


@pytest.fixture
def late(house: House, inside: Clerk) -> Clerk:
    """A second clerk, who has opened a step that the first one has answered since."""
    other = house.visitor()
    other.open_with_code()
    other.get("/setup/house")
    inside.get("/setup/house")
    inside.send("/setup/house", name="Gemeinde Musterhausen")
    return other


def test_what_two_clerks_answer_at_once_is_told_and_nothing_is_lost(
    house: House, late: Clerk
) -> None:
    other = late
    answer = other.send("/setup/house", name="Stadt Beispielstadt")
    assert answer.status_code == 422
    assert "Inzwischen hat jemand anderes etwas geändert" in other.page
    # The new state is shown, and may now be changed knowingly.
    assert other.hidden("name") == "Gemeinde Musterhausen"
    # What was typed is still there to be copied.
    typed = [one.text for one in other.seen.all("dd")]
    assert typed == ["Stadt Beispielstadt"]
    assert Draft(house.box.store).settings().cluster.house.name == "Gemeinde Musterhausen"
    other.send("/setup/house", name="Stadt Beispielstadt")
    assert Draft(house.box.store).settings().cluster.house.name == "Stadt Beispielstadt"


def test_a_stale_page_stays_stale_after_a_mistake_on_it_was_corrected(
    house: House, late: Clerk
) -> None:
    other = late
    other.send("/setup/house", name="")
    answer = other.send("/setup/house", name="Stadt Beispielstadt")
    assert answer.status_code == 422
    assert "Inzwischen hat jemand anderes etwas geändert" in other.page
    assert Draft(house.box.store).settings().cluster.house.name == "Gemeinde Musterhausen"


def test_two_clerks_at_different_steps_are_not_in_each_other_s_way(
    house: House, late: Clerk
) -> None:
    late.get("/setup/meetings")
    first = house.visitor()
    first.open_with_code()
    first.send(first.place, **SENSIBLE[first.place.split("/")[-1]])
    late.send("/setup/meetings", preset="school")
    assert late.place == "/setup/texts"
    assert Draft(house.box.store).settings().cluster.meetings.preset == "school"


def test_of_a_choice_that_was_not_kept_its_words_are_told(house: House, inside: Clerk) -> None:
    other = house.visitor()
    other.open_with_code()
    other.get("/setup/meetings")
    inside.get("/setup/meetings")
    inside.send("/setup/meetings", preset="open")
    other.send("/setup/meetings", preset="school")
    assert [one.text for one in other.seen.all("dd")] == ["Schule und Volkshochschule"]


def test_a_form_that_is_sent_once_more_goes_on(inside: Clerk) -> None:
    """The first answer never arrived, and the browser was told to send it again."""
    inside.get("/setup/house")
    page = inside.page
    inside.send("/setup/house", name="Gemeinde Musterhausen")
    inside.page = page
    inside.send("/setup/house", name="Gemeinde Musterhausen")
    assert inside.place == "/setup/reach"


def test_a_page_from_before_other_settings_came_into_force_is_stale(
    house: House, ready: Clerk
) -> None:
    ready.sign_in()
    other = house.visitor()
    other.sign_in()
    other.get("/admin/settings/house")
    ready.get("/admin/settings/house")
    ready.send("/admin/settings/house", name="Stadt Beispielstadt")
    ready.send("/admin/settings/apply")
    assert house.box.converge()
    answer = other.send("/admin/settings/house", name="Dorf Nirgendwo")
    assert answer.status_code == 422
    assert "Inzwischen hat jemand anderes etwas geändert" in other.page


def test_a_second_clerk_changes_nothing_by_coming(house: House, inside: Clerk) -> None:
    inside.get("/setup/house")
    before = Draft(house.box.store).read()
    other = house.visitor()
    other.open_with_code("en")
    assert "Network" in other.heading()
    assert Draft(house.box.store).read() == before
    inside.send("/setup/house", name="Gemeinde Musterhausen")
    assert inside.place == "/setup/reach"


def test_the_language_of_the_one_who_begins_is_that_of_the_box(clerk: Clerk) -> None:
    clerk.open_with_code("en")
    assert Draft(clerk.box.store).settings().box.language == "en"


def test_a_language_chosen_by_mistake_is_changed_without_the_code(inside: Clerk) -> None:
    inside.walk("house")
    assert inside.get("/setup/language").status_code == 200
    assert inside.hidden("language") == "de"
    inside.send("/setup/language", language="fr")
    assert (inside.place, inside.heading()) == ("/setup/house", "Ihr Haus")
    inside.get("/setup/language")
    inside.send("/setup/language", language="en")
    # Still signed in, with all answers, and in the other language from here on.
    assert (inside.place, inside.heading()) == ("/setup/house", "Your house")
    draft = Draft(inside.box.store)
    assert draft.settings().box.language == "en"
    assert set(draft.read()["done"]) == {"language", "network"}
    inside.walk()
    inside.finish()
    assert inside.box.store.settings(1).box.language == "en"


def test_the_page_of_the_language_behind_the_code_is_for_who_has_typed_it(clerk: Clerk) -> None:
    clerk.get("/setup/language")
    assert clerk.place == "/setup/"
    clerk.send("/setup/language", language="en")
    assert clerk.place == "/setup/"
    assert clerk.heading().startswith("Willkommen")


def test_the_button_pressed_twice_makes_one_generation(inside: Clerk) -> None:
    inside.walk()
    inside.send_only("/setup/apply")
    inside.get("/setup/summary")
    inside.send("/setup/apply")
    assert inside.box.store.numbers() == [1]


def test_what_somebody_else_has_changed_since_is_shown_before_it_comes_into_force(
    house: House, inside: Clerk
) -> None:
    inside.walk()
    other = house.visitor()
    other.open_with_code()
    other.get("/setup/meetings")
    other.send("/setup/meetings", preset="school")
    assert inside.send("/setup/apply").status_code == 409
    assert "Inzwischen hat jemand anderes etwas geändert" in inside.page
    assert inside.heading() == "Zusammenfassung"
    assert inside.box.store.numbers() == []
    inside.send("/setup/apply")
    assert inside.place == "/setup/progress"
    assert inside.box.store.numbers() == [1]


def test_whoever_comes_back_meanwhile_sees_how_far_it_has_come(house: House, inside: Clerk) -> None:
    inside.walk()
    inside.send("/setup/apply")
    inside.get("/setup/")
    assert inside.place == "/setup/progress"
    other = house.visitor()
    other.open_with_code()
    assert other.place == "/setup/progress"


def test_without_anything_to_wait_for_the_progress_page_leads_on(inside: Clerk) -> None:
    inside.get("/setup/progress")
    assert inside.place == "/setup/network"


def test_what_failed_is_named_and_can_be_corrected(inside: Clerk) -> None:
    inside.walk()
    inside.send("/setup/apply")
    inside.box.said = Said("converge.not_healthy", {"answer": "box.host_name"})
    assert not inside.box.converge()
    inside.get("/setup/progress")
    assert inside.heading() == "Das hat nicht geklappt"
    assert "box.host_name" not in inside.page
    assert "vermutlich wegen dieser – Name im Internet" in inside.page
    assert "/setup/domain" in [one.attributes["href"] for one in inside.seen.all("a")]
    assert "/setup/summary" in [one.attributes["href"] for one in inside.seen.all("a")]
    # Several may be at fault, or none.
    noted = json.loads(inside.box.progress.read_text())
    several = ["box.certificate.kind", "box.host_name", "box.turn_name"]
    noted["notes"][0] = ["converge.configuration_refused", {"answer": several}]
    inside.box.progress.write_text(json.dumps(noted))
    inside.get("/setup/progress")
    assert "vermutlich hier – Zertifikat, Name im Internet." in inside.page
    links = [one.attributes["href"] for one in inside.seen.all("a")]
    assert [one for one in links if one in ("/setup/domain", "/setup/certificate")] == [
        "/setup/certificate",
        "/setup/domain",
    ]
    noted["notes"][0] = ["converge.configuration_refused_by_none", {}]
    inside.box.progress.write_text(json.dumps(noted))
    inside.get("/setup/progress")
    assert "An den geänderten Angaben liegt das vermutlich nicht" in inside.page
    links = [one.attributes["href"] for one in inside.seen.all("a")]
    assert not [one for one in links if one.split("/")[-1] in STEPS]
    inside.get("/setup/summary")
    inside.send("/setup/apply")
    # What failed before is not shown as the state of what has not begun yet.
    assert inside.heading() == "Das Gerät richtet sich ein"
    inside.box.said = None
    assert inside.box.converge()
    inside.get("/setup/progress")
    assert inside.heading() == "Ihr Gerät ist bereit"


def test_the_events_tell_what_the_page_shows(ready: Clerk) -> None:
    answer = ready.get("/setup/events")
    assert answer.headers["content-type"].startswith("text/event-stream")
    assert answer.text.startswith("event: state\ndata: {")
    assert '"finished": true' in answer.text


def test_a_name_brings_a_letter_to_whoever_has_to_enter_it(inside: Clerk) -> None:
    inside.walk("domain", reach={"reach": "public"})
    inside.send("/setup/domain", host_name="Sitzung.Musterhausen.de", then="again")
    assert inside.place == "/setup/domain"
    assert inside.hidden("host_name") == "sitzung.musterhausen.de"
    assert "192.0.2.10" in inside.page
    letter = inside.get("/setup/domain/letter.txt")
    assert letter.headers["content-disposition"].startswith("attachment")
    assert "turn.sitzung.musterhausen.de" in letter.text
    assert inside.get("/setup/house/letter.txt").status_code == 404


@pytest.mark.parametrize(
    ("reach", "name", "kind"),
    [
        ("house", "sitzung.musterhausen.de", "own"),
        ("public", "", "own"),
        ("public", "sitzung.musterhausen.de", "acme"),
        ("datacentre", "sitzung.musterhausen.de", "acme"),
    ],
)
def test_for_a_public_name_an_authority_is_suggested_until_somebody_has_answered(
    inside: Clerk, reach: str, name: str, kind: str
) -> None:
    inside.walk("certificate", reach={"reach": reach}, domain={"host_name": name})
    assert inside.hidden("kind") == kind
    inside.send("/setup/certificate", kind="own")
    inside.get("/setup/certificate")
    assert inside.hidden("kind") == "own"


def test_a_request_for_a_certificate_is_a_file_without_its_key(inside: Clerk) -> None:
    answer = inside.get("/setup/request.csr")
    assert answer.text.startswith("-----BEGIN CERTIFICATE REQUEST-----")
    assert "PRIVATE" not in answer.text


def test_a_picture_that_is_none_is_refused_and_one_that_is_stays(inside: Clerk) -> None:
    inside.get("/setup/house")
    for content, sentence in (
        (b"<svg onload='alert(1)'/>", "Format PNG oder SVG"),
        (b"GIF89a", "Format PNG oder SVG"),
        (b"<!DOCTYPE svg [<!ENTITY a 'b'>]><svg xmlns='http://www.w3.org/2000/svg'>&a;</svg>",
         "verweist auf anderes"),
        (PNG[:-20], "nicht vollständig"),
    ):  # fmt: skip
        inside.get("/setup/house")
        picture = {"logo": ("logo.svg", content, "image/png")}
        answer = inside.upload("/setup/house", picture, name="Haus")
        assert answer.status_code == 422
        assert sentence in answer.text
    inside.get("/setup/house")
    png = {"logo": ("logo.png", PNG, "image/png")}
    inside.upload("/setup/house", png, name="Haus")
    assert inside.place == "/setup/reach"
    logo = Draft(inside.box.store).settings().cluster.house.logo
    assert logo
    inside.get("/setup/house")
    inside.send("/setup/house", name="Haus am See")
    assert Draft(inside.box.store).settings().cluster.house.logo == logo
    inside.get("/setup/house")
    large = {"logo": ("logo.png", PNG + bytes(250_001), "image/png")}
    assert "250 kB" in inside.upload("/setup/house", large, name="Haus").text
    inside.get("/setup/house")
    svg = b"<svg xmlns='http://www.w3.org/2000/svg' width='1' height='1'/>"
    inside.upload("/setup/house", {"logo": ("a.svg", svg, "image/svg+xml")}, name="Haus")
    assert inside.place == "/setup/reach"
    inside.get("/setup/house")
    inside.send("/setup/house", name="Haus", logo_off="yes")
    assert Draft(inside.box.store).settings().cluster.house.logo is None


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("preset", PRESETS)
def test_every_preset_is_explained_in_two_lines(language: str, preset: str) -> None:
    assert say(language, f"setup.meetings.{preset}")
    assert 60 < len(say(language, f"setup.meetings.{preset}_hint")) < 160


@pytest.mark.parametrize(
    ("colour", "taken"),
    [("#0b4f8a", True), ("#767676", True), ("#777777", False), ("#ffd700", False), ("red", False)],
)
def test_a_colour_on_which_white_cannot_be_read_is_refused(
    inside: Clerk, colour: str, taken: bool
) -> None:
    inside.get("/setup/house")
    inside.send("/setup/house", name="Haus", colour=colour)
    assert (inside.place == "/setup/reach") == taken
    if not taken:
        assert ("zu hell" in inside.page) == colour.startswith("#")


def test_one_time_codes_are_set_up_by_the_digits_of_the_app(inside: Clerk) -> None:
    inside.walk("administrators")
    secret = inside.hidden("app1_secret")
    (picture, _) = [one.attributes["src"] for one in inside.seen.all("img")]
    assert picture.startswith("data:image/svg+xml")
    answers = SENSIBLE["administrators"]
    wrong = inside.send("/setup/administrators", **answers, app1="000000", app1_secret=secret)
    assert wrong.status_code == 422
    assert "Diese Ziffern passen nicht" in inside.page
    # The app on the phone has the secret of the page before: it stays.
    assert inside.hidden("app1_secret") == secret
    digits = pyotp.TOTP(secret).now()
    inside.send("/setup/administrators", **answers, app1=digits, app1_secret=secret)
    assert inside.place == "/setup/meetings"
    people = Draft(inside.box.store).settings().cluster.administration.people
    assert people[0].totp == secret
    inside.get("/setup/administrators")
    assert secret not in inside.page
    inside.send("/setup/administrators", **answers)
    assert Draft(inside.box.store).settings().cluster.administration.people[0].totp == secret
    inside.get("/setup/administrators")
    inside.send("/setup/administrators", **answers, app_off1="yes")
    assert Draft(inside.box.store).settings().cluster.administration.people[0].totp is None


def test_a_forged_secret_for_the_app_is_no_secret(inside: Clerk) -> None:
    inside.walk("administrators")
    answers = {**SENSIBLE["administrators"], "app1": "123456", "app1_secret": "'<b>\u00e4"}
    assert inside.send("/setup/administrators", **answers).status_code == 422
    assert "<b>" not in inside.page


@pytest.mark.parametrize(
    ("networks", "sits", "taken"),
    [
        ("192.0.2.0/24", "192.0.2.9", True),
        ("192.0.2.0/24 2001:db8::/32", "2001:db8::9", True),
        ("192.0.2.0/24", "198.51.100.9", False),
        ("192.0.2.0/24", "", True),
        ("", "198.51.100.9", True),
    ],
)
def test_nobody_locks_himself_out_unseen(
    inside: Clerk, networks: str, sits: str, taken: bool
) -> None:
    inside.walk("administrators")
    inside.client.headers["X-Real-IP"] = sits
    answers = {**SENSIBLE["administrators"], "networks": networks}
    inside.get("/setup/administrators")
    inside.send("/setup/administrators", **answers)
    assert (inside.place == "/setup/meetings") == taken
    if not taken:
        assert "Sie selbst sind gerade unter 198.51.100.9 angemeldet" in inside.page
        inside.send("/setup/administrators", **answers, networks_anyway="yes")
        assert inside.place == "/setup/meetings"


def test_what_is_to_be_said_of_an_upload_is_said_before_it_goes_on(inside: Clerk) -> None:
    end = datetime.datetime.now(datetime.UTC) - issuing.NOW
    days = 15 + end.days
    middle = issuing.make("Stelle", issuing.ROOT, ca=True, days=3000)
    made = issuing.make("rat.example", middle, names=("rat.example",), days=days)
    inside.walk("domain")
    inside.send("/setup/domain", host_name="rat.example")
    inside.get("/setup/certificate")
    files = {"chain": ("chain.pem", made.pem + middle.pem), "key": ("key.pem", made.key_pem)}
    answer = inside.upload("/setup/certificate", files, kind="files")
    assert (answer.status_code, inside.place) == (200, "/setup/certificate")
    for words in ("Ein passendes Zertifikat ist hochgeladen", "turn.rat.example", "gilt nur noch"):
        assert words in inside.page
    # Whoever has read it goes on without choosing the files again.
    inside.send("/setup/certificate", kind="files")
    assert inside.place == "/setup/administrators"
    assert Draft(inside.box.store).settings().box.certificate.kind == "files"


@pytest.mark.parametrize("place", ["certificate", "summary"])
def test_the_boxs_own_authority_can_be_known_and_taken_away(inside: Clerk, place: str) -> None:
    inside.walk(place)
    file = inside.box.tls / "authority.pem"
    assert mark(file) in inside.page
    assert "/setup/ratssaal.crt" in [one.attributes["href"] for one in inside.seen.all("a")]
    answer = inside.get("/setup/ratssaal.crt")
    assert answer.content == file.read_bytes()
    assert answer.headers["content-type"] == "application/x-x509-ca-cert"


def test_the_authority_is_for_those_who_are_inside(house: House) -> None:
    stranger = house.visitor()
    assert stranger.get("/setup/ratssaal.crt", follow=False).is_redirect
    assert stranger.get("/admin/ratssaal.crt", follow=False).is_redirect


def test_a_directory_is_folded_away_and_kept_without_its_secret_on_any_page(inside: Clerk) -> None:
    inside.walk("administrators", domain={"host_name": "sitzung.musterhausen.example"})
    folds = inside.seen.all("details")
    assert [one.text.strip().splitlines()[0] for one in folds] == [
        "Mehr Schutz: Einmalcodes und Netze",
        "Verzeichnis der Verwaltung",
    ]
    assert not any("open" in one.attributes for one in folds)
    back = "https://sitzung.musterhausen.example/api/staff/directory/back"
    assert inside.hidden("openid_back") == back
    given = {
        "openid_issuer": "https://id.example/realms/rathaus", "openid_client_id": "ratssaal",
        "openid_client_secret": "Geheimnis-7", "openid_claim": "groups",
        "openid_value": "sitzungsdienst", "openid_button": "Rathauskonto",
    }  # fmt: skip
    inside.send("/setup/administrators", **SENSIBLE["administrators"], **given)
    assert inside.place == "/setup/meetings"
    inside.get("/setup/administrators")
    assert "Geheimnis-7" not in inside.page
    assert inside.hidden("openid_value") == "sitzungsdienst"
    assert inside.hidden("openid_client_secret") == ""
    # Sent once more without it, as the page has it.
    again = {**given, "openid_client_secret": "", "openid_button": ""}
    anna = {**SENSIBLE["administrators"], "password1": ""}
    inside.send("/setup/administrators", **anna, **again)
    found = Draft(inside.box.store).settings().cluster.administration.openid
    assert found
    assert (found.client_secret, found.button) == ("Geheimnis-7", "")
    # Another directory has another secret.
    inside.get("/setup/administrators")
    other = {**again, "openid_issuer": "https://elsewhere.example"}
    answer = inside.send("/setup/administrators", **anna, **other)
    assert answer.status_code == 422
    assert "open" in inside.seen.all("details")[1].attributes
    assert "open" not in inside.seen.all("details")[0].attributes
    inside.send("/setup/administrators", **anna, **{**again, "openid_issuer": ""})
    assert Draft(inside.box.store).settings().cluster.administration.openid is None
