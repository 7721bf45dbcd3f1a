"""Flashing a USB stick as the kernel knows one: good, worn out, pulled out, and the wrong ones."""

import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from builder.machines.machine import Machine
from builder.machines.shell import wait_for
from builder.paths import PROJECT
from tests.boot import writer
from tests.unit.builder import sticks_of
from tests.unit.builder.sticks_of import IMAGE_SIZE, MIB, NAME, STICK_SIZE

pytestmark = pytest.mark.boot

HERE = "/run/flash"
BAD = 15 * MIB // 512  # the sector that fails; the image has data there
EIO = 5
SLOW = 2 * MIB  # bytes a second of a stick that has to be caught in the middle
GROUP = "slow"


class Desk:
    """A machine on which the engineer's tools lie, and sticks of its USB sockets."""

    def __init__(self, machine: Machine) -> None:
        self.machine = machine
        self.folder = machine.folder / "desk"
        self.folder.mkdir()
        self.raw = sticks_of.image(self.folder)
        tools = self.folder / "tools.tar"
        subprocess.run(["tar", "-cSf", str(tools), NAME], cwd=self.folder, check=True)
        append = ["tar", "-rf", str(tools), "--exclude=__pycache__", "pyproject.toml", "builder"]
        subprocess.run([*append, "tests/boot/writer.py"], cwd=PROJECT, check=True)
        # A disk takes whole sectors only, and of 4 KiB where that is asked.
        with self.plugged(tools):
            machine.shell(
                f"mkdir {HERE}; tar -xf {self.device(tools)} -C {HERE};"
                f" mv {HERE}/tests/boot/{Path(writer.__file__).name} {HERE}"
            )

    def stick(self, name: str, size: int = STICK_SIZE) -> Path:
        """A stick that was full of other things before."""
        return sticks_of.used_stick(self.folder / f"{name}.img", size)

    def plug(self, image: Path, below: dict[str, Any] | None = None, **how: bool) -> None:
        """Plug the stick `image` in and wait until the box knows it."""
        self.machine.plug(image, below=below, **how)
        self.machine.wait_for_file(place(image))

    @contextmanager
    def plugged(
        self, image: Path, below: dict[str, Any] | None = None, **how: bool
    ) -> Iterator[None]:
        """The stick `image`, plugged in for the length of a block."""
        self.plug(image, below, **how)
        yield
        self.machine.unplug(image)

    def device(self, image: Path) -> str:
        """What the box calls the stick `image`."""
        return str(self.machine.shell(f"readlink -f {place(image)}")).strip()

    def command(self, image: Path, device: str = "") -> str:
        """What writes it, by its serial number."""
        return f"cd {HERE}; python3 -B {HERE}/writer.py {NAME} {image.stem} {device}"

    def flash(self, image: Path, device: str = "") -> tuple[int, str]:
        """The exit code, and what was said, on one line."""
        said = self.machine.shell(f"({self.command(image, device)}) 2>&1 || echo code $?")
        words = " ".join(said.split())
        text, _, code = words.rpartition(" code ")
        return (int(code), text) if text else (0, words)


def place(image: Path) -> str:
    """The name by serial number that udev gives to the stick `image`."""
    return f"/dev/disk/by-id/usb-*_{image.stem}-0:0"


def failing(image: Path, kind: str) -> dict[str, Any]:
    """A stick of which one sector can no longer be read, or written (QEMU's blkdebug)."""
    rule = {"event": "none", "iotype": kind, "sector": BAD, "errno": EIO, "once": False}
    file = {"driver": "file", "filename": str(image)}
    return {"driver": "blkdebug", "image": file, "inject-error": [rule]}


@pytest.fixture
def desk(machine: Machine) -> Iterator[Desk]:
    found = Desk(machine)
    yield found
    shutil.rmtree(found.folder)


def test_a_stick_is_written_or_it_is_said_why_not(desk: Desk) -> None:
    """One machine for all of them: what is plugged in is all that differs."""
    good = desk.stick("good")
    before = good.read_bytes()
    with desk.plugged(good):
        code, said = desk.flash(good)
        assert (code, "Done: QEMU" in said) == (0, True), said
        # The box's own disk is no stick, by whatever name.
        code, said = desk.flash(good, "/dev/vda")
        assert (code, "disk that this machine runs from" in said) == (2, True), said
        # A part of a stick is none either.
        code, said = desk.flash(good, f"{desk.device(good)}1")
        assert (code, "is a part of" in said) == (2, True), said
    sticks_of.holds(good.read_bytes(), desk.raw.read_bytes(), before)

    for kind in ("write", "read"):
        worn = desk.stick(f"worn-{kind}")
        with desk.plugged(worn, failing(worn, kind)):
            code, said = desk.flash(worn)
        assert (code, "The stick fails" in said) == (1, True), said
        assert sticks_of.looks_empty(worn)

    short = desk.stick("short", IMAGE_SIZE - MIB)
    kept = short.read_bytes()
    with desk.plugged(short):
        code, said = desk.flash(short)
    assert (code, f"the image needs {IMAGE_SIZE}" in said) == (1, True), said
    with desk.plugged(short, read_only=True):
        code, said = desk.flash(short)
    assert (code, "write-protected" in said) == (1, True), said
    assert short.read_bytes() == kept


def test_a_stick_pulled_out_in_the_middle_is_told_from_one_that_fails(desk: Desk) -> None:
    machine, pulled = desk.machine, desk.stick("pulled")
    limits = {"bps-write": SLOW}
    machine.qmp("object-add", **{"qom-type": "throttle-group", "id": GROUP, "limits": limits})
    file = {"driver": "file", "filename": str(pulled)}
    desk.plug(pulled, {"driver": "throttle", "throttle-group": GROUP, "file": file})
    script = f"({desk.command(pulled)}) >said 2>&1; echo code $? >>said"
    machine.shell(f"cd {HERE}; setsid sh -c '{script}' >/dev/null 2>&1 </dev/null &")
    wait_for(lambda: written(machine, pulled) > 5 * MIB, 120, "Nothing was written.")
    machine.unplug(pulled)
    done = f"timeout 120 sh -c 'until grep -q ^code {HERE}/said; do sleep 0.2; done'"
    said = " ".join(machine.shell(f"{done}; cat {HERE}/said").split())
    assert "The stick was pulled out" in said
    assert said.endswith("code 1")
    assert written_less(pulled, desk.raw)
    assert sticks_of.looks_empty(pulled)
    # And again, with the same stick: now it is whole.
    with desk.plugged(pulled):
        code, said = desk.flash(pulled)
    assert code == 0, said
    assert pulled.read_bytes()[:MIB] == desk.raw.read_bytes()[:MIB]


def written(machine: Machine, image: Path) -> int:
    """How many bytes the stick `image` has taken so far."""
    for one in machine.qmp("query-blockstats"):
        if f"/{image.stem}/" in one.get("qdev", ""):
            return int(one["stats"]["wr_bytes"])
    return 0


def written_less(stick: Path, raw: Path) -> bool:
    """Whether the last of the image's data never reached the stick."""
    start, end = sticks_of.DATA[-1]
    return stick.read_bytes()[start:end] != raw.read_bytes()[start:end]
