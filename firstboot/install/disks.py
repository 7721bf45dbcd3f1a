"""The disks of this box: what is on them, and from which one the box was started."""

import json
import re
import subprocess
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

# With NAME lsblk lists what is on a disk below it.
COLUMNS = (
    "NAME,KNAME,PATH,TYPE,RM,HOTPLUG,RO,TRAN,MODEL,SERIAL,SIZE,FSTYPE,LABEL,PARTLABEL,PARTTYPE,"
    "PARTUUID,MOUNTPOINTS"
)
# Discoverable Partitions Specification, for x86-64.
USR = "8484680c-9521-48c6-9c11-b0720656f69e"
USR_VERITY = "77ff5f63-e7b6-4633-acf4-1565b864c0e6"
ROOT_LABEL = "ratssaal-root"
LISTING_SECONDS = 60.0
BEGINNING_BYTES = 2**20
# What repart writes as %M_%A: the image's name and version.
VERSION = re.compile(r"ratssaal_(.+)")
# Of memory on the board (eMMC), which shows areas of its own as disks.
MMC_AREA = re.compile(r"mmcblk\d+(boot\d+|rpmb)")
# The partition that the boot loader was started from, as it says itself (systemd-boot(7)).
STARTED = Path(
    "/sys/firmware/efi/efivars/LoaderDevicePartUUID-4a67b082-0a4c-41cf-b6c7-440b29bb8c4f"
)
PARTITIONS = Path("/dev/disk/by-partuuid")
SYSFS = Path("/sys/class/block")


@dataclass(frozen=True)
class Disk:
    """A whole disk; `size` in bytes.

    pluggable: on USB, or a card in a reader. content: file systems and labels on it. version: of
    the Ratssaal on it, empty where there is none. kept: whether that one has been started, so that
    there is something to keep. in_use: whether anything of it is mounted, swapped to or held.
    started: whether this box runs from it. alike: whether another one in the box has its model.
    """

    path: str
    size: int
    model: str = ""
    serial: str = ""
    read_only: bool = False
    pluggable: bool = False
    content: tuple[str, ...] = ()
    version: str = ""
    kept: bool = False
    in_use: bool = False
    started: bool = False
    alike: bool = False

    @property
    def name(self) -> str:
        """What has to be typed before it is overwritten: its model, else its serial number.

        Both where the box has two of that model, so that the name means one of them.
        """
        if self.alike and self.model and self.serial:
            return f"{self.model} {self.serial}"
        return self.model or self.serial or Path(self.path).name

    @property
    def gigabytes(self) -> int:
        """Its size as it is sold: in powers of ten, rounded."""
        return round(self.size / 1e9)

    @property
    def title(self) -> str:
        """For people."""
        return f"{self.name}, {self.gigabytes} GB ({Path(self.path).name})"

    @property
    def identity(self) -> dict[str, object]:
        """By what it is known again between the choice and the copying."""
        return {
            "path": self.path, "model": self.model, "serial": self.serial, "size": self.size,
            "content": list(self.content),
        }  # fmt: skip


def _words(value: object) -> str:
    """A text from the device, in which nothing steers a terminal."""
    text = "" if value is None else " ".join(str(value).split())
    return "".join(one if one.isprintable() else "?" for one in text)


def _read(file: Path) -> str:
    try:
        return _words(file.read_text())
    except OSError:
        return ""


def below(entry: Any) -> Iterator[Any]:
    """An entry of lsblk and all that is made out of it."""
    yield entry
    for child in entry.get("children") or ():
        yield from below(child)


def _content(entry: Any) -> str:
    """What stands on a disk or a partition: its label and its file system.

    A partition of which neither is known counts as well: nobody knows what is in it.
    """
    kind = _words(entry.get("fstype"))
    name = _words(entry.get("label") or entry.get("partlabel"))
    if not kind and not name and entry["type"] != "disk":
        return _words(entry["kname"])
    return f"{name} ({kind})".strip() if kind else name


def pluggable(entry: Any, sysfs: Path = SYSFS) -> bool:
    """Whether a disk is on USB, or a card in a reader."""
    if entry["tran"] == "usb":
        return True
    # A card (SD), and no memory on the board (eMMC): Linux, mmc-dev-attrs.
    name = str(entry["kname"])
    return name.startswith("mmcblk") and _read(sysfs / name / "device/type") == "SD"


def in_use(entry: Any) -> bool:
    """Whether anything of a disk is mounted, swapped to or held."""
    return any(part["type"] not in ("disk", "part") for part in below(entry)) or any(
        place for part in below(entry) for place in part.get("mountpoints") or ()
    )


def is_started(entry: Any, esp: str) -> bool:
    """Whether this box runs from a disk; `esp`: as started_partition."""
    return any(str(part.get("partuuid")).lower() == esp for part in below(entry))


def _disk(entry: Any, esp: str, sysfs: Path) -> Disk:
    parts = list(below(entry))
    versions = [
        found[1]
        for part in parts
        if str(part.get("parttype")).lower() == USR
        and (found := VERSION.fullmatch(_words(part.get("partlabel"))))
    ]
    kept = any(part.get("partlabel") == ROOT_LABEL for part in parts)
    return Disk(
        path=str(entry["path"]),
        size=int(entry["size"] or 0),
        # Memory on the board has a name where others have a model.
        model=_words(entry["model"]) or _read(sysfs / str(entry["kname"]) / "device/name"),
        serial=_words(entry["serial"]),
        read_only=bool(entry["ro"]),
        pluggable=pluggable(entry, sysfs),
        content=tuple(dict.fromkeys(filter(None, map(_content, parts)))),
        version=versions[0] if versions else "?" if kept else "",
        kept=kept,
        in_use=in_use(entry),
        started=is_started(entry, esp),
    )


def started_partition(variable: Path = STARTED) -> str:
    """The identity of the partition that the boot loader was started from; empty: nobody says."""
    try:
        # Four bytes of attributes, then text (UEFI specification 2.10, section 8.2).
        return variable.read_bytes()[4:].decode("utf-16-le").rstrip("\0").lower()
    except (OSError, UnicodeError):
        return ""


def parse(listing: Any, esp: str, sysfs: Path = SYSFS) -> list[Disk]:
    """Disks from what `lsblk --json --bytes` says; `esp`: as started_partition."""
    listed = [
        _disk(entry, esp, sysfs)
        for entry in listing["blockdevices"]
        if entry["type"] == "disk" and entry["size"] and not MMC_AREA.fullmatch(entry["kname"])
    ]
    # Those that people choose among; a stick is none of them.
    models = [one.model for one in listed if not one.started and not one.pluggable]
    return [replace(one, alike=models.count(one.model) > 1) for one in listed]


def listing() -> Any:
    """What lsblk knows of the disks of this box, and of what is on them.

    Raises CalledProcessError, or TimeoutExpired where a disk does not answer.
    """
    command = ["lsblk", "--json", "--bytes", "--output", COLUMNS]
    said = subprocess.run(command, check=True, capture_output=True, timeout=LISTING_SECONDS)
    return json.loads(said.stdout)


def found() -> list[Disk]:
    """All disks of this box; none where nobody says from which one it was started."""
    esp = started_partition()
    return parse(listing(), esp) if esp else []


def written(path: str) -> bool:
    """Whether something is at the beginning of a disk, or it cannot be read.

    lsblk shows what it knows, and not what lies there bare, such as a database's own format.
    """
    try:
        with Path(path).open("rb") as file:
            return any(file.read(BEGINNING_BYTES))
    except OSError:
        return True


def from_stick(disks: Sequence[Disk]) -> bool:
    """Whether the box runs from a stick, or a card in a reader."""
    return any(one.started and one.pluggable for one in disks)


@dataclass(frozen=True)
class Started:
    """From what the box was started: whether from a stick, and the model of a disk."""

    stick: bool
    model: str


def started(
    variable: Path = STARTED, partitions: Path = PARTITIONS, sysfs: Path = SYSFS
) -> Started | None:
    """From what the box was started, by the kernel's files alone; None where nobody says."""
    esp = started_partition(variable)
    if not esp or not (partitions / esp).exists():
        return None
    part = sysfs / (partitions / esp).resolve().name
    disk = part.resolve().parent
    usb = any(re.fullmatch(r"usb\d+", one) for one in disk.parts)
    stick = usb or _read(disk / "device/type") == "SD"
    model = _read(disk / "device/model") or _read(disk / "device/name")
    return Started(stick, model or disk.name)
