"""The conferencing stack as the rest of the box knows it: a small description, never its name in code."""

from dataclasses import dataclass
from pathlib import Path

import yaml

DESCRIPTION = Path("/usr/lib/ratssaal/stack/stack.yaml")


@dataclass(frozen=True)
class Door:
    """A port that guests may reach, beside 80 and 443/tcp of the base."""

    port: int
    protocol: str
    purpose: str


@dataclass(frozen=True)
class Relay:
    """A range of source ports, `first-last`, that may reach one port of the box itself alone."""

    ports: str
    to: int


@dataclass(frozen=True)
class Stack:
    """What stack.yaml says; see the comments there."""

    name: str
    units: tuple[str, ...]
    doors: tuple[Door, ...]
    relays: tuple[Relay, ...]
    health: tuple[str, ...]
    secrets: Path | None

    @staticmethod
    def read(path: Path = DESCRIPTION) -> "Stack":
        """Read the description of the stack in this image.

        Raises OSError where there is none, KeyError, TypeError or ValueError where it is malformed.
        """
        raw = yaml.safe_load(path.read_text())
        return Stack(
            name=str(raw["name"]),
            units=tuple(raw["units"]),
            doors=tuple(Door(**door) for door in raw["doors"]),
            relays=tuple(Relay(**relay) for relay in raw.get("relays", ())),
            health=tuple(raw["health"]),
            secrets=Path(raw["secrets"]) if raw.get("secrets") else None,
        )
