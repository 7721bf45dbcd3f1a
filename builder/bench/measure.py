"""Measures speed and size. Each figure of speed is a ratio to a floor taken in the same run, since
machines are shared and noisy; sizes are absolute.
"""

import time
from collections.abc import Callable, Iterator
from pathlib import Path

from rich.table import Table

from builder import client, image, inspect, keys, stack
from builder.artifacts import open_artifacts
from builder.bench.figure import Figure, timed
from builder.bench.flashing import measure_flash
from builder.bench.meeting import measure_meeting
from builder.bench.setting_up import measure_setup
from builder.cache import exclusive, new_entry
from builder.errors import UsageError
from builder.machines import firmware
from builder.machines.container import Box
from builder.machines.equipment import MachineOptions
from builder.machines.machine import Machine
from builder.machines.stage import Stage
from builder.paths import IMAGES, OVERLAYS, PROJECT, cache_folder, version
from builder.progress import console, step
from builder.run import Argument
from builder.toolbox import Toolbox

MIB = 2**20
# What the preset has on of Debian's own services for the sake of the box. All others start without
# us, too.
BROUGHT = ("apparmor.service", "etcd.service", "nftables.service", "nginx.service")
# What applies kernel parameters: Debian sets none that a start notices, and ours are ours.
PARAMETERS = "systemd-sysctl.service"
UNITS = "usr/lib/systemd/system"
ROUNDS = 3
# A file that is new, in each room of which a change must not cost a full build. That of meet/ makes
# Vite build the pages again.
CHANGES = {
    "overlays/": OVERLAYS / "base/usr/share/ratssaal/bench",
    "firstboot/": PROJECT / "firstboot" / "bench.py",
    "meet/": client.CLIENT / "src/bench.ts",
}
REBUILD_GOAL = 0.35


def _mkosi_alone(toolbox: Toolbox, options: image.BuildOptions) -> None:
    """The same packages and partitions by mkosi alone: no trees, scripts or artifacts of ours."""
    pairs = keys.ensure_pairs()
    program = stack.build(stack.choose(options.stack), toolbox)
    bench = cache_folder() / "bench"
    arguments = image.system_arguments(options, pairs, [program], bench / "initrd/initrd.cpio.zst")
    alone: list[Argument] = [one for one in arguments if "--extra-tree" not in str(one)]
    alone += ["--extra-tree=", "--prepare-script=", "--postinst-script=", "--finalize-script="]
    with exclusive("image"):
        with new_entry(bench / "initrd") as initrd:
            image.mkosi(toolbox, IMAGES / "initrd", options, initrd, ["--extra-tree="])
        with new_entry(bench / "system") as system:
            image.mkosi(toolbox, IMAGES, options, system, alone)


def measure_build() -> Iterator[Figure]:
    """Full build, rebuild after a change, and a build with nothing to do."""
    fresh = image.BuildOptions(force=True)
    toolbox = image.build(image.BuildOptions()).toolbox
    with step("mkosi alone", estimate=False):
        floor = timed(lambda: _mkosi_alone(toolbox, fresh))
    with step("Full build", estimate=False):
        full = timed(lambda: image.build(fresh))
    detail = f"{full:.1f} s beside {floor:.1f} s of mkosi alone"
    yield Figure("full build", full / floor, 1.25, "x mkosi alone", detail)
    for room, change in CHANGES.items():
        rebuild = _rebuild_seconds(room, change)
        name = f"rebuild after a change in {room}"
        detail = f"{rebuild:.1f} s beside {full:.1f} s"
        yield Figure(name, rebuild / full, REBUILD_GOAL, "x full build", detail)
    image.build(image.BuildOptions())
    nothing = timed(lambda: image.build(image.BuildOptions()))
    yield Figure("build with nothing changed", nothing, 2.0, "s", "")


def _rebuild_seconds(room: str, change: Path) -> float:
    """Seconds of a build with the new file `change`, which is gone afterwards."""
    try:
        change.write_text(f"// {time.time()}\n" if change.suffix == ".ts" else f"# {time.time()}\n")
        with step(f"Rebuild after a change in {room}", estimate=False):
            return timed(lambda: image.build(image.BuildOptions()))
    finally:
        change.unlink(missing_ok=True)


def started_for_us() -> list[str]:
    """Units that start by themselves, ours and those that we bring: the floor is without them."""
    own = [
        unit.name
        for unit in OVERLAYS.glob(f"*/{UNITS}/*.*")
        if unit.is_file() and "[Install]" in unit.read_text().splitlines()
    ]
    return sorted([*BROUGHT, *own])


def _start_seconds(stage: Stage, door: firmware.Door) -> tuple[float, float]:
    """Seconds from kernel to the end of the start, and memory in use then, in MiB."""
    owner = keys.ensure_pairs()["secure-boot"]
    with Machine(stage, open_artifacts(), owner, MachineOptions(door=door)) as machine:
        machine.shell("systemctl is-system-running --wait || true")
        # In microseconds since the kernel began.
        finished = machine.shell("systemctl show --value --property=FinishTimestampMonotonic")
        used = machine.shell("free --bytes | awk '/^Mem:/ {print $3}'")
        return int(finished) / 1e6, int(used) / MIB


def measure_boot() -> Iterator[Figure]:
    """Start in a machine beside the same image without ours, start in a container, memory."""
    built = image.build(image.BuildOptions())
    with Stage(built.toolbox) as stage:
        for name in ("ours", "floor"):
            (stage.folder / name).mkdir()
        masks = " ".join(f"systemd.mask={unit}" for unit in (*started_for_us(), PARAMETERS))
        bare = firmware.make_door(built.toolbox, stage.folder / "floor", masks)
        door = firmware.make_door(built.toolbox, stage.folder / "ours")
        floors, starts = [], []
        # In turn, and the best of each: what disturbs a machine makes it slower alone.
        for number in range(1, ROUNDS + 1):
            with step(f"Start with nothing of ours, {number} of {ROUNDS}", estimate=False):
                floors.append(_start_seconds(stage, bare)[0])
            with step(f"Start of the box, {number} of {ROUNDS}", estimate=False):
                seconds, memory = _start_seconds(stage, door)
                starts.append(seconds)
        ours, floor = min(starts), min(floors)
        detail = f"{ours:.1f} s beside {floor:.1f} s with nothing of ours, the best of {ROUNDS}"
        yield Figure("time to ready", ours / floor, 1.5, "x the same image bare", detail)
        yield Figure("memory at rest", memory, 350, "MiB", "as free(1) counts it")
        with Box(stage, built.artifacts) as box:
            yield Figure("container to ready", box.seconds_to_ready, 5, "s", "")


def measure_size() -> Iterator[Figure]:
    """Sizes of the initrd and of the compressed image."""
    built = image.build(image.BuildOptions())
    sections = inspect.kernel_sections(built.artifacts, built.toolbox)
    yield Figure("initrd", sections[".initrd"] / 1e6, 45, "MB", "in the unified kernel image")
    size = built.artifacts.compressed.stat().st_size / 1e6
    yield Figure("compressed image", size, 450, "MB", f"ratssaal_{version()}.raw.zst")


SUBJECTS: dict[str, Callable[[], Iterator[Figure]]] = {
    "build": measure_build,
    "boot": measure_boot,
    "flash": measure_flash,
    "meeting": measure_meeting,
    "setup": measure_setup,
    "size": measure_size,
}


def measure(subjects: list[str]) -> list[Figure]:
    """Measure `subjects`, in order. Raises UsageError for an unknown one."""
    for subject in subjects:
        if subject not in SUBJECTS:
            raise UsageError(
                f"There is nothing called {subject!r} to measure.",
                f"Known are: {', '.join(SUBJECTS)}.",
            )
    return [figure for subject in subjects for figure in SUBJECTS[subject]()]


def short_of_goals(figures: list[Figure]) -> str:
    """Which of `figures` fall short of their goals, those apart that this machine cannot show."""
    machine = [one.name for one in figures if not one.met and one.limit == "machine"]
    others = [one.name for one in figures if not one.met and one.limit != "machine"]
    said = [f"Short of the goal: {', '.join(others)}."] if others else []
    if machine:
        said.append(f"Not shown, since this machine is the limit: {', '.join(machine)}.")
    return "\n".join(said)


def show(figures: list[Figure]) -> None:
    """Print a table for people; what falls short comes last."""
    table = Table("figure", "measured", "goal", "unit", "from")
    for one in sorted(figures, key=lambda one: not one.met):
        colour = "green" if one.met else "red"
        goal = "–" if one.goal is None else f"{one.goal:g}"
        digits = 4 if 0 < abs(one.value) < 0.1 else 2  # one lost of a thousand is not nothing
        table.add_row(one.name, f"[{colour}]{one.value:.{digits}f}", goal, one.unit, one.detail)
    console.print(table)
