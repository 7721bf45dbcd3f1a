"""Passes to the test room: good for what they say, as long as they say, and for nothing else."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from firstboot.access import passes
from firstboot.texts import SaidError

pytestmark = pytest.mark.unit

OVER = r"proof\.pass_over"


@pytest.fixture
def key(tmp_path: Path) -> Path:
    return tmp_path / "passes.key"


def test_a_pass_says_what_it_was_given_for(key: Path) -> None:
    for kind in passes.KINDS:
        token, made = passes.give(key, kind)
        assert passes.check(key, token) == made
        assert made.kind == kind
    first, second = (passes.give(key, "phone")[1].number for _ in range(2))
    assert first != second
    assert key.stat().st_mode & 0o777 == 0o600


def test_a_pass_ends_after_half_an_hour(key: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    token, made = passes.give(key, "phone")
    monkeypatch.setattr("time.time", lambda: made.until - 1)
    assert passes.check(key, token) == made
    monkeypatch.setattr("time.time", lambda: made.until)
    with pytest.raises(SaidError, match=OVER):
        passes.check(key, token)


def test_a_pass_with_any_character_changed_opens_nothing(key: Path) -> None:
    token, _ = passes.give(key, "phone")
    for place, character in enumerate(token):
        other = "A" if character != "A" else "B"
        with pytest.raises(SaidError, match=OVER):
            passes.check(key, f"{token[:place]}{other}{token[place + 1 :]}")
    for kind in ("browser", "root"):
        with pytest.raises(SaidError, match=OVER):
            passes.check(key, token.replace("phone", kind))


def test_a_pass_of_another_box_opens_nothing(key: Path, tmp_path: Path) -> None:
    token, _ = passes.give(tmp_path / "other.key", "phone")
    with pytest.raises(SaidError, match=OVER):
        passes.check(key, token)
    passes.give(key, "phone")
    with pytest.raises(SaidError, match=OVER):
        passes.check(key, token)


@given(st.text())
def test_whatever_is_not_a_pass_is_refused_in_one_sentence(text: str) -> None:
    with pytest.raises(SaidError, match=OVER):
        passes.check(Path("/nonexistent"), text)


def test_there_are_passes_for_known_purposes_alone(key: Path) -> None:
    with pytest.raises(ValueError, match="root"):
        passes.give(key, "root")
    assert not key.exists()
