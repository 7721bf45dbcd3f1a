"""Measures speed and size. Each figure of speed is a ratio to a floor taken in the same run, since
machines are shared and noisy; sizes are absolute.
"""

import time
from collections.abc import Callable, Iterator

import yaml
from rich.table import Table

from builder import answers, image, inspect, keys, stack
from builder.artifacts import open_artifacts
from builder.bench import crowd
from builder.bench.figure import Figure, timed
from builder.bench.flashing import measure_flash
from builder.cache import new_entry
from builder.errors import UsageError
from builder.machines import firmware
from builder.machines.container import Box
from builder.machines.equipment import MachineOptions
from builder.machines.machine import Machine
from builder.machines.stage import GATEWAY, Stage
from builder.paths import IMAGES, OVERLAYS, cache_folder, version
from builder.progress import console, step
from builder.run import Argument
from builder.toolbox import Toolbox

MIB = 2**20
# What the preset has on of Debian's own services for the sake of the box. All others start without
# us, too.
BROUGHT = ("apparmor.service", "etcd.service", "nftables.service", "nginx.service")
UNITS = "usr/lib/systemd/system"


def _mkosi_alone(toolbox: Toolbox, options: image.BuildOptions) -> None:
    """The same packages and partitions by mkosi alone: no trees, scripts or artifacts of ours."""
    pairs = keys.ensure_pairs()
    program = stack.build(stack.choose(options.stack), toolbox)
    with new_entry(cache_folder() / "bench/initrd") as initrd:
        image.mkosi(toolbox, IMAGES / "initrd", options, initrd, ["--extra-tree="])
    with new_entry(cache_folder() / "bench/system") as system:
        place = cache_folder() / "bench/initrd/initrd.cpio.zst"
        arguments = image.system_arguments(options, pairs, [program], place)
        alone: list[Argument] = [one for one in arguments if "--extra-tree" not in str(one)]
        alone += ["--extra-tree=", "--prepare-script=", "--postinst-script=", "--finalize-script="]
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
    change = OVERLAYS / "base/usr/share/ratssaal/bench"
    try:
        change.write_text(f"{time.time()}\n")
        with step("Rebuild after a change in overlays/", estimate=False):
            rebuild = timed(lambda: image.build(image.BuildOptions()))
    finally:
        change.unlink(missing_ok=True)
    detail = f"{rebuild:.1f} s beside {full:.1f} s"
    yield Figure("rebuild after a change", rebuild / full, 0.35, "x full build", detail)
    image.build(image.BuildOptions())
    nothing = timed(lambda: image.build(image.BuildOptions()))
    yield Figure("build with nothing changed", nothing, 2.0, "s", "")


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
        total = machine.shell("systemd-analyze time | sed -n 's/.* = //p;T;q'").strip()
        seconds = sum(
            float(part[:-3]) * 60 if part.endswith("min") else float(part.rstrip("s"))
            for part in total.split()
        )
        used = machine.shell("free --bytes | awk '/^Mem:/ {print $3}'")
        return seconds, int(used) / MIB


def measure_boot() -> Iterator[Figure]:
    """Start in a machine beside the same image without ours, start in a container, memory."""
    built = image.build(image.BuildOptions())
    with Stage(built.toolbox) as stage:
        for name in ("ours", "floor"):
            (stage.folder / name).mkdir()
        with step("Start with nothing of ours", estimate=False):
            masks = " ".join(f"systemd.mask={unit}" for unit in started_for_us())
            bare = firmware.make_door(built.toolbox, stage.folder / "floor", masks)
            floor, _ = _start_seconds(stage, bare)
        with step("Start of the box", estimate=False):
            door = firmware.make_door(built.toolbox, stage.folder / "ours")
            ours, memory = _start_seconds(stage, door)
        detail = f"{ours:.1f} s beside {floor:.1f} s with nothing of ours"
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


_BOX_PYTHON = ("env", "PYTHONPATH=/usr/lib/ratssaal", "python3", "-c")
_GIVE_ANSWERS = """
import sys
from firstboot import agent, unattended
from firstboot.store import Draft, Store
Draft(Store()).begin(unattended.read(sys.stdin.buffer.read()))
agent.subprocess.run = lambda *_, **__: None  # begun by what is measured
agent.apply(Store(), "bench")
"""
_PLAY_AGAIN = """
from firstboot import converge
from firstboot.store import Store
said = converge.play(Store().settings(1), True).stdout
assert "changed=0" in said, said
"""
_COUNT_DECISIONS = """
from firstboot.web import steps
print(sum(one.decisions for one in steps.steps().values()) + steps.BEFORE_AND_AFTER)
"""


def measure_setup() -> Iterator[Figure]:
    """From answers to serving on a box in a container, beside Ansible with nothing to do."""
    built = image.build(image.BuildOptions())
    person = {"name": "Anna", "password": answers.hash_password("korrekt pferd batterie")}
    content = {
        "box": {"host_name": "sitzung.musterhausen.example"},
        "cluster": {"administration": {"people": [person], "alone_because": "-"}},
    }
    with Stage(built.toolbox) as stage, Box(stage, built.artifacts) as box:
        box.shell("printf '%s\\n' '- hosts: localhost' '  gather_facts: false' >/run/empty.yml")
        nothing = ("ansible-playbook", "--inventory", "localhost,", "/run/empty.yml")
        box.run(*nothing)
        floor = timed(lambda: box.run(*nothing))
        box.run(*_BOX_PYTHON, _GIVE_ANSWERS, stdin=yaml.safe_dump(content))
        first = timed(lambda: box.run("systemctl", "start", "ratssaal-converge.service"))
        # A figure of what was given up would be a good one.
        box.run("test", "-e", "/var/lib/ratssaal/settings/applied.json")
        second = timed(lambda: box.run(*_BOX_PYTHON, _PLAY_AGAIN))
        decisions = int(box.run(*_BOX_PYTHON, _COUNT_DECISIONS).stdout)
    beside = f"beside {floor:.2f} s of Ansible with an empty playbook"
    yield Figure("apply to serving", first / floor, 40, "x", f"{first:.1f} s {beside}")
    yield Figure("converge, second run", second / floor, 30, "x", f"{second:.1f} s {beside}")
    yield Figure("decisions on the way", decisions, 12, "", "answers asked of everybody")


# The most that the product promises, what it is sold for, and a small meeting.
CROWDS = (10, 30, 80)
# A town hall's line: what leaves the box waits for at most 50 ms, as in a usual router, or is lost
# (tc-tbf(8)). All that these people are sent would be about twice as much.
NARROW_PEOPLE = 30
NARROW = ("tbf", "rate", "40mbit", "burst", "64kb", "latency", "50ms")
SETTLES = 20.0  # seconds until a server has found out how much a line carries


def measure_meeting() -> Iterator[Figure]:
    """Crowds of growing size on a box in a container, each beside LiveKit alone in the same run."""
    built = image.build(image.BuildOptions())
    tree = stack.build(stack.choose(stack.DEFAULT), built.toolbox)
    with Stage(built.toolbox) as stage, Box(stage, built.artifacts) as box:
        keys = box.shell("cat /var/lib/ratssaal/secrets/stack/keys.yaml")
        authority = stage.folder / "authority.pem"
        authority.write_text(box.shell("cat /var/lib/ratssaal/tls/authority.pem"))

        def used() -> float:
            shown = box.shell("systemctl show --value -p CPUUsageNSec nginx livekit").split()
            return sum(map(int, shown)) / 1e9

        for people in CROWDS:
            with (
                step(f"{people} people on LiveKit alone", estimate=False),
                crowd.alone(stage, tree, keys) as used_alone,
            ):
                url = f"ws://{GATEWAY}:7880"
                floor = crowd.attend(stage, url, keys, people, used_alone)
            with step(f"{people} people on the box", estimate=False):
                url = f"wss://{box.address}"
                ours = crowd.attend(stage, url, keys, people, used, authority=authority)
            yield from _meeting_figures(people, ours, floor)
        with step(f"{NARROW_PEOPLE} people over a line of 40 Mbit/s", estimate=False):
            box.run("tc", "qdisc", "replace", "dev", "host0", "root", *NARROW)
            url = f"wss://{box.address}"
            narrow = crowd.attend(
                stage, url, keys, NARROW_PEOPLE, used, authority=authority, pause=SETTLES
            )
        came = f"{min(1.0, narrow.pictures):.2f} of the pictures, {narrow.sound:.4f} of the sounds"
        what = f"sound lost, {NARROW_PEOPLE} people over 40 Mbit/s"
        yield Figure(what, narrow.lost, 0.001, "", came)


def _meeting_figures(
    people: int, ours: crowd.Attendance, floor: crowd.Attendance
) -> Iterator[Figure]:
    def row(name: str, value: float, goal: float | None, unit: str, alone: str) -> Figure:
        beside = f"{alone} alone; {ours.server:.2f} processors, crowd {ours.crowd:.2f}"
        return Figure(f"{name}, {people} people", value, goal, unit, beside)

    missing = 1 - min(1.0, ours.pictures)
    yield row("pictures missing", missing, 0.01, "", f"{1 - min(1.0, floor.pictures):.3f}")
    yield row("sound lost", ours.lost, 0.001, "", f"{floor.lost:.4f}")
    yield row("first picture", ours.median / floor.median, 1.3, "x", f"{floor.median:.0f} ms")
    yield row("last one's", ours.worst / floor.worst, 1.3, "x", f"{floor.worst:.0f} ms")
    cost = ours.server / ours.tracks * 1e3
    yield row("processor a track", cost, None, "ms/s", f"{floor.server / floor.tracks * 1e3:.2f}")


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


def show(figures: list[Figure]) -> None:
    """Print a table for people; what falls short comes last."""
    table = Table("figure", "measured", "goal", "unit", "from")
    for one in sorted(figures, key=lambda one: not one.met):
        colour = "green" if one.met else "red"
        goal = "–" if one.goal is None else f"{one.goal:g}"
        table.add_row(one.name, f"[{colour}]{one.value:.2f}", goal, one.unit, one.detail)
    console.print(table)
