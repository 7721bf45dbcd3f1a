"""The keys at the box itself: one letter alone counts, noise does not, and meetings are safe."""

import os
import pty
import select
import signal
import subprocess
import sys
import termios
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from firstboot import health, texts
from firstboot.access import code
from firstboot.screen import keys, self_test
from firstboot.screen.keys import ACTIONS, ASKS, BEGINS, ENDS, Keys, Terminal

pytestmark = pytest.mark.unit

PATIENCE_SECONDS = 10.0
NEW_CODE = "start ratssaal-new-code.service"
SELF_TEST = "start ratssaal-self-test.service"
TO_STICK = "start ratssaal-support-to-stick.service"
RESTART = "start --no-block --job-mode=replace-irreversibly reboot.target"
SHUT_DOWN = "start --no-block --job-mode=replace-irreversibly poweroff.target"
DRAWN = "restart --no-block ratssaal-console.service"
# Takes what it is asked for down; a file named `fail` beside it makes it fail, `wait` wait.
SYSTEMCTL = """#!/bin/sh
here=$(dirname "$0")
echo "$*" >>"$here/asked"
while test -e "$here/wait"; do sleep 0.05; done
case $1 in start) test ! -e "$here/fail" ;; esac
"""


class Box:
    """Keys that read a pseudo-terminal, and a systemctl that takes down what it is asked for."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.notice = folder / "notice.txt"
        self.typist, self.line = pty.openpty()
        self.keys = Keys([os.ttyname(self.line)], str(self.notice))
        self.keys.wait(0)
        assert self.terminal.descriptor >= 0

    @property
    def terminal(self) -> Terminal:
        return self.keys.terminals[0]

    def type(self, letters: bytes) -> None:
        os.write(self.typist, letters)

    def asked(self) -> list[str]:
        """What systemctl was asked for, save to draw."""
        file = self.folder / "asked"
        lines = file.read_text().splitlines() if file.exists() else []
        return [line for line in lines if line != DRAWN]

    def until(self, happened: Callable[[], bool]) -> None:
        """Let the keys do their work until then."""
        deadline = time.monotonic() + PATIENCE_SECONDS
        while not happened():
            assert time.monotonic() < deadline, self.asked()
            self.keys.wait(0.05)

    def until_said(self, text: str) -> None:
        self.until(lambda: self.notice.read_text() == (f"{text}\n" if text else ""))

    def settle(self) -> None:
        """Until whatever was typed has been taken, and no letter waits for its silence to end."""
        self.until(lambda: not self._unread() and self.terminal.due == keys.FOREVER)

    def _unread(self) -> bool:
        return bool(select.select([self.terminal.descriptor], [], [], 0)[0])

    def press(self, letter: bytes) -> None:
        """Type one letter alone, and see it taken."""
        time.sleep(keys.QUIET_SECONDS)
        self.type(letter)
        self.settle()


@pytest.fixture
def box(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Box]:
    program = tmp_path / "systemctl"
    program.write_text(SYSTEMCTL)
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    # Shorter than for people, so that the tests need not wait as long.
    monkeypatch.setattr(keys, "QUIET_SECONDS", 0.05)
    monkeypatch.setattr(keys, "HELD_SECONDS", 0.1)
    box = Box(tmp_path)
    yield box
    os.close(box.line)
    box.terminal.close(0)


@pytest.mark.parametrize(
    ("letter", "asked"), [(b"n", NEW_CODE), (b"t", SELF_TEST), (b"b", TO_STICK)]
)
def test_a_letter_alone_is_a_key(box: Box, letter: bytes, asked: str) -> None:
    box.press(letter)
    box.until(lambda: box.asked() == [asked])


def test_in_a_repair_start_only_what_needs_no_disk_is_a_key(box: Box) -> None:
    box.keys.letters = keys.IN_REPAIR
    for letter in (b"n", b"a", b"d", b"t", b"b"):
        box.press(letter)
    box.until(lambda: box.asked() != [])
    assert box.asked() == [TO_STICK]


def test_capital_letters_are_the_same_keys(box: Box) -> None:
    box.press(b"N")
    box.until(lambda: box.asked() == [NEW_CODE])


def test_after_a_new_code_the_screen_says_so(box: Box) -> None:
    box.press(b"n")
    box.until_said("new_code")
    box.until(lambda: DRAWN in (box.folder / "asked").read_text())


def test_the_self_test_says_that_it_is_under_way_and_then_has_its_own_words(box: Box) -> None:
    box.press(b"t")
    box.until_said("testing")
    # By now the self-test itself has written what it found.
    box.notice.write_text("test_good\n")
    box.until(lambda: SELF_TEST in box.asked())
    box.keys.wait(0.2)
    assert box.notice.read_text() == "test_good\n"


def test_what_did_not_work_is_said(box: Box) -> None:
    (box.folder / "fail").touch()
    box.press(b"n")
    box.until_said("failed")


@pytest.mark.parametrize(
    "noise",
    [
        b"nn",
        b"nt",
        b"n\n",
        b"\x1b[n",
        b"\xff",
        "ä".encode(),
        b"q",
        b"root\nls\nrm -rf /\n",
        b"n" * 5000,
        bytes(range(256)),
    ],
    ids=["twice", "two", "line", "arrow", "byte", "umlaut", "other", "pasted", "held", "all"],
)
def test_noise_is_no_key(box: Box, noise: bytes) -> None:
    box.type(noise)
    box.settle()
    assert box.asked() == []
    box.press(b"n")
    box.until(lambda: box.asked() == [NEW_CODE])


@pytest.fixture
def line() -> Iterator[tuple[Terminal, int]]:
    """A terminal that is open, and where to type on it; two letters wait there from before."""
    typist, other = pty.openpty()
    os.write(typist, b"n\n")
    terminal = Terminal(os.ttyname(other))
    terminal.open()
    yield terminal, typist
    terminal.close(0.0)
    os.close(typist)
    os.close(other)


@pytest.mark.parametrize(
    ("seconds", "noise", "key"),
    [(0.0, b"xn", ""), (0.19, b"xn", ""), (0.21, b"", "n")],
)
def test_what_arrives_within_200_ms_makes_letters_noise(
    line: tuple[Terminal, int], seconds: float, noise: bytes, key: str
) -> None:
    terminal, typist = line
    os.write(typist, b"x")
    assert terminal.read(100.0) == b""
    assert terminal.due == 100.0 + 0.2
    os.write(typist, b"n")
    assert terminal.read(100.0 + seconds) == noise
    assert terminal.key() == key
    assert terminal.key() == ""


def test_what_was_typed_before_anybody_listened_is_no_key(line: tuple[Terminal, int]) -> None:
    assert line[0].read(100.0) == b""
    assert line[0].due == keys.FOREVER


@pytest.mark.parametrize(
    ("letter", "question", "asked", "said"),
    [
        (b"r", "ask_restart", RESTART, "restarting"),
        (b"s", "ask_off", SHUT_DOWN, "going_off"),
    ],
)
def test_what_ends_meetings_is_asked_once_more(
    box: Box, letter: bytes, question: str, asked: str, said: str
) -> None:
    box.press(letter)
    box.until_said(question)
    assert box.asked() == []
    time.sleep(keys.HELD_SECONDS)
    box.press(letter)
    box.until_said(said)
    box.until(lambda: box.asked() == [asked])


def test_a_question_that_nobody_answers_is_over(box: Box, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(keys, "CONFIRM_SECONDS", 0.4)
    box.press(b"r")
    box.until_said("ask_restart")
    box.until_said("")
    time.sleep(keys.HELD_SECONDS)
    box.press(b"r")
    box.until_said("ask_restart")
    assert box.asked() == []


@pytest.mark.parametrize("other", [b"q", b"abc\n", b"rx"], ids=["letter", "pasted", "begins alike"])
def test_anything_else_takes_the_question_back(box: Box, other: bytes) -> None:
    box.press(b"r")
    box.until_said("ask_restart")
    box.press(other)
    box.until_said("")
    box.press(b"r")
    box.until_said("ask_restart")
    assert box.asked() == []


@pytest.mark.parametrize(("letter", "unit"), [(b"a", "network"), (b"w", "ask-reset")])
def test_a_dialogue_has_the_terminal_to_itself_until_it_ends(
    box: Box, letter: bytes, unit: str
) -> None:
    (box.folder / "wait").touch()
    box.type(letter)
    place = os.ttyname(box.line).removeprefix("/dev/").replace("/", "-")
    box.until(lambda: box.asked() == [f"start ratssaal-{unit}@{place}.service"])
    assert box.terminal.descriptor == -1
    # What is typed now is for the dialogue, and would be a key otherwise.
    box.type(b"n")
    box.keys.wait(0.3)
    assert os.read(box.line, 10) == b"n"
    (box.folder / "wait").unlink()
    box.until(lambda: box.terminal.descriptor >= 0)
    box.press(b"t")
    box.until(lambda: box.asked()[1:] == [SELF_TEST])


def test_another_question_does_not_answer_the_first(box: Box) -> None:
    for letter, question in ((b"r", "ask_restart"), (b"s", "ask_off"), (b"r", "ask_restart")):
        box.press(letter)
        box.until_said(question)
    assert box.asked() == []


def test_a_key_held_down_confirms_nothing_and_leaves_the_question(
    box: Box, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(keys, "HELD_SECONDS", 30.0)
    box.press(b"r")
    box.until_said("ask_restart")
    # A keyboard repeats after 250 ms: the first letter of them is alone like the one that asked.
    box.press(b"r")
    box.press(b"rrrrrr")
    assert box.notice.read_text() == "ask_restart\n"
    assert box.asked() == []


def test_the_other_terminal_neither_confirms_nor_takes_back(box: Box) -> None:
    other = Terminal("ttyS0")
    box.keys.press(box.terminal, "r", 100.0)
    box.keys.press(other, "q", 101.0)
    assert box.notice.read_text() == "ask_restart\n"
    box.keys.press(other, "r", 103.0)
    assert box.notice.read_text() == "ask_restart\n"
    assert box.asked() == []


def test_a_line_that_hangs_up_is_given_up_and_tried_again(box: Box) -> None:
    name = box.terminal.name
    os.close(box.typist)
    box.until(lambda: box.terminal.descriptor == -1)
    assert box.keys.terminals[0].due > time.monotonic()
    # There again: another line in the same place.
    again, line = pty.openpty()
    box.terminal.name = os.ttyname(line)
    box.until(lambda: box.terminal.descriptor >= 0)
    os.write(again, b"n")
    box.until(lambda: box.asked() == [NEW_CODE])
    box.terminal.name = name
    os.close(again)
    os.close(line)


def test_pauses_grow_where_a_terminal_is_never_there(tmp_path: Path) -> None:
    terminal = Terminal(str(tmp_path / "ttyS0"))
    pauses = []
    for _ in range(9):
        terminal.close(0.0)
        pauses.append(terminal.due)
    assert pauses[:3] == [1.0, 2.0, 4.0]
    assert pauses[-2:] == [keys.LONGEST_PAUSE_SECONDS] * 2


@pytest.mark.parametrize("place", ["none", "/dev/null"], ids=["missing", "no terminal"])
def test_a_terminal_that_is_none_leaves_the_other_at_work(box: Box, place: str) -> None:
    box.keys.terminals.insert(0, Terminal(place))
    box.keys.wait(0)
    assert box.keys.terminals[0].descriptor == -1
    box.keys.terminals.append(box.keys.terminals.pop(0))
    box.press(b"t")
    box.until(lambda: box.asked() == [SELF_TEST])


def test_without_any_terminal_nothing_happens(tmp_path: Path) -> None:
    Keys([], str(tmp_path / "notice")).wait(0)


def test_keys_are_not_echoed_and_the_screen_can_still_be_drawn(box: Box) -> None:
    os.write(box.line, b"one\ntwo")
    assert os.read(box.typist, 100) == b"one\r\ntwo"
    # Ctrl-S would stop a terminal's output, Ctrl-C its programs.
    box.type(b"\x13\x03n")
    box.settle()
    os.write(box.line, b"three")
    assert os.read(box.typist, 100) == b"three"
    assert not termios.tcgetattr(box.line)[3] & (termios.ECHO | termios.ICANON | termios.ISIG)


def test_a_question_left_by_one_that_was_killed_is_wiped_away(box: Box) -> None:
    box.notice.write_text("ask_restart\n")
    again = Keys([], str(box.notice))
    assert box.notice.read_text() == ""
    again.wait(1.0)


def test_keys_work_where_nothing_can_be_said(box: Box) -> None:
    box.keys.notice = str(box.folder / "none/notice.txt")
    box.press(b"t")
    box.until(lambda: box.asked() == [SELF_TEST])


def test_every_letter_lies_in_one_place_on_german_and_us_keyboards_and_looks_like_itself() -> None:
    assert set(ACTIONS) <= set(code.LETTERS)


def test_every_text_that_keys_and_self_test_lead_to_exists() -> None:
    said = {*ASKS.values(), *BEGINS.values(), *ENDS.values(), "failed", "test_good"}
    said |= {*self_test.PARTS.values(), "part_conference", "test_no_network"}
    said |= {"test_found", "test_then", "test_certificate", "network_set", "network_back"}
    assert said == set(texts.topic("de", "console"))


def test_the_program_reads_its_terminals_and_is_small(tmp_path: Path) -> None:
    heavy = "['dataclasses', 'json', 'pathlib', 'pydantic', 're', 'subprocess', 'typing', 'yaml']"
    script = (
        f"import sys, firstboot.screen.keys; print([one for one in {heavy} if one in sys.modules])"
    )
    ended = subprocess.run(
        [sys.executable, "-S", "-c", script], capture_output=True, text=True, check=True
    )
    assert ended.stdout == "[]\n"
    typist, line = pty.openpty()
    command = [sys.executable, "-S", "-m", "firstboot.screen.keys", os.ttyname(line)]
    with subprocess.Popen(command) as process:
        try:
            deadline = time.monotonic() + PATIENCE_SECONDS
            while termios.tcgetattr(line)[3] & termios.ECHO:
                assert process.poll() is None
                assert time.monotonic() < deadline
                time.sleep(0.01)
        finally:
            process.send_signal(signal.SIGTERM)
    assert process.returncode == -signal.SIGTERM
    os.close(typist)
    os.close(line)


@pytest.mark.parametrize(
    ("wrong", "connected", "said"),
    [
        ({}, True, ["test_good"]),
        ({}, False, ["test_no_network"]),
        (
            {"nginx.service": "is failed", health.STORE: "answers 503", "etcd.service": "is dead"},
            True,
            ["test_found", "part_pages", "part_store", "test_then"],
        ),
        (
            {"of-the-stack.service": "is failed", "http://127.0.0.1:1/": "does not answer"},
            False,
            ["test_found", "part_conference", "test_then"],
        ),
    ],
    ids=["well", "no network", "base", "stack"],
)
def test_the_self_test_names_what_is_wrong(
    wrong: dict[str, str], connected: bool, said: list[str]
) -> None:
    assert self_test.found(wrong, connected) == said


def test_the_self_test_knows_a_name_for_each_unit_of_the_base() -> None:
    assert set(health.BASE_UNITS) <= set(self_test.PARTS)


def test_a_new_code_opens_and_the_one_before_does_not(tmp_path: Path) -> None:
    file = tmp_path / "code.json"
    before, after = code.renew(file), code.renew(file)
    assert before.shown
    assert after.shown
    assert not code.check(before.shown, file, 0)
    assert code.check(after.shown, file, 0)


def test_neither_a_new_code_nor_its_end_waits_for_those_who_guess_or_is_undone_by_them(
    tmp_path: Path,
) -> None:
    file = tmp_path / "code.json"
    code.renew(file)
    guess = threading.Thread(target=code.check, args=("aaaa", file, 1.0))
    guess.start()
    begun = time.monotonic()
    while (found := code.read(file)) is None or found.wrong == 0:
        assert time.monotonic() - begun < PATIENCE_SECONDS
    begun = time.monotonic()
    new = code.renew(file)
    assert time.monotonic() - begun < 0.5
    assert code.read(file) == new
    code.forget(file)
    guess.join()
    assert code.read(file) is None
