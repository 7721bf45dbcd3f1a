"""The letters that ask a provider or a data centre for names and ports."""

import re

import pytest

from firstboot import texts
from firstboot.names import letters
from firstboot.names.letters import letter

pytestmark = pytest.mark.unit

NAME = "konferenz.rathaus.example"
TURN = f"turn.{NAME}"
PUBLIC, PUBLIC6 = "203.0.113.10", "2001:db8::10"
INSIDE = "192.168.1.10"


@pytest.mark.parametrize("kind", ["provider", "datacentre"])
@pytest.mark.parametrize("language", texts.LANGUAGES)
@pytest.mark.parametrize("private", [True, False])
@pytest.mark.parametrize("ipv6", [None, PUBLIC6])
def test_a_letter_asks_for_exactly_the_records_and_ports(
    kind: letters.Kind, language: str, private: bool, ipv6: str | None
) -> None:
    address = INSIDE if private else PUBLIC
    written = letter(kind, language, NAME, address, "Verwaltung\nMusterdorf", private, ipv6)
    assert NAME in written.subject
    assert "\n" not in written.subject
    lines = written.body.splitlines()
    assert max(map(len, lines)) <= 72
    assert f"  {NAME}" in lines
    assert f"  {TURN}" in lines
    assert re.findall(r"^  (\d+/\w+) ", written.body, re.MULTILINE) == [
        "443/tcp",
        "443/udp",
        "80/tcp",
    ]
    records = re.findall(r"^  (A+) +(\S+)", written.body, re.MULTILINE)
    assert [kind for kind, _ in records] == (["A", "AAAA"] if ipv6 else ["A"])
    assert (("A", PUBLIC) in records) is not private
    assert (("AAAA", ipv6) in records) is (ipv6 is not None)
    text = " ".join(written.body.split())
    assert address in text
    assert "Proxy" in text or "proxy" in text
    assert "TLS" in text
    assert text.count("Verwaltung Musterdorf") == 2
    assert lines[-1].startswith("[") and lines[-1].endswith("]")
    assert "\n\n\n" not in written.body
    assert not re.search(r"[{}%]|None", written.body)


@pytest.mark.parametrize("kind", ["provider", "datacentre"])
@pytest.mark.parametrize("language", texts.LANGUAGES)
def test_a_box_with_ipv6_alone_asks_for_no_other_record(kind: letters.Kind, language: str) -> None:
    body = letter(kind, language, NAME, PUBLIC6, "Musterdorf", False).body
    assert re.findall(r"^  (A+) +(\S+)", body, re.MULTILINE) == [("AAAA", PUBLIC6)]
    assert " ".join(body.split()).count(PUBLIC6) == 2


def test_the_letters_to_provider_and_data_centre_differ_and_have_their_languages() -> None:
    bodies = {
        letter(kind, language, NAME, INSIDE, "Musterdorf", True).body
        for kind in ("provider", "datacentre")
        for language in texts.LANGUAGES
    }
    assert len(bodies) == 4
    assert sum(body.startswith("Sehr geehrte Damen und Herren,\n") for body in bodies) == 2


def test_a_long_name_stays_whole_in_a_letter() -> None:
    name = ".".join(["videokonferenz", *["verwaltungsgemeinschaft"] * 3, "example"])
    body = letter("provider", "de", name, INSIDE, "Musterdorf", True).body
    assert f"  turn.{name}\n" in body


def test_signs_that_html_would_escape_stay_themselves() -> None:
    body = letter("provider", "de", NAME, INSIDE, "Müller & Söhne <GmbH>", True).body
    assert "Müller & Söhne <GmbH>" in body


@pytest.mark.parametrize("address", ["rathaus.example", ""])
def test_a_letter_with_no_address_is_not_written(address: str) -> None:
    with pytest.raises(ValueError, match="address"):
        letter("provider", "de", NAME, address, "Musterdorf", True)
