"""Raising a stack's version in its lock file, on a copy of that."""

import shutil
from collections.abc import Iterator

import pytest

from builder import stack
from builder.errors import CommandError
from builder.paths import cache_folder
from builder.stack import Stack
from builder.toolbox import Toolbox

pytestmark = pytest.mark.image


@pytest.fixture
def copied() -> Iterator[Stack]:
    """The default stack with a lock of its own, where the toolbox can see it."""
    place = cache_folder() / "lock-of-a-test"
    shutil.copytree(stack.choose(stack.DEFAULT).lock, place, dirs_exist_ok=True)
    yield Stack(stack.DEFAULT, place)
    shutil.rmtree(place)


def content(one: Stack) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in sorted(one.lock.iterdir())}


def test_the_committed_lock_is_what_resolving_its_version_gives(
    copied: Stack, toolbox: Toolbox
) -> None:
    before = content(copied)
    _, _, version = copied.tool()
    assert stack.raise_version(copied, toolbox, version) == (version, version)
    assert content(copied) == before


def test_a_version_that_does_not_exist_leaves_the_lock(copied: Stack, toolbox: Toolbox) -> None:
    before = content(copied)
    with pytest.raises(CommandError, match="the lock stays at v"):
        stack.raise_version(copied, toolbox, "v999.0.0")
    assert content(copied) == before
