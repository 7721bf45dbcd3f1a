"""What all stages share: the toolbox and the one image that is built for all of them."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import settings

from builder import client, image
from builder.artifacts import Artifacts
from builder.machines.stage import Stage
from builder.toolbox import Toolbox

# `./ratssaal test --all` takes the thorough profile. The examples are the same each time, so that
# a test that passes today passes tomorrow.
settings.register_profile("usual", max_examples=40, derandomize=True, database=None, deadline=None)
settings.register_profile("thorough", settings.get_profile("usual"), max_examples=250)
settings.load_profile("usual")


STAGES = Path(__file__).parent


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Refuse a test that no stage would run: it lies in a stage's folder without its mark."""
    for one in items:
        stage = one.path.relative_to(STAGES).parts[0]
        if one.get_closest_marker(stage) is None:
            raise pytest.UsageError(f"{one.path} has no `pytestmark = pytest.mark.{stage}`.")


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


@pytest.fixture(scope="session")
def axe(toolbox: Toolbox) -> str:
    """The program of axe-core, which finds what keeps people out."""
    return (client.prepare(toolbox) / "node_modules/axe-core/axe.min.js").read_text()
