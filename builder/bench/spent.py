"""What programs and the machine spend: processors, memory, as the kernel counts them (proc(5))."""

import contextlib
import math
import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

TICKS = os.sysconf("SC_CLK_TCK")
KIB = 1024
MIB = 2**20
# Fields of a line of /proc/stat: processors at rest, and those that wait for a disk. Of the first
# eight, which are all there is: guests' time is in the first two already.
IDLE = slice(3, 5)
ALL = slice(0, 8)

# A server's parts by name, each with its processes.
Parts = Callable[[], Mapping[str, Sequence[int]]]


def processor_seconds(process: int) -> float:
    """Seconds of processor that a process has used (proc_pid_stat(5), fields 14 and 15)."""
    fields = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / TICKS


def resident(process: int) -> float:
    """MiB of a process in memory; what several share is divided among them (Pss)."""
    for line in Path(f"/proc/{process}/smaps_rollup").read_text().splitlines():
        if line.startswith("Pss:"):
            return int(line.split()[1]) * KIB / MIB
    return 0.0


def allowed() -> list[int]:
    """The processors that this thread, and what it starts, may use (sched_setaffinity(2))."""
    return sorted(os.sched_getaffinity(0))


@contextmanager
def confined(most: int) -> Iterator[None]:
    """What is started within the block may use no more than the first `most` processors, for good.

    Threads of this process that are there already are left alone.
    """
    before = allowed()
    os.sched_setaffinity(0, before[:most])
    try:
        yield
    finally:
        os.sched_setaffinity(0, before)


def busy_ticks(stat: str, processors: Sequence[int]) -> tuple[int, int]:
    """Ticks that `processors` were busy, and all ticks, since the machine started.

    stat: what /proc/stat says. What a host took from a virtual machine counts as busy: it was not
    there for anybody here.
    """
    busy = total = 0
    for line in stat.splitlines():
        name, *fields = line.split() or [""]
        if name.startswith("cpu") and name[3:].isdigit() and int(name[3:]) in processors:
            ticks = [int(one) for one in fields]
            total += sum(ticks[ALL])
            busy += sum(ticks[ALL]) - sum(ticks[IDLE])
    return busy, total


@dataclass(frozen=True)
class Moment:
    """What had been spent at one moment: seconds of each part of a server, ticks of the machine."""

    parts: Mapping[str, float]
    busy: int
    total: int


def now(parts: Parts) -> Moment:
    """What has been spent so far."""
    stat = Path("/proc/stat").read_text()
    seconds = {name: _sum(processor_seconds, found) for name, found in parts().items()}
    return Moment(seconds, *busy_ticks(stat, allowed()))


def memory(parts: Parts) -> dict[str, float]:
    """MiB that each part of a server has in memory now."""
    return {name: _sum(resident, found) for name, found in parts().items()}


def _sum(what: Callable[[int], float], processes: Sequence[int]) -> float:
    """The sum over those of `processes` that still run."""
    found = 0.0
    for one in processes:
        with contextlib.suppress(FileNotFoundError, ProcessLookupError):
            found += what(one)
    return found


def processors_of(parts: Parts) -> int:
    """How many processors a server may use: the part that may use fewest."""
    counts = []
    for process in (one for found in parts().values() for one in found):
        with contextlib.suppress(ProcessLookupError):
            counts.append(len(os.sched_getaffinity(process)))
    return min(counts, default=0)


@dataclass(frozen=True)
class Spent:
    """What a while of a meeting has cost.

    server: processors of each part; memory: MiB of each, at the end. may: processors that the
    server may use. crowd: processors of the crowd. busy: share of the machine's processors, 0 to 1.
    machine: how many the machine has for all.
    """

    server: Mapping[str, float] = field(default_factory=dict)
    memory: Mapping[str, float] = field(default_factory=dict)
    may: int = 0
    crowd: float = 0.0
    busy: float = 0.0
    machine: int = 0

    @property
    def processors(self) -> float:
        """Processors that the whole server used."""
        return sum(self.server.values())

    @property
    def others(self) -> float:
        """Processors of neither server nor crowd: other programs, the kernel's network."""
        return max(0.0, self.busy * self.machine - self.processors - self.crowd)

    @property
    def left(self) -> float:
        """Processors that crowd and others left to the server, used by it or not."""
        return self.machine - self.crowd - self.others


def between(
    begun: Moment, ended: Moment, seconds: float, crowd: float, held: Mapping[str, float], may: int
) -> Spent:
    """What was spent in `seconds`; crowd: seconds of processor; held: memory at the end.

    A part that counts less at the end has ended meanwhile: what it used is not a number.
    """
    ticks = ended.total - begun.total
    used = {one: ended.parts[one] - begun.parts[one] for one in begun.parts}
    # The machine's ticks are a sample, which misses who works between two of them; what programs
    # used is counted.
    known = (sum(used.values()) + crowd) / seconds / len(allowed())
    return Spent(
        server={one: use / seconds if use >= 0 else math.nan for one, use in used.items()},
        memory=held,
        may=may,
        crowd=crowd / seconds,
        busy=max((ended.busy - begun.busy) / ticks if ticks else 0.0, known),
        machine=len(allowed()),
    )
