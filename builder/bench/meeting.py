"""Measures what reaches a crowd in a meeting, beside LiveKit alone in the same run."""

import math
import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path

from builder import demo, image, stack
from builder.bench import crowd
from builder.bench.attendance import Attendance
from builder.bench.figure import Figure, Limit
from builder.bench.recording import recordings
from builder.bench.setting_up import set_up
from builder.bench.spent import Spent, confined
from builder.machines.container import Box
from builder.machines.place import Place
from builder.machines.stage import BRIDGE, GATEWAY, PREFIX, Stage
from builder.paths import OVERLAYS
from builder.progress import step

# The most that the product promises, what it is sold for, and a small meeting; of each, which share
# of the pictures may be missing.
CROWDS = {10: 0.001, 30: 0.001, 80: 0.01}
SOUND = 0.001
# Of what LiveKit alone takes, or misses.
JOIN = 1.3
COUNTED = 15.0  # seconds
# Seconds after the last one has seen a picture, for each person there: all see and hear each other.
UNDER_WAY = 0.125
LEAST_PAUSE = 3.0
# How often people come: once all at once, when what came is counted; then one after the other, when
# the best time counts, since what disturbs a machine makes it slower alone.
ROUNDS = 3
# What the server has for it, on a machine of any size.
PROCESSORS = 2
# With fewer of its processors at rest a machine has nothing more to give.
FULL = 0.95
# All that a meeting needs on a box, by what it is called here.
UNITS = {
    "livekit": "livekit",
    "nginx": "nginx",
    "rooms service": "ratssaal-meet",
    "etcd": "etcd",
}
SFU = "livekit"
# Where LiveKit alone is, the crowd, and the crowd behind the narrow line: each in a network of its
# own on one bridge with the box, so that what comes takes the same way from either server.
ALONE, HOUSE, OUTSIDE = (f"{PREFIX}.{number}" for number in (61, 62, 60))
# Of the presets one without a lobby, in which everybody may speak, show himself and share. There is
# room for visitors beside the crowd: LiveKit counts some for seconds after they have gone.
MEETINGS: dict[str, object] = {"preset": "open", "max_people": 100}
# A town hall's line: what leaves the house waits for at most 50 ms, as in a usual router, or is
# lost (tc-tbf(8)). All that these people are sent would be about twice as much.
NARROW_PEOPLE = 30
NARROW_MBIT = 40
NARROW = ("tbf", "rate", f"{NARROW_MBIT}mbit", "burst", "64kb", "latency", "50ms")
SETTLES = 20.0  # seconds until a server has found out how much a line carries
# What the box's kernel lets sockets hold, and in pages of which size it keeps memory; a container
# has neither of its own.
LIMITS = OVERLAYS / f"{stack.DEFAULT}/usr/lib/sysctl.d/60-{stack.DEFAULT}.conf"
PAGES = OVERLAYS / f"{stack.DEFAULT}/usr/lib/tmpfiles.d/60-{stack.DEFAULT}.conf"


def measure_meeting() -> Iterator[Figure]:
    """Crowds of growing size on a box in a container, each beside LiveKit alone in the same run."""
    built = image.build(image.BuildOptions())
    tree = stack.build(stack.choose(stack.DEFAULT), built.toolbox)
    crowd.program(built.toolbox)
    recordings()
    with ExitStack() as running:
        running.enter_context(limits_of_a_box())
        running.enter_context(pages_of_a_box())
        stage = running.enter_context(Stage(built.toolbox))
        with confined(PROCESSORS):
            box = running.enter_context(Box(stage, built.artifacts))
            with step("Setting the box up", estimate=False):
                set_up(box, {}, MEETINGS)
            keys = box.shell("cat /var/lib/ratssaal/secrets/stack/keys.yaml")
            # Beside the box on the same bridge, as the box is.
            beside = running.enter_context(Place(stage))
            beside.plug(BRIDGE, ALONE, GATEWAY, GATEWAY)
            url, bare = running.enter_context(crowd.alone(beside, ALONE, tree, keys))
        house = running.enter_context(Place(stage))
        house.plug(BRIDGE, HOUSE, GATEWAY, GATEWAY)
        authority = stage.folder / "authority.pem"
        authority.write_text(box.shell("cat /var/lib/ratssaal/tls/authority.pem"))
        for people, missing in CROWDS.items():
            ours, floor = [], []
            pause = max(LEAST_PAUSE, UNDER_WAY * people)
            # In turn; after the first round people only come, see a picture, and go.
            for number in range(1, ROUNDS + 1):
                rush = number == 1
                seconds = COUNTED if rush else 1.0
                said = f"{people} people, {number} of {ROUNDS}"
                with step(f"{said}, on LiveKit alone", estimate=False):
                    floor.append(
                        crowd.attend(
                            house,
                            people,
                            bare,
                            url=url,
                            keys=keys,
                            pause=pause,
                            seconds=seconds,
                            rush=rush,
                        )
                    )
                with step(f"{said}, on the box", estimate=False):
                    ours.append(
                        attend(
                            house, box, people, authority, pause=pause, seconds=seconds, rush=rush
                        )
                    )
            yield from meeting_figures(ours, floor, missing)
        yield from _narrow_figures(stage, box, authority)


@contextmanager
def limits_of_a_box(
    files: Path = Path("/proc/sys/net/core"), said: Path = LIMITS
) -> Iterator[None]:
    """For the block, let sockets of this machine hold as much as those of a box, or as they do."""
    wanted = re.findall(r"^net\.core\.(\w+) = (\d+)$", said.read_text(), re.MULTILINE)
    before = {files / name: (files / name).read_text() for name, _ in wanted}
    try:
        for name, value in wanted:
            file = files / name
            file.write_text(f"{max(int(before[file]), int(value))}\n")
        yield
    finally:
        for file, value in before.items():
            file.write_text(value)


@contextmanager
def pages_of_a_box(
    file: Path = Path("/sys/kernel/mm/transparent_hugepage/enabled"), said: Path = PAGES
) -> Iterator[None]:
    """For the block, have this machine keep memory in huge pages where a box does.

    A kernel that knows none stays as it is.
    """
    (wanted,) = re.findall(
        r"^w- \S+/transparent_hugepage/enabled(?: -){4} (\w+)$", said.read_text(), re.MULTILINE
    )
    if not file.exists():
        yield
        return
    # The chosen one of all that there are (admin-guide/mm/transhuge).
    (before,) = re.findall(r"\[(\w+)\]", file.read_text())
    try:
        file.write_text(wanted)
        yield
    finally:
        file.write_text(before)


def attend(
    where: Place,
    box: Box,
    people: int,
    authority: Path,
    *,
    pause: float = LEAST_PAUSE,
    seconds: float = COUNTED,
    rush: bool = True,
) -> Attendance:
    """Bring `people` from `where` into a meeting of their own on the box, by its link."""
    link = demo.invite(box)["participant"]
    return crowd.attend(
        where,
        people,
        lambda: served_by(box),
        link=link,
        authority=authority,
        pause=pause,
        seconds=seconds,
        rush=rush,
    )


def served_by(box: Box) -> Mapping[str, list[int]]:
    """The processes of all that a meeting needs on the box."""
    return {name: box.processes(unit) for name, unit in UNITS.items()}


def _narrow_figures(stage: Stage, box: Box, authority: Path) -> Iterator[Figure]:
    """People outside of a house whose line is too narrow: as it is, then with the line named."""
    with Place(stage) as outside:
        outside.plug(BRIDGE, OUTSIDE, GATEWAY, GATEWAY)
        line = ["tc", "qdisc", "replace", "dev", outside.cable, "root", *NARROW]
        stage.run(stage.toolbox.command(line))
        where = f"{NARROW_PEOPLE} people over {NARROW_MBIT} Mbit/s"
        with step(where, estimate=False):
            came = attend(outside, box, NARROW_PEOPLE, authority, pause=SETTLES)
        yield _narrow_row(f"sound lost, {where} that the box does not know of", None, came)
        with step(f"{where}, which the settings name", estimate=False):
            set_up(box, {"uplink": NARROW_MBIT}, MEETINGS)
            came = attend(outside, box, NARROW_PEOPLE, authority, pause=SETTLES)
        yield _narrow_row(f"sound lost, {where}", SOUND, came)


def _narrow_row(name: str, goal: float | None, came: Attendance) -> Figure:
    lost = 1 - came.sound
    said = f"{_silent(came)}; {came.pictures:.2f} of the pictures; {came.absent} never came"
    said = f"{said}; {_machine(came.spent)}"
    # LiveKit alone has not sat behind this line, so nothing shows that the machine is the limit.
    limit: Limit | None = "server" if goal is not None and not lost <= goal else None
    return Figure(name, lost, goal, "", said, limit)


def full(spent: Spent) -> bool:
    """Whether the machine had nothing more to give, and less for the server than it may use."""
    return spent.busy >= FULL and spent.left < PROCESSORS


def limit(ours: Spent, alone: Spent, as_well: bool) -> Limit:
    """Whose fault it is that the box has not met a goal.

    It is the machine's only where LiveKit alone has missed it as well, by about as much, and the
    machine was full both times and left the server less than the processors of the goal. Else it is
    the server's: the machine could do it, or better, or was not asked for all it has.
    """
    return "machine" if as_well and full(ours) and full(alone) else "server"


def meeting_figures(
    rounds: Sequence[Attendance], floors: Sequence[Attendance], missing: float
) -> Iterator[Figure]:
    """The rows of one crowd on the box, beside the same on LiveKit alone.

    What came was counted in the first round of each, where all came at once; in the others they
    came one after the other, saw a picture, and went.
    missing: share of the pictures that may be missing.
    """
    ours, floor, calm, quiet = rounds[0], floors[0], rounds[1:], floors[1:]
    mine, theirs = ours.spent, floor.spent

    def row(
        name: str, value: float, goal: float | None, unit: str, said: str, as_well: bool = False
    ) -> Figure:
        """as_well: whether LiveKit alone has missed the goal, and the box by little more."""
        found = Figure(f"{name}, {ours.people} people", value, goal, unit, said)
        if goal is None or found.met:
            return found
        whose = limit(mine, theirs, as_well)
        because = f"the {whose} is the limit: {mine.busy:.2f} of the machine busy"
        return Figure(found.name, value, goal, unit, f"{said}; {because}", whose)

    def share(name: str, value: float, alone: float, goal: float, said: str = "") -> Figure:
        as_well = alone > goal and value <= JOIN * alone
        return row(name, value, goal, "", f"{alone:.4f} alone{said}", as_well)

    def number(name: str, value: int, alone: int, said: str = "") -> Figure:
        return row(name, value, 0, "", f"{alone} alone{said}", 0 < value <= JOIN * alone)

    def times(name: str, value: float, alone: float, more: str = "") -> Figure:
        said = f"{value:.0f} ms beside {alone:.0f} ms alone, the best of {len(calm)}{more}"
        return row(name, ratio(value, alone), JOIN, "x", said, math.isinf(alone))

    failed = "".join(f"; {words}" for one in rounds for words in one.failed[:1])
    absent, absent_alone = (max(one.absent for one in every) for every in (rounds, floors))
    blind, blind_alone = (max(one.blind for one in every) for every in (rounds, floors))
    yield number("never came", absent, absent_alone, failed)
    yield number("without a picture", blind, blind_alone)
    layers = f"; {ours.layers['large']} large and {ours.layers['small']} small of cameras came"
    yield share("pictures missing", 1 - ours.pictures, 1 - floor.pictures, missing, layers)
    silent = f"; {_silent(ours)}"
    yield share("sound lost", 1 - ours.sound, 1 - floor.sound, SOUND, silent)
    value, alone = (min(one.median for one in every) for every in (calm, quiet))
    place = f"; {min(one.place for one in calm):.0f} ms to the place, which LiveKit alone has not"
    yield times("first picture", value, alone, place)
    value, alone = (min(one.worst for one in every) for every in (calm, quiet))
    yield times("last one's", value, alone)
    said = f"{ours.median:.0f} ms, the last one's {ours.worst:.0f} ms, beside "
    said = f"{said}{floor.median:.0f} ms and {floor.worst:.0f} ms alone"
    value = ratio(ours.median, floor.median)
    yield row("first picture where all come at once", value, None, "x", said)
    cost, alone = (cost_of_track(one) for one in (ours, floor))
    said = f"{alone:.3f} alone; {ours.tracks} tracks, {floor.tracks} alone"
    yield row("processor a track", cost, None, "ms/s", said)
    held = ", ".join(f"{name} {size:.0f}" for name, size in mine.memory.items())
    said = f"{held}; {sum(theirs.memory.values()):.0f} alone"
    yield row("memory", sum(mine.memory.values()), None, "MiB", said)
    dear, alone = (ratio(one.crowd, one.processors) for one in (mine, theirs))
    said = f"{alone:.2f} alone; it sent {ours.kept:.3f} of what it meant to, {floor.kept:.3f} alone"
    name = f"crowd's processor beside the server's, {ours.people} people"
    yield Figure(name, dear, 1, "x", said)
    said = f"{_machine(mine)}; alone {theirs.busy:.2f}: {_machine(theirs)}"
    yield row("machine busy", mine.busy, None, "", said)


def ratio(value: float, floor: float) -> float:
    """How many times `floor` it is; not a number where there is nothing to compare with."""
    return value / floor if 0 < floor < math.inf else math.nan


def cost_of_track(came: Attendance) -> float:
    """Milliseconds of processor in a second that LiveKit used for each stream; nan: none came."""
    return ratio(came.spent.server.get(SFU, math.nan) * 1e3, came.tracks)


def _silent(came: Attendance) -> str:
    """Of how many streams of sound nothing came, which is another fault than a lost packet.

    And what the crowd has lost itself, which no server could help.
    """
    said = f"of {came.silent} of {came.people * (came.people - 1)} streams nothing came"
    return f"{said}; the crowd dropped {came.overflowed} packets" if came.overflowed else said


def _machine(spent: Spent) -> str:
    """Who had how much of the machine's processors."""
    return (
        f"server {spent.processors:.2f} of its {spent.may} processors, crowd {spent.crowd:.2f}, "
        f"others {spent.others:.2f} of the machine's {spent.machine}"
    )
