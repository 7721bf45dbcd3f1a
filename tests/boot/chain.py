"""What holds on every machine that was started well, from whatever disk."""

import re

import pytest

from builder.errors import CommandError
from builder.machines.machine import Machine
from firstboot.install.disks import USR, USR_VERITY

SLOTS = ((USR, 3 * 2**30), (USR_VERITY, 64 * 2**20))  # the kind of a partition, and its bytes


def nothing_has_failed(machine: Machine) -> None:
    """No unit has, nor had any to be left out for an order that cannot be kept."""
    machine.shell("systemctl is-system-running --wait >/dev/null || true")
    assert machine.shell("systemctl --failed --no-legend --plain") == ""
    assert machine.shell("systemctl is-system-running").strip() == "running"
    assert "ordering cycle" not in machine.shell("journalctl --boot --no-pager")


def secure_boot_is_on_and_the_kernel_locked(machine: Machine) -> None:
    """And untainted: nothing was loaded that is not Debian's."""
    status = machine.shell("bootctl status --no-pager 2>/dev/null")
    assert re.search(r"Secure Boot: enabled \(user\)", status)
    assert "[integrity]" in machine.shell("cat /sys/kernel/security/lockdown")
    assert machine.shell("cat /proc/sys/kernel/tainted").strip() == "0"


def usr_is_verified(machine: Machine) -> None:
    """By dm-verity; and nobody writes to it."""
    assert machine.shell("findmnt --noheadings --output SOURCE,FSTYPE /usr").split() == [
        "/dev/mapper/usr",
        "erofs",
    ]
    assert "verified" in machine.shell("veritysetup status usr 2>/dev/null || dmsetup status usr")
    with pytest.raises(CommandError, match="Read-only file system"):
        machine.shell("touch /usr/here")


def both_slots_are_there(machine: Machine, disk: str) -> None:
    """Each with room for the versions to come."""
    listed = machine.shell(f"lsblk --bytes --noheadings --raw --output PARTTYPE,SIZE /dev/{disk}")
    parts = [line.split() for line in listed.splitlines()]
    for kind, size in SLOTS:
        assert [one[1] for one in parts if one[0] == kind] == [str(size)] * 2


def is_sound(machine: Machine, disk: str) -> None:
    """All of it."""
    nothing_has_failed(machine)
    secure_boot_is_on_and_the_kernel_locked(machine)
    usr_is_verified(machine)
    both_slots_are_there(machine, disk)
