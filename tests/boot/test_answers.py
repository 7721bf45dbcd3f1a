"""What a stick brings, on the real boot chain: answers, with power that goes, and a code card."""

import json
import random
import time
from pathlib import Path

import pytest

from builder.artifacts import Artifacts
from builder.machines.equipment import Drive, MachineOptions
from builder.machines.machine import STARTING, Machine
from builder.stick import seed as brought
from tests.boot.conftest import House
from tests.boot.power import cut_first_start, unplug
from tests.boot.test_install import APPLIED, APPLIED_SECONDS, answered, runs_from_disk
from tests.box.meeting import NAME, meet_by_lobby, met

pytestmark = pytest.mark.boot

SEED = 20261124
# Copying takes longer than that from its first word on the screen.
COPYING_SECONDS = 3.0
# Where in applying the plug is pulled: how the box says so, and how many seconds later at most.
# Under emulation the configuration takes a minute and more.
CUTS = (
    ('"finished": false', 15.0),
    ('"configuration", "running"', 15.0),
    ('"configuration", "running"', 30.0),
)
PROGRESS = "/run/ratssaal/progress.json"
IN_FORCE = "/var/lib/ratssaal/settings/applied.json"


def applying(machine: Machine, mark: str = '"finished": false') -> None:
    """Wait until the box says `mark` of its applying; CommandError where that is over by then."""
    machine.door.run(
        f"until grep -qsF '{mark}' {PROGRESS} || test -e {IN_FORCE}; do sleep 0.2; done\n"
        f"test ! -e {IN_FORCE}\n"
        f"grep -qF '\"finished\": false' {PROGRESS}",
        seconds=400,
    )


@pytest.mark.parametrize(
    "cuts",
    [
        pytest.param(CUTS[1:2], id="once"),
        # Too long for every run: with --all.
        pytest.param(CUTS, id="often", marks=pytest.mark.slow),
    ],
)
def test_an_answers_file_installs_the_box_and_ends_in_a_meeting_in_spite_of_power_cuts(
    house: House, artifacts: Artifacts, cuts: tuple[tuple[str, float], ...]
) -> None:
    """The plug is pulled while it copies, and in the middle of applying the answers.

    It restarts from the disk beside the stick, which goes in the end.
    """
    moments = random.Random(SEED)
    seed, drives = answered({"serial": "R-1"}), (Drive("nvme"),)
    options = MachineOptions(door=house.door, seed=seed, stick=True, drives=drives)
    with Machine(house.stage, artifacts, house.owner, options) as machine:
        # The table of partitions comes last: until then it starts over.
        machine.wait_for_serial(r"copied\s+\d+\s+per\s+cent")
        unplug(machine, moments, COPYING_SECONDS)
        machine.wait_for_serial(r"is\s+installed\s+on\s+QEMU\s+NVMe")
        machine.expect_start(machine.serial().count(STARTING))
        for mark, most in cuts:
            applying(machine, mark)
            time.sleep(moments.uniform(0, most))
            # Still: each cut is one in the middle, and none comes too late.
            applying(machine)
            unplug(machine, moments, 0.0)
        # The last cut, too, has left it to be begun anew.
        applying(machine)
        machine.wait_for_file(APPLIED, APPLIED_SECONDS)
        runs_from_disk(machine)
        applied = json.loads(machine.shell(f"cat {IN_FORCE}"))
        assert applied["generation"] == 1
        assert NAME in machine.shell("cat /etc/ratssaal.json")
        machine.pull_stick()
        with met(house.stage, machine) as hall:
            hall.sign_in()
            meet_by_lobby(hall)
        assert machine.shell("systemctl --failed --no-legend --plain") == ""
        shown = " ".join(machine.serial().rpartition(STARTING)[2].split())
        assert "from QEMU NVMe Ctrl" in shown
        # What the stick has brought is on no partition any more.
        assert machine.shell("ls /dev/ratssaal/brought 2>&1 || true").count("No such") == 1
        brought_along = machine.shell("tr -d '\\0' </dev/nvme0n1p6 | wc -c")
        assert brought_along.strip() == "0"


def test_the_code_of_a_box_without_a_screen_is_on_the_card_of_its_stick(
    house: House, artifacts: Artifacts, tmp_path: Path
) -> None:
    """No door: what is seen is what the serial line shows. Power goes in the first starts."""
    files = brought.prepare(None, tmp_path / "card.pdf").files
    with Machine(house.stage, artifacts, house.owner, MachineOptions(seed=files)) as machine:
        cut_first_start(machine, SEED, times=3)
        machine.wait_for_serial(r"Code +steht auf der Karte des Sticks")
        # On the drawing that says it is ready, however much of it has arrived by then.
        machine.wait_for_serial(r"State +ready[\s\S]*Code +is on the stick's card")
