"""The wizard's pages: who gets in, in which order, and what is kept."""

import datetime
import json

import pytest

from firstboot.fingerprint import mark
from firstboot.store import Draft
from firstboot.texts import Said
from firstboot.web.frame import STEPS
from firstboot.web.steps import BEFORE_AND_AFTER
from tests.unit.firstboot import issuing
from tests.unit.firstboot.web.conftest import SENSIBLE, Clerk, House

pytestmark = pytest.mark.unit

NAMES = list(STEPS)


def test_the_code_opens_the_first_step(inside: Clerk) -> None:
    assert inside.place == f"/setup/{NAMES[0]}"
    assert inside.heading() == "Netzwerk"


def test_the_whole_way_leads_to_a_box_that_is_set_up(inside: Clerk) -> None:
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
        assert len(back) == (0 if name == NAMES[0] else 1)
        place = back[0].attributes["href"] if back else ""


def test_there_are_at_most_twelve_decisions_on_the_way() -> None:
    asked = sum(step.decisions for step in STEPS.values())
    assert 0 < asked + BEFORE_AND_AFTER <= 12


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
        ("network", {"mode": "by pigeon"}, "mode"),
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


def test_the_button_pressed_twice_makes_one_generation(inside: Clerk) -> None:
    inside.walk()
    inside.send_only("/setup/apply")
    inside.get("/setup/summary")
    inside.send("/setup/apply")
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
    assert "box.host_name" in inside.page
    assert "/setup/summary" in [one.attributes["href"] for one in inside.seen.all("a")]
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
    inside.walk("domain")
    inside.send("/setup/domain", host_name="Sitzung.Musterhausen.de", then="again")
    assert inside.place == "/setup/domain"
    assert inside.hidden("host_name") == "sitzung.musterhausen.de"
    assert "192.0.2.10" in inside.page
    letter = inside.get("/setup/domain/letter.txt")
    assert letter.headers["content-disposition"].startswith("attachment")
    assert "turn.sitzung.musterhausen.de" in letter.text
    assert inside.get("/setup/house/letter.txt").status_code == 404


def test_a_request_for_a_certificate_is_a_file_without_its_key(inside: Clerk) -> None:
    answer = inside.get("/setup/request.csr")
    assert answer.text.startswith("-----BEGIN CERTIFICATE REQUEST-----")
    assert "PRIVATE" not in answer.text


def test_a_picture_that_is_none_is_refused_and_one_that_is_stays(inside: Clerk) -> None:
    inside.get("/setup/house")
    svg = {"logo": ("logo.svg", b"<svg onload='alert(1)'/>", "image/png")}
    answer = inside.upload("/setup/house", svg, name="Haus")
    assert answer.status_code == 422
    assert "Format PNG" in answer.text
    png = {"logo": ("logo.png", b"\x89PNG\r\n\x1a\n and more", "image/png")}
    inside.upload("/setup/house", png, name="Haus")
    assert inside.place == "/setup/reach"
    logo = Draft(inside.box.store).settings().cluster.house.logo
    assert logo
    inside.get("/setup/house")
    inside.send("/setup/house", name="Haus am See")
    assert Draft(inside.box.store).settings().cluster.house.logo == logo
    inside.get("/setup/house")
    large = {"logo": ("logo.png", b"\x89PNG\r\n\x1a\n" + bytes(250_001), "image/png")}
    assert "250 kB" in inside.upload("/setup/house", large, name="Haus").text


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
