"""The conferencing stack as the rest of the box knows it: a description, never a name in code."""

from pathlib import Path
from typing import Annotated, Literal

import yaml
from pydantic import ConfigDict, Field, TypeAdapter
from pydantic.dataclasses import dataclass

Port = Annotated[int, Field(ge=1, le=65535)]
DESCRIPTION = Path("/usr/lib/ratssaal/stack/stack.yaml")


@dataclass(frozen=True, config=ConfigDict(extra="forbid"))
class Door:
    """A port that guests may reach, beside 80 and 443/tcp of the base."""

    port: Port
    protocol: Literal["tcp", "udp"]
    purpose: str


@dataclass(frozen=True, config=ConfigDict(extra="forbid"))
class Relay:
    """A range of source ports, `first-last`, that may reach one port of the box itself alone."""

    ports: str
    to: Port


@dataclass(frozen=True, config=ConfigDict(extra="forbid"))
class Stack:
    """What stack.yaml says; see the comments there."""

    name: str
    units: tuple[str, ...]
    doors: tuple[Door, ...]
    health: tuple[str, ...]
    relays: tuple[Relay, ...] = ()
    secrets: Path | None = None

    @staticmethod
    def read(path: Path = DESCRIPTION) -> "Stack":
        """Read the description of the stack in this image.

        Raises OSError where there is none, ValueError where it is malformed.
        """
        try:
            raw = yaml.safe_load(path.read_text())
        except yaml.YAMLError as error:
            raise ValueError(f"{path} is not YAML: {error}") from error
        return TypeAdapter(Stack).validate_python(raw)
