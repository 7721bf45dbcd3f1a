"""The conferencing stack as the rest of the box knows it: a description, never a name in code."""

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

# stack.yaml, as the build leaves it: a start reads this twice, and a library for YAML takes longer.
DESCRIPTION = Path("/usr/lib/ratssaal/stack/stack.json")
PROTOCOLS = ("tcp", "udp")


def _port(value: object) -> int:
    if not isinstance(value, int) or isinstance(value, bool) or not 1 <= value <= 65535:
        raise ValueError(f"{value!r} is not a port")
    return value


def _text(value: object) -> str:
    if not isinstance(value, str) or not value:
        raise ValueError(f"{value!r} is not a text")
    return value


def _user(value: object) -> str:
    """A name as systemd makes users by (systemd-sysusers(8)): it ends in the packet filter."""
    if not re.fullmatch(r"[a-z_][a-z0-9_-]{0,30}", name := _text(value)):
        raise ValueError(f"{name!r} is not a user")
    return name


def _setting(value: object) -> str:
    """The name of a setting, or how the names of several begin, such as box.turn_name."""
    if not re.fullmatch(r"(box|cluster)(\.[a-z_]+)*", name := _text(value)):
        raise ValueError(f"{name!r} is not a setting")
    return name


def _each(value: object, read: Callable[[Any], Any]) -> tuple[Any, ...]:
    if not isinstance(value, list):
        raise ValueError(f"{value!r} is not a list")
    return tuple(read(one) for one in value)


def _fields(value: object, known: tuple[str, ...], needed: tuple[str, ...]) -> Mapping[str, object]:
    if not isinstance(value, dict):
        raise ValueError(f"{value!r} is not a mapping")
    if unknown := set(value) - set(known):
        raise ValueError(f"unknown: {', '.join(map(str, sorted(unknown, key=str)))}")
    if missing := set(needed) - set(value):
        raise ValueError(f"missing: {', '.join(sorted(missing))}")
    return value


def _yaml(path: Path) -> object:
    import yaml

    try:
        return yaml.safe_load(path.read_text())
    except yaml.YAMLError as error:
        raise ValueError(f"{path} is not YAML: {error}") from error


@dataclass(frozen=True)
class Door:
    """A port that guests may reach, beside 80 and 443/tcp of the base.

    also: a second port that leads to the same door.
    """

    port: int
    protocol: str
    purpose: str
    also: int | None = None

    @staticmethod
    def of(raw: object) -> "Door":
        """Check and take over an entry of the description; ValueError where it is malformed."""
        needed = ("port", "protocol", "purpose")
        fields = _fields(raw, (*needed, "also"), needed)
        if fields["protocol"] not in PROTOCOLS:
            raise ValueError(f"{fields['protocol']!r} is not one of {', '.join(PROTOCOLS)}")
        also = _port(fields["also"]) if "also" in fields else None
        return Door(_port(fields["port"]), str(fields["protocol"]), _text(fields["purpose"]), also)


@dataclass(frozen=True)
class Relay:
    """A range of source ports, `first-last`, that may reach one port of the box itself alone."""

    ports: str
    to: int

    @staticmethod
    def of(raw: object) -> "Relay":
        """Check and take over an entry of the description; ValueError where it is malformed."""
        fields = _fields(raw, names := ("ports", "to"), names)
        first, _, last = _text(fields["ports"]).partition("-")
        if not first.isdecimal() or not last.isdecimal() or _port(int(first)) > _port(int(last)):
            raise ValueError(f"{fields['ports']!r} is not a range of ports")
        return Relay(f"{first}-{last}", _port(fields["to"]))


@dataclass(frozen=True)
class Stack:
    """What stack.yaml says; see the comments there. On the box it is stack.json.

    Checked by hand: this is read at each start, and a model library takes seconds on a slow box.
    """

    name: str
    units: tuple[str, ...]
    doors: tuple[Door, ...]
    health: tuple[str, ...]
    relays: tuple[Relay, ...] = ()
    store: tuple[str, ...] = ()
    secrets: Path | None = None
    answers: tuple[str, ...] = ()

    @staticmethod
    def read(path: Path = DESCRIPTION) -> "Stack":
        """Read the description of the stack in this image.

        Raises OSError where there is none, ValueError where it is malformed.
        """
        raw = json.loads(path.read_text()) if path.suffix == ".json" else _yaml(path)
        needed = ("name", "units", "doors", "health")
        fields = _fields(raw, (*needed, "relays", "store", "secrets", "answers"), needed)
        return Stack(
            name=_text(fields["name"]),
            units=_each(fields["units"], _text),
            doors=_each(fields["doors"], Door.of),
            health=_each(fields["health"], _text),
            relays=_each(fields.get("relays", []), Relay.of),
            store=_each(fields.get("store", []), _user),
            secrets=Path(_text(fields["secrets"])) if fields.get("secrets") else None,
            answers=_each(fields.get("answers", []), _setting),
        )
