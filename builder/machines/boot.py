"""Starts an image for a person: in QEMU, or its services alone in a container."""

import contextlib
import os
import select
import subprocess
import sys
import termios
import time
import tty
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from builder import keys
from builder.artifacts import Artifacts
from builder.errors import CommandError, MissingError, UsageError
from builder.machines import firmware
from builder.machines.container import Box
from builder.machines.equipment import MachineOptions
from builder.machines.machine import Machine, require_port_free
from builder.machines.stage import Stage
from builder.progress import say, step
from builder.stick.seed import NOTHING, Seed, wait_for_set_up
from builder.toolbox import Toolbox

ESCAPE = b"\x1d"  # Ctrl-]
# What the box's screen shows once it is set up.
ADMINISTRATION = r"Verwalten +https://"


@dataclass(frozen=True)
class BootOptions:
    """How to start: see `./ratssaal boot --help`."""

    container: bool = False
    headless: bool = False
    shell: bool = False
    tpm: bool = False
    set_up_mode: bool = False
    forward: tuple[tuple[int, int], ...] = ()
    serial_log: Path | None = None
    seed: Seed = NOTHING


def parse_forward(text: str) -> tuple[int, int]:
    """`8443:443` as numbers. Raises UsageError for anything else."""
    parts = text.split(":")
    if len(parts) != 2 or not all(
        part.isascii() and part.isdigit() and 0 < int(part) < 65536 for part in parts
    ):
        raise UsageError(
            f"{text!r} is not a forwarded port.", "Write HERE:BOX, for example --forward 8443:443."
        )
    return int(parts[0]), int(parts[1])


def boot(artifacts: Artifacts, toolbox: Toolbox, options: BootOptions) -> None:
    """Start the image and stay until it ends or Ctrl-C; then nothing of it is left."""
    for here, _ in options.forward:
        require_port_free(here)
    with Stage(toolbox) as stage:
        if options.container:
            _container(stage, artifacts, options)
        else:
            _machine(stage, artifacts, options)


def _container(stage: Stage, artifacts: Artifacts, options: BootOptions) -> None:
    with contextlib.ExitStack() as running:
        with step("Starting the box in a container", estimate=False):
            credentials = options.seed.credentials(stage.folder)
            box = running.enter_context(Box(stage, artifacts, credentials=credentials))
        reach(stage)
        say(f"The box: https://{box.address} (ready after {box.seconds_to_ready:.1f} s)")
        if options.seed.sets_up:
            wait_for_set_up(box)
            say(f"It has set itself up. The administrators' page: https://{box.address}/admin/")
        if options.shell:
            say("A root shell in the box; leave it with exit or Ctrl-D.")
            subprocess.run([*box.enter, "/bin/bash"], check=False)
        else:
            stay()


def _machine(stage: Stage, artifacts: Artifacts, options: BootOptions) -> None:
    pairs = keys.existing_pairs()
    if "secure-boot" not in pairs:
        raise MissingError(
            "The key that signed this image is not on this machine.",
            "Start on the machine that built it, or build again.",
        )
    machine = Machine(
        stage,
        artifacts,
        pairs["secure-boot"],
        MachineOptions(
            door=firmware.make_door(stage.toolbox, stage.folder) if options.shell else None,
            enrolled=not options.set_up_mode,
            tpm=options.tpm,
            forward=options.forward,
            serial_log=options.serial_log.absolute() if options.serial_log else None,
            seed=options.seed.files or None,
        ),
    )
    kind = (
        "hardware virtualisation (KVM)" if machine.accelerator == "kvm" else "an emulated processor"
    )
    say(f"Starting on {kind}. Ctrl-C pulls the plug; what the box wrote is thrown away.")
    with machine:
        if options.forward:
            for here, box in options.forward:
                say(f"127.0.0.1:{here} leads to the box's port {box}.")
        else:
            reach(stage)
            say(f"The box: https://{machine.address}")
        if options.shell:
            say("A root shell on the box follows once it runs; Ctrl-] leaves it.")
            _attach(machine)
        elif options.headless:
            with step("Starting the box"):
                machine.wait_until_ready()
            say("The box is ready.")
            if options.seed.sets_up:
                with step("Setting the box up by its answers", estimate=False):
                    machine.wait_for_serial(ADMINISTRATION)
                say("It has set itself up. Administrators sign in at /admin/.")
            stay()
        else:
            _follow(machine)


def reach(stage: Stage) -> bool:
    """Lay a cable from this machine to the stage; say so where that cannot be."""
    try:
        stage.reach_from_host()
    except (MissingError, CommandError) as error:
        say(f"The box cannot be reached from this machine's own browser: {error.message}")
        if error.hint:
            say(f"  {error.hint}")
        return False
    return True


def stay() -> None:
    """Stay until Ctrl-C."""
    say("It stays up until you press Ctrl-C.")
    with contextlib.suppress(KeyboardInterrupt):
        while True:
            time.sleep(3600)


def _follow(machine: Machine) -> None:
    """Show the serial console until the machine goes off or Ctrl-C."""
    shown = 0
    with contextlib.suppress(KeyboardInterrupt):
        while machine.running:
            text = machine.serial()
            sys.stdout.write(text[shown:])
            sys.stdout.flush()
            shown = len(text)
            time.sleep(0.2)


@contextlib.contextmanager
def _raw_terminal() -> Iterator[None]:
    if not sys.stdin.isatty():
        yield
        return
    before = termios.tcgetattr(sys.stdin)
    try:
        tty.setraw(sys.stdin)
        yield
    finally:
        termios.tcsetattr(sys.stdin, termios.TCSADRAIN, before)


def _attach(machine: Machine) -> None:
    """Join this terminal with the shell on the box's virtual console."""
    console = machine.door.detach()
    with _raw_terminal():
        while machine.running:
            ready, _, _ = select.select([console, sys.stdin], [], [], 1.0)
            if console in ready:
                received = console.recv(65536)
                if not received:
                    return
                os.write(sys.stdout.fileno(), received)
            if sys.stdin in ready:
                typed = os.read(sys.stdin.fileno(), 4096)
                if not typed or ESCAPE in typed:
                    return
                console.sendall(typed)
