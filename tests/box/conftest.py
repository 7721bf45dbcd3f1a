"""Boxes in containers: one that tests only look at, shared by a module, and fresh ones."""

from collections.abc import Iterator
from typing import NamedTuple

import pytest

from builder.artifacts import Artifacts
from builder.container import Box
from builder.stage import Stage
from builder.toolbox import Toolbox
from tests.box.meeting import House, opened


class Town(NamedTuple):
    """A stage and the box on it."""

    stage: Stage
    box: Box


@pytest.fixture(scope="module")
def town(toolbox: Toolbox, artifacts: Artifacts) -> Iterator[Town]:
    """A running box that no test changes."""
    with Stage(toolbox) as stage, Box(stage, artifacts) as box:
        yield Town(stage, box)


@pytest.fixture(scope="module")
def house(toolbox: Toolbox, artifacts: Artifacts) -> Iterator[House]:
    """A box that is set up, on which Anna is signed in and may book rooms."""
    with Stage(toolbox) as stage, opened(stage, artifacts) as made:
        made.sign_in()
        yield made
