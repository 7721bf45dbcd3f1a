"""What was found out about the ways to this box, by itself and by browsers: a file, shown as it is.

It holds no name and no address of anybody: what works, and whether it was seen from inside.
"""

import ipaddress
import json
import time
from pathlib import Path
from typing import Any

from firstboot.files import write_whole
from firstboot.names.domain import PRIVATE
from firstboot.names.lookup import among

MOST = 8
SECONDS = 24 * 3600
# What a browser may report, and nothing else.
REPORTED: dict[str, tuple[str, ...]] = {
    "now": ("direct", "relay", "none"),
    "direct": ("works", "fails"),
    "relay": ("works", "fails"),
}


def seen_from(address: str, links: list[dict[str, Any]], outer: tuple[str, ...]) -> str:
    """`inside`, `outside`, or `unknown`, from the address of a browser.

    links: of `ip -json address`; outer: addresses behind the box's public name, from which whoever
    is inside seems to come where the router leads the house back to itself.
    """
    try:
        come_from = ipaddress.ip_address(address)
    except ValueError:
        return "unknown"
    if among([address], PRIVATE):
        return "inside"
    for link in links:
        for entry in link.get("addr_info", []):
            own = ipaddress.ip_interface(f"{entry['local']}/{entry['prefixlen']}")
            if come_from in own.network:
                return "inside"
    return "unknown" if address in outer else "outside"


class Findings:
    """The latest result of the box itself, and those of browsers and phones by their passes."""

    def __init__(self, file: Path) -> None:
        self.file = file

    def read(self) -> dict[str, Any]:
        """`box`: what came of each way, or None; `seen`: a dict for each browser, latest first."""
        try:
            found: dict[str, Any] = json.loads(self.file.read_text())
        except (OSError, ValueError):
            return {"box": None, "seen": []}
        since = time.time() - SECONDS
        return {"box": found["box"], "seen": [one for one in found["seen"] if one["at"] > since]}

    def _write(self, found: dict[str, Any]) -> None:
        write_whole(self.file, json.dumps(found), mode=0o600)

    def of_the_box(self, results: list[dict[str, Any]]) -> None:
        """Keep what the box has found by itself."""
        self._write({**self.read(), "box": results})

    def of_a_browser(self, number: str, kind: str, where: str, report: dict[str, Any]) -> None:
        """Keep what a browser says, in place of what it said before.

        number, kind: of its pass. Raises ValueError for anything but REPORTED.
        """
        if set(report) != set(REPORTED):
            raise ValueError("not a report")
        for name, values in REPORTED.items():
            if report[name] not in values:
                raise ValueError(name)
        found = self.read()
        others = [one for one in found["seen"] if one["number"] != number]
        made = {"number": number, "kind": kind, "where": where, "at": time.time(), **report}
        self._write({**found, "seen": [made, *others][:MOST]})
