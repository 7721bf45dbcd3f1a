"""Tells the person at the terminal what is under way, how long it took and how long it may take."""

import json
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import (
    BarColumn,
    DownloadColumn,
    Progress,
    ProgressColumn,
    SpinnerColumn,
    Task,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
    TransferSpeedColumn,
)
from rich.text import Text

from builder.paths import cache_folder

console = Console(stderr=True, highlight=False, emoji=False)


def _remembered() -> dict[str, float]:
    try:
        found = json.loads((cache_folder() / "durations.json").read_text())
        return {str(key): float(value) for key, value in found.items()}
    except (OSError, ValueError, TypeError, AttributeError):
        return {}


def _remember(name: str, seconds: float) -> None:
    file = cache_folder() / "durations.json"
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(json.dumps({**_remembered(), name: round(seconds, 1)}))
    except OSError:
        return  # an estimate is a courtesy, never a reason to fail


class _Remaining(ProgressColumn):
    """What is left of the time that the step took the last time."""

    def render(self, task: Task) -> Text:
        if task.total is None:
            return Text("")
        left = task.total - (task.elapsed or 0)
        return Text(f"about {left:.0f} s left" if left > 0 else "longer than the last time")


@contextmanager
def step(name: str, *, estimate: bool = True) -> Iterator[None]:
    """Show `name` with its elapsed time and, from an earlier run, the time that remains."""
    usual = _remembered().get(name) if estimate else None
    begun = time.monotonic()
    if console.is_terminal:
        description = TextColumn("{task.description}")
        columns = (SpinnerColumn(), description, TimeElapsedColumn(), _Remaining())
        with Progress(*columns, console=console, transient=True) as progress:
            progress.add_task(name, total=usual)
            yield
    else:
        about = f" (about {usual:.0f} s)" if usual else ""
        console.print(f"  {name} …{about}")
        yield
    seconds = time.monotonic() - begun
    console.print(f"  {name}: {seconds:.1f} s")
    if estimate:
        _remember(name, seconds)


@contextmanager
def transfer(name: str, total: int) -> Iterator[Callable[[int], None]]:
    """Show how many of `total` bytes are done, how fast, and the time that remains.

    Yields what has to be called with the number of bytes of each part that is done.
    """
    begun = time.monotonic()
    if console.is_terminal:
        columns = (
            SpinnerColumn(),
            TextColumn("{task.description}"),
            BarColumn(),
            DownloadColumn(),
            TransferSpeedColumn(),
            TimeRemainingColumn(),
        )
        with Progress(*columns, console=console, transient=True) as progress:
            task = progress.add_task(name, total=total)
            yield lambda count: progress.advance(task, count)
    else:
        console.print(f"  {name} … ({total / 1e6:.0f} MB)")
        yield lambda _: None
    seconds = time.monotonic() - begun
    speed = total / 1e6 / max(seconds, 1e-3)
    console.print(f"  {name}: {seconds:.1f} s, {speed:.0f} MB/s")


def say(text: str) -> None:
    """One line for people, on standard error: standard output belongs to results."""
    console.print(f"  {text}", markup=False, soft_wrap=True)
