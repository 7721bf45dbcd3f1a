"""What a stick brings, on the real boot chain: answers, with power that goes, and a code card."""

import json
import random
from pathlib import Path

import pytest

from builder.artifacts import Artifacts
from builder.machines.equipment import MachineOptions
from builder.machines.machine import Machine
from builder.stick import seed as brought
from tests.boot.conftest import House
from tests.boot.power import cut, cut_first_start
from tests.box.meeting import NAME, answered, meet_by_lobby, met

pytestmark = pytest.mark.boot

CUTS = 3
SEED = 20261124
# How far into applying the plug is pulled, at most; under emulation it takes about a minute.
LATEST_SECONDS = 40.0


def test_an_answers_file_survives_power_cuts_and_ends_in_a_meeting(
    house: House, artifacts: Artifacts
) -> None:
    """The reset button three times while it is applied, at moments drawn from a fixed seed."""
    seed = {"answers.yaml": answered()}
    moments = random.Random(SEED)
    options = MachineOptions(door=house.door, seed=seed)
    with Machine(house.stage, artifacts, house.owner, options) as machine:
        for _ in range(CUTS):
            machine.shell(
                "timeout 200 sh -c 'until test -e /run/ratssaal/progress.json ||"
                " test -e /var/lib/ratssaal/settings/applied.json; do sleep 0.2; done'"
            )
            cut(machine, moments, LATEST_SECONDS)
        machine.door.run(
            "timeout 600 sh -c 'until test -e /var/lib/ratssaal/settings/applied.json;"
            " do sleep 0.5; done'",
            seconds=620,
        )
        machine.shell("systemctl is-system-running --wait >/dev/null || true")
        assert machine.shell("systemctl --failed --no-legend --plain") == ""
        applied = json.loads(machine.shell("cat /var/lib/ratssaal/settings/applied.json"))
        assert applied["generation"] == 1
        assert NAME in machine.shell("cat /etc/ratssaal.json")
        with met(house.stage, machine) as hall:
            hall.sign_in()
            meet_by_lobby(hall)


def test_the_code_of_a_box_without_a_screen_is_on_the_card_of_its_stick(
    house: House, artifacts: Artifacts, tmp_path: Path
) -> None:
    """No door: what is seen is what the serial line shows. Power goes in the first start."""
    files = brought.prepare(None, tmp_path / "card.pdf").files
    with Machine(house.stage, artifacts, house.owner, MachineOptions(seed=files)) as machine:
        cut_first_start(machine, SEED)
        machine.wait_for_serial(r"Code +steht auf der Karte des Sticks")
        # On the drawing that says it is ready, however much of it has arrived by then.
        machine.wait_for_serial(r"State +ready[\s\S]*Code +is on the stick's card")
