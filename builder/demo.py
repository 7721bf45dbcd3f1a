"""The demonstration: build the image, start it, hold a call on it, say how to reach it."""

import contextlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from builder import call, firmware, image, keys
from builder.boot import reach
from builder.errors import CommandError
from builder.machine import Machine, MachineOptions
from builder.paths import build_folder
from builder.progress import say, step
from builder.stage import Stage


@dataclass(frozen=True)
class Shown:
    """What the demonstration has shown: the box's address, the call, a picture of its screen."""

    address: str
    held: call.Call
    picture: Path
    accelerator: str
    reachable: bool


@contextlib.contextmanager
def demo(options: image.BuildOptions) -> Iterator[Shown]:
    """Yield once the call was held; the box runs until the block ends.

    Raises CommandError where a guest did not see the other one move.
    """
    built = image.build(options)
    owner = keys.ensure_pairs()["secure-boot"]
    with Stage(built.toolbox) as stage:
        door = firmware.make_door(built.toolbox, stage.folder)
        machine = Machine(stage, built.artifacts, owner, MachineOptions(door=door))
        say(
            "Starting the image with hardware virtualisation (KVM)."
            if machine.accelerator == "kvm"
            else "Starting the image on an emulated processor (no usable KVM here): about a minute."
        )
        with machine:
            with step("Starting the box"):
                machine.wait_until_ready()
            with step("Holding a call", estimate=False):
                held = call.hold(machine, stage)
            if not held.held():
                raise CommandError(
                    f"The call was not held: moving pictures received {held.moving}.",
                    "./ratssaal boot shows the box's screen; its journal tells more.",
                )
            picture = machine.screenshot(build_folder() / "screens/console.png")
            yield Shown(machine.address, held, picture, machine.accelerator, reach(stage))


def report(shown: Shown) -> None:
    """Say what was shown, for people."""
    for name, count in shown.held.frames.items():
        say(f"{name} received {count} frames, {shown.held.moving[name]} of them moving.")
    say(f"A picture of the box's screen: {shown.picture}")
    if shown.reachable:
        say(f"The box: https://{shown.address} (a certificate of its own making: the browser asks)")
    say("This box was started with a door for tests, made for this one start; the image has none.")
