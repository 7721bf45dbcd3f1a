"""Whatever ends the command line, nothing of a box is left: process, network, mount or folder."""

import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from builder.artifacts import Artifacts
from builder.machines.container import cgroups
from builder.paths import PROJECT
from tests.box.leftovers import nothing_more_than, traces

# What is there before and after is counted.
pytestmark = [pytest.mark.box, pytest.mark.alone]


@pytest.fixture
def boot() -> Iterator[Callable[[], "subprocess.Popen[str]"]]:
    """Starts `./ratssaal boot --container` and waits until the box is up."""
    started: list[subprocess.Popen[str]] = []

    def begin() -> "subprocess.Popen[str]":
        started.append(booted())
        return started[-1]

    yield begin
    for child in started:
        child.kill()


def booted() -> "subprocess.Popen[str]":
    """`./ratssaal boot --container`, once the box is up."""
    child = subprocess.Popen(
        [sys.executable, "-m", "builder.cli", "boot", "--container"],
        env={**os.environ, "PYTHONPATH": str(PROJECT)},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
        # As in a terminal, also where tests run in the background, which takes Ctrl-C away.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.default_int_handler),
    )
    assert child.stdout
    said = ""
    for line in child.stdout:
        said += line
        if "stays up until" in line:
            return child
    raise AssertionError(said)


def folders() -> set[Path]:
    """Folders of stages."""
    return set(Path("/var/tmp").glob("ratssaal-*"))


def processes() -> set[Path]:
    """Boxes' cgroups that still have processes in them."""
    return {
        path
        for path in cgroups().glob("ratssaal-*")
        if any(one.read_text().strip() for one in path.rglob("cgroup.procs"))
    }


def links() -> set[str]:
    """This machine's own ends of cables to a stage."""
    return {path.name for path in Path("/sys/class/net").glob("ratssaal*")}


def mounts() -> set[str]:
    """Mounts that this machine sees."""
    return set(Path("/proc/self/mountinfo").read_text().splitlines())


def test_ctrl_c_leaves_nothing(
    artifacts: Artifacts, boot: Callable[[], "subprocess.Popen[str]"]
) -> None:
    before = folders(), processes(), links(), mounts()
    child = boot()
    assert processes() - before[1]
    assert links() - before[2]
    started = traces(child.pid)
    # What holds the namespaces, who gives addresses in them, and the box.
    assert {"sleep", "dnsmasq", "systemd-nspawn"} <= started.names()
    assert {one.partition(":")[0] for one in started.spaces} >= {"net", "mnt"}
    child.send_signal(signal.SIGINT)
    child.communicate(timeout=30)
    assert child.returncode == 0
    assert started.gone(), started.left()
    assert nothing_more_than(before[0], folders)
    assert nothing_more_than(before[1], processes)
    assert nothing_more_than(before[2], links)
    assert nothing_more_than(before[3], mounts)


def test_a_killed_command_line_leaves_nothing_that_runs(
    artifacts: Artifacts, boot: Callable[[], "subprocess.Popen[str]"]
) -> None:
    before = folders(), processes(), links(), mounts()
    child = boot()
    started = replace(traces(child.pid), folders=set())
    child.kill()
    child.communicate(timeout=30)
    assert started.gone(), started.left()
    assert nothing_more_than(before[1], processes)
    assert nothing_more_than(before[2], links)
    assert nothing_more_than(before[3], mounts)
    for rest in folders() - before[0]:
        subprocess.run(["rm", "-rf", "--one-file-system", rest], check=True)
    for rest in cgroups().glob("ratssaal-*"):
        subprocess.run(
            ["find", rest, "-depth", "-type", "d", "-exec", "rmdir", "{}", ";"], check=True
        )
