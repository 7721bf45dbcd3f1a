"""What programs and the machine spend, by what the kernel counts."""

import math
import os
import subprocess
import sys

import pytest

from builder.bench import spent
from builder.bench.spent import Moment, Spent

pytestmark = pytest.mark.unit

#           user nice system idle iowait irq softirq steal guest guest_nice
STAT = """\
cpu  999 999 999 999 999 999 999 999 999 999
cpu0 10 20 30 100 50 1 2 3 7 7
cpu1 1 1 1 1 1 1 1 1 1 1
cpu10 5 5 5 5 5 5 5 5 5 5
intr 1 2 3
ctxt 5
"""


def test_a_machine_is_busy_save_for_rest_and_waiting_for_disks() -> None:
    assert spent.busy_ticks(STAT, [0]) == (66, 216)
    assert spent.busy_ticks(STAT, [1]) == (6, 8)
    assert spent.busy_ticks(STAT, [0, 1]) == (72, 224)
    assert spent.busy_ticks(STAT, []) == (0, 0)


def test_this_machine_can_be_read() -> None:
    moment = spent.now(lambda: {"me": [os.getpid()]})
    assert 0 < moment.busy <= moment.total
    assert moment.parts["me"] > 0
    assert 1 < spent.memory(lambda: {"me": [os.getpid()]})["me"] < 10_000
    assert spent.processors_of(lambda: {"me": [os.getpid()]}) == len(spent.allowed())


def test_what_was_spent_is_the_difference_of_two_moments(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(spent, "allowed", lambda: [0, 1])
    begun = Moment({"livekit": 10.0, "nginx": 1.0}, 1000, 4000)
    ended = Moment({"livekit": 16.0, "nginx": 2.0}, 2900, 6000)
    found = spent.between(begun, ended, 10.0, 8.0, {"livekit": 100.0}, 2)
    assert found.server == {"livekit": pytest.approx(0.6), "nginx": pytest.approx(0.1)}
    assert found.processors == pytest.approx(0.7)
    assert found.crowd == pytest.approx(0.8)
    assert found.busy == pytest.approx(0.95)
    assert found.memory == {"livekit": 100.0}
    assert found.machine == 2


def test_a_machine_was_at_least_as_busy_as_the_programs_on_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(spent, "allowed", lambda: [0, 1])
    begun, ended = Moment({"livekit": 0.0}, 0, 0), Moment({"livekit": 3.0}, 1, 1000)
    found = spent.between(begun, ended, 10.0, 2.0, {}, 2)
    assert found.busy == pytest.approx(0.25)


def test_what_is_neither_the_server_s_nor_the_crowd_s_is_others() -> None:
    found = Spent(server={"livekit": 0.5, "nginx": 0.1}, crowd=0.8, busy=0.9, machine=2)
    assert found.others == pytest.approx(0.4)
    assert found.left == pytest.approx(0.8)
    assert Spent(server={"livekit": 1.0}, busy=0.4, machine=2).others == 0


def test_a_server_that_ended_meanwhile_has_used_no_number() -> None:
    begun, ended = Moment({"livekit": 10.0}, 0, 0), Moment({"livekit": 1.0}, 10, 20)
    assert math.isnan(spent.between(begun, ended, 10.0, 1.0, {}, 2).processors)


def test_a_process_that_is_gone_counts_as_nothing() -> None:
    with subprocess.Popen(["true"]) as child:
        child.wait()
    parts = {"gone": [child.pid]}
    assert spent.now(lambda: parts).parts == {"gone": 0}
    assert spent.memory(lambda: parts) == {"gone": 0}


def test_what_is_started_in_the_block_keeps_to_its_processors() -> None:
    before = spent.allowed()
    program = "import os; print(sorted(os.sched_getaffinity(0)))"
    with spent.confined(1):
        inside = subprocess.run(
            [sys.executable, "-c", program], capture_output=True, text=True, check=True
        )
    assert inside.stdout.strip() == str(before[:1])
    assert spent.allowed() == before
