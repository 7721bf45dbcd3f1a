"""Finds processes below one that was started here, by what the kernel says in /proc (proc(5))."""

import contextlib
from collections.abc import Sequence
from pathlib import Path

from builder.errors import CommandError

NAME_LENGTH = 15  # the kernel keeps no more of a process's name


def children(pid: int) -> list[int]:
    """The processes that `pid` has started and that still are there."""
    found: list[int] = []
    for task in Path(f"/proc/{pid}/task").glob("*/children"):
        with contextlib.suppress(OSError):
            found += [int(one) for one in task.read_text().split()]
    return found


def descendant(pid: int, name: str) -> int:
    """The nearest process called `name` at or below `pid`; CommandError where there is none."""
    generation: Sequence[int] = [pid]
    while generation:
        following: list[int] = []
        for one in generation:
            with contextlib.suppress(OSError):
                if Path(f"/proc/{one}/comm").read_text().strip() == name[:NAME_LENGTH]:
                    return one
                following += children(one)
        generation = following
    raise CommandError(f"No process {name} is running.")
