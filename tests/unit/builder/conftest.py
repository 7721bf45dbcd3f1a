"""An image and a used stick, small and made by the tests."""

import os
import signal
import subprocess
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from builder.processes import children
from tests.unit.builder import sticks_of
from tests.unit.builder.sticks_of import STICK_SIZE


@pytest.fixture(scope="session")
def template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An image from which each test takes its own copy."""
    return sticks_of.image(tmp_path_factory.mktemp("image"))


@pytest.fixture
def raw(template: Path, tmp_path: Path) -> Path:
    """The raw file of an image, its map and its sums beside it."""
    subprocess.run(["cp", "-r", "--sparse=always", template.parent, tmp_path], check=True)
    return tmp_path / template.parent.name / template.name


@pytest.fixture
def used(tmp_path: Path) -> Path:
    """A file for a stick that was full of other things before."""
    return sticks_of.used_stick(tmp_path / "stick", STICK_SIZE)


@pytest.fixture
def nothing_left() -> Iterator[None]:
    """Fails the test where it leaves an open file, a thread or a program."""
    files, threads, programs = _now()
    yield
    assert _now() == (files, threads, programs)


def _now() -> tuple[set[str], int, list[int]]:
    files = {one.name for one in Path("/proc/self/fd").iterdir()}
    return files, threading.active_count(), children(os.getpid())


@pytest.fixture(autouse=True)
def interruptible() -> Iterator[None]:
    """Ctrl-C arrives as in a terminal, also where tests run in the background without it."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)
