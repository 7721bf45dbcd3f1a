"""One figure of what was measured, and the time that something takes."""

import time
from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True)
class Figure:
    """One figure, the goal that it must not exceed, and what it was made from."""

    name: str
    value: float
    goal: float
    unit: str
    detail: str

    @property
    def met(self) -> bool:
        """Whether the goal is met."""
        return self.value <= self.goal


def timed(action: Callable[[], object]) -> float:
    """The seconds that `action` takes."""
    begun = time.monotonic()
    action()
    return time.monotonic() - begun
