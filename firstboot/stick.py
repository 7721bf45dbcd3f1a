"""Writes the bundle for support to a stick, since somebody at this box has pressed the key for it.

Only to the one file system that is plugged in and that other computers write, too; never to a disk
that this box runs from, and to no stick with a Ratssaal or its answers, which is not to be given
away.
"""

import datetime
import errno
import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from firstboot import seed
from firstboot.files import write_whole_bytes
from firstboot.install import disks
from firstboot.screen.anew import tell
from firstboot.texts import Said, SaidError

KINDS = ("vfat", "exfat")
# EFI system partitions: in a GPT, and in a master boot record (UEFI specification 2.10, 5.2.2).
ESP = ("c12a7328-f81f-11d2-ba4b-00a0c93ec93b", "0xef")
# In the unit's own mount namespace: if it is killed, the kernel unmounts.
PLACE = Path("/run/ratssaal-stick")
# Files on it belong to root; without the masks they could not be given a mode.
OPTIONS = "nosuid,nodev,noexec,nosymfollow,fmask=0133,dmask=0022"


@dataclass(frozen=True)
class Volume:
    """A file system on a stick; kind: which one."""

    path: str
    kind: str
    read_only: bool = False


def _ours(disk: Any) -> bool:
    """Whether there is a Ratssaal on it, or what a box would set itself up by."""
    return any(
        str(part.get("parttype")).lower() == disks.USR or part.get("label") == seed.LABEL
        for part in disks.below(disk)
    )


def _volumes(disk: Any) -> list[Volume]:
    return [
        Volume(
            path=str(part["path"]),
            kind=str(part["fstype"]),
            read_only=bool(disk["ro"] or part["ro"]),
        )
        for part in disk.get("children") or [disk]
        if part["fstype"] in KINDS and str(part.get("parttype")).lower() not in ESP
    ]


def choose(listing: Any, esp: str, sysfs: Path = disks.SYSFS) -> Volume:
    """The one to write to; `listing`, `esp`: as in firstboot.install.disks. Raises SaidError."""
    plugged = [
        one
        for one in listing["blockdevices"]
        if one["type"] == "disk"
        and one["size"]
        and disks.pluggable(one, sysfs)
        and not disks.is_started(one, esp)
        and not disks.in_use(one)
    ]
    if not plugged:
        raise SaidError("bundle.none")
    sticks = [one for one in plugged if not _ours(one)]
    if not sticks:
        raise SaidError("bundle.ours")
    found = [volume for one in sticks for volume in _volumes(one)]
    if not found:
        raise SaidError("bundle.no_file_system")
    if len(found) > 1:
        raise SaidError("bundle.several")
    if found[0].read_only:
        raise SaidError("bundle.read_only")
    return found[0]


@contextmanager
def mounted(volume: Volume) -> Iterator[Path]:
    """Where its files are. Raises SaidError where it cannot be read, CalledProcessError at its end.

    `--rw`: never read-only instead, which would only fail later.
    """
    mount = ["mount", "--rw", "--types", volume.kind, "--options", OPTIONS]
    if subprocess.run([*mount, volume.path, PLACE], check=False).returncode:
        raise SaidError("bundle.unreadable")
    try:
        yield PLACE
    finally:
        # What was written is on the stick once this ends (umount(8)).
        subprocess.run(["umount", PLACE], check=True)


def _find() -> Volume:
    return choose(disks.listing(), disks.started_partition())


def write(now: datetime.datetime) -> Said:
    """Find the stick, have the bundle packed, and write it. Raises SaidError."""
    _find()
    # With libraries that whoever has no stick there need not wait for.
    from firstboot import errands

    content = errands.bundle()
    # Packing takes a while, in which somebody may have changed the stick.
    volume = _find()
    name = f"ratssaal-{now:%Y%m%d-%H%M%S}.tar.gz"
    try:
        with mounted(volume) as folder:
            write_whole_bytes(folder / name, content)
    except OSError as error:
        print(error, file=sys.stderr)  # noqa: T201
        no_room = error.errno == errno.ENOSPC
        raise SaidError("bundle.full" if no_room else "bundle.broken") from error
    except subprocess.CalledProcessError as error:
        raise SaidError("bundle.broken") from error
    return Said("bundle.done", {"file": name})


def main() -> int:
    """Do it, and say on the screen what came of it."""
    try:
        said = write(datetime.datetime.now(datetime.UTC))
    except SaidError as error:
        said = error.said
    tell(f"{said.key} {json.dumps(said.values)}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
