"""Who says that the stick was pulled out while it was copied."""

import threading
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import pytest

from firstboot.install.disks import Disk
from firstboot.install.pulled import Guard, first_page
from firstboot.texts import Said

pytestmark = pytest.mark.unit

SECTORS = 1000
STICK = Disk("/dev/sda", SECTORS * 512)
SAID = Said("install.pulled", {"disk": "Disk 9000"})


@pytest.fixture
def box(tmp_path: Path) -> Path:
    """A box with a stick of 1000 sectors, another disk, and a screen."""
    for name, size in (("sda", SECTORS), ("nvme0n1", 5)):
        plug(tmp_path, name, size)
    for name in ("screen", "restart"):
        (tmp_path / name).touch()
    return tmp_path


def plug(box: Path, name: str, size: int) -> None:
    (box / "blocks" / name).mkdir(parents=True)
    (box / "blocks" / name / "size").write_text(f"{size}\n")


def unplug(box: Path) -> None:
    (box / "blocks/sda/size").unlink()
    (box / "blocks/sda").rmdir()


def guard(box: Path) -> Guard:
    """Of a stick that can be read until the file `dead` is there."""
    return Guard(
        STICK,
        SAID,
        screens=[box / "screen", box / "none"],
        blocks=box / "blocks",
        restart=box / "restart",
        answers=lambda: not (box / "dead").exists(),
    )


def until(file: Path, words: str) -> None:
    deadline = time.monotonic() + 10
    while words not in file.read_text():
        assert time.monotonic() < deadline
        time.sleep(0.02)


def begun(copy: Callable[[], None]) -> threading.Thread:
    """Copying under way, which never ends by itself once the stick has gone."""
    copying = threading.Thread(target=copy, daemon=True)
    copying.start()
    return copying


def restarts(box: Path, copying: threading.Thread) -> None:
    until(box / "restart", "b")
    copying.join(10)
    assert not copying.is_alive()


def test_a_stick_that_stays_is_no_matter(box: Path) -> None:
    with guard(box):
        pass
    with pytest.raises(OSError, match="worn out"), guard(box):
        raise OSError(5, "worn out")
    assert (box / "screen").read_text() == (box / "restart").read_text() == ""


def test_a_pulled_stick_is_told_and_its_return_restarts_the_box(box: Path) -> None:
    """Whatever fails meanwhile, nothing else is said until then."""

    def copy() -> None:
        with suppress(OSError), guard(box):
            until(box / "screen", "Disk 9000")
            raise OSError(5, "Input/output error")

    copying = begun(copy)
    unplug(box)
    until(box / "screen", "Disk 9000")
    said = " ".join((box / "screen").read_text().split())
    assert "Bitte stecken Sie ihn wieder ein." in said
    assert "Please plug it in again" in said
    plug(box, "sdb", 7)
    time.sleep(0.5)
    assert copying.is_alive()
    assert (box / "restart").read_text() == ""
    plug(box, "sdc", SECTORS)
    restarts(box, copying)


def test_a_stick_that_the_kernel_still_lists_is_told_once_it_cannot_be_read(box: Path) -> None:
    """It is listed until all that was to be written to it has failed; its name is free then."""

    def copy() -> None:
        with suppress(OSError), guard(box):
            (box / "dead").touch()
            raise OSError(5, "Input/output error")

    copying = begun(copy)
    until(box / "screen", "Disk 9000")
    time.sleep(0.5)
    assert (box / "restart").read_text() == ""
    unplug(box)
    time.sleep(0.5)
    assert (box / "restart").read_text() == ""
    plug(box, "sda", SECTORS)
    restarts(box, copying)


def test_a_stick_is_read_past_memory_and_its_end_is_noticed(tmp_path: Path) -> None:
    stick = tmp_path / "stick"
    stick.write_bytes(b"x" * 2**20)
    reads = first_page(str(stick))
    assert reads()
    stick.write_bytes(b"")
    assert not reads()
