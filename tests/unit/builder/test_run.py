"""Running other programs: what a failed one tells the person at the terminal."""

import json
import os
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from builder.errors import CommandError
from builder.run import replayable, run

pytestmark = pytest.mark.unit

NASTY = [
    "plain",
    "with space",
    "o'hara",
    "$HOME",
    "a;b|c&d",
    "*",
    "",
    "Größe",
    "-x",
    'say "hi"',
    "#",
]
# Prints its arguments and a variable as JSON, then fails.
FAILING = [
    sys.executable,
    "-c",
    "import json, os, sys; print(json.dumps([sys.argv[1:], os.environ['TOWN']])); sys.exit(7)",
    *NASTY,
]
FORTY_LINES = ["sh", "-c", "seq -f 'line %g' 40; echo 'and the reason' >&2; exit 3"]


def pasted(error: CommandError) -> str:
    """The command line in a message: its only line that is set in by two blanks."""
    [line] = [line for line in error.message.splitlines() if line.startswith("  ")]
    return line.strip()


def test_the_command_of_a_failure_can_be_pasted_into_a_shell() -> None:
    town = "Bad Schönborn's $TOWN"
    with pytest.raises(CommandError) as caught:
        run(FAILING, environment={"TOWN": town})
    again = subprocess.run(
        ["sh", "-c", pasted(caught.value)], capture_output=True, text=True, check=False
    )
    assert again.returncode == 7
    assert json.loads(again.stdout) == [NASTY, town]
    assert "ended with 7" in caught.value.message


def test_a_command_survives_the_way_through_the_shell_word_by_word() -> None:
    command: list[str | Path] = ["printf", "%s", *NASTY, "two\nlines", Path("/a b")]
    assert shlex.split(replayable(command)) == [os.fspath(word) for word in command]


def test_a_failure_shows_the_last_words_and_where_the_others_are(tmp_path: Path) -> None:
    log = tmp_path / "logs/it.log"
    with pytest.raises(CommandError) as caught:
        run(FORTY_LINES, log=log, hint="Ask again.")
    message = caught.value.message
    assert "and the reason" in message
    assert "line 40" in message
    assert "line 20\n" not in message
    assert f"The whole log: {log}" in message
    assert caught.value.hint == "Ask again."
    assert caught.value.exit_code == 1
    lines = log.read_text().splitlines()
    assert lines == [*[f"line {number}" for number in range(1, 41)], "and the reason"]


def test_a_log_holds_the_last_run_alone(tmp_path: Path) -> None:
    log = tmp_path / "it.log"
    assert run(["echo", "first"], log=log) == ""
    assert run(["echo", "second"], log=log) == ""
    assert log.read_text() == "second\n"


def test_without_a_log_the_errors_are_shown_and_not_the_output() -> None:
    with pytest.raises(CommandError) as caught:
        run(FORTY_LINES)
    assert caught.value.message.endswith("\nand the reason")
    assert "line 40" not in caught.value.message


def test_a_program_that_explains_itself_on_its_output_is_heard_as_well() -> None:
    with pytest.raises(CommandError) as caught:
        run(["sh", "-c", "echo said on the output; exit 1"])
    assert "said on the output" in caught.value.message.splitlines()


def test_words_that_are_no_utf_8_do_not_hide_the_failure() -> None:
    with pytest.raises(CommandError) as caught:
        run(["sh", "-c", r"printf 'Gr\374n' >&2; exit 1"])
    assert "ended with 1" in caught.value.message
    assert "Gr" in caught.value.message.splitlines()[-1]


def test_a_program_that_is_not_there_is_named() -> None:
    with pytest.raises(CommandError) as caught:
        run(["mkosi-that-nobody-has", "--force"], hint="Install it.")
    assert "mkosi-that-nobody-has is not there" in caught.value.message
    assert caught.value.hint == "Install it."


def test_a_program_that_may_not_be_executed_is_a_failure_of_ours(tmp_path: Path) -> None:
    program = tmp_path / "program"
    program.write_text("#!/bin/sh\n")
    with pytest.raises(CommandError) as caught:
        run([program])
    assert str(program) in caught.value.message


def test_a_killed_program_is_a_failure() -> None:
    with pytest.raises(CommandError):
        run(["sh", "-c", "kill -KILL $$"])


def test_output_input_folder_and_environment_go_where_they_should(tmp_path: Path) -> None:
    script = 'pwd; echo "$TOWN"; cat'
    output = run(["sh", "-c", script], cwd=tmp_path, environment={"TOWN": "Öhringen"}, stdin="in\n")
    assert output == f"{tmp_path}\nÖhringen\nin\n"


def test_files_that_a_program_makes_do_not_follow_the_persons_umask(tmp_path: Path) -> None:
    before = os.umask(0o077)
    try:
        run(["touch", tmp_path / "made"])
    finally:
        os.umask(before)
    assert (tmp_path / "made").stat().st_mode & 0o777 == 0o644


def test_a_program_that_asks_gets_no_answer_instead_of_waiting_for_ever() -> None:
    own = os.dup(0)
    reader, writer = os.pipe()
    try:
        os.dup2(reader, 0)
        assert run(["readlink", "/proc/self/fd/0"]) == "/dev/null\n"
    finally:
        os.dup2(own, 0)
        for descriptor in (own, reader, writer):
            os.close(descriptor)
