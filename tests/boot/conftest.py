"""Machines in QEMU. One start from power-on is shared; a live snapshot saves the others."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest

from builder import keys
from builder.artifacts import Artifacts
from builder.keys import KeyPair
from builder.machines import firmware
from builder.machines.equipment import MachineOptions
from builder.machines.firmware import Door
from builder.machines.machine import Machine
from builder.machines.stage import Stage
from builder.toolbox import Toolbox
from tests.boot import power

READY = "ready"


class House(NamedTuple):
    """A stage, the key that signed the image, and a door for tests."""

    stage: Stage
    owner: KeyPair
    door: Door


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Say how often power has gone."""
    if power.gone:
        how = ", ".join(f"{count} by the {name}" for name, count in power.gone.items())
        terminalreporter.write_line(f"Power has gone {power.gone.total()} times: {how}.")


@pytest.fixture(scope="session", autouse=True)
def often_enough(request: pytest.FixtureRequest) -> Iterator[None]:
    """Fails a run of the whole stage in which power has not gone as often as is promised."""
    yield
    config, here = request.config, Path(__file__).parent
    whole = [Path(one).resolve() for one in config.args] == [here] and not config.option.keyword
    if whole and not request.session.testsfailed:
        usual = "not slow" in config.option.markexpr
        assert power.gone.total() >= (power.LEAST if usual else power.LEAST_WITH_ALL)


@pytest.fixture(scope="session")
def house(toolbox: Toolbox) -> Iterator[House]:
    """What all machines of this run share."""
    with Stage(toolbox) as stage:
        door = firmware.make_door(toolbox, stage.folder)
        yield House(stage, keys.ensure_pairs()["secure-boot"], door)


@pytest.fixture(scope="session")
def started(house: House, artifacts: Artifacts) -> Iterator[Machine]:
    """A machine that was powered on once, became ready, and was snapshot then."""
    with Machine(house.stage, artifacts, house.owner, MachineOptions(door=house.door)) as machine:
        machine.wait_until_ready()
        # On a slow machine a box may be ready before the network has given it an address.
        machine.wait_for_serial(re.escape(f"https://{machine.address}"))
        machine.save(READY)
        yield machine


@pytest.fixture
def machine(started: Machine) -> Machine:
    """The same machine, as it was when it had just become ready."""
    started.power_off()
    started.start(snapshot=READY)
    return started
