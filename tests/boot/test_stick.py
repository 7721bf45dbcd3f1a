"""The report for support, written to a stick that is plugged in while the box runs."""

import re
import tarfile
from pathlib import Path

import pytest

from builder.machines import firmware
from builder.machines.machine import Machine
from builder.run import Argument
from tests.boot.test_keys import code_shown, shown, until_shown

pytestmark = pytest.mark.boot

LABEL = "TEST"
NAME = re.compile(r"ratssaal-\d{8}-\d{6}\.tar\.gz")
START = 2048  # of the partition, in sectors
SMALL = 128 * 2**10


def partitioned(machine: Machine) -> Path:
    """A stick as it is sold: a partition table with one FAT file system."""
    image = machine.folder / "sold.img"
    with image.open("wb") as file:
        file.truncate(64 * 2**20)
    run, inside = machine.stage.toolbox.run, [machine.folder]
    table = f"echo '{START},,c' | sfdisk --quiet --label dos {image}"
    run(["sh", "-c", table], writable=inside)
    make: list[Argument] = ["mkfs.vfat", "-n", LABEL, "--offset", str(START), image]
    run(make, writable=inside)
    return image


def filled(machine: Machine) -> Path:
    """A stick without a partition table and with 12 KiB of room at most."""
    image, file = machine.folder / "filled.img", machine.folder / "file"
    image.write_bytes(bytes(SMALL))
    file.write_bytes(bytes(100 * 2**10))
    run, inside = machine.stage.toolbox.run, [machine.folder]
    run(["mkfs.vfat", "-n", LABEL, image], writable=inside)
    run(["mcopy", "-i", image, file, "::"], writable=inside)
    return image


def plug(machine: Machine, image: Path, label: str = LABEL, read_only: bool = False) -> None:
    """Plug it in and wait until the box has seen what is on it."""
    machine.plug(image, read_only)
    machine.wait_for_file(f"/dev/disk/by-label/{label}")


def listed(machine: Machine, where: str) -> list[str]:
    """The names of the files on a stick."""
    printed = machine.stage.toolbox.run(["mdir", "-b", "-i", where, "::"])
    return [line.removeprefix("::/") for line in printed.split()]


def test_the_report_goes_to_a_stick_by_a_key(machine: Machine) -> None:
    code = code_shown(machine)
    assert code
    machine.press("b")
    until_shown(machine, "Es steckt kein USB-Stick")
    # With answers on it perhaps, and not to be given away.
    ours = machine.folder / "ours.img"
    firmware.make_seed(machine.stage.toolbox, ours, {})
    plug(machine, ours, firmware.SEED_LABEL)
    machine.press("b")
    until_shown(machine, "Das ist der Stick von Ratssaal")
    machine.unplug(ours)
    full = filled(machine)
    plug(machine, full)
    machine.press("b")
    until_shown(machine, "Der Stick ist voll")
    machine.unplug(full)
    assert listed(machine, str(full)) == ["file"]
    sold = partitioned(machine)
    plug(machine, sold, read_only=True)
    machine.press("b")
    until_shown(machine, "Der Stick ist schreibgesch")
    machine.unplug(sold)
    plug(machine, sold)
    machine.press("b")
    until_shown(machine, "Der Bericht ist auf dem Stick", "ratssaal-20")
    name = NAME.search(shown(machine))
    assert name
    machine.unplug(sold)
    place = f"{sold}@@{START * 512}"
    assert listed(machine, place) == [name[0]]
    read: list[Argument] = ["mcopy", "-i", place, f"::{name[0]}", machine.folder]
    machine.stage.toolbox.run(read, writable=[machine.folder])
    with tarfile.open(machine.folder / name[0]) as archive:
        files = {
            one.name: file.read().decode()
            for one in archive.getmembers()
            if (file := archive.extractfile(one))
        }
    assert "ratssaal-health" in files["ratssaal-support/journal.txt"]
    for secret in (code, code.replace(" ", "")):
        assert not any(secret in text for text in files.values())
    # Nothing was left behind, and nothing has failed.
    assert (
        machine.shell("ls /run/ratssaal-support; findmnt -n -t vfat,exfat | grep -v boot || true")
        == ""
    )
    assert machine.shell("systemctl --failed --no-legend --plain") == ""
