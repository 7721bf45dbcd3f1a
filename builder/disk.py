"""The partition table of a disk image."""

import json
from dataclasses import dataclass
from pathlib import Path

from builder.toolbox import Toolbox

# Discoverable Partitions Specification.
ESP = "C12A7328-F81F-11D2-BA4B-00A0C93EC93B"
USR = "8484680C-9521-48C6-9C11-B0720656F69E"
# Microsoft's basic data partition, which Windows and macOS show as a drive.
BASIC_DATA = "EBD0A0A2-B9E5-4433-87C0-68B6B72699C7"


@dataclass(frozen=True)
class Partition:
    """One entry: its name, its type, and where it lies, in bytes."""

    name: str
    kind: str
    start: int
    size: int


def partitions(toolbox: Toolbox, disk: Path) -> list[Partition]:
    """The partitions of the raw image `disk`, in the table's order."""
    answer = toolbox.run(["sfdisk", "--json", disk], writable=[disk.parent])
    table = json.loads(answer)["partitiontable"]
    sector = int(table.get("sectorsize", 512))
    return [
        Partition(
            name=str(one.get("name", one["type"])),
            kind=str(one["type"]),
            start=int(one["start"]) * sector,
            size=int(one["size"]) * sector,
        )
        for one in table["partitions"]
    ]


def first(toolbox: Toolbox, disk: Path, kind: str) -> Partition:
    """The first partition of type `kind`; StopIteration where there is none."""
    return next(one for one in partitions(toolbox, disk) if one.kind == kind)
