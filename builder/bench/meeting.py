"""Measures what reaches a crowd in a meeting, beside LiveKit alone in the same run."""

from collections.abc import Callable, Iterator
from pathlib import Path

from builder import image, stack
from builder.bench import crowd
from builder.bench.figure import Figure
from builder.bench.setting_up import set_up
from builder.machines.container import Box
from builder.machines.place import Place
from builder.machines.stage import BRIDGE, GATEWAY, PREFIX, Stage
from builder.progress import step

# The most that the product promises, what it is sold for, and a small meeting.
CROWDS = (10, 30, 80)
# A town hall's line: what leaves the house waits for at most 50 ms, as in a usual router, or is
# lost (tc-tbf(8)). All that these people are sent would be about twice as much.
NARROW_PEOPLE = 30
NARROW_MBIT = 40
NARROW = ("tbf", "rate", f"{NARROW_MBIT}mbit", "burst", "64kb", "latency", "50ms")
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
        yield from _narrow_figures(stage, box, keys, used, authority)


def _narrow_figures(
    stage: Stage, box: Box, keys: str, used: Callable[[], float], authority: Path
) -> Iterator[Figure]:
    """People outside of a house whose line is too narrow: as it is, then with the line named."""

    def over_the_line() -> tuple[float, str]:
        url, pause = f"wss://{box.address}", SETTLES
        came = crowd.attend(
            outside, url, keys, NARROW_PEOPLE, used, authority=authority, pause=pause
        )
        pictures = min(1.0, came.pictures)
        return came.lost, f"{pictures:.2f} of the pictures, {came.sound:.4f} of the sounds"

    with Place(stage) as outside:
        outside.plug(BRIDGE, f"{PREFIX}.60", GATEWAY, GATEWAY)
        line = ["tc", "qdisc", "replace", "dev", outside.cable, "root", *NARROW]
        stage.run(stage.toolbox.command(line))
        where = f"{NARROW_PEOPLE} people over {NARROW_MBIT} Mbit/s"
        with step(where, estimate=False):
            lost, beside = over_the_line()
        yield Figure(f"sound lost, {where} that the box does not know of", lost, None, "", beside)
        with step(f"{where}, which the settings name", estimate=False):
            set_up(box, {"uplink": NARROW_MBIT})
            lost, beside = over_the_line()
        yield Figure(f"sound lost, {where}", lost, 0.001, "", beside)


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
