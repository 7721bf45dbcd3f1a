"""What the command line starts besides itself for a box, and whether that is gone afterwards."""

import contextlib
import os
import re
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from builder.processes import children

Item = TypeVar("Item")

SECONDS = 20.0
KINDS = ("net", "mnt", "pid")
FOLDER = re.compile(r"/var/tmp/ratssaal-[^/\0, ]+")


def nothing_more_than(before: set[Item], measure: Callable[[], set[Item]]) -> bool:
    """
    Whether `measure` soon finds nothing that was not there `before`.

    The kernel takes a network away by and by: what is left of a test before this one may
    go meanwhile.
    """
    deadline = time.monotonic() + SECONDS
    while time.monotonic() < deadline:
        if measure() <= before:
            return True
        time.sleep(0.05)
    return False


@dataclass(frozen=True)
class Traces:
    """What belongs to one command line that runs.

    programs: names of what it has started, by process and the moment it began (proc(5)); spaces:
    the namespaces these live in, besides this machine's own; folders: those they were told of.
    """

    programs: dict[tuple[int, str], str]
    spaces: set[str]
    folders: set[Path]

    def names(self) -> set[str]:
        """The programs."""
        return set(self.programs.values())

    def left(self) -> set[str]:
        """What of it is there now: also any other process in one of its namespaces."""
        found = {name for one, name in self.programs.items() if _began(one[0]) == one[1]}
        for process in Path("/proc").glob("[0-9]*"):
            found |= _spaces(int(process.name)) & self.spaces
        return found | {str(one) for one in self.folders if one.exists()}

    def gone(self) -> bool:
        """Whether soon nothing of it is there."""
        return nothing_more_than(set(), self.left)


def traces(pid: int) -> Traces:
    """What the command line that runs as `pid` has started until now."""
    programs: dict[tuple[int, str], str] = {}
    spaces: set[str] = set()
    folders: set[Path] = set()
    following = children(pid)
    while following:
        one = following.pop()
        with contextlib.suppress(OSError):
            following += children(one)
            words = Path(f"/proc/{one}/cmdline").read_text(errors="replace")
            name = Path(f"/proc/{one}/comm").read_text().strip()
            if began := _began(one):
                programs[one, began] = name
            folders |= {Path(found) for found in FOLDER.findall(words)}
        spaces |= _spaces(one)
    return Traces(programs, spaces - _spaces(os.getpid()), folders)


def _began(process: int) -> str:
    """When it was started; empty where it has ended, even where nobody has asked for its end."""
    try:
        words = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return ""
    return "" if words[0] in "ZX" else words[19]


def _spaces(process: int) -> set[str]:
    """The namespaces of a process, such as `net:[4026531840]` (namespaces(7))."""
    found: set[str] = set()
    for kind in KINDS:
        with contextlib.suppress(OSError):
            found.add(str(Path(f"/proc/{process}/ns/{kind}").readlink()))
    return found
