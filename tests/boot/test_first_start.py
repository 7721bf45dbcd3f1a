"""Starts that cannot come from a snapshot: set-up mode, with a TPM, and a version on trial."""

import re

import pytest
from cryptography.hazmat.primitives.serialization import Encoding

from builder import firmware
from builder.artifacts import Artifacts
from builder.machine import Machine, MachineOptions
from tests.boot.conftest import House

pytestmark = pytest.mark.boot


def test_enrols_its_own_keys_in_set_up_mode(house: House, artifacts: Artifacts) -> None:
    """A new machine trusts nobody yet: the image enrols its keys, restarts, and is verified."""
    with Machine(house.stage, artifacts, house.owner, MachineOptions(enrolled=False)) as machine:
        machine.wait_until_ready()
        # One start to enrol, one to be verified; no door here, as the keys are the image's alone.
        assert machine.serial().count("BdsDxe: starting") >= 2
        assert "Secure Boot on, disk not encrypted" in machine.serial()
        trusted = machine.firmware_variable("db")
        assert house.owner.load().public_bytes(Encoding.DER) in trusted


def test_root_is_encrypted_to_the_tpm_and_opens_again(house: House, artifacts: Artifacts) -> None:
    options = MachineOptions(door=house.door, tpm=True)
    with Machine(house.stage, artifacts, house.owner, options) as machine:
        machine.wait_until_ready()
        assert "Secure Boot on, disk encrypted" in machine.serial()
        for start in ("first", "second"):
            kind = machine.shell("lsblk --noheadings --output TYPE $(findmnt -no SOURCE /)").split()
            assert kind[0] == "crypt", start
            header = machine.shell("cryptsetup luksDump /dev/disk/by-partlabel/ratssaal-root")
            assert "systemd-tpm2" in header
            # Opening the disk has extended PCR 15: nobody can ask the TPM for its key any more.
            extended = machine.shell("cat /sys/class/tpm/tpm0/pcr-sha256/15").strip()
            assert re.fullmatch(r"[0-9A-F]{64}", extended)
            assert set(extended) != {"0"}
            # And where root were a plain one put in its place, the initrd's own unit extends it.
            sealed = machine.shell("journalctl --boot --no-pager --unit ratssaal-seal.service")
            assert "Finished ratssaal-seal.service" in sealed
            if start == "first":
                machine.reboot()
        assert machine.shell("systemctl --failed --no-legend --plain") == ""


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
