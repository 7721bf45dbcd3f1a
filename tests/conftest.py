"""What all stages share: the toolbox and the one image that is built for all of them."""

from collections.abc import Iterator

import pytest

from builder import image
from builder.artifacts import Artifacts
from builder.stage import Stage
from builder.toolbox import Toolbox


@pytest.fixture(scope="session")
def built() -> image.Built:
    """The image of this checkout, made first where it is not up to date."""
    return image.build(image.BuildOptions())


@pytest.fixture(scope="session")
def toolbox(built: image.Built) -> Toolbox:
    """The toolbox that made the image."""
    return built.toolbox


@pytest.fixture(scope="session")
def artifacts(built: image.Built) -> Artifacts:
    """The image's files."""
    return built.artifacts


@pytest.fixture
def stage(toolbox: Toolbox) -> Iterator[Stage]:
    """A network and mounts of the test's own."""
    with Stage(toolbox) as one:
        yield one
