"""Boxes in containers: one that tests only look at, shared by a module, and fresh ones."""

from collections.abc import Iterator
from typing import NamedTuple

import pytest
from playwright.sync_api import Browser

from builder.artifacts import Artifacts
from builder.machines.container import Box
from builder.machines.stage import Stage
from builder.toolbox import Toolbox
from tests.box.browser import browser
from tests.box.meeting import RELAY, House, opened
from tests.box.people import People

# Files that take longest for their number of tests: begun first, so that none of them is left for
# one processor alone in the end.
LONG = ("test_setup.py", "test_killed.py", "test_answers.py", "test_screens.py", "test_meeting.py")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Begin with the files that take longest."""
    items.sort(key=lambda one: LONG.index(one.path.name) if one.path.name in LONG else len(LONG))


class Town(NamedTuple):
    """A stage and the box on it."""

    stage: Stage
    box: Box


@pytest.fixture(scope="module")
def town(toolbox: Toolbox, artifacts: Artifacts) -> Iterator[Town]:
    """A running box that no test changes."""
    with Stage(toolbox) as stage, Box(stage, artifacts) as box:
        yield Town(stage, box)


@pytest.fixture
def chromium(stage: Stage) -> Iterator[Browser]:
    """A browser on the test's own stage."""
    with browser(stage) as found:
        yield found


@pytest.fixture(scope="module")
def house(toolbox: Toolbox, artifacts: Artifacts) -> Iterator[House]:
    """A box that is set up, on which Anna is signed in and may book rooms."""
    with Stage(toolbox) as stage, opened(stage, artifacts) as made:
        made.sign_in()
        yield made


@pytest.fixture(scope="module")
def open_house(toolbox: Toolbox, artifacts: Artifacts) -> Iterator[House]:
    """As `house`, without a lobby; name servers know its relay, too."""
    with Stage(toolbox) as stage, opened(stage, artifacts, "open") as made:
        stage.name(RELAY, made.box.address)
        made.sign_in()
        yield made


@pytest.fixture
def people(chromium: Browser) -> Iterator[People]:
    found = People(chromium)
    yield found
    found.close()
