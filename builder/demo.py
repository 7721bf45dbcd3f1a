"""The demonstration: build the image, start it, hold a call on it, say how to reach it."""

import contextlib
import json
import shlex
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from builder import call, image, keys
from builder.errors import CommandError
from builder.machines import firmware
from builder.machines.boot import reach
from builder.machines.container import Box
from builder.machines.equipment import MachineOptions
from builder.machines.machine import Machine
from builder.machines.stage import Stage
from builder.paths import build_folder
from builder.progress import say, step
from builder.stick.seed import NOTHING, Seed, wait_for_set_up

MEETING = "Vorführung"


@dataclass(frozen=True)
class Shown:
    """What the demonstration has shown: the box's address, the call, a picture of its screen.

    picture: None in a container, which has no screen. accelerator: `kvm`, `tcg` or `container`.
    administration: where administrators sign in, once the box has set itself up. meeting: links
    to a meeting, by role; whoever moderates lets the others in.
    """

    address: str
    held: call.Call
    picture: Path | None
    accelerator: str
    reachable: bool
    administration: str | None
    meeting: dict[str, str]


@contextlib.contextmanager
def demo(
    options: image.BuildOptions, seed: Seed = NOTHING, *, container: bool = False
) -> Iterator[Shown]:
    """Yield once the call was held; the box runs until the block ends.

    With answers in `seed` the box sets itself up first. Raises CommandError where it does not, or
    where a guest did not see the other one move.
    """
    built = image.build(options)
    with Stage(built.toolbox) as stage, contextlib.ExitStack() as running:
        box: Box | Machine
        if container:
            box = _container(stage, built, seed, running)
        else:
            box = _machine(stage, built, seed, running)
        if seed.sets_up:
            with step("Setting the box up by its answers", estimate=False):
                wait_for_set_up(box)
        with step("Holding a call", estimate=False):
            held = call.hold(box, stage)
        if not held.held():
            raise CommandError(
                f"The call was not held: moving pictures received {held.moving}.",
                "./ratssaal boot shows the box's screen; its journal tells more.",
            )
        picture = None
        if isinstance(box, Machine):
            picture = box.screenshot(build_folder() / "screens/console.png")
        yield Shown(
            box.address,
            held,
            picture,
            box.accelerator if isinstance(box, Machine) else "container",
            reach(stage),
            f"https://{box.address}/admin/" if seed.sets_up else None,
            invite(box),
        )


def invite(box: call.Reachable) -> dict[str, str]:
    """Links to a meeting on the box, by role; good for a day."""
    command = ["/usr/lib/ratssaal/stack/invite", box.address, MEETING]
    found: dict[str, str] = json.loads(box.shell(shlex.join(command)))
    return found


def _container(stage: Stage, built: image.Built, seed: Seed, running: contextlib.ExitStack) -> Box:
    credentials = seed.credentials(stage.folder)
    with step("Starting the box in a container", estimate=False):
        return running.enter_context(Box(stage, built.artifacts, credentials=credentials))


def _machine(
    stage: Stage, built: image.Built, seed: Seed, running: contextlib.ExitStack
) -> Machine:
    owner = keys.ensure_pairs()["secure-boot"]
    door = firmware.make_door(built.toolbox, stage.folder)
    options = MachineOptions(door=door, seed=seed.files or None)
    machine = Machine(stage, built.artifacts, owner, options)
    say(
        "Starting the image with hardware virtualisation (KVM)."
        if machine.accelerator == "kvm"
        else "Starting the image on an emulated processor (no usable KVM here): about a minute."
    )
    running.enter_context(machine)
    with step("Starting the box"):
        machine.wait_until_ready()
    return machine


def report(shown: Shown) -> None:
    """Say what was shown, for people."""
    for name, count in shown.held.frames.items():
        say(f"{name} received {count} frames, {shown.held.moving[name]} of them moving.")
    if shown.picture:
        say(f"A picture of the box's screen: {shown.picture}")
    if shown.reachable:
        say(f"The box: https://{shown.address} (a certificate of its own making: the browser asks)")
        if shown.administration:
            say(f"The administrators' page: {shown.administration}")
        say(f"A meeting: {shown.meeting['moderator']}")
        say(f"For its guests, whom you let in there: {shown.meeting['participant']}")
    if shown.picture:
        say("This box was started with a door for tests, made for this one start; no image has it.")
