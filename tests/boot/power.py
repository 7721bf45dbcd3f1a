"""Power that goes: the reset button or the plug, at moments drawn from a fixed seed.

What a disk has taken and not yet written is not lost by it, as it may be by a real power cut.
"""

import random
import time
from collections import Counter

from builder.machines.machine import STARTING, Machine

# How long a first start takes under emulation, about, from the firmware until the box is ready.
FIRST_START_SECONDS = 60.0
# How often a whole run takes power away, at least; whatever the machine's speed is.
LEAST, LEAST_WITH_ALL = 10, 200
# How often it has gone in this run, by how that was done.
gone: Counter[str] = Counter()


def cut(machine: Machine, moments: random.Random, most: float) -> None:
    """Press the reset button within `most` seconds from now, and see the firmware start again."""
    time.sleep(moments.uniform(0, most))
    before = machine.serial().count(STARTING)
    machine.reset()
    machine.expect_start(before)
    gone["reset button"] += 1


def unplug(machine: Machine, moments: random.Random, most: float) -> None:
    """Pull the plug within `most` seconds from now, put it in again, and see the firmware start.

    For machines that start from an NVMe disk: after a reset in the middle of its work QEMU's
    firmware now and then does not find that one again, and starts the stick. The serial log begins
    anew.
    """
    time.sleep(moments.uniform(0, most))
    machine.end()
    machine.start()
    machine.wait_for_starts(1)
    gone["plug"] += 1


def cut_first_start(machine: Machine, seed: int, times: int = 1) -> None:
    """Press it in the first start of a machine that was just switched on, and in those after it."""
    moments = random.Random(seed)
    machine.wait_for_starts(1)
    for _ in range(times):
        cut(machine, moments, FIRST_START_SECONDS)
