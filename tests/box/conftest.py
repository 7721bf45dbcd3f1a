"""Boxes in containers: one that tests only look at, shared by a module, and fresh ones."""

from collections.abc import Iterator
from typing import NamedTuple

import pytest

from builder.artifacts import Artifacts
from builder.container import Box
from builder.stage import Stage
from builder.toolbox import Toolbox


class Town(NamedTuple):
    """A stage and the box on it."""

    stage: Stage
    box: Box


@pytest.fixture(scope="module")
def town(toolbox: Toolbox, artifacts: Artifacts) -> Iterator[Town]:
    """A running box that no test changes."""
    with Stage(toolbox) as stage, Box(stage, artifacts) as box:
        yield Town(stage, box)
