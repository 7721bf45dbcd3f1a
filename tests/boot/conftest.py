"""Machines in QEMU. One start from power-on is shared; a live snapshot saves the others."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

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


# Files that take longest: begun first, so that none of them is left for one processor alone in the
# end.
LONG = ("test_encrypted.py", "test_answers.py", "test_first_start.py", "test_chain.py")
HANDED_OVER = "gone"


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Begin with the files that take longest."""
    items.sort(key=lambda one: LONG.index(one.path.name) if one.path.name in LONG else len(LONG))


@pytest.hookimpl(optionalhook=True)
def pytest_testnodedown(node: Any, error: object) -> None:
    """Take over how often power has gone in the tests that ran beside others."""
    del error
    power.gone.update(getattr(node, "workeroutput", {}).get(HANDED_OVER, {}))


def pytest_sessionfinish(session: pytest.Session) -> None:
    """Fail a run of the whole stage in which power has not gone as often as is promised."""
    config, here = session.config, Path(__file__).parent
    if (handed := getattr(config, "workeroutput", None)) is not None:
        handed[HANDED_OVER] = dict(power.gone)
        return
    whole = [Path(one).resolve() for one in config.args] == [here] and not config.option.keyword
    if whole and session.exitstatus == pytest.ExitCode.OK and power.gone.total() < least(config):
        session.exitstatus = pytest.ExitCode.TESTS_FAILED


def least(config: pytest.Config) -> int:
    """How often power has to go in a run of the whole stage."""
    return power.LEAST if "not slow" in config.option.markexpr else power.LEAST_WITH_ALL


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Say how often power has gone."""
    if power.gone:
        how = ", ".join(f"{count} by the {name}" for name, count in power.gone.items())
        promised = least(terminalreporter.config)
        terminalreporter.write_line(
            f"Power has gone {power.gone.total()} times: {how}; in a whole run {promised} at least."
        )


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
