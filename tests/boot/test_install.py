"""Installed from the stick: on empty disks and on others, with the stick pulled out afterwards."""

import base64
import json
import random
import re
from dataclasses import replace

import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from builder import call
from builder.artifacts import Artifacts
from builder.machines.equipment import Drive, MachineOptions
from builder.machines.machine import STARTING, Machine
from builder.machines.shell import START_SECONDS, wait_for
from builder.run import Argument
from tests.boot import chain, power
from tests.boot.conftest import House
from tests.boot.disks import archive, written
from tests.boot.test_keys import until_shown
from tests.box import meeting
from tests.box.screens import SCREENS

pytestmark = pytest.mark.boot

APPLIED = "/var/lib/ratssaal/settings/applied.json"
APPLIED_SECONDS = 600
SEED = 20261128
# How long copying and checking take under emulation, about, until the box restarts from the disk.
LATEST_SECONDS = 100.0
FROM_DISK = r", from\s+QEMU\s+NVMe"
STAYS = r"Not\s+installed:\s+Ratssaal"
PULL = r"pull\s+the\s+stick\s+now"  # however the screen breaks its lines
OLDER = "0.0.9"
FIRST_BYTES = b"somebody's file".ljust(2**20, b"\0")


def answered(disk: dict[str, object], **box: object) -> dict[str, bytes]:
    """A stick's files, with which a box installs itself on `disk` and is set up there."""
    return {"answers.yaml": meeting.answered(box={"install": {"disk": disk}, **box})}


def key_of(machine: Machine, district: rsa.RSAPrivateKey) -> str:
    """The recovery key that the district's copy on the boot partition holds; it opens root.

    The copy is put there once settings came into force, or the box has started.
    """
    file = "/boot/ratssaal-recovery-key.bin"
    machine.wait_for_file(file, 120)
    copy = base64.b64decode(machine.shell(f"base64 {file}"))
    sha256 = hashes.SHA256()
    key = district.decrypt(copy, padding.OAEP(padding.MGF1(sha256), sha256, None)).decode()
    root = "$(cryptsetup status root | sed -n 's/ *device: *//p')"
    machine.shell(f"printf %s {key} | cryptsetup open --test-passphrase --key-file - {root}")
    return key


def cut(machine: Machine, moments: random.Random) -> bool:
    """Pull the plug while it installs; whether it did, and not ran from the disk."""

    def said(what: str) -> bool:
        return what in machine.serial().rpartition(STARTING)[2]

    neither = "It neither installed nor ran from the disk."
    wait_for(
        lambda: (
            said("Installing on") or said(", from QEMU NVMe") or said("Not installed: Ratssaal")
        ),
        START_SECONDS,
        neither,
    )
    if not said("Installing on"):
        return False
    power.unplug(machine, moments, LATEST_SECONDS)
    return True


def runs_from_disk(machine: Machine, disk: str = "nvme0n1") -> None:
    """Boot partition, /usr and root are all on this disk, and it passes the same as a stick."""
    chain.is_sound(machine, disk)
    for device in (
        "/dev/mapper/usr",
        "$(findmnt -no SOURCE /)",
        "$(findmnt -no SOURCE -t vfat /boot)",
    ):
        below = machine.shell(
            f"ls /boot >/dev/null; lsblk --inverse --noheadings --raw --output NAME,TYPE {device}"
        )
        assert {one.split()[0] for one in below.splitlines() if "disk" in one.split()} == {disk}


@pytest.mark.slow  # Too long for every run: with --all.
def test_power_that_goes_late_leaves_a_box_that_runs_or_says_what_to_do(
    house: House, artifacts: Artifacts
) -> None:
    """Once the table of partitions is there, nothing is overwritten without being asked."""
    options = MachineOptions(
        door=house.door, seed=answered({"serial": "R-1"}), stick=True, drives=(Drive("nvme"),)
    )
    with Machine(house.stage, artifacts, house.owner, options) as machine:
        machine.wait_for_serial(r"checked\s+\d+\s+per\s+cent")
        power.unplug(machine, random.Random(SEED), LATEST_SECONDS / 4)
        machine.wait_for_serial(rf"{FROM_DISK}|{STAYS}")
        if not re.search(FROM_DISK, machine.serial()):
            # What the screen says is done.
            machine.power_off()
            machine.pull_stick()
            machine.start()
            machine.wait_for_serial(FROM_DISK)
        machine.close_shell()
        machine.wait_for_file(APPLIED, APPLIED_SECONDS)
        runs_from_disk(machine)
        if machine.stick_in:
            machine.pull_stick()
        assert call.hold(machine, house.stage).held()


@pytest.mark.slow  # Too long for every run: with --all.
@pytest.mark.timeout(2 * 3600)
@pytest.mark.parametrize("kind", ["nvme", "sata", "card"])
def test_installed_at_the_box_and_started_once_the_stick_is_pulled_out(
    house: House, artifacts: Artifacts, kind: str
) -> None:
    """By key and keyboard, with a TPM; the name has to be typed."""
    drives = (Drive(kind, content=FIRST_BYTES),)  # type: ignore[arg-type]
    name, disk = {
        "nvme": ("qemu nvme ctrl", "nvme0n1"),
        "sata": ("qemu harddisk", "sda"),
        "card": ("qemu", "mmcblk0"),
    }[kind]
    options = MachineOptions(door=house.door, tpm=True, stick=True, drives=drives)
    with Machine(house.stage, artifacts, house.owner, options) as machine:
        machine.wait_until_ready()
        if kind == "card":
            # The card passes for memory on the board (eMMC): by this alone the kernel tells them.
            machine.shell(
                f"echo MMC >/run/kind; mount --bind /run/kind /sys/block/{disk}/device/type"
            )
        machine.press("d")
        until_shown(machine, "Vom Stick installieren", "> 1")
        machine.press("ret")
        until_shown(machine, "seinen Namen")
        machine.press(*"stick", "ret")
        until_shown(machine, "Es wurde nichts geschrieben")
        assert machine.drive(0).open("rb").read(len(FIRST_BYTES)) == FIRST_BYTES
        machine.press(*["backspace"] * 5, *("spc" if one == " " else one for one in name), "ret")
        # QEMU's card writes 512 bytes at a time, also where it is told to forget what it holds.
        machine.wait_for_serial(PULL, 3600 if kind == "card" else START_SECONDS)
        before = machine.serial().count(STARTING)
        machine.pull_stick()
        if kind == "card":
            # QEMU's firmware has no driver for such controllers: behind another it starts the same.
            machine.wait_for_serial('failed to load Boot[0-9A-F]{4} "Ratssaal"')
            machine.end()
            disk = "sda"
            machine.options = replace(options, drives=(replace(drives[0], kind="sata"),))
            machine.start()
        else:
            machine.expect_start(before)
        runs_from_disk(machine, disk)
        last = machine.serial().rindex(STARTING)
        machine.wait_for_serial(r"disk\s+encrypted\s+\(TPM\),\s+from\s+QEMU", after=last)


@pytest.mark.slow  # Too long for every run: with --all.
def test_a_stick_pulled_out_while_it_is_copied_is_told_and_its_return_begins_anew(
    house: House, artifacts: Artifacts
) -> None:
    """All programs are on the stick: what says so must have been read before."""
    options = MachineOptions(
        door=house.door, seed=answered({"only": True}), stick=True, drives=(Drive("nvme"),)
    )
    with Machine(house.stage, artifacts, house.owner, options) as machine:
        machine.wait_for_serial(r"copied\s+\d+\s+per\s+cent")
        machine.pull_stick()
        machine.wait_for_serial(r"plug\s+it\s+in\s+again")
        machine.screenshot(SCREENS / "install-pulled.png")
        before = machine.serial().count(STARTING)
        machine.plug_stick_again()
        machine.expect_start(before)
        machine.wait_for_serial("is installed on QEMU NVMe Ctrl")
        machine.expect_start(machine.serial().count(STARTING))
        machine.wait_for_serial(FROM_DISK)


def made_older(machine: Machine) -> None:
    """Rename what is in the slots of the disk, while the machine is off."""
    disk, toolbox = machine.drive(0), machine.stage.toolbox
    table = json.loads(toolbox.run(["sfdisk", "--json", disk]))["partitiontable"]
    for number, partition in enumerate(table["partitions"], 1):
        if partition.get("name", "").startswith("ratssaal_"):
            rename: list[Argument] = ["sfdisk", "--quiet", "--part-label", disk, str(number)]
            toolbox.run([*rename, f"ratssaal_{OLDER}"], writable=[machine.folder])


def ask_for_repair(machine: Machine, version: str) -> None:
    """At the box, whose disk has a Ratssaal of this version."""
    machine.press("d")
    until_shown(machine, "Vom Stick installieren", "> 1")
    machine.press("ret")
    until_shown(machine, f"Darauf ist Ratssaal {version}", "reparieren", "> 1")
    machine.press("ret")
    until_shown(machine, "seinen Namen")
    machine.press(*("spc" if one == " " else one for one in "qemu nvme ctrl"), "ret")


@pytest.mark.slow  # Too long for every run: with --all.
@pytest.mark.parametrize("tpm", [False, True], ids=["plain", "encrypted"])
def test_a_repair_keeps_what_the_box_knows(house: House, artifacts: Artifacts, tpm: bool) -> None:
    """Installed by answers, spoiled, started from the stick, repaired: root is as it was.

    What is in the slots is older than the stick, and power goes once while it is replaced. Where
    there is a TPM, the district's copy of the recovery key opens root, before and after.
    """
    drives, district = (Drive("nvme"),), rsa.generate_private_key(65537, 3072)
    public = district.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    seed = answered({"only": True}, recovery_key_for=public.decode())
    options = MachineOptions(door=house.door, tpm=tpm, seed=seed, stick=True, drives=drives)
    with Machine(house.stage, artifacts, house.owner, options) as machine:
        machine.wait_for_serial("is installed on QEMU NVMe Ctrl")
        machine.expect_start(machine.serial().count(STARTING))
        machine.wait_for_file(APPLIED, APPLIED_SECONDS)
        key = key_of(machine, district) if tpm else ""
        machine.shell("echo kept >/var/lib/ratssaal/test; rm -r /boot/EFI /boot/loader; sync")
        machine.end()
        made_older(machine)
        machine.start()
        # The answers on the stick name a disk with a Ratssaal, which stays.
        machine.wait_for_serial(STAYS)
        ask_for_repair(machine, OLDER)
        machine.wait_for_serial("Installing on")
        power.unplug(machine, random.Random(SEED), LATEST_SECONDS / 2)
        machine.wait_for_serial(rf"{FROM_DISK}|{STAYS}")
        if not re.search(FROM_DISK, machine.serial()):
            ask_for_repair(machine, "")
            machine.wait_for_serial(PULL)
            before = machine.serial().count(STARTING)
            machine.pull_stick()
            machine.expect_start(before)
        runs_from_disk(machine)
        assert machine.shell("cat /var/lib/ratssaal/test").strip() == "kept"
        if tpm:
            assert key_of(machine, district) == key
        kind = r"encrypted\s+\(TPM\)" if tpm else r"not\s+encrypted\s+\(without\s+TPM\)"
        machine.wait_for_serial(rf"disk\s+{kind}{FROM_DISK}")
        assert call.hold(machine, house.stage).held()


@pytest.mark.slow  # Too long for every run: with --all.
def test_answers_that_fit_two_disks_or_a_full_one_or_a_small_one_write_nothing(
    house: House, artifacts: Artifacts
) -> None:
    full = Drive("sata", content=archive(house.stage))
    for drives, said in (
        ((Drive("nvme"), Drive("sata")), "several disks fit the answers file"),
        ((full,), r"there\s+is\s+something\s+on\s+QEMU\s+HARDDISK[\s\S]*ARCHIV\s+\(vfat\)"),
        ((Drive("sata", size=4 * 2**30),), "is too small"),
    ):
        options = MachineOptions(
            door=house.door, seed=answered({"only": True}), stick=True, drives=drives
        )
        with Machine(house.stage, artifacts, house.owner, options) as machine:
            files = [machine.drive(number) for number in range(len(drives))]
            untouched = [written(one) for one in files]
            machine.wait_for_serial(said)
            machine.wait_until_ready()
            assert [written(one) for one in files] == untouched


@pytest.mark.slow  # Too long for every run: with --all.
@pytest.mark.timeout(2 * 3600)
@pytest.mark.parametrize("seed", [SEED + 1, SEED + 2])
def test_wherever_power_goes_it_installs_anew_or_runs_or_says_what_to_do(
    house: House, artifacts: Artifacts, seed: int
) -> None:
    options = MachineOptions(
        door=house.door, seed=answered({"serial": "R-1"}), stick=True, drives=(Drive("nvme"),)
    )
    moments = random.Random(seed)
    with Machine(house.stage, artifacts, house.owner, options) as machine:
        for _ in range(20):
            if not cut(machine, moments):
                break
        else:
            machine.wait_for_serial("is installed on QEMU NVMe Ctrl")
            machine.expect_start(machine.serial().count(STARTING))
        # A Ratssaal on the disk stays; the screen says how to go on: pull the stick, and press r.
        if "Not installed: Ratssaal" in machine.serial().rpartition(STARTING)[2]:
            before = machine.serial().count(STARTING)
            machine.pull_stick()
            machine.press("r", "r")
            machine.expect_start(before)
        machine.wait_for_file(APPLIED, APPLIED_SECONDS)
        runs_from_disk(machine)
