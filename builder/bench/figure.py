"""One figure of what was measured, and the time that something takes."""

import math
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

# Whose fault a goal that is not met is.
Limit = Literal["machine", "server"]


@dataclass(frozen=True)
class Figure:
    """One figure, the goal that it must not exceed (None: none), and what it was made from.

    A value that is infinite or not a number is of a measurement in which nothing arrived. limit:
    where the goal is not met, whether the machine could not do it or what was measured on it; None
    where that was not looked into.
    """

    name: str
    value: float
    goal: float | None
    unit: str
    detail: str
    limit: Limit | None = None

    @property
    def met(self) -> bool:
        """Whether the goal is met; where there is none, whether anything was measured at all."""
        return math.isfinite(self.value) if self.goal is None else self.value <= self.goal

    def content(self) -> dict[str, object]:
        """As it goes through JSON, which has no word for what is not finite (RFC 8259): null."""
        value = self.value if math.isfinite(self.value) else None
        return {**vars(self), "value": value, "met": self.met}


def timed(action: Callable[[], object]) -> float:
    """The seconds that `action` takes."""
    begun = time.monotonic()
    action()
    return time.monotonic() - begun
