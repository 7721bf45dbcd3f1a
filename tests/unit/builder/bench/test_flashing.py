"""The figures of flashing, on a small image."""

import shutil
import subprocess
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from builder import image
from builder.artifacts import Artifacts
from builder.bench import flashing
from builder.paths import cache_folder
from builder.stick.writing import Written
from tests.unit.builder import sticks_of
from tests.unit.builder.sticks_of import LOOPS

pytestmark = pytest.mark.unit


def test_the_best_round_counts() -> None:
    ours = [Written(10**6, 3.0, 2.0), Written(10**6, 4.0, 0.5)]
    writing, beside, both = flashing.figures(ours, mapped=2.0, whole=9.0)
    assert (writing.value, beside.value, both.value) == (1.5, 2.25, 0.5)
    assert not writing.met
    assert not beside.met
    assert both.goal is None
    assert "1 MB" in both.detail


@LOOPS
@pytest.mark.skipif(not shutil.which("zstd"), reason="the host has no zstd")
def test_all_three_write_to_one_device_and_nothing_stays(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    raw = sticks_of.image(tmp_path)
    subprocess.run(["zstd", "--quiet", raw], check=True)
    commands: list[list[str]] = []

    class Toolbox:
        def run(self, command: list[Any], **_: object) -> str:
            commands.append([str(word) for word in command])
            return ""

    built = SimpleNamespace(artifacts=Artifacts(raw.parent, sticks_of.NAME), toolbox=Toolbox())
    monkeypatch.setattr(image, "build", lambda _: built)
    found = list(flashing.measure_flash())
    assert [one.unit for one in found] == ["x bmaptool copy", "x bmaptool copy", "x dd"]
    assert all(one.value > 0 for one in found)
    assert len(commands) == flashing.ROUNDS
    assert commands[0][:3] == ["bmaptool", "--quiet", "copy"]
    device = commands[0][-1]
    listed = subprocess.run(["losetup", "--all"], capture_output=True, text=True, check=True)
    assert f"{device}: []: ({cache_folder()}" not in listed.stdout
    assert not (cache_folder() / "bench/stick").exists()
