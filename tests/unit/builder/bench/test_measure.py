"""Figures: which meet their goals, and how scripts get them."""

import json
import math
import re
from fnmatch import fnmatch

import pytest
from typer.testing import CliRunner

from builder import cli
from builder.bench import measure
from builder.bench.figure import Figure
from builder.paths import OVERLAYS

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
    assert set(found[0]) == {"name", "value", "goal", "unit", "detail", "met"}


def test_people_see_a_dash_where_there_is_no_goal(capsys: pytest.CaptureFixture[str]) -> None:
    measure.show([Figure("cost", 1.5, None, "ms/s", ""), Figure("size", 1, 2, "MB", "")])
    (row,) = (line for line in capsys.readouterr().err.splitlines() if "cost" in line)
    assert "1.50" in row
    assert "–" in row
    assert "inf" not in row


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
