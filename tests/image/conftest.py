"""The built tree, mounted read-only where no other program sees it."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from builder.artifacts import Artifacts
from builder.machines.stage import Stage
from builder.toolbox import Toolbox


@pytest.fixture(scope="session")
def usr(toolbox: Toolbox, artifacts: Artifacts) -> Iterator[Path]:
    """/usr of the image."""
    with Stage(toolbox) as stage:
        place = stage.folder / "usr"
        place.mkdir()
        stage.run(["mount", "-t", "erofs", "-o", "loop,ro", artifacts.usr, place])
        yield stage.seen_from_outside(place)


@pytest.fixture(scope="session")
def etc(usr: Path) -> Path:
    """The factory's /etc of the image."""
    return usr / "share/factory/etc"
