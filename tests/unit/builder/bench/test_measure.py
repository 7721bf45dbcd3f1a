"""Figures: which meet their goals, and how scripts get them."""

import json
import math
import re
import sys
from fnmatch import fnmatch
from pathlib import Path

import pytest
from typer.testing import CliRunner

from builder import cli, client, image
from builder.artifacts import Artifacts
from builder.bench import measure
from builder.bench.figure import Figure
from builder.paths import OVERLAYS, PROJECT
from builder.toolbox import Toolbox

pytestmark = pytest.mark.unit


def test_a_figure_without_a_goal_falls_short_only_where_nothing_was_measured() -> None:
    assert Figure("cost", 1e9, None, "ms/s", "").met
    assert not Figure("cost", math.inf, None, "ms/s", "").met
    assert Figure("size", 2, 2, "MB", "").met
    for value in (2.1, math.inf, math.nan):
        assert not Figure("size", value, 2, "MB", "").met


def test_figures_are_json_by_the_standard_whatever_was_measured(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    values = (0.5, math.inf, math.nan)
    figures = [Figure("a", one, goal, "x", "b") for one in values for goal in (None, 1.0)]
    monkeypatch.setattr(measure, "SUBJECTS", {"meeting": lambda: iter(figures)})
    answer = CliRunner().invoke(cli.app, ["bench", "--json"])

    def refused(word: str) -> None:
        raise AssertionError(f"{word} is not JSON")

    found = json.loads(answer.stdout, parse_constant=refused)
    assert [one["value"] for one in found] == [0.5, 0.5] + [None] * 4
    assert [one["goal"] for one in found] == [None, 1.0] * 3
    assert [one["met"] for one in found] == [True, True] + [False] * 4
    assert {one["limit"] for one in found} == {None}
    assert set(found[0]) == {"name", "value", "goal", "unit", "detail", "limit", "met"}


def bench_with(
    figures: list[Figure], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> tuple[int, list[str]]:
    """Exit code of `bench --check` where `figures` are measured, and what people read."""
    monkeypatch.setattr(measure, "SUBJECTS", {"size": lambda: iter(figures)})
    monkeypatch.setattr(sys, "argv", ["./ratssaal", "bench", "size", "--check"])
    with pytest.raises(SystemExit) as ended:
        cli.main()
    return int(ended.value.code or 0), capsys.readouterr().err.strip().splitlines()


def test_check_ends_with_1_and_names_what_falls_short_last(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    short = [Figure("initrd", 46, 45, "MB", ""), Figure("cost", math.inf, None, "ms/s", "")]
    figures = [short[0], Figure("compressed image", 449, 450, "MB", ""), short[1]]
    code, lines = bench_with(figures, monkeypatch, capsys)
    assert code == 1
    assert lines[-1] == "ratssaal: Short of the goal: initrd, cost."
    rows = [line for line in lines[:-1] if re.search("initrd|compressed|cost", line)]
    assert [one for row in rows for one in re.findall("initrd|compressed|cost", row)] == [
        "compressed", "initrd", "cost"
    ]  # fmt: skip


def test_check_tells_the_machine_s_limit_from_what_falls_short(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    machine = Figure("sound", 1, 0, "", "", "machine")
    server = Figure("join", 2, 1, "x", "", "server")
    code, lines = bench_with([machine, server], monkeypatch, capsys)
    assert code == 1
    assert lines[-2] == "ratssaal: Short of the goal: join."
    assert lines[-1].strip() == "Not shown, since this machine is the limit: sound."
    code, lines = bench_with([machine], monkeypatch, capsys)
    assert code == 1
    assert lines[-1] == "ratssaal: Not shown, since this machine is the limit: sound."


def test_check_ends_with_0_where_all_goals_are_met(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    code, lines = bench_with([Figure("initrd", 45, 45, "MB", "")], monkeypatch, capsys)
    assert code == 0
    assert not any("Short" in line for line in lines)


@pytest.fixture
def rooms(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, Path]:
    """New files for each room that lie elsewhere than in this checkout."""
    found = {room: tmp_path / change.name for room, change in measure.CHANGES.items()}
    monkeypatch.setattr(measure, "CHANGES", found)
    monkeypatch.setattr(measure, "_mkosi_alone", lambda *_: None)
    return found


def test_a_rebuild_is_measured_for_each_room_and_leaves_nothing_behind(
    rooms: dict[str, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[list[str]] = []

    def build(_: image.BuildOptions) -> image.Built:
        seen.append([room for room, change in rooms.items() if change.exists()])
        return image.Built(Artifacts(Path("/nowhere"), ""), Toolbox(Path("/nowhere"), ""), False)

    monkeypatch.setattr(image, "build", build)
    figures = list(measure.measure_build())
    rebuilds = [one for one in figures if "rebuild" in one.name]
    assert [one.name.split()[-1] for one in rebuilds] == ["overlays/", "firstboot/", "meet/"]
    assert {one.goal for one in rebuilds} == {0.35}
    assert [one for one in seen if one] == [["overlays/"], ["firstboot/"], ["meet/"]]
    assert not any(change.exists() for change in rooms.values())


def test_a_rebuild_that_fails_leaves_no_change_in_the_checkout(
    rooms: dict[str, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupt(_: image.BuildOptions) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(image, "build", interrupt)
    for room, change in rooms.items():
        with pytest.raises(KeyboardInterrupt):
            measure._rebuild_seconds(room, change)
        assert not change.exists()


def test_each_change_lies_where_a_build_looks() -> None:
    places = {"overlays/": [OVERLAYS], "firstboot/": [PROJECT / "firstboot"]}
    places["meet/"] = client.sources()
    assert measure.CHANGES.keys() == places.keys()
    for room, change in measure.CHANGES.items():
        assert change.parent.is_dir()
        assert any(change.is_relative_to(place) for place in places[room])


def test_people_see_a_dash_where_there_is_no_goal(capsys: pytest.CaptureFixture[str]) -> None:
    measure.show([Figure("cost", 1.5, None, "ms/s", ""), Figure("size", 1, 2, "MB", "")])
    (row,) = (line for line in capsys.readouterr().err.splitlines() if "cost" in line)
    assert "1.50" in row
    assert "–" in row
    assert "inf" not in row


def test_what_is_little_is_not_shown_as_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    measure.show([Figure("lost", 0.0012, 0.001, "", ""), Figure("kept", 0.0, 1, "", "")])
    shown = capsys.readouterr().err.splitlines()
    (row,) = (line for line in shown if "lost" in line)
    assert "0.0012" in row
    (row,) = (line for line in shown if "kept" in line)
    assert "0.00 " in row


def test_the_floor_of_a_start_is_without_all_that_the_presets_have_on() -> None:
    """By the presets, in systemd's order; its own parts and the bus belong to the floor."""
    presets = OVERLAYS.glob("*/usr/lib/systemd/system-preset/*")
    texts = [one.read_text() for one in sorted(presets, key=lambda one: one.name)]
    rules = re.findall(r"^(enable|disable) (\S+)$", "\n".join(texts), re.MULTILINE)
    named = {rule for word, rule in rules if word == "enable" and "*" not in rule}
    units = [
        one
        for one in OVERLAYS.glob("*/usr/lib/systemd/system/*.*")
        if one.is_file()
        and "initrd" not in one.parts
        and re.search(r"^WantedBy=", one.read_text(), re.M)
    ]
    on = {
        one.name
        for one in units
        if next(word for word, rule in rules if fnmatch(one.name, rule)) == "enable"
    }
    ours = {one for one in on | named if not one.startswith(("systemd-", "dbus-"))}
    left_out = set(measure.started_for_us())
    assert ours <= left_out, ours - left_out
    assert {"ratssaal-meet.socket", "ratssaal-prove.socket", "livekit.service"} <= left_out
    # systemd cannot mask what is no unit, and the kernel cuts a long line.
    assert not [one for one in left_out if "@" in one]
    assert len(" ".join(f"systemd.mask={one}" for one in left_out)) < 1200
