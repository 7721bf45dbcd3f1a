"""The stages of the tests."""

import os
import subprocess

import pytest

from builder import testrun
from builder.errors import CommandError, UsageError
from builder.paths import PROJECT

pytestmark = pytest.mark.unit


def test_an_unknown_stage_is_wrong_usage_and_the_known_ones_are_named() -> None:
    with pytest.raises(UsageError) as caught:
        testrun.run(testrun.TestOptions(stages=("unit", "nonsense")))
    assert caught.value.exit_code == 2
    assert "'nonsense'" in caught.value.message
    assert all(stage in caught.value.hint for stage in testrun.STAGES)


@pytest.mark.parametrize("ends", [{"unit": 5, "box": 5}, {"unit": 5, "box": 0}])
def test_a_selection_that_no_stage_knows_is_not_passed(
    monkeypatch: pytest.MonkeyPatch, ends: dict[str, int]
) -> None:
    def pytest_of(command: list[str], **_: object) -> "subprocess.CompletedProcess[bytes]":
        stage = next(name for name in ends if str(PROJECT / "tests" / name) in command)
        return subprocess.CompletedProcess(command, ends[stage])

    monkeypatch.setattr(subprocess, "run", pytest_of)
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    options = testrun.TestOptions(stages=tuple(ends), select="redy")
    if 0 in ends.values():
        testrun.run(options)
    else:
        with pytest.raises(CommandError, match="No test matches -k 'redy'"):
            testrun.run(options)


def test_every_stage_has_its_folder_and_is_a_mark_that_pytest_knows(
    request: pytest.FixtureRequest,
) -> None:
    marks = {line.split(":")[0] for line in request.config.getini("markers")}
    for stage in testrun.STAGES:
        assert (PROJECT / "tests" / stage).is_dir()
        assert stage in marks
