"""Starts that cannot come from a snapshot: set-up mode, with a TPM, and a version on trial."""

import re
from collections.abc import Iterator

import pytest
from cryptography.hazmat.primitives.serialization import Encoding

from builder import firmware
from builder.artifacts import Artifacts
from builder.disk import USR, first
from builder.machine import Machine, MachineOptions
from builder.shell import wait_for
from tests.boot.conftest import House

pytestmark = pytest.mark.boot

STARTING = "BdsDxe: starting"  # what the firmware says on the serial line at each start


def test_enrols_its_own_keys_in_set_up_mode(house: House, artifacts: Artifacts) -> None:
    """A new machine trusts nobody yet: the image enrols its keys, restarts, and is verified."""
    with Machine(house.stage, artifacts, house.owner, MachineOptions(enrolled=False)) as machine:
        machine.wait_until_ready()
        # One start to enrol, one to be verified; no door here, as the keys are the image's alone.
        assert machine.serial().count(STARTING) >= 2
        assert "Secure Boot on, disk not encrypted" in machine.serial()
        trusted = machine.firmware_variable("db")
        assert house.owner.load().public_bytes(Encoding.DER) in trusted


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


@pytest.fixture(scope="module")
def sealed(house: House, artifacts: Artifacts) -> Iterator[Machine]:
    """A machine with a TPM, started for the first time; its tests follow one another."""
    options = MachineOptions(door=house.door, tpm=True)
    with Machine(house.stage, artifacts, house.owner, options) as machine:
        machine.wait_until_ready()
        yield machine


def test_root_is_encrypted_to_the_tpm_and_opens_again(sealed: Machine) -> None:
    assert "Secure Boot on, disk encrypted" in sealed.serial()
    for start in ("first", "second"):
        kind = sealed.shell("lsblk --noheadings --output TYPE $(findmnt -no SOURCE /)").split()
        assert kind[0] == "crypt", start
        header = sealed.shell("cryptsetup luksDump /dev/disk/by-partlabel/ratssaal-root")
        assert "systemd-tpm2" in header
        # Opening the disk has extended PCR 15: nobody can ask the TPM for its key any more.
        extended = sealed.shell("cat /sys/class/tpm/tpm0/pcr-sha256/15").strip()
        assert re.fullmatch(r"[0-9A-F]{64}", extended)
        assert set(extended) != {"0"}
        if start == "first":
            sealed.reboot()
    assert sealed.shell("systemctl --failed --no-legend --plain") == ""


def test_a_root_put_in_its_place_does_not_get_the_disks_key(sealed: Machine) -> None:
    """Whoever holds the disk may replace root by one of theirs, but the TPM then keeps the key."""
    # Keep the encrypted disk's header, put an empty plain root in its place, pull the plug.
    sealed.shell(
        "partition=/dev/disk/by-partlabel/ratssaal-root;"
        " dd if=$partition of=/boot/header bs=1M count=16 status=none; sync;"
        " truncate --size=256M /run/root; mkfs.ext4 -q -L ratssaal-root /run/root;"
        " dd if=/run/root of=$partition bs=1M oflag=direct status=none"
    )
    before = sealed.serial().count(STARTING)
    sealed.reset()
    wait_for(lambda: sealed.serial().count(STARTING) > before, 120, "It did not restart.")
    sealed.shell("systemctl is-system-running --wait >/dev/null || true")
    assert sealed.shell("findmnt --noheadings --output FSTYPE,SOURCE /").split() == [
        "ext4",
        sealed.shell("realpath /dev/disk/by-partlabel/ratssaal-root").strip(),
    ]
    said = sealed.shell(
        "disk=$(losetup --find --show /boot/header);"
        " /usr/lib/systemd/systemd-cryptsetup attach stolen $disk - tpm2-device=auto,headless=1"
        " 2>&1 || true; ls /dev/mapper"
    )
    assert "Failed to unseal secret using TPM2: Operation not permitted" in said
    assert "stolen" not in said.splitlines()
