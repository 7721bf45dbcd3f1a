"""The repair start: what can be known of a box of which nothing but the image is opened.

Chosen in the boot menu. Root, network and meetings stay as they are; a generator sees to that
(overlays/disk). `python3 -m firstboot.screen.repair` finds the facts once and leaves them for the
screen.
"""

import json
import os
import subprocess
import sys
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from firstboot import firmware
from firstboot.files import write_whole
from firstboot.image import image_version
from firstboot.install import disks
from firstboot.screen import keys
from firstboot.screen.layout import LINES, entry, paragraphs, printable, sentences

# Where it is, this is a repair start: firstboot.screen.console and firstboot.screen.keys go by it.
FACTS = Path(keys.REPAIR)
MEMORY = Path("/proc/meminfo")
CARDS = Path("/sys/class/net")
MOST_DISKS = 4
MOST_CARDS = 4
# What lsblk calls the file system of root; anything else is none that a start could use.
ROOTS = {
    "crypto_LUKS": "verschlüsselt · encrypted",
    "ext4": "unverschlüsselt · not encrypted",
    "": "unlesbar · unreadable",
}
NO_ROOT = "nicht gefunden · not found"
UNKNOWN = "unbekannt · unknown"


@dataclass(frozen=True)
class Facts:
    """What is shown; texts as people read them.

    memory: GB. root: what is where settings and rooms belong. disks: each with what is on it.
    cards: each with its hardware address.
    """

    version: str
    machine: str
    firmware: str
    processors: int
    memory: int
    secure_boot: bool | None
    tpm: bool
    root: str
    disks: tuple[str, ...]
    cards: tuple[str, ...]


def _memory(file: Path = MEMORY) -> int:
    """GB, rounded up: the kernel keeps some of it for itself."""
    kilobytes = int(file.read_text().split(maxsplit=2)[1])
    return -(-kilobytes // 2**20)


def cards(folder: Path = CARDS) -> tuple[str, ...]:
    """The network cards. None of them is switched on, so nobody knows which has a cable."""
    found = []
    for card in sorted(folder.iterdir()):
        if (card / "device").exists() and (card / "address").exists():
            found.append(f"{card.name} {(card / 'address').read_text().strip()}")
    return tuple(found)


def root(listing: Any, esp: str) -> str:
    """What is on root's partition of the disk that was started; as disks.listing, disks.started."""
    for disk in listing["blockdevices"]:
        if not disks.is_started(disk, esp):
            continue
        for part in disks.below(disk):
            if part.get("partlabel") == disks.ROOT_LABEL:
                kind = str(part.get("fstype") or "")
                return ROOTS.get(kind, f"{kind}?")
    return NO_ROOT


def _disk(one: disks.Disk) -> str:
    what = ", ".join(one.content) or "leer · empty"
    return printable(f"{one.title}: {what}{' (*)' if one.started else ''}")


def _listing() -> Any:
    """As disks.listing; nothing where that fails: of just such a box the rest is to be shown."""
    try:
        return disks.listing()
    except (OSError, ValueError, subprocess.SubprocessError) as error:
        print(error, file=sys.stderr)  # noqa: T201
        return None


def gather() -> Facts:
    """All of them."""
    listing, esp = _listing(), disks.started_partition()
    return Facts(
        version=image_version(),
        machine=printable(firmware.named("sys_vendor", "product_name")),
        firmware=printable(firmware.named("bios_vendor", "bios_version", "bios_date")),
        processors=os.cpu_count() or 0,
        memory=_memory(),
        secure_boot=firmware.secure_boot(),
        tpm=firmware.has_tpm(),
        root=root(listing, esp) if listing else UNKNOWN,
        disks=tuple(_disk(one) for one in disks.parse(listing, esp)) if listing else (UNKNOWN,),
        cards=cards(),
    )


def read(file: Path = FACTS) -> Facts | None:
    """What was found; None where this is no repair start."""
    if not file.exists():
        return None
    found = json.loads(file.read_text())
    return Facts(**{**found, "disks": tuple(found["disks"]), "cards": tuple(found["cards"])})


def _keys() -> list[str]:
    return [
        f"  Tasten    r  {'neu starten · restart':<32}s  ausschalten · shut down",
        f"  Keys      b  {'Bericht auf Stick · save report':<32}w  zurücksetzen · factory reset",
    ]


def screen(facts: Facts, notice: tuple[str, ...] = ()) -> str:
    """The screen: at most 24 lines of 79 columns. `notice`: as firstboot.screen.keys leaves it."""
    yes = {True: "an · on", False: "aus · off", None: UNKNOWN}
    head = [
        f"  Ratssaal {facts.version} · Reparaturstart · repair start",
        *paragraphs(
            (
                "Es läuft nur diese Anzeige. Einstellungen und Daten sind unberührt und zu. "
                "Nach dem Neustart (r) ist alles wie zuvor.",
                "Nothing runs but this screen. Settings and data are untouched and closed. "
                "After a restart (r) all is as before.",
            )
        ),
    ]
    tpm = "TPM 2" if facts.tpm else "ohne TPM · no TPM"
    found = [
        *entry("Rechner", facts.machine or "?"),
        *entry("Firmware", facts.firmware or "?"),
        *entry("Teile", f"{facts.processors} CPU, {facts.memory} GB RAM"),
        *entry("Schutz", f"Secure Boot {yes[facts.secure_boot]}, {tpm}"),
        *entry("Daten", facts.root),
    ]
    for one in facts.disks[:MOST_DISKS]:
        found += entry("Disk", one)
    if any(one.endswith("(*)") for one in facts.disks[:MOST_DISKS]):
        found += entry("", "(*) davon gestartet · started from this one")
    found += entry("Karte/MAC", ", ".join(facts.cards[:MOST_CARDS]) or "keine · none")
    said = paragraphs(sentences(notice))
    offered = _keys()
    room = LINES - len(offered)
    page = [*head, "", *found, *([""] if said else []), *said]
    if len(page) > room:
        # What a key has led to is read now; facts are in the report, too.
        found = found[: max(0, room - len(head) - len(said))]
        page = [*head, *found, *said][:room]
    return "\n".join([*page, *([""] if len(page) < room else []), *offered])


def main() -> int:
    """Find the facts and leave them for the screen."""
    write_whole(FACTS, json.dumps(asdict(gather())) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
