"""Draws the box's screen: what it is, its addresses and its state, in German and English.

`python3 -m firstboot.console TERMINAL ...` draws once on each terminal that exists.
"""

import json
import os
import subprocess
import sys
import textwrap
from dataclasses import dataclass
from pathlib import Path

from firstboot.image import image_version

ADDRESSES = Path("/run/ratssaal/address.json")
STATE = Path("/run/ratssaal/public/state.json")
# UEFI Specification 2.10, section 3.3: four bytes of attributes, then 1 where it is on.
SECURE_BOOT = Path("/sys/firmware/efi/efivars/SecureBoot-8be4df61-93ca-11d2-aa0d-00e098032b8c")
MOUNTS = Path("/proc/self/mounts")
CLEAR = "\x1b[0m\x1b[H\x1b[2J\x1b[3J"


@dataclass(frozen=True)
class Screen:
    """What the screen shows."""

    version: str
    host_name: str
    addresses: tuple[str, ...]
    hardware: tuple[str, ...]
    ready: bool | None
    secure_boot: bool | None = None
    encrypted: bool | None = None

    def state(self) -> tuple[str, str]:
        """The state in German and English."""
        if self.ready is None:
            return ("startet …", "starting …")
        if self.ready:
            return ("bereit", "ready")
        return (
            "gestört – bitte neu starten; hilft das nicht, die Betreuung rufen",
            "faulty - please restart; if that does not help, call your support",
        )

    def protection(self) -> list[str]:
        """What guards start and disk, in German and English; nothing where nobody knows."""
        if self.secure_boot is None:
            return []
        german = "an" if self.secure_boot else "aus"
        english = "on" if self.secure_boot else "off"
        disk = ("verschlüsselt", "encrypted") if self.encrypted else ("offen", "not encrypted")
        return [
            f"  Schutz    Secure Boot {german}, Datenträger {disk[0]}",
            f"  Guard     Secure Boot {english}, disk {disk[1]}",
        ]

    def text(self) -> str:
        """The screen, at most 78 columns wide."""
        german, english = self.state()
        lines = [
            "",
            f"  Ratssaal {self.version}",
            "  Der Konferenzserver Ihres Hauses · Your house's own conferencing server",
            "",
            f"  Zustand   {german}",
            f"  State     {english}",
            "",
        ]
        if self.host_name:
            lines += textwrap.wrap(
                f"https://{self.host_name}",
                78,
                initial_indent="  Adresse   ",
                subsequent_indent=" " * 12,
                break_on_hyphens=False,
            )
        shown = [f"[{one}]" if ":" in one else one for one in self.addresses]
        lines += [f"  Address   https://{one}" for one in shown]
        if not shown:
            lines += [
                "",
                "  Kein Netz: Bitte prüfen Sie, ob das Netzwerkkabel steckt.",
                "  No network: please check that the network cable is plugged in.",
            ]
        lines += ["", *[f"  Karte/MAC {one}" for one in self.hardware], *self.protection(), ""]
        return "\n".join(lines)


def _secure_boot(variable: Path = SECURE_BOOT) -> bool | None:
    """Whether the firmware verifies what starts; None where there is no such firmware."""
    try:
        return variable.read_bytes()[-1:] == b"\x01"
    except OSError:
        return None


def _root_is_encrypted(mounts: Path = MOUNTS) -> bool:
    """Whether / lies on an opened encrypted partition."""
    return any(line.startswith("/dev/mapper/root / ") for line in mounts.read_text().splitlines())


def read(addresses: Path = ADDRESSES, state: Path = STATE) -> Screen:
    """Read what is known now; what is not known yet is left open."""
    found = json.loads(addresses.read_text()) if addresses.exists() else {}
    ready = json.loads(state.read_text())["ready"] if state.exists() else None
    return Screen(
        version=image_version(),
        host_name=str(found.get("host_name", "")),
        addresses=tuple(found.get("all", ())),
        hardware=tuple(found.get("hardware", ())),
        ready=ready,
        secure_boot=_secure_boot(),
        encrypted=_root_is_encrypted(),
    )


def redraw() -> None:
    """Have the screen drawn anew. A drawing under way begins again, so no change is missed."""
    restart = ["systemctl", "restart", "--no-block", "ratssaal-console.service"]
    subprocess.run(restart, check=False)


def main(terminals: list[str]) -> None:
    """Draw once on each terminal."""
    text = CLEAR + read().text()
    for name in terminals:
        try:
            descriptor = os.open(name, os.O_WRONLY | os.O_NOCTTY)
            with os.fdopen(descriptor, "wb") as terminal:
                terminal.write(text.encode())
        except OSError:
            continue  # a box without this terminal: nothing to draw on


if __name__ == "__main__":
    main(sys.argv[1:])
