"""Starts that cannot come from a snapshot: set-up mode, a version on trial, a power cut."""

import random

import pytest
from cryptography.hazmat.primitives.serialization import Encoding

from builder.artifacts import Artifacts
from builder.disk import USR, first
from builder.machines import firmware
from builder.machines.equipment import MachineOptions
from builder.machines.machine import STARTING, Machine
from builder.machines.shell import wait_for
from tests.boot.conftest import House
from tests.boot.power import cut, cut_first_start
from tests.boot.test_reset import (
    ROOT,
    SEED,
)

pytestmark = pytest.mark.boot

# etcd makes it under another name, and gives it this one once it is whole.
LOG = "/var/lib/etcd/ratssaal/member/wal"


def test_enrols_its_own_keys_in_set_up_mode(house: House, artifacts: Artifacts) -> None:
    """A new machine trusts nobody yet: the image enrols its keys, restarts, and is verified."""
    with Machine(house.stage, artifacts, house.owner, MachineOptions(enrolled=False)) as machine:
        cut_first_start(machine, SEED)
        machine.wait_until_ready_again()
        # One start to enrol, one to be verified, one since the power went, unless it went between
        # the first two. No door here, as the keys are the image's alone.
        assert machine.serial().count(STARTING) in (2, 3)
        machine.wait_for_serial("Secure Boot on, disk not encrypted")
        trusted = machine.firmware_variable("db")
        assert house.owner.load().public_bytes(Encoding.DER) in trusted


# Too long for every run, which has it from a container (tests/box/test_services.py): with --all.
@pytest.mark.slow
def test_a_first_start_ends_well_where_power_goes_while_the_store_is_made(
    house: House, artifacts: Artifacts
) -> None:
    with Machine(house.stage, artifacts, house.owner, MachineOptions(door=house.door)) as machine:
        machine.door.run(f"until test -e {LOG}; do :; done", seconds=400)
        cut(machine, random.Random(SEED), 0.0)
        machine.wait_until_ready_again()
        said = machine.shell("journalctl --boot --no-pager --output=cat --unit=etcd.service")
        assert "it is made anew" in said
        machine.shell("test ! -e /var/lib/etcd/being-made; etcdctl endpoint health")


# Too long for every run, as long as there are no updates: with --all.
@pytest.mark.slow
def test_a_version_on_trial_that_is_healthy_stays(machine: Machine, house: House) -> None:
    """The boot loader counts the attempts of a new version; the box's own health ends the trial."""
    machine.shell(
        "bootctl --print-esp-path >/dev/null; cd /boot/EFI/Linux;"
        " cp ratssaal_*.efi ratssaal_9.0.0+3.efi; sync"
    )
    machine.reboot()
    assert "ratssaal_9.0.0" in machine.shell("bootctl status --no-pager 2>/dev/null")
    names = machine.shell(
        "timeout 60 sh -c 'until ls /boot/EFI/Linux/ratssaal_9.0.0.efi; do sleep 0.2; done'"
    )
    assert "ratssaal_9.0.0.efi" in names


def test_a_command_line_from_the_boot_menu_changes_nothing(
    house: House, artifacts: Artifacts
) -> None:
    """An entry of the boot menu that asks the same signed kernel for a root shell."""
    machine = Machine(house.stage, artifacts, house.owner, MachineOptions(door=house.door))
    machine.prepare()
    entry = machine.folder / "evil.conf"
    entry.write_text(
        f"title Evil\nefi /EFI/Linux/{artifacts.kernel.name}\noptions init=/usr/bin/bash evil=1\n"
    )
    firmware.copy_to_esp(house.stage.toolbox, machine.base, entry, "/loader/entries/evil.conf")
    choice = machine.folder / "loader.conf"
    choice.write_text("default evil.conf\ntimeout 0\n")
    firmware.copy_to_esp(house.stage.toolbox, machine.base, choice, "/loader/loader.conf")
    with machine:
        machine.wait_until_ready()
        assert "evil" in machine.shell(
            "bootctl status --no-pager 2>/dev/null | grep -i 'Current Entry'"
        )
        assert "evil" not in machine.shell("cat /proc/cmdline")


COUNTED = "/sys/firmware/efi/efivars/LoaderBootCountPath-4a67b082-0a4c-41cf-b6c7-440b29bb8c4f"


# Too long for every run, as long as there are no updates: with --all.
@pytest.mark.slow
def test_a_version_on_trial_that_is_not_healthy_is_given_up(machine: Machine) -> None:
    """It restarts the box by itself; after its last attempt the version before starts."""
    machine.shell(
        "cd /boot/EFI/Linux; cp ratssaal_*.efi ratssaal_9.0.0+1.efi; sync;"
        " mkdir -p /etc/systemd/system/ratssaal-health.service.d;"
        " printf '[Service]\\nExecStart=\\nExecStart=/usr/bin/test ! -e %s\\n'"
        f" {COUNTED} >/etc/systemd/system/ratssaal-health.service.d/test.conf; sync"
    )
    before = machine.serial().count(STARTING)
    machine.reset()
    wait_for(lambda: machine.serial().count(STARTING) == before + 2, 300, "It stayed in its trial.")
    current = machine.shell(
        "systemctl is-system-running --wait >/dev/null || true;"
        " bootctl status --no-pager 2>/dev/null | grep 'Current Entry'; ls /boot/EFI/Linux"
    )
    assert "Current Entry: ratssaal_9.0.0" not in current
    assert "ratssaal_9.0.0+0-1.efi" in current
    assert machine.shell("systemctl is-active ratssaal-health.service").strip() == "active"
    assert machine.serial().count(STARTING) == before + 2


# Too long for every run: with --all.
@pytest.mark.slow
def test_a_start_that_fails_says_so_and_is_tried_again(house: House, artifacts: Artifacts) -> None:
    """The first block of /usr is not what the signed root hash stands for."""
    machine = Machine(house.stage, artifacts, house.owner, MachineOptions())
    machine.prepare()
    with machine.base.open("r+b") as disk, artifacts.usr.open("rb") as usr:
        beginning = usr.read(4096)
        place = first(house.stage.toolbox, machine.base, USR).start
        disk.seek(place)
        assert disk.read(4096) == beginning
        disk.seek(place + 1024)  # erofs' superblock
        disk.write(b"\xff")
    with machine:
        machine.wait_for_serial("Der Start ist fehlgeschlagen")
        tries = machine.serial().count(STARTING)
        wait_for(lambda: machine.serial().count(STARTING) > tries, 180, "It was not tried again.")
        assert "State" not in machine.serial()


@pytest.mark.slow  # Too long for every run: with --all.
@pytest.mark.parametrize("tpm", [False, True], ids=["plain", "encrypted"])
@pytest.mark.parametrize("seed", range(10))
def test_a_first_start_ends_well_wherever_power_goes(
    house: House, artifacts: Artifacts, tpm: bool, seed: int
) -> None:
    options = MachineOptions(door=house.door, tpm=tpm)
    with Machine(house.stage, artifacts, house.owner, options) as machine:
        cut_first_start(machine, seed, times=9)
        machine.wait_until_ready_again()
        kind = machine.shell("lsblk --noheadings --output TYPE $(findmnt -no SOURCE /)").split()
        assert kind[0] == ("crypt" if tpm else "part")
        assert machine.shell("systemctl --failed --no-legend --plain") == ""
        if tpm:
            header = machine.shell(f"cryptsetup luksDump {ROOT}")
            assert (header.count("systemd-tpm2"), header.count("systemd-recovery")) == (1, 1)
            machine.shell("test -s /var/lib/ratssaal/secrets/recovery-key")
