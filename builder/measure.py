"""Measures speed and size. Each figure is a ratio, or a size, taken in one run beside its peer."""
from dataclasses import dataclass

SUBJECTS = ("size",)


@dataclass(frozen=True)
class Figure:
    """One measured figure and the goal it has to stay below."""

    name: str
    value: float
    goal: float
    unit: str = ""

    @property
    def met(self) -> bool:
        """Whether the goal is met."""
        return self.value <= self.goal


def measure(subjects: list[str]) -> list[Figure]:
    """Measure `subjects`."""
    return []


def show(figures: list[Figure]) -> None:
    """Print a table."""
