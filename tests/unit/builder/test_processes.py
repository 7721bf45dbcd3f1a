"""Finding a box's processes from outside: shown on processes of our own."""

import subprocess
import sys
from collections.abc import Iterator

import pytest

from builder import processes
from builder.errors import CommandError

pytestmark = pytest.mark.unit

# A shell that stays between us and the program below it, as the sandbox stays around a box.
BETWEEN = ["sh", "-c", "cat; true"]


@pytest.fixture
def shell() -> Iterator[subprocess.Popen[bytes]]:
    """A shell with `cat` below it, once that runs."""
    with subprocess.Popen(BETWEEN, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdin
        assert process.stdout
        process.stdin.write(b"!")
        process.stdin.flush()
        assert process.stdout.read(1) == b"!"
        yield process


def test_a_program_is_found_below_the_ones_around_it(shell: subprocess.Popen[bytes]) -> None:
    below = processes.descendant(shell.pid, "cat")
    assert below != shell.pid
    assert processes.children(shell.pid) == [below]


def test_a_process_is_found_itself(shell: subprocess.Popen[bytes]) -> None:
    below = processes.descendant(shell.pid, "cat")
    assert processes.descendant(below, "cat") == below


def test_a_program_that_is_not_running_is_named(shell: subprocess.Popen[bytes]) -> None:
    with pytest.raises(CommandError, match="systemd-nspawn"):
        processes.descendant(shell.pid, "systemd-nspawn")


def test_the_programs_of_others_are_not_ours(shell: subprocess.Popen[bytes]) -> None:
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as other:
        with pytest.raises(CommandError):
            processes.descendant(other.pid, "cat")
        other.communicate(b"\n")


def test_a_process_that_ended_is_no_crash() -> None:
    ended = subprocess.Popen(["true"])
    ended.wait()
    assert processes.children(ended.pid) == []
    with pytest.raises(CommandError):
        processes.descendant(ended.pid, "true")
