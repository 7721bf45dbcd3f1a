"""The disks of this machine, as lsblk knows them, and which of them may be written as a stick."""

import json
import os
import stat
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from builder.block_map import SECTOR
from builder.errors import DeviceError, RatssaalError, UsageError
from builder.run import run

COLUMNS = (
    "NAME,KNAME,PATH,MAJ:MIN,TYPE,RM,HOTPLUG,RO,TRAN,VENDOR,MODEL,SERIAL,SIZE,LOG-SEC,LABEL,"
    "PARTLABEL,FSTYPE,MOUNTPOINTS"
)
# Whoever has one of these on a disk works from it.
SYSTEM = {"/", "/usr", "/var", "/boot", "/boot/efi", "/boot/firmware", "/efi"}
SWAP = "[SWAP]"
WHICH = "./ratssaal flash IMAGE, without a device, lists those that are possible."


@dataclass(frozen=True)
class Disk:
    """A disk or a part of one; `size` and `sector` in bytes, `number` as MAJOR:MINOR.

    pluggable: on USB, or a card in a reader. content: file systems and labels, in the order of the
    partitions. mounted: where it or a part of it is mounted, SWAP for swap. holders: what is made
    out of it or a part of it, such as `md0 (raid1)`. whole: the disk that this is a part of.
    """

    path: Path
    number: str
    kind: str
    size: int
    sector: int
    read_only: bool
    pluggable: bool
    vendor: str
    model: str
    serial: str
    content: tuple[str, ...]
    mounted: tuple[str, ...]
    holders: tuple[str, ...]
    whole: Path | None = None

    @property
    def name(self) -> str:
        """What has to be typed before it is written: its model, else its name in /dev."""
        return self.model or self.path.name

    @property
    def title(self) -> str:
        """For people: maker and model, where it is, and its size."""
        return f"{self.vendor} {self.name}".strip() + f" ({self.path}, {size_of(self.size)})"

    @property
    def is_system(self) -> bool:
        """Whether this machine runs from it."""
        return bool(SYSTEM & set(self.mounted))

    @property
    def candidate(self) -> bool:
        """Whether it belongs into the list of sticks; it may still be mounted or too small."""
        return self.kind == "disk" and self.pluggable and self.size > 0 and not self.is_system


def size_of(count: int) -> str:
    """A size as it is printed on sticks: powers of ten."""
    return f"{count / 1e9:.1f} GB" if count >= 1e9 else f"{count / 1e6:.0f} MB"


def _soldered(name: str) -> bool:
    """Whether `mmcblk…` is no card (SD) but memory on the board (eMMC); Linux, mmc-dev-attrs."""
    try:
        return Path(f"/sys/class/block/{name}/device/type").read_text().strip() != "SD"
    except OSError:
        return True


def _words(value: object) -> str:
    """A text from the device, in which nothing steers a terminal."""
    text = "" if value is None else " ".join(str(value).split())
    return "".join(one if one.isprintable() else "?" for one in text)


def _below(entry: Any) -> Iterator[Any]:
    yield entry
    for child in entry.get("children") or ():
        yield from _below(child)


def _content(entry: Any) -> str:
    name = _words(entry.get("label") or entry.get("partlabel"))
    return f"{name} ({_words(entry['fstype'])})".strip() if entry.get("fstype") else name


def _pluggable(entry: Any, soldered: Callable[[str], bool]) -> bool:
    # Servers show internal disks in bays as removable, so the way in counts first.
    if entry["tran"] == "usb":
        return bool(entry["rm"] or entry["hotplug"])
    name = str(entry["kname"])
    return name.startswith("mmcblk") and bool(entry["hotplug"]) and not soldered(name)


def _disk(entry: Any, whole: Any, soldered: Callable[[str], bool]) -> Disk:
    parts = list(_below(entry))
    mounted = [str(one) for part in parts for one in part.get("mountpoints") or () if one]
    holders = [part for part in parts[1:] if part["type"] != "part"]
    content = dict.fromkeys(filter(None, map(_content, parts)))
    return Disk(
        path=Path(entry["path"]),
        number=str(entry["maj:min"]).strip(),
        kind=str(entry["type"]),
        size=int(entry["size"] or 0),
        sector=int(entry["log-sec"] or SECTOR),
        read_only=bool(entry["ro"]),
        pluggable=_pluggable(entry, soldered),
        vendor=_words(entry["vendor"]),
        model=_words(entry["model"]),
        serial=_words(entry["serial"]),
        content=tuple(content),
        mounted=tuple(dict.fromkeys(_words(one) for one in mounted)),
        holders=tuple(dict.fromkeys(f"{_words(one['name'])} ({one['type']})" for one in holders)),
        whole=Path(whole["path"]) if whole is not entry else None,
    )


def parse(listing: Any, soldered: Callable[[str], bool] = _soldered) -> list[Disk]:
    """Disks, each followed by what is on it, from what `lsblk --json --bytes` says."""
    return [
        _disk(entry, whole, soldered)
        for whole in listing["blockdevices"]
        for entry in _below(whole)
    ]


def disks() -> list[Disk]:
    """All disks of this machine, each followed by its partitions and what is made out of them."""
    command = ["lsblk", "--json", "--bytes", "--output", COLUMNS]
    return parse(json.loads(run(command, hint="It comes with the package util-linux.")))


def find(place: Path, known: list[Disk]) -> Disk:
    """The disk or part of one at `place`, which may be a link as in /dev/disk/by-id.

    Raises UsageError where there is nothing, or something else.
    """
    path = place.resolve()
    try:
        status = path.stat()
    except OSError as error:
        raise UsageError(f"There is no device {place}.", WHICH) from error
    if not stat.S_ISBLK(status.st_mode):
        raise UsageError(f"{place} is not a block device, so it is no stick.", WHICH)
    number = f"{os.major(status.st_rdev)}:{os.minor(status.st_rdev)}"
    for one in known:
        if one.number == number:
            return one
    raise DeviceError(
        f"{place} holds no medium, or lsblk does not know it.",
        "Put the card in, or plug the stick in anew.",
    )


def refusal(disk: Disk, needed: int, *, loops: bool = False) -> RatssaalError | None:
    """Why `disk` may not be written with `needed` bytes; None where nothing speaks against it.

    With `loops` a loop device counts as a stick, for tests.
    """
    if disk.whole is not None:
        return UsageError(
            f"{disk.path} is a part of {disk.whole}; an image takes a whole stick.", WHICH
        )
    if disk.is_system:
        return UsageError(f"{disk.path} is the disk that this machine runs from.", WHICH)
    if not disk.candidate and not (loops and disk.kind == "loop"):
        return UsageError(f"{disk.path} is neither a USB stick nor a memory card.", WHICH)
    return _in_use(disk) or _unfit(disk, needed)


def _in_use(disk: Disk) -> DeviceError | None:
    if SWAP in disk.mounted:
        return DeviceError(
            f"This machine swaps to {disk.path}.", "Take it out of use first: swapoff"
        )
    if disk.mounted:
        places = " and ".join(disk.mounted)
        return DeviceError(
            f"{disk.path} is mounted at {places}.", f"Unmount it first: umount {places}"
        )
    if disk.holders:
        return DeviceError(
            f"{disk.path} is in use by {', '.join(disk.holders)}.",
            "Close the encrypted disk, volume group or array on it first.",
        )
    return None


def write_protected(disk: Disk) -> DeviceError:
    """The error for a stick that takes nothing."""
    return DeviceError(
        f"{disk.path} is write-protected.", "Look for a switch on the card or stick."
    )


def _unfit(disk: Disk, needed: int) -> DeviceError | None:
    if disk.read_only:
        return write_protected(disk)
    if disk.sector != SECTOR:
        return DeviceError(
            f"{disk.path} has sectors of {disk.sector} bytes; the image is made for {SECTOR}, so "
            "no computer would start from it.",
            "Take another stick.",
        )
    if disk.size < needed:
        return DeviceError(
            f"{disk.path} has {disk.size} bytes; the image needs {needed}.", "Take a larger stick."
        )
    return None
