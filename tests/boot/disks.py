"""What is on the disks of a machine, as files of this one."""

import hashlib
import os
from pathlib import Path

from builder.machines.stage import Stage


def written(file: Path) -> str:
    """The hash of all that is in a sparse file, and where."""
    found = hashlib.sha256()
    with file.open("rb") as disk:
        end = disk.seek(0, os.SEEK_END)
        place = 0
        while place < end:
            try:
                place = os.lseek(disk.fileno(), place, os.SEEK_DATA)
            except OSError:  # nothing but a hole follows (lseek(2), ENXIO)
                break
            hole = os.lseek(disk.fileno(), place, os.SEEK_HOLE)
            found.update(b"%d " % place + os.pread(disk.fileno(), hole - place, place))
            place = hole
    return found.hexdigest()


def archive(stage: Stage) -> bytes:
    """A disk with a file system of somebody's."""
    image = stage.folder / "archive.img"
    image.write_bytes(bytes(4 * 2**20))
    stage.toolbox.run(["mkfs.vfat", "-n", "ARCHIV", image], writable=[stage.folder])
    return image.read_bytes()
