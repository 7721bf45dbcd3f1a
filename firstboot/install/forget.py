"""Wipes what an installation has written to the disk beside the image, once the box is set up.

Answers hold hashes of passwords, and perhaps keys, on a partition that is not encrypted. A stick is
left as it is: more boxes may be set up with it.
"""

import os
from collections.abc import Iterator
from typing import Any

from firstboot.install import disks

# The type of the partition, as in 30-brought.conf.
BROUGHT = "7e4a2c1f-5d0b-4f6e-9a53-2b8c1d7f6e90"
CHUNK_BYTES = 2**20


def partitions(listing: Any, esp: str) -> Iterator[str]:
    """The partitions, on the disk that the box was started from, that hold what was brought."""
    for disk in listing["blockdevices"]:
        parts = disk.get("children") or ()
        if any(str(one["partuuid"]).lower() == esp for one in parts):
            for one in parts:
                if str(one["parttype"]).lower() == BROUGHT and one["fstype"]:
                    yield str(one["path"])


def overwrite(path: str) -> None:
    """Write zeros to all of it."""
    descriptor = os.open(path, os.O_WRONLY)
    try:
        left = os.lseek(descriptor, 0, os.SEEK_END)
        os.lseek(descriptor, 0, os.SEEK_SET)
        while left:
            left -= os.write(descriptor, bytes(min(left, CHUNK_BYTES)))
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def main() -> None:
    """Wipe what there is."""
    for path in partitions(disks.listing(), disks.started_partition()):
        overwrite(path)


if __name__ == "__main__":
    main()
