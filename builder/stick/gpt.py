"""Adds a partition to the GUID partition table of an image that is written to a larger disk.

UEFI specification 2.10, section 5.3. Sectors have 512 bytes: images are made for no other.
"""

import struct
import uuid
import zlib
from dataclasses import dataclass

from builder.block_map import SECTOR
from builder.errors import DeviceError

ALIGNED = 2**20
# Signature, revision, size of the header, its sum, reserved; where it lies, where the other one
# lies; first and last usable sector; disk; entries: where, how many, size of one, their sum.
HEADER = struct.Struct("<8sIIIIQQQQ16sQIII")
# Type, partition, first and last sector, attributes, name.
ENTRY = struct.Struct("<16s16sQQQ72s")
SIGNATURE, FREE = b"EFI PART", bytes(16)
# Where a protective MBR has the number of sectors after it: its first entry's last four bytes.
PROTECTED = 446 + 12


@dataclass(frozen=True)
class Table:
    """A whole table: `head` for the disk's beginning, `tail` for `tail_start`, its end.

    The new partition begins at `start`; all in bytes.
    """

    head: bytes
    tail: bytes
    tail_start: int
    start: int


def _sum(content: bytes) -> int:
    return zlib.crc32(content)


def _header(fields: list[int | bytes]) -> bytes:
    fields[3] = 0
    fields[3] = _sum(HEADER.pack(*fields))
    return HEADER.pack(*fields).ljust(SECTOR, b"\0")


def with_partition(head: bytes, disk: int, size: int, kind: str, name: str) -> Table:
    """The table in `head` for a disk of `disk` bytes, with one partition more at that disk's end.

    `size` is that of the partition, in whole MiB; `kind` its type. Raises DeviceError where it does
    not fit, ValueError where there is no table in `head`.
    """
    fields: list[int | bytes] = list(HEADER.unpack_from(head, SECTOR))
    place, number, length = (int(fields[n]) * m for n, m in ((10, SECTOR), (11, 1), (12, 1)))
    entries = bytearray(head[place : place + number * length])
    if fields[0] != SIGNATURE or length != ENTRY.size or _sum(bytes(entries)) != fields[13]:
        raise ValueError("there is no GUID partition table in it")
    sectors, room = disk // SECTOR, -(-len(entries) // SECTOR)
    tail_start = (sectors - 1 - room) * SECTOR
    start = (tail_start - size) // ALIGNED * ALIGNED
    found = [ENTRY.unpack_from(entries, at) for at in range(0, len(entries), length)]
    if start < max((one[3] + 1) * SECTOR for one in found if one[0] != FREE):
        raise DeviceError(
            "There is no room for answers or a code card behind the image.", "Take a larger stick."
        )
    free = next(at for at, one in enumerate(found) if one[0] == FREE)
    entry = ENTRY.pack(
        uuid.UUID(kind).bytes_le,
        uuid.uuid4().bytes_le,
        start // SECTOR,
        (start + size) // SECTOR - 1,
        0,
        name.encode("utf-16-le"),
    )
    entries[free * length : (free + 1) * length] = entry
    fields[5:7] = 1, sectors - 1
    fields[8], fields[13] = tail_start // SECTOR - 1, _sum(bytes(entries))
    made = bytearray(head)
    made[PROTECTED : PROTECTED + 4] = struct.pack("<I", min(sectors - 1, 2**32 - 1))
    made[SECTOR : 2 * SECTOR] = _header(fields)
    made[place : place + len(entries)] = entries
    fields[5:7] = sectors - 1, 1
    fields[10] = tail_start // SECTOR
    tail = bytes(entries).ljust(room * SECTOR, b"\0") + _header(fields)
    return Table(bytes(made), tail, tail_start, start)
