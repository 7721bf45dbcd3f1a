"""The stages of the tests."""

import pytest

from builder import testrun
from builder.errors import UsageError
from builder.paths import PROJECT

pytestmark = pytest.mark.unit


def test_an_unknown_stage_is_wrong_usage_and_the_known_ones_are_named() -> None:
    with pytest.raises(UsageError) as caught:
        testrun.run(testrun.TestOptions(stages=("unit", "nonsense")))
    assert caught.value.exit_code == 2
    assert "'nonsense'" in caught.value.message
    assert all(stage in caught.value.hint for stage in testrun.STAGES)


def test_every_stage_has_its_folder_and_is_a_mark_that_pytest_knows(
    request: pytest.FixtureRequest,
) -> None:
    marks = {line.split(":")[0] for line in request.config.getini("markers")}
    for stage in testrun.STAGES:
        assert (PROJECT / "tests" / stage).is_dir()
        assert stage in marks
