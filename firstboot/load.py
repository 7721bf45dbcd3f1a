"""How busy this box is, from /proc: what share of processor, memory, disk and network is in use."""

import shutil
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

PROC = Path("/proc")
CARDS = Path("/sys/class/net")
DISK = Path("/var")
SAMPLE_SECONDS = 0.4
# From here on it is worth a look, and from there on meetings suffer.
BUSY, FULL = 70, 90

Level = Literal["good", "note", "problem"]


@dataclass(frozen=True)
class Share:
    """How much of one thing is in use: `percent`, 0 to 100, or None where nobody knows the whole.

    `used` and `whole` as people say them: GB of memory and disk, Mbit/s of the network.
    """

    name: Literal["processor", "memory", "disk", "network"]
    percent: int | None
    used: float = 0.0
    whole: float = 0.0

    @property
    def level(self) -> Level:
        """What that means: nothing to do, worth a look, or trouble."""
        if self.percent is None or self.percent < BUSY:
            return "good"
        return "note" if self.percent < FULL else "problem"


def _processor(proc: Path) -> tuple[int, int]:
    """Ticks that the processors worked, and all that there were (proc_stat(5))."""
    ticks = [int(one) for one in (proc / "stat").read_text().splitlines()[0].split()[1:9]]
    return sum(ticks) - ticks[3] - ticks[4], sum(ticks)


def _octets(proc: Path, cards: Path) -> dict[str, tuple[int, int]]:
    """Octets received and sent so far by each card that is no loop (proc_pid_net(5))."""
    found = {}
    for line in (proc / "net/dev").read_text().splitlines()[2:]:
        name, _, numbers = line.partition(":")
        counted = numbers.split()
        if (cards / name.strip()).exists() and name.strip() != "lo":
            found[name.strip()] = (int(counted[0]), int(counted[8]))
    return found


def _megabits(cards: Path, name: str) -> int:
    """How fast a card is, in Mbit/s; 0 where it does not say."""
    try:
        return max(0, int((cards / name / "speed").read_text()))
    except (OSError, ValueError):
        return 0


def _memory(proc: Path) -> Share:
    lines = (line.split() for line in (proc / "meminfo").read_text().splitlines())
    sizes = {line[0]: int(line[1]) for line in lines}
    whole, free = sizes["MemTotal:"], sizes["MemAvailable:"]
    used = whole - free
    return Share("memory", round(100 * used / whole), used / 1e6, whole / 1e6)


def _network(
    before: dict[str, tuple[int, int]],
    after: dict[str, tuple[int, int]],
    seconds: float,
    cards: Path,
) -> Share:
    """Of the busier direction of the busiest card."""
    busiest = Share("network", None)
    for name, now in after.items():
        then = before.get(name, now)
        octets = max(now[0] - then[0], now[1] - then[1])
        used, whole = octets * 8 / 1e6 / seconds, float(_megabits(cards, name))
        percent = min(100, round(100 * used / whole)) if whole else None
        if used >= busiest.used:
            busiest = Share("network", percent, used, whole)
    return busiest


def measure(
    proc: Path = PROC,
    cards: Path = CARDS,
    disk: Path = DISK,
    seconds: float = SAMPLE_SECONDS,
) -> list[Share]:
    """Look twice, `seconds` apart, and say what was in use in between."""
    began = time.monotonic()
    worked, ticks = _processor(proc)
    octets = _octets(proc, cards)
    time.sleep(seconds)
    passed = max(time.monotonic() - began, 0.001)
    worked_now, ticks_now = _processor(proc)
    busy = round(100 * (worked_now - worked) / max(1, ticks_now - ticks))
    room = shutil.disk_usage(disk)
    # What root alone may use counts as used, as df(1) has it.
    filled = room.total - room.free
    percent = round(100 * filled / max(1, room.total))
    return [
        Share("processor", min(100, max(0, busy))),
        _memory(proc),
        Share("disk", percent, filled / 1e9, room.total / 1e9),
        _network(octets, _octets(proc, cards), passed, cards),
    ]
