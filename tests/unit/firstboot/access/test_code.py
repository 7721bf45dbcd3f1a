"""The set-up code: easy to type, hard to guess, gone when it is renewed."""

import re
import stat
import threading
import time
from pathlib import Path

import pytest

from firstboot.access import code
from firstboot.access.passwords import hash_password

pytestmark = pytest.mark.unit

# What a key gives with a German and with a US layout, row by row from its left end (kbd's maps).
GERMAN = "qwertzuiopü", "asdfghjklöä", "yxcvbnm"
AMERICAN = "qwertyuiop[", "asdfghjkl;'", "zxcvbnm"


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "code.json"


def test_letters_lie_in_the_same_place_on_german_and_american_keyboards() -> None:
    german = {key: (row, n) for row, keys in enumerate(GERMAN) for n, key in enumerate(keys)}
    american = {key: (row, n) for row, keys in enumerate(AMERICAN) for n, key in enumerate(keys)}
    for letter in code.LETTERS:
        assert german[letter] == american[letter]


def test_no_letter_looks_like_another_or_like_a_digit() -> None:
    assert not set(code.LETTERS) & set("ilo01")
    assert "".join(sorted(set(code.LETTERS))) == code.LETTERS


def test_codes_take_centuries_to_guess_at_one_attempt_a_second() -> None:
    assert code.PAUSE_SECONDS >= 1
    years = len(code.LETTERS) ** code.LENGTH / 2 * code.PAUSE_SECONDS / (365 * 24 * 3600)
    assert years > 500


def test_codes_are_made_of_these_letters_and_differ() -> None:
    made = {code.new() for _ in range(200)}
    assert len(made) == 200
    assert all(re.fullmatch(f"[{code.LETTERS}]{{{code.LENGTH}}}", one) for one in made)
    assert set("".join(made)) == set(code.LETTERS)


def test_a_code_is_shown_in_groups_and_taken_however_it_is_typed(file: Path) -> None:
    shown = code.renew(file).shown
    assert shown
    grouped = code.grouped(shown)
    assert grouped == f"{shown[:4]} {shown[4:]}"
    for typed in (shown, grouped, shown.upper(), "-".join(shown), f"  {grouped}. "):
        assert code.check(typed, file, 0)
    for typed in ("", shown[:-1], shown + "a", shown[::-1] + "x", "ä" * 8, "\ud800", "x" * 10_000):
        assert not code.check(typed, file, 0)


def test_wrong_codes_are_counted_and_right_ones_are_not(file: Path) -> None:
    shown = code.renew(file).shown
    assert shown
    for _ in range(3):
        code.check("aaaaaaaa", file, 0)
    assert code.check(shown, file, 0)
    found = code.read(file)
    assert found
    assert found.wrong == 3
    assert found.shown == shown


def test_a_new_code_makes_the_one_before_worthless(file: Path) -> None:
    before = code.renew(file).shown
    code.check("wrong", file, 0)
    after = code.renew(file)
    assert before
    assert after.shown
    assert after.wrong == 0
    assert not code.check(before, file, 0)
    assert code.check(after.shown, file, 0)


def test_a_forgotten_code_opens_nothing(file: Path) -> None:
    shown = code.renew(file).shown
    assert shown
    code.forget(file)
    assert code.read(file) is None
    assert not code.check(shown, file, 0)
    assert not code.check("", file, 0)
    assert code.read(file) is None, "a wrong attempt makes no code"
    code.forget(file)


def test_of_a_code_that_came_with_the_stick_the_hash_is_enough(file: Path) -> None:
    hashed = hash_password("abcdefghjkmn")
    code.renew(file)
    code.take_over(hashed, file)
    for typed in ("abcdefgh", "nmkjhgfedcba", "", "\ud800", "x" * 10_000, hashed):
        assert not code.check(typed, file, 0)
    assert code.check("Abcd efgh-JKMN", file, 0)
    assert file.read_text().count("abcd") == 0
    assert code.read(file) == code.Code(hashed, None, 6)


def test_the_code_is_for_root_alone(file: Path) -> None:
    code.renew(file)
    code.check("wrong", file, 0)
    assert stat.S_IMODE(file.stat().st_mode) == 0o600


@pytest.mark.parametrize("broken", ["", "{", "[]", '{"hash": "x"}', '{"other": 1}'])
def test_a_broken_code_is_none(file: Path, broken: str) -> None:
    file.write_text(broken)
    assert code.read(file) is None
    assert not code.check("", file, 0)


def test_attempts_wait_for_each_other_and_none_is_lost(file: Path) -> None:
    shown = code.renew(file).shown
    assert shown
    pause = 0.05
    attempts = [threading.Thread(target=code.check, args=("wrong", file, pause)) for _ in range(6)]
    begin = time.monotonic()
    for one in attempts:
        one.start()
    for one in attempts:
        one.join()
    assert time.monotonic() - begin >= 6 * pause
    found = code.read(file)
    assert found
    assert found.wrong == 6
    begin = time.monotonic()
    assert code.check(shown, file, 5)
    assert time.monotonic() - begin < 5
