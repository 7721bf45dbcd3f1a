"""A computer of the old kind: its BIOS starts the stick, and finds a sentence."""

import re
import subprocess

import pytest

from builder import legacy
from builder.artifacts import Artifacts
from builder.machines.shell import wait_for
from tests.boot.conftest import House

pytestmark = pytest.mark.boot

SECONDS = 60.0


def test_a_bios_shows_what_to_do(house: House, artifacts: Artifacts) -> None:
    """Without a graphics card SeaBIOS writes to the serial line what programs put on the screen."""
    log = house.stage.folder / "bios.log"
    stick = f"if=none,id=stick,format=raw,readonly=on,file={artifacts.raw}"
    command = [
        *("qemu-system-x86_64", "-nodefaults", "-no-user-config", "-m", "256", "-display", "none"),
        *("-machine", "pc,graphics=off,accel=tcg", "-serial", f"file:{log}"),
        *("-device", "qemu-xhci", "-drive", stick, "-device", "usb-storage,drive=stick"),
    ]
    inside = house.stage.toolbox.command(
        command, writable=[house.stage.folder, artifacts.folder], own_processes=True
    )
    child = house.stage.start(inside, stdout=subprocess.DEVNULL)

    def words() -> str:
        # Signs that move the cursor stand between the words (ECMA-48).
        text = log.read_text(errors="replace") if log.exists() else ""
        return " ".join(re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", " ", text).split())

    try:
        wait_for(
            lambda: legacy.SENTENCES[-1] in words(), SECONDS, "The BIOS never said what to do."
        )
        assert all(one in words() for one in legacy.SENTENCES)
    finally:
        child.kill()
        child.wait()
