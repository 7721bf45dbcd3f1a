"""The command line as a person meets it: help with examples, clear refusals, exit codes."""

import contextlib
import hashlib
import os
import re
import shlex
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner

from builder import cli, testrun
from builder.errors import CommandError
from builder.paths import PROJECT

pytestmark = pytest.mark.unit

COMMANDS = typer.main.get_group(cli.app).commands
VERBS = sorted(COMMANDS)
ROOT = pytest.mark.skipif(os.geteuid() != 0, reason="these verbs ask for root first")
WIDE = {"COLUMNS": "250", "TERMINAL_WIDTH": "250", "NO_COLOR": "1", "TERM": "dumb"}

Call = Callable[..., tuple[int, str, str]]


@pytest.fixture
def ratssaal(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Call:
    """Call the command line; gives exit code, output and errors."""

    def call(*arguments: str) -> tuple[int, str, str]:
        monkeypatch.setattr(sys, "argv", ["ratssaal", *arguments])
        code = 0
        try:
            cli.main()
        except SystemExit as ended:
            code = ended.code if isinstance(ended.code, int) else 0 if ended.code is None else 1
        output, errors = capsys.readouterr()
        return code, output, errors

    return call


def help_of(*verb: str) -> str:
    """The help of a verb on a wide terminal, without the line that shows how it is called."""
    answer = CliRunner().invoke(cli.app, [*verb, "--help"], env=WIDE)
    assert answer.exit_code == 0
    return "\n".join(line for line in answer.output.splitlines() if "Usage:" not in line)


def examples() -> list[str]:
    """Every command line in the help of a verb, as it stands between backticks."""
    texts = [command.help or "" for command in COMMANDS.values()]
    return sorted({one for text in texts for one in re.findall(r"`(\./ratssaal [^`]+)`", text)})


def accepts(words: list[str]) -> None:
    """Let the command line parse `words`, a verb and what follows, and run nothing."""
    assert words[0] in COMMANDS, f"there is no verb {words[0]}"
    COMMANDS[words[0]].make_context(words[0], words[1:])


def test_the_program_itself_ends_with_2_on_an_unknown_verb() -> None:
    ended = subprocess.run(
        [sys.executable, "-m", "builder.cli", "nonsense"],
        env={**os.environ, "PYTHONPATH": str(PROJECT)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert ended.returncode == 2
    assert ended.stdout == ""
    assert "No such command 'nonsense'" in ended.stderr
    assert "Traceback" not in ended.stderr


def test_without_a_verb_the_help_is_shown(ratssaal: Call) -> None:
    code, output, errors = ratssaal()
    assert code == 2
    for verb in VERBS:
        assert verb in output + errors


def test_the_help_names_every_verb_and_where_to_begin() -> None:
    text = help_of()
    assert "./ratssaal demo" in text
    for verb in VERBS:
        assert re.search(rf"\b{verb}\b", text)


@pytest.mark.parametrize("verb", VERBS)
def test_the_help_of_every_verb_has_an_example(verb: str) -> None:
    _, found, text = help_of(verb).partition("Example")
    assert found
    assert f"./ratssaal {verb}" in text


@pytest.mark.parametrize("example", examples())
def test_the_command_line_accepts_the_examples_of_its_own_help(example: str) -> None:
    words = shlex.split(example)
    accepts(words[1 : words.index("|")] if "|" in words else words[1:])


def test_hints_name_only_commands_that_exist() -> None:
    found: list[tuple[str, str]] = []
    for file in sorted((PROJECT / "builder").glob("*.py")):
        found += re.findall(r"\./ratssaal ([a-z]+)((?: --[a-z-]+)*)", file.read_text())
    assert found
    for verb, options in found:
        assert verb in COMMANDS
        known = {name for option in COMMANDS[verb].params for name in option.opts} | {"--help"}
        assert set(options.split()) <= known


@pytest.mark.parametrize("verb", VERBS)
def test_an_unknown_option_of_a_verb_is_wrong_usage(ratssaal: Call, verb: str) -> None:
    code, output, errors = ratssaal(verb, "--nonsense")
    assert code == 2
    assert output == ""
    assert "--nonsense" in errors


@ROOT
@pytest.mark.parametrize(
    "verb",
    [one for one in VERBS if "stack_name" in {option.name for option in COMMANDS[one].params}],
)
def test_an_unknown_stack_is_wrong_usage_in_one_sentence(ratssaal: Call, verb: str) -> None:
    offline = {name for option in COMMANDS[verb].params for name in option.opts} & {"--offline"}
    code, output, errors = ratssaal(verb, "--stack", "nonsense", *offline)
    assert code == 2
    assert output == ""
    lines = [line.strip() for line in errors.strip().splitlines()]
    assert lines[0] == "ratssaal: There is no conferencing stack 'nonsense'."
    assert "livekit" in lines[1]
    assert len(lines) == 2


def test_an_unknown_stage_of_the_tests_is_wrong_usage(ratssaal: Call) -> None:
    code, _, errors = ratssaal("test", "nonsense")
    assert code == 2
    assert "'nonsense'" in errors


def test_an_error_is_shown_whole_so_that_its_command_can_be_copied(
    ratssaal: Call, monkeypatch: pytest.MonkeyPatch
) -> None:
    line = "bwrap " + "--bind /var/cache/ratssaal /var/cache/ratssaal " * 5 + "-- mkosi a:x:b"

    def fail(*_: object) -> None:
        raise CommandError(f"A program ended with 1:\n  {line}", "Try again.")

    monkeypatch.setattr(testrun, "run", fail)
    code, output, errors = ratssaal("test")
    assert (code, output) == (1, "")
    assert line in errors


def test_a_verb_that_asks_for_an_exit_code_gets_it(
    ratssaal: Call, monkeypatch: pytest.MonkeyPatch
) -> None:
    def leave(*_: object) -> None:
        raise typer.Exit(3)

    monkeypatch.setattr(testrun, "run", leave)
    assert ratssaal("test")[0] == 3


def test_ctrl_c_is_a_failure_without_a_traceback(
    ratssaal: Call, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupt(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(testrun, "run", interrupt)
    code, output, errors = ratssaal("test")
    # 130 is what a shell gives for an interrupted program.
    assert code in (1, 130)
    assert output == ""
    assert "Traceback" not in errors


@ROOT
@pytest.mark.parametrize("verb", ["inspect", "boot"])
def test_a_missing_image_says_how_to_build_one_before_a_toolbox_is_made(
    ratssaal: Call, monkeypatch: pytest.MonkeyPatch, verb: str
) -> None:
    monkeypatch.setattr(cli, "open_toolbox", lambda *_: pytest.fail("it opens the toolbox"))
    code, _, errors = ratssaal(verb)
    assert code == 1
    assert "./ratssaal build" in errors


@pytest.mark.parametrize(
    "option",
    ["--headless", "--tpm", "--set-up-mode", "--forward 8443:443", "--serial-log serial.txt"],
)
def test_what_only_a_machine_has_does_not_go_with_a_container(ratssaal: Call, option: str) -> None:
    code, _, errors = ratssaal("boot", "--container", *option.split())
    assert code == 2
    assert option.split()[0] in errors


def test_what_the_system_refuses_is_one_sentence(
    ratssaal: Call, own_folders: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    own_folders.mkdir()
    (own_folders / "cache").touch()  # a file where the cache's folder belongs
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    code, output, errors = ratssaal("keys", "--make")
    assert (code, output) == (1, "")
    lines = errors.strip().splitlines()
    assert lines[0].startswith(f"ratssaal: {own_folders / 'cache'}")
    assert len(lines) == 2


@pytest.mark.parametrize(
    "line",
    [
        *("build", "boot", "bench", "bench size", "clean", "demo", "inspect", "lock"),
        *("test", "test image", "test unit box"),
    ],
)
def test_without_root_the_same_command_line_is_shown_with_sudo(
    ratssaal: Call, monkeypatch: pytest.MonkeyPatch, line: str
) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    monkeypatch.setattr(subprocess, "run", lambda *_, **__: pytest.fail("it starts a program"))
    code, output, errors = ratssaal(*line.split())
    assert (code, output) == (1, "")
    said, hint = errors.strip().splitlines()
    assert said.startswith("ratssaal: This needs root: ")
    assert hint.endswith(f"sudo ./ratssaal {line}")


def test_the_tests_on_the_host_need_no_root(
    ratssaal: Call, monkeypatch: pytest.MonkeyPatch
) -> None:
    def passed(command: list[str], **_: object) -> "subprocess.CompletedProcess[bytes]":
        return subprocess.CompletedProcess(command, 0)

    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    monkeypatch.setattr(subprocess, "run", passed)
    assert ratssaal("test", "unit")[0] == 0


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """The launcher beside a virtual environment that is made, and a lock that cannot be had."""
    place = tmp_path / "checkout"
    (place / ".git/ratssaal.venv.lock").mkdir(parents=True)
    (place / ".venv/bin").mkdir(parents=True)
    shutil.copy(PROJECT / "ratssaal", place)
    (place / "requirements.lock").write_text("rich==1\n")
    (place / ".venv/bin/python").write_text("#!/bin/sh\necho started\n")
    (place / ".venv/bin/python").chmod(0o755)
    identity = b"rich==1\n" + sys.version.encode() + str(place).encode()
    (place / ".venv/ratssaal.lock.sha256").write_text(hashlib.sha256(identity).hexdigest())
    return place


def launch(checkout: Path) -> "subprocess.CompletedProcess[str]":
    command = [sys.executable, str(checkout / "ratssaal")]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def test_who_finds_the_virtual_environment_made_needs_no_lock(checkout: Path) -> None:
    assert launch(checkout).stdout == "started\n"


def test_a_virtual_environment_that_cannot_be_made_is_one_sentence(checkout: Path) -> None:
    (checkout / ".venv/ratssaal.lock.sha256").write_text("of another lock")
    ended = launch(checkout)
    assert (ended.returncode, ended.stdout) == (1, "")
    assert ended.stderr.startswith("ratssaal: the virtual environment .venv cannot be")
    assert "Traceback" not in ended.stderr


# As bash does it once Tab is pressed: the words, and which of them is meant.
COMPLETED = """
source <(./ratssaal --show-completion)
complete -p ./ratssaal >&2
COMP_WORDS=({words}); COMP_CWORD={place}
_ratssaal_completion ./ratssaal
printf '%s\\n' "${{COMPREPLY[@]}}"
"""


@pytest.mark.parametrize(
    ("words", "found"),
    [
        ("./ratssaal b", {"build", "boot", "bench"}),
        ("./ratssaal build --o", {"--offline"}),
    ],
)
def test_bash_completes_verbs_and_options(checkout: Path, words: str, found: set[str]) -> None:
    python = checkout / ".venv/bin/python"
    # No shell: it drops the variable by which it is asked, whose name it could not have itself.
    python.write_text(
        f"#!{sys.executable}\nimport os, sys\n"
        "os.execv(sys.executable, [sys.executable, *sys.argv[1:]])\n"
    )
    (checkout / "builder").symlink_to(PROJECT / "builder")
    ended = subprocess.run(
        ["bash", "-c", COMPLETED.format(words=words, place=len(words.split()) - 1)],
        cwd=checkout,
        env={**os.environ, "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert ended.stderr.strip().endswith("_ratssaal_completion ./ratssaal")
    assert set(ended.stdout.split()) == found


@ROOT
def test_clean_takes_images_away_and_caches_only_when_asked(
    ratssaal: Call, own_folders: Path
) -> None:
    image = own_folders / "build/ratssaal_1.2.3"
    toolbox = own_folders / "cache/toolbox/0123456789abcdef/tree"
    keys = own_folders / "keys"
    for folder in (image, toolbox, keys):
        folder.mkdir(parents=True)
        (folder / "file").touch()
    assert ratssaal("clean")[0] == 0
    assert [path.exists() for path in (image, toolbox, keys)] == [False, True, True]
    assert ratssaal("clean", "--caches")[0] == 0
    assert [path.exists() for path in (image, toolbox, keys)] == [False, False, True]
    assert ratssaal("clean", "--caches")[0] == 0


def test_clean_takes_the_locks_of_all_that_it_removes(
    ratssaal: Call, own_folders: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (own_folders / "cache/stacks/livekit").mkdir(parents=True)
    taken: list[str] = []

    @contextlib.contextmanager
    def take(name: str) -> Iterator[None]:
        taken.append(name)
        yield

    monkeypatch.setattr(cli, "exclusive", take)
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    ratssaal("clean")
    assert taken == ["image"]
    ratssaal("clean", "--caches")
    makers = [*PROJECT.glob("builder/**/*.py"), *PROJECT.glob("tests/*/*.py")]
    texts = [one.read_text() for one in makers]
    trees = {name for text in texts for name in re.findall(r'open_tree\(\s*"([a-z]+)"', text)}
    assert trees >= {"host", "recorder", "toolbox"}
    assert trees <= set(taken) & set(cli.CACHES)
    assert {"image", "client", "stack-livekit"} <= set(taken)


@ROOT
@pytest.mark.parametrize("place", ["cache/keys", "build/keys"])
def test_clean_never_touches_keys_wherever_they_lie(
    ratssaal: Call, own_folders: Path, monkeypatch: pytest.MonkeyPatch, place: str
) -> None:
    folder = own_folders / place
    folder.mkdir(parents=True)
    (folder / "pcr.key").touch()
    monkeypatch.setenv("RATSSAAL_KEYS", str(folder))
    ratssaal("clean", "--caches")
    assert (folder / "pcr.key").exists()


@ROOT
@pytest.mark.parametrize("variable", ["RATSSAAL_BUILD", "RATSSAAL_CACHE"])
def test_clean_takes_away_nothing_that_it_did_not_make(
    ratssaal: Call, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, variable: str
) -> None:
    letters = tmp_path / "home/letters"
    letters.mkdir(parents=True)
    monkeypatch.setenv(variable, str(letters.parent))
    ratssaal("clean", "--caches")
    assert letters.exists()


def test_keys_are_shown_for_scripts_and_none_are_made_unasked(
    ratssaal: Call, own_folders: Path
) -> None:
    code, output, _ = ratssaal("keys", "--json")
    assert (code, output) == (0, "[]\n")
    assert not (own_folders / "keys").exists()
