"""Whether a reset is meant, asked at the box itself, on a real pseudo-terminal."""

import os
import sys
import threading
from pathlib import Path

import pytest

from firstboot import reset
from firstboot.access.code import LETTERS
from firstboot.screen import keys
from tests.unit.firstboot.pseudo_terminal import PseudoTerminal

pytestmark = pytest.mark.unit


class Typed(PseudoTerminal):
    """Standard input and output on a pseudo-terminal, with what somebody types there."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, folder: Path, ended: int) -> None:
        super().__init__()
        self.notice = folder / "notice.txt"
        self.asked = folder / "asked"
        self._line = os.fdopen(self.line, "r+b", buffering=0, closefd=False)
        for name in ("stdin", "stdout"):
            monkeypatch.setattr(sys, name, self._line)
        monkeypatch.setattr(keys, "NOTICE", str(self.notice))
        tool = folder / "systemctl"
        tool.write_text(
            f'#!/bin/sh\necho "$*" >>{self.asked}\ncase $1 in start) exit {ended};; esac\n'
        )
        tool.chmod(0o755)
        monkeypatch.setenv("PATH", f"{folder}:{os.environ['PATH']}")

    def answer(self, keys: bytes) -> list[str]:
        """What systemctl is asked for, but to draw, once these keys were typed."""
        thread = threading.Thread(target=reset.main)
        thread.start()
        while b"Esc leaves" not in self.drawn:
            thread.join(0.01)
        os.write(self.typist, keys)
        thread.join(10)
        assert not thread.is_alive()
        asked = self.asked.read_text().splitlines()
        return [one for one in asked if "console" not in one]


@pytest.mark.parametrize(
    ("keys", "said"),
    [
        (b"reset\r", "reset.begun"),
        (b"RESET\r", "reset.begun"),
        (b"ja\rreset\r", "reset.begun"),
    ],
)
def test_the_word_begins_a_reset(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, keys: bytes, said: str
) -> None:
    with Typed(monkeypatch, tmp_path, 0) as typed:
        assert typed.answer(keys) == ["start ratssaal-reset.service"]
    assert typed.notice.read_text().split() == [said]


@pytest.mark.parametrize("keys", [b"\x1b", b"res\x1b", b"\r\x1b", b"\x03"])
def test_whoever_leaves_changes_nothing(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, keys: bytes
) -> None:
    with Typed(monkeypatch, tmp_path, 0) as typed:
        assert typed.answer(keys) == []
    assert typed.notice.read_text() == ""


def test_a_reset_that_cannot_begin_is_told(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    with Typed(monkeypatch, tmp_path, 1) as typed:
        typed.answer(b"reset\r")
    assert typed.notice.read_text().split() == ["reset.failed"]


def test_the_word_lies_in_one_place_on_german_and_us_keyboards() -> None:
    assert set(reset.WORD) <= set(LETTERS)
