"""An encrypted box: what its TPM opens, what it does not, and what is left without it."""

import random
import re
import shutil
import time
from collections.abc import Callable, Iterator

import pytest

from builder.artifacts import Artifacts
from builder.keys import make_pair
from builder.machines import firmware
from builder.machines.equipment import MachineOptions
from builder.machines.machine import STARTING, Machine
from builder.machines.shell import wait_for
from builder.run import Argument
from tests.boot.conftest import House
from tests.boot.power import cut_first_start
from tests.boot.test_keys import until_shown
from tests.boot.test_reset import (
    KEY_SLOTS,
    ROOT,
    SEED,
    assert_new,
    cut,
    leave_something,
    reset_by_key,
)
from tests.boot.test_stick import partitioned, plug
from tests.box.screens import SCREENS

pytestmark = pytest.mark.boot

# Secure Boot's keys; what came from outside (systemd.pcrlock(8)).
MEASURED = "cat /sys/class/tpm/tpm0/pcr-sha256/7 /sys/class/tpm/tpm0/pcr-sha256/12"
ASKED = "recovery key from the handover sheet"
HEADLESS = "tpm2-device=auto,headless=1 2>&1 || true"
HELD_SECONDS = 1.5  # a key that comes again sooner is one that is held down


@pytest.fixture(scope="module")
def sealed(house: House, artifacts: Artifacts) -> Iterator[Machine]:
    """A machine with a TPM, started for the first time; its tests follow one another.

    Power goes three times meanwhile.
    """
    options = MachineOptions(door=house.door, tpm=True)
    with Machine(house.stage, artifacts, house.owner, options) as machine:
        cut_first_start(machine, SEED + 1, times=3)
        machine.wait_until_ready_again()
        yield machine


def assert_sealed(machine: Machine) -> None:
    """Root was opened by the TPM, of which nobody can ask for its key any more; all is well."""
    kind = machine.shell("lsblk --noheadings --output TYPE $(findmnt -no SOURCE /)").split()
    assert kind[0] == "crypt"
    assert "systemd-tpm2" in machine.shell(f"cryptsetup luksDump {ROOT}")
    extended = machine.shell("cat /sys/class/tpm/tpm0/pcr-sha256/15").strip()
    assert re.fullmatch(r"[0-9A-F]{64}", extended)
    assert set(extended) != {"0"}
    assert machine.shell("systemctl --failed --no-legend --plain") == ""


def test_root_is_encrypted_to_the_tpm(sealed: Machine) -> None:
    sealed.wait_for_serial("Secure Boot on, disk encrypted")
    assert_sealed(sealed)


def another_chip(machine: Machine, house: House) -> None:
    """The TPM forgets all, as a new one in its place would."""
    del house
    shutil.rmtree(machine.folder / "tpm")


def another_firmware(machine: Machine, house: House) -> None:
    """One key more that the firmware trusts, as an update may bring: PCR 7 is another one."""
    toolbox, folder = house.stage.toolbox, machine.folder
    more = make_pair(folder, "more", "Ratssaal test vendor, worthless elsewhere")
    firmware.write_variables(toolbox, folder / "new.fd", house.owner, house.door.pair, more)
    convert: list[Argument] = ["qemu-img", "convert", "-O", "qcow2"]
    command = [*convert, folder / "new.fd", folder / "variables.qcow2"]
    toolbox.run(command, writable=[folder])


def type_slowly(machine: Machine, line: str) -> None:
    """As fast as people type: QEMU's keyboard keeps 16 keys."""
    for letter in line:
        machine.press(letter)
        time.sleep(0.15)
    machine.press("ret")


@pytest.mark.parametrize(
    "changed",
    [
        another_chip,
        # Too long for every run: with --all.
        pytest.param(another_firmware, marks=pytest.mark.slow),
    ],
)
def test_the_recovery_key_opens_what_the_tpm_does_not_and_the_tpm_is_enrolled_anew(
    sealed: Machine, house: House, changed: Callable[[Machine, House], None]
) -> None:
    file = "/var/lib/ratssaal/secrets/recovery-key"
    key = sealed.shell(f"cat {file}")
    assert re.fullmatch(r"([cbdefghijklnrtuv]{8}-){7}[cbdefghijklnrtuv]{8}", key)
    assert sealed.shell(f"stat --format %a {file}; sync").strip() == "600"
    assert key[:17] not in sealed.shell("journalctl --boot --no-pager --all; dmesg")
    assert key[:17] not in sealed.serial()
    sealed.power_off()
    changed(sealed, house)
    sealed.start()
    asks = f"{ASKED}[\\s\\S]*lease enter"
    sealed.wait_for_serial(asks)
    type_slowly(sealed, key.replace("-", "")[:-1])
    sealed.wait_for_serial(f"{asks}[\\s\\S]*not the recovery key of this box[\\s\\S]*lease enter")
    type_slowly(sealed, key.replace("-", ""))
    sealed.wait_until_ready()
    assert sealed.shell(f"cat {file}") == key
    header = sealed.shell(f"cryptsetup luksDump {ROOT}")
    assert (header.count("systemd-tpm2"), header.count("systemd-recovery")) == (1, 1)
    # That the next start goes by itself the next test shows, with --all.
    assert sealed.shell("systemctl --failed --no-legend --plain") == ""


# Too long for every run: with --all.
@pytest.mark.slow
def test_a_repair_start_opens_nothing_and_the_next_start_opens_root_again(sealed: Machine) -> None:
    """By the second entry of the boot menu: the same kernel image, and nothing more is measured."""
    before = sealed.shell(f"cryptsetup luksUUID {ROOT}; {KEY_SLOTS}; {MEASURED}")
    asked = sealed.serial().count(ASKED)
    starts = sealed.serial().count(STARTING)
    sealed.shell("bootctl set-oneshot ratssaal-repair.conf; systemctl --no-block reboot")
    sealed.expect_start(starts)
    sealed.wait_for_serial(r"Reparaturstart[\s\S]*verschl.{1,2}sselt . encrypted")
    sealed.screenshot(SCREENS / "repair-start.png")
    assert sealed.shell("findmnt --noheadings --output FSTYPE /").strip() == "tmpfs"
    assert "root" not in sealed.shell("ls /dev/mapper").split()
    assert "verified" in sealed.shell("veritysetup status usr")
    assert sealed.shell(f"cryptsetup luksUUID {ROOT}; {KEY_SLOTS}; {MEASURED}") == before
    # Nobody can ask the TPM for the disk's key from here.
    said = sealed.shell(f"/usr/lib/systemd/systemd-cryptsetup attach root {ROOT} - {HEADLESS}")
    assert "Failed to unseal secret using TPM2: Operation not permitted" in said
    assert sealed.shell("ip route") == ""
    assert sealed.shell("systemctl --failed --no-legend --plain") == ""
    active = sealed.shell("systemctl list-units --no-legend --plain --state=active 'ratssaal-*'")
    assert {"ratssaal-repair.service", "ratssaal-keys.service"} <= set(active.split())
    assert not {"ratssaal-identity.service", "ratssaal-stack.target"} & set(active.split())
    # A key for what is not there does nothing; the report goes without root.
    sealed.press("n")
    time.sleep(HELD_SECONDS)
    stick = partitioned(sealed)
    plug(sealed, stick)
    sealed.press("b")
    until_shown(sealed, "Der Bericht ist auf dem Stick")
    sealed.unplug(stick)
    never = "systemctl show --value --property ExecMainStartTimestampMonotonic ratssaal-new-code"
    assert sealed.shell(never).strip() == "0"
    before_last = sealed.serial().count(STARTING)
    sealed.press("r")
    until_shown(sealed, "Wirklich neu starten")
    time.sleep(HELD_SECONDS)
    sealed.press("r")
    sealed.expect_start(before_last)
    sealed.wait_until_ready_again()
    assert sealed.serial().count(ASKED) == asked
    assert_sealed(sealed)


def test_an_encrypted_root_is_reset_by_a_key_and_a_word(sealed: Machine) -> None:
    code = leave_something(sealed)
    before = sealed.shell(f"cryptsetup luksUUID {ROOT}; {KEY_SLOTS}").split()
    reset_by_key(sealed)
    moments = random.Random(SEED)
    assert cut(sealed, moments)
    cut(sealed, moments)
    sealed.wait_until_ready_again()
    assert_new(sealed, code)
    after = sealed.shell(f"cryptsetup luksUUID {ROOT}; {KEY_SLOTS}").split()
    assert before[0] != after[0]
    assert before[1] != after[1]
    kind = sealed.shell("lsblk --noheadings --output TYPE $(findmnt -no SOURCE /)").split()
    assert kind[0] == "crypt"


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
        f" /usr/lib/systemd/systemd-cryptsetup attach stolen $disk - {HEADLESS}; ls /dev/mapper"
    )
    assert "Failed to unseal secret using TPM2: Operation not permitted" in said
    assert "stolen" not in said.splitlines()
