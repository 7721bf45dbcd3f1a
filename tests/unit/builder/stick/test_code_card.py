"""The code card: a code that the box takes, on paper alone."""

import json
import re
import stat
import zlib
from pathlib import Path

import pytest
from jsonschema import Draft202012Validator

from builder.errors import UsageError
from builder.paths import PROJECT
from builder.stick import code_card
from firstboot.access import code
from firstboot.access import code_card as on_the_box
from firstboot.access.passwords import verify

pytestmark = pytest.mark.unit


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "card.pdf"


def words(pdf: bytes) -> str:
    """What is written on the pages, without its places."""
    streams = re.findall(rb"stream\r?\n(.*?)\r?\nendstream", pdf, re.DOTALL)
    drawn = b"\n".join(zlib.decompress(one) for one in streams if one.startswith(b"x"))
    return " ".join(one.decode("cp1252") for one in re.findall(rb"\((.*?)\) Tj", drawn))


def test_letters_are_those_of_the_boxs_own_codes() -> None:
    assert code_card.LETTERS == code.LETTERS
    assert code_card.LENGTH > code.LENGTH


def test_a_lost_stick_takes_longer_than_a_lifetime_to_guess() -> None:
    """At a million guesses of 64 MiB and three rounds each second: a hall full of computers."""
    years = len(code_card.LETTERS) ** code_card.LENGTH / 2 / 1e6 / (365 * 24 * 3600)
    assert years > 100


def test_what_the_stick_holds_is_what_the_box_takes_and_is_no_code(file: Path) -> None:
    content = code_card.make(file)
    schema = json.loads((PROJECT / "firstboot/code-card.schema.json").read_text())
    Draft202012Validator(schema).validate(json.loads(content))
    found = re.search(r"\b([a-x]{4}) ([a-x]{4}) ([a-x]{4})\b", words(file.read_bytes()))
    assert found
    written = "".join(found.groups())
    assert set(written) <= set(code_card.LETTERS)
    assert verify(on_the_box.read(content).hash, written)
    assert written.encode() not in content


def test_two_cards_differ_in_code_and_salt(tmp_path: Path) -> None:
    one, other = (code_card.make(tmp_path / name) for name in ("1.pdf", "2.pdf"))
    assert one != other


def test_the_card_is_for_its_owner_alone_and_never_overwrites_another(file: Path) -> None:
    code_card.make(file)
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    before = file.read_bytes()
    with pytest.raises(UsageError, match="exists already"):
        code_card.make(file)
    assert file.read_bytes() == before


def test_a_folder_that_does_not_exist_is_wrong_usage(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="cannot be written"):
        code_card.make(tmp_path / "nowhere/card.pdf")


def test_the_card_says_in_both_languages_what_to_do() -> None:
    text = words(code_card.draw("abcdefghjkmn"))
    assert "abcd efgh jkmn" in text
    assert "Code für die Einrichtung" in text
    assert "Code for the set-up" in text
    assert text.count(code_card.ADDRESS) == 2
    # Nothing runs off the page: the last line is there, and there is one page.
    assert len(re.findall(rb"/Type /Page\b", code_card.draw("abcdefghjkmn"))) == 1
