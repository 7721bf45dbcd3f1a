"""The command line as an engineer calls it: a machine, a call on it, and nothing of it left."""

import json
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from builder.artifacts import Artifacts
from builder.call import FRAMES, GUESTS
from builder.machines.equipment import accelerator
from builder.paths import PROJECT, build_folder
from builder.toolbox import Toolbox
from tests.box.leftovers import traces

pytestmark = pytest.mark.boot

PNG = b"\x89PNG\r\n\x1a\n"
STAYS = "stays up until"
# Programs of every machine: what holds its namespaces, and QEMU, whose name the kernel cuts.
PROGRAMS = {"sleep", "dnsmasq", "qemu-system-x86"}


def begin(*words: str, stderr: int = subprocess.PIPE) -> "subprocess.Popen[str]":
    """Start `./ratssaal` with `words`, as in a terminal: Ctrl-C ends it."""
    return subprocess.Popen(
        [sys.executable, "-m", "builder.cli", *words],
        cwd=PROJECT,
        env={**os.environ, "PYTHONPATH": str(PROJECT)},
        stdout=subprocess.PIPE,
        stderr=stderr,
        text=True,
        start_new_session=True,
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.default_int_handler),
    )


def mounts() -> set[str]:
    """Where this machine itself has mounted something, of what stands in a folder of ours."""
    lines = Path("/proc/self/mountinfo").read_text().splitlines()
    return {line.split()[4] for line in lines if "/ratssaal-" in line}


@pytest.mark.slow  # Too long for every run: with --all.
def test_demo_holds_a_call_on_a_machine_and_ends(artifacts: Artifacts, toolbox: Toolbox) -> None:
    picture = build_folder() / "screens/console.png"
    picture.unlink(missing_ok=True)
    child = begin("demo", "--exit", "--json")
    output, said = child.communicate()
    assert child.returncode == 0, said
    found = json.loads(output)
    assert found["accelerator"] == accelerator(toolbox)
    assert set(found["frames"]) == set(found["moving"]) == set(GUESTS)
    assert min(found["moving"].values()) >= FRAMES
    assert found["picture"] == str(picture)
    assert picture.read_bytes().startswith(PNG)
    # More than one colour.
    assert picture.stat().st_size > 2000
    assert found["administration"] is None
    for one in ("moderator", "participant"):
        assert found["meeting"][one].startswith(f"https://{found['address']}/m/#i=")


@pytest.fixture
def port() -> Iterator[int]:
    """A port of this machine that is free."""
    with socket.create_server(("127.0.0.1", 0)) as probe:
        number = int(probe.getsockname()[1])
    yield number


@pytest.mark.slow  # Too long for every run: with --all.
def test_boot_forwards_a_port_until_ctrl_c_and_leaves_nothing(
    artifacts: Artifacts, port: int, tmp_path: Path
) -> None:
    before, log = mounts(), tmp_path / "serial.log"
    words = ["boot", "--headless", "--tpm", "--forward", f"{port}:443", "--serial-log", str(log)]
    child = begin(*words, stderr=subprocess.STDOUT)
    try:
        assert child.stdout
        said = ""
        for line in child.stdout:
            said += line
            if STAYS in line:
                break
        assert STAYS in said, said
        assert f"127.0.0.1:{port} leads to the box's port 443." in said
        page = subprocess.run(
            # On a slow machine a box may be ready before the network has given it an address.
            [
                *("curl", "-sk", "--max-time", "20", "--retry", "8", "--retry-all-errors"),
                f"https://127.0.0.1:{port}/setup/",
            ],
            capture_output=True,
            text=True,
            check=True,
        )
        assert 'name="language"' in page.stdout
        assert "disk encrypted" in " ".join(log.read_text(errors="replace").split())
        started = traces(child.pid)
        assert {*PROGRAMS, "swtpm"} <= started.names()
        assert {one.partition(":")[0] for one in started.spaces} >= {"net", "mnt"}
        assert started.folders
        child.send_signal(signal.SIGINT)
        rest, _ = child.communicate(timeout=60)
    finally:
        child.kill()
        child.communicate()
    assert child.returncode == 0, rest
    assert "Traceback" not in rest
    assert started.gone(), started.left()
    assert mounts() <= before
    # What was asked for stays.
    assert log.exists()
