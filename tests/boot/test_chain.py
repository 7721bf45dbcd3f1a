"""The boot chain: what starts, what does not, and what a changed byte does."""

import re
import shutil
from pathlib import Path

import pytest

from builder import call
from builder.artifacts import Artifacts
from builder.errors import CommandError
from builder.machines import firmware
from builder.machines.equipment import MachineOptions
from builder.machines.machine import STARTING, Machine
from builder.machines.shell import wait_for
from builder.paths import version
from tests.boot import chain
from tests.boot.conftest import House

pytestmark = pytest.mark.boot

SELECTED = "/sys/firmware/efi/efivars/LoaderEntrySelected-4a67b082-0a4c-41cf-b6c7-440b29bb8c4f"


def test_started_well(machine: Machine) -> None:
    chain.nothing_has_failed(machine)


def test_call_through_firmware_secure_boot_and_verity(machine: Machine, house: House) -> None:
    assert call.hold(machine, house.stage).held()


def test_secure_boot_is_on_and_the_kernel_locked_and_untainted(machine: Machine) -> None:
    chain.secure_boot_is_on_and_the_kernel_locked(machine)


def test_memory_is_in_huge_pages(machine: Machine) -> None:
    """As `bench meeting` counts on, and not by the kernel's default alone."""
    pages = "/sys/kernel/mm/transparent_hugepage/enabled"
    assert "[always]" in machine.shell(f"cat {pages}")
    machine.shell(f"echo madvise >{pages}; systemd-tmpfiles --create 60-livekit.conf")
    assert "[always]" in machine.shell(f"cat {pages}")


def test_usr_is_verified_and_cannot_be_written(machine: Machine) -> None:
    chain.usr_is_verified(machine)


@pytest.mark.slow  # With --all.
def test_etc_is_the_images_own_and_above_it_one_folder_for_each_version(machine: Machine) -> None:
    kind, options = machine.shell("findmnt --noheadings --output FSTYPE,OPTIONS /etc").split()
    assert kind == "overlay"
    own = f"/var/lib/ratssaal/etc/{version()}/upper"
    assert re.search(rf"upperdir=(/sysroot)?{re.escape(own)},", options)
    assert re.search(r"lowerdir=(/sysroot)?/usr/share/factory/etc,", options)
    assert machine.shell(f"echo mine >/etc/mine; cat {own}/mine") == "mine\n"


@pytest.mark.slow  # With --all.
def test_both_slots_have_room_for_the_versions_to_come(machine: Machine) -> None:
    chain.both_slots_are_there(machine, "vda")


def test_screen_and_serial_line_show_the_box_not_the_kernel(
    machine: Machine, started: Machine, tmp_path: Path
) -> None:
    text = started.serial().rpartition("BdsDxe: starting")[2]
    assert "https://ratssaal.local" in text
    assert f"https://{machine.address}" in text
    assert not re.search(r"^\[ +\d+\.\d+\]", text, re.MULTILINE)
    picture = machine.screenshot(tmp_path / "screen.png")
    assert picture.stat().st_size > 2000
    # QEMU's screen has 1280 by 800 dots, a letter of the kernel's 8 by 16.
    wait_for(
        lambda: machine.shell("stty --file=/dev/tty1 size") == "25 80\n",
        60,
        "The letters stayed small.",
    )


def test_one_flipped_byte_in_usr_is_noticed_loudly(machine: Machine, artifacts: Artifacts) -> None:
    """In a block that the start has not read, on the disk below the running machine."""
    content = artifacts.usr.read_bytes()
    offset = int(machine.shell("cat /sys/class/block/vda3/start")) * 512
    # A block near the end of the file system: file data, far from what a start reads.
    place = len(content) * 9 // 10 // 4096 * 4096 + 100
    with machine.base.open("r+b") as disk:
        disk.seek(offset + place)
        before = disk.read(1)
        disk.seek(offset + place)
        disk.write(bytes([before[0] ^ 0xFF]))
    try:
        machine.shell("echo 3 > /proc/sys/vm/drop_caches")
        with pytest.raises(CommandError, match="Input/output error"):
            machine.shell("dd if=/dev/mapper/usr of=/dev/null bs=1M iflag=direct")
        assert "is corrupted" in machine.shell("dmesg")
    finally:
        with machine.base.open("r+b") as disk:
            disk.seek(offset + place)
            disk.write(before)


def test_partition_table_is_stable_after_the_first_start(machine: Machine) -> None:
    before = machine.shell(
        "lsblk --bytes --noheadings --output NAME,SIZE,PARTUUID,PARTLABEL /dev/vda"
    )
    assert before.count("vda") == 7
    assert "_empty" in before
    machine.reboot()
    after = machine.shell(
        "lsblk --bytes --noheadings --output NAME,SIZE,PARTUUID,PARTLABEL /dev/vda"
    )
    assert after == before
    assert machine.shell("systemctl --failed --no-legend --plain") == ""


def spoiled(house: House, artifacts: Artifacts) -> Machine:
    """A machine whose disk may be spoiled before its first start."""
    machine = Machine(house.stage, artifacts, house.owner, MachineOptions())
    machine.prepare()
    return machine


def test_an_unsigned_kernel_does_not_start(house: House, artifacts: Artifacts) -> None:
    machine = spoiled(house, artifacts)
    unsigned = machine.folder / "unsigned.efi"
    shutil.copyfile(artifacts.kernel, unsigned)
    house.stage.toolbox.run(["sbattach", "--remove", unsigned], writable=[machine.folder])
    target = f"/EFI/Linux/{artifacts.kernel.name}"
    firmware.copy_to_esp(house.stage.toolbox, machine.base, unsigned, target)
    with machine:
        machine.wait_for_serial("Security Policy Violation|Access denied|Security violation", 120)
        assert "Ratssaal" not in machine.serial()


def test_a_changed_kernel_does_not_start(house: House, artifacts: Artifacts) -> None:
    """The command line inside the signed image, edited: the same length, another meaning."""
    machine = spoiled(house, artifacts)
    edited = machine.folder / "edited.efi"
    content = artifacts.kernel.read_bytes()
    assert content.count(b"lockdown=integrity") >= 1
    edited.write_bytes(content.replace(b"lockdown=integrity", b"init=/usr/bin/bash"))
    target = f"/EFI/Linux/{artifacts.kernel.name}"
    firmware.copy_to_esp(house.stage.toolbox, machine.base, edited, target)
    with machine:
        machine.wait_for_serial("Security Policy Violation|Access denied|Security violation", 120)
        assert "Ratssaal" not in machine.serial()


@pytest.mark.slow  # Too long for every run: with --all.
def test_entries_of_the_boot_menu_are_chosen_and_not_edited(machine: Machine) -> None:
    """An editor would open with `e`, take no arrow, and start the entry above with Enter."""
    starts, place = machine.serial().count(STARTING), len(machine.serial())
    machine.shell("bootctl set-timeout-oneshot menu-force; systemctl --no-block reboot")
    machine.expect_start(starts)
    wait_for(
        lambda: "repair start" in machine.serial()[place:], 120, "The boot menu was not shown."
    )
    machine.press("e", "down", "ret")
    assert machine.shell(f"tr -c -d 'a-z.-' <{SELECTED}") == "ratssaal-repair.conf"


def test_services_are_confined_by_apparmor(machine: Machine) -> None:
    """Containers cannot show it: the host's kernel has no AppArmor."""
    for name in ("livekit-server", "etcd"):
        confined = machine.shell(f"cat /proc/$(pidof {name})/attr/current").strip()
        assert confined == f"ratssaal.{name.removesuffix('-server')} (enforce)"
    # Even root's LiveKit reads nothing but its own files.
    said = machine.shell("/usr/lib/ratssaal/stack/livekit-server --config /etc/shadow 2>&1 || true")
    assert "permission denied" in said
