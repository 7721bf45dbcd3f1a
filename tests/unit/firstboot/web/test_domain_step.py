"""The step that asks for the box's name: what is passed on to the diagnosis."""

from pathlib import Path

import pytest

from firstboot.names.lookup import Authorities, Facts, Lookup
from firstboot.settings import Settings
from firstboot.web.forms import View
from firstboot.web.steps import domain
from firstboot.web.steps.certificate import DIRECTORY

pytestmark = pytest.mark.unit


@pytest.mark.parametrize(
    ("kind", "directory", "known"),
    [
        ("acme", "https://acme-v02.api.letsencrypt.org/directory", True),
        ("acme", "https://acme-v02.API.LetsEncrypt.org:443/directory", True),
        ("acme", "https://acme-staging-v02.api.letsencrypt.org", True),
        ("acme", "https://letsencrypt.org.bank.example/directory", False),
        ("acme", "https://evilletsencrypt.org/directory", False),
        ("acme", "https://ca.example/acme.letsencrypt.org/", False),
        ("acme", "https://[2001:db8::1]/directory", False),
        ("acme", None, False),
        ("own", "https://acme-v02.api.letsencrypt.org/directory", False),
    ],
)
def test_the_authority_is_known_by_its_directory_where_it_is_to_issue(
    kind: str, directory: str | None, known: bool
) -> None:
    found = domain.ca_domain({"kind": kind, "directory": directory})
    assert found == ("letsencrypt.org" if known else None)


def test_the_authority_of_the_certificate_step_is_known() -> None:
    assert domain.ca_domain({"kind": "acme", "directory": DIRECTORY}) == "letsencrypt.org"


def test_a_box_that_has_no_state_yet_does_not_look_for_it_elsewhere(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(domain, "STATE", tmp_path / "state.json")
    facts = Facts(("192.168.1.10",), a=Lookup(("203.0.113.10",)))
    assert domain.own_connection("konferenz.rathaus.example", facts) is None


def test_a_connection_to_itself_is_tried_once_for_a_minute_or_until_the_name_is_sent(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    tried: list[str] = []
    now = [1000.0]

    def connect(name: str, facts: Facts) -> None:
        del facts
        tried.append(name)

    monkeypatch.setattr(domain, "_own_connection", connect)
    monkeypatch.setattr(domain, "_known", {})
    monkeypatch.setattr("time.monotonic", lambda: now[0])
    facts = Facts(("192.168.1.10",), a=Lookup(("203.0.113.10",)))
    for _ in range(3):
        domain.own_connection("rat.example", facts)
    assert len(tried) == 1
    now[0] += domain.KNOWN_SECONDS + 1
    domain.own_connection("rat.example", facts)
    assert len(tried) == 2
    domain.own_connection("rat.example", Facts(("192.168.1.11",), a=facts.a))
    assert len(tried) == 3
    settings = Settings().model_dump(mode="json")
    domain.STEP.take({"host_name": "rat.example"}, View("de", settings, frozenset()))
    domain.own_connection("rat.example", Facts(("192.168.1.11",), a=facts.a))
    assert len(tried) == 4


def test_the_authority_that_the_next_step_suggests_is_judged_until_somebody_has_answered() -> None:
    caa = Authorities(((0, "issue", "ca.example"),), "rat.example")
    facts = {"facts": Facts(("203.0.113.10",), a=Lookup(("203.0.113.10",)), caa=caa)}
    settings = Settings.model_validate({"box": {"host_name": "rat.example", "reach": "public"}})
    content = settings.model_dump(mode="json")

    def keys(*unanswered: str) -> list[str]:
        view = View("de", content, frozenset(), facts, unanswered=frozenset(unanswered))
        return [one.said.key for one in domain.STEP.notes(view)]

    assert "domain.caa_forbids" in keys("certificate")
    assert "domain.caa_forbids" not in keys()
    content["box"]["reach"] = "house"
    assert "domain.caa_forbids" not in keys("certificate")


def test_a_relay_name_of_its_own_stays_until_the_name_changes() -> None:
    names = {"host_name": "rat.example", "turn_name": "relay.rat.example", "reach": "public"}
    settings = Settings.model_validate({"box": names}).model_dump(mode="json")
    view = View("de", settings, frozenset(), {"own": ["192.0.2.10"]})
    assert domain.STEP.take({"host_name": "rat.example"}, view) == {
        "box": {"host_name": "rat.example"}
    }
    assert domain.STEP.take({"host_name": ""}, view)["box"]["turn_name"] == "turn.ratssaal.local"
    (letter,) = domain.STEP.letters(view)
    assert "relay.rat.example" in letter.body
    assert "turn.rat.example" not in letter.body
    settings["box"]["reach"] = "house"
    assert domain.STEP.letters(view) == [], "a name of the house is no matter of the provider's"
