"""What the person at the terminal is told while something is under way."""

import json
from pathlib import Path

import pytest
from rich.console import Console

from builder import progress
from builder.progress import say, step, transfer

pytestmark = pytest.mark.unit


def test_news_go_to_standard_error_since_output_belongs_to_results(
    capsys: pytest.CaptureFixture[str],
) -> None:
    say("The image: [bold]done[/bold]")
    with step("Building"):
        pass
    output, errors = capsys.readouterr()
    assert output == ""
    assert "[bold]done[/bold]" in errors
    assert "Building …" in errors


def test_a_long_line_stays_one_line_so_that_it_can_be_copied(
    capsys: pytest.CaptureFixture[str],
) -> None:
    text = "The image: /srv/" + "/".join(["a folder with a long name"] * 8) + "/ratssaal.raw"
    say(text)
    assert text in capsys.readouterr().err


@pytest.mark.parametrize("address", ["2001:db8:a:b::1", "52:54:00:ab:00:01", "a:x:b"])
def test_addresses_are_not_turned_into_little_pictures(
    capsys: pytest.CaptureFixture[str], address: str
) -> None:
    say(address)
    assert address in capsys.readouterr().err


def test_the_second_time_the_person_is_told_how_long_it_takes(
    own_folders: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    memory = own_folders / "cache/durations.json"
    with step("Building"):
        pass
    assert "about" not in capsys.readouterr().err
    assert list(json.loads(memory.read_text())) == ["Building"]
    memory.write_text('{"Building": 75.2, "Testing": 3.5}')
    with step("Building"):
        pass
    assert "Building … (about 75 s)" in capsys.readouterr().err
    again = json.loads(memory.read_text())
    assert again["Testing"] == 3.5
    assert again["Building"] < 75


def test_a_step_that_failed_is_no_estimate_for_the_next(own_folders: Path) -> None:
    with pytest.raises(RuntimeError), step("Building"):
        raise RuntimeError
    assert not (own_folders / "cache/durations.json").exists()


@pytest.mark.parametrize(
    "text",
    [
        "",
        "{",
        pytest.param("[]"),
        pytest.param('{"Building": null}'),
        pytest.param('{"Building": "soon"}'),
    ],
)
def test_a_damaged_memory_of_durations_is_no_reason_to_fail(own_folders: Path, text: str) -> None:
    (own_folders / "cache").mkdir(parents=True)
    (own_folders / "cache/durations.json").write_text(text)
    done = False
    with step("Building"):
        done = True
    assert done


def test_a_cache_that_cannot_be_written_is_no_reason_to_fail(
    own_folders: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("RATSSAAL_CACHE", "/dev/null/nowhere")
    done = False
    with step("Building"):
        done = True
    assert done


def test_a_transfer_says_how_much_and_how_fast(capsys: pytest.CaptureFixture[str]) -> None:
    with transfer("Writing", 3_000_000) as advance:
        advance(1_000_000)
        advance(2_000_000)
    said = capsys.readouterr().err
    assert "Writing … (3 MB)" in said
    assert "MB/s" in said


def test_on_a_terminal_a_transfer_shows_the_part_that_is_done(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    terminal = Console(force_terminal=True, width=120, stderr=True)
    monkeypatch.setattr(progress, "console", terminal)
    with transfer("Writing", 4_000_000) as advance:
        advance(1_000_000)
    assert "1.0/4.0 MB" in capsys.readouterr().err
