"""Factory reset: the keys are gone, then the data, and the box starts as on its first day."""

import random
import re

import pytest

from builder.artifacts import Artifacts
from builder.machines.equipment import MachineOptions
from builder.machines.machine import Machine
from builder.machines.shell import START_SECONDS, wait_for
from tests.boot import power
from tests.boot.conftest import House
from tests.boot.test_keys import code_shown, until_shown

pytestmark = pytest.mark.boot

BEGUN = "Factory reset: all settings"
CANARY = "kanarienvogel-17"
SEED = 20261128
# How long a reset takes under emulation, about, from the sentence on the screen to the restart.
LATEST_SECONDS = 6.0
ROOT = "/dev/disk/by-partlabel/ratssaal-root"
# The first two key slots of LUKS2, where systemd-repart and systemd-cryptenroll put them.
KEY_SLOTS = f"dd if={ROOT} bs=4096 skip=8 count=126 iflag=direct status=none | sha256sum"


def leave_something(machine: Machine) -> str:
    """Put what may not be found again on the disk; the code that the box shows now."""
    machine.shell(f"echo {CANARY} >/var/lib/ratssaal/canary; sync")
    return code_shown(machine)


def assert_new(machine: Machine, code: str) -> None:
    """The box is as on its first day: the wizard's first page, and a code of its own."""
    assert machine.shell("ls /var/lib/ratssaal/settings") == ""
    assert machine.shell("ls /var/lib/ratssaal/canary 2>/dev/null || true") == ""
    assert "ratssaal-reset" not in machine.shell("ls /boot")
    assert code_shown(machine) not in ("", code)
    page = machine.stage.run(["curl", "-sk", f"https://{machine.address}/setup/"])
    assert 'name="language"' in page
    assert machine.shell("systemctl --failed --no-legend --plain") == ""


def cut(machine: Machine, moments: random.Random) -> bool:
    """Press the reset button in the middle of a reset; whether there was one."""
    begun, place = machine.serial().count(BEGUN), len(machine.serial())

    def erasing() -> bool:
        return machine.serial().count(BEGUN) > begun

    def past() -> bool:
        return bool(re.search(r"State +(starting|ready)", machine.serial()[place:]))

    neither = "It neither began to reset nor started."
    wait_for(lambda: erasing() or past(), START_SECONDS, neither)
    if not erasing():
        return False
    power.cut(machine, moments, LATEST_SECONDS)
    return True


# Too long for every run: with --all.
@pytest.mark.slow
def test_a_plain_box_is_reset_in_spite_of_power_cuts(machine: Machine) -> None:
    code = leave_something(machine)
    blocks = machine.shell(
        "debugfs -R 'blocks /var/lib/ratssaal/canary' $(findmnt -no SOURCE /) 2>/dev/null"
    )
    read = f"dd if={ROOT} bs=4096 skip={int(blocks)} count=1 iflag=direct status=none"
    assert CANARY in machine.shell(read)

    machine.shell("systemctl start ratssaal-reset.service")
    moments = random.Random(SEED)
    assert cut(machine, moments)
    cut(machine, moments)
    machine.wait_until_ready_again()
    assert_new(machine, code)
    assert CANARY not in machine.shell(f"{read} | tr -d '\\0'")
    kind = machine.shell("lsblk --noheadings --nodeps --output TYPE $(findmnt -no SOURCE /)")
    assert kind.strip() == "part"


# Too long for every run: with --all.
@pytest.mark.slow
@pytest.mark.timeout(2 * 3600)
@pytest.mark.parametrize("tpm", [False, True], ids=["plain", "encrypted"])
def test_a_reset_ends_wherever_power_goes(house: House, artifacts: Artifacts, tpm: bool) -> None:
    options = MachineOptions(door=house.door, tpm=tpm)
    moments = random.Random(SEED + tpm)
    with Machine(house.stage, artifacts, house.owner, options) as machine:
        machine.wait_until_ready()
        for _ in range(6):
            code = leave_something(machine)
            machine.shell("systemctl start ratssaal-reset.service")
            assert cut(machine, moments)
            for _ in range(4):
                if not cut(machine, moments):
                    break
            machine.wait_until_ready_again()
            assert_new(machine, code)


def reset_by_key(machine: Machine) -> None:
    """Key w at the box, and the word."""
    machine.press("w")
    until_shown(machine, "Es gibt kein Zur", "> ")
    machine.press(*"rat", "ret")
    until_shown(machine, "Das war nicht das Wort reset")
    machine.press(*"reset", "ret")
