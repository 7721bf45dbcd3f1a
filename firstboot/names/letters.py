"""The e-mails by which a clerk asks a provider or a data centre for names and ports."""

import ipaddress
import re
import textwrap
from dataclasses import dataclass
from typing import Literal

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from firstboot.texts import FOLDER, say

Kind = Literal["provider", "datacentre"]
COLUMNS = 72

# Plain text: what HTML escapes are ordinary signs here.
_TEMPLATES = Environment(
    loader=FileSystemLoader(FOLDER),
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
    autoescape=False,  # noqa: S701
)


@dataclass(frozen=True)
class Letter:
    """An e-mail in plain text. Lines are of 72 characters at most; a longer name stays whole."""

    subject: str
    body: str


def _wrapped(line: str) -> str:
    if " " not in line.strip():
        return line
    indent = line[: len(line) - len(line.lstrip())]
    return textwrap.fill(
        line,
        COLUMNS,
        subsequent_indent=indent,
        break_long_words=False,
        break_on_hyphens=False,
    )


def letter(
    kind: Kind,
    language: str,
    name: str,
    address: str,
    house: str,
    private: bool,
    ipv6: str | None = None,
    turn: str = "",
) -> Letter:
    """Ask for the records and ports of `name` and of `turn`, and for nothing in between.

    `turn`: the relay's name; without it `turn.` before the other. `address`: the box's own, in the
    house's network; `private`: whether somebody has to forward a public one to it. `ipv6`: the
    box's public IPv6 address, where it has one. `house`: who signs. What only the clerk knows is
    left in square brackets. ValueError where an address is none.
    """
    main = ipaddress.ip_address(address)
    values = {
        "name": name,
        "turn": turn or f"turn.{name}",
        "house": " ".join(house.split()),
        "private": private,
        "ipv4": str(main) if main.version == 4 else None,
        "ipv6": str(main) if main.version == 6 else ipv6 and str(ipaddress.IPv6Address(ipv6)),
    }
    text = _TEMPLATES.get_template(f"{language}/letter-{kind}.txt").render(values)
    lines = re.sub(r"\n{3,}", "\n\n", text).splitlines()
    subject = say(language, f"domain.letter_{kind}", name=name)
    return Letter(subject, "\n".join(_wrapped(line) for line in lines) + "\n")
