"""Reads a copy from the disk itself: by root hash and, of the boot partition, byte for byte."""

import filecmp
import re
import subprocess
import tempfile
import time
from collections.abc import Iterable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from firstboot.install.copying import root_hash
from firstboot.install.state import Way
from firstboot.install.telling import READ, TICK_SECONDS, Telling
from firstboot.texts import SaidError

BOOT = Path("/boot")
# Of this stick alone (ExcludeFiles= in 00-esp.conf).
NOT_COPIED = {"loader/random-seed", "ratssaal-reset", "ratssaal-recovery-key.bin"}
# How often a version on trial was started, and will be: part of its file's name (systemd-boot(7)).
COUNTED = re.compile(r"\+\d+(-\d+)?(?=\.efi$)")
DEVICE_SECONDS = 60.0


def check(telling: Telling, made: dict[str, str], way: Way) -> None:
    """Read the copy from the disk itself and compare it with root hash and boot partition.

    Where that fails nothing starts from it. Raises SaidError, OSError, CalledProcessError.
    """
    data, tree = made["11-usr-a.conf"], made["10-usr-verity-a.conf"]
    try:
        with held((data, tree)):
            for one in (data, tree):
                subprocess.run(["blockdev", "--flushbufs", one], check=True)
            command = ["veritysetup", "verify", data, tree, root_hash()]
            telling.watch("checking", command, READ, _blocks(tree))
            with mounted(made["00-esp.conf"]) as copied:
                if not same_files(copied):
                    raise SaidError("install.differs")
    except (OSError, subprocess.CalledProcessError, SaidError) as error:
        spoil(telling.disk.path, made, way)
        verity = isinstance(error, subprocess.CalledProcessError) and error.cmd == "veritysetup"
        if verity or isinstance(error, SaidError):
            key = "install.differs" if way == "anew" else "install.differs_repair"
            raise SaidError(key, disk=telling.disk.title) from error
        raise


@contextmanager
def held(devices: Iterable[str]) -> Iterator[None]:
    """Keep them open, so that nobody takes them away meanwhile. Raises OSError.

    udev reads a partition table anew once it was written, and for a moment there are none.
    """
    deadline = time.monotonic() + DEVICE_SECONDS
    with ExitStack() as opened:
        for one in devices:
            while True:
                try:
                    opened.enter_context(Path(one).open("rb"))
                    break
                except FileNotFoundError:
                    if time.monotonic() > deadline:
                        raise
                    time.sleep(TICK_SECONDS)
        yield


@contextmanager
def mounted(esp: str) -> Iterator[Path]:
    """The boot partition on the disk, read from the disk itself. Raises CalledProcessError."""
    subprocess.run(["blockdev", "--flushbufs", esp], check=True)
    with tempfile.TemporaryDirectory() as place:
        options = "ro,nosuid,nodev,noexec,nosymfollow"
        subprocess.run(["mount", "-t", "vfat", "-o", options, esp, place], check=True)
        try:
            yield Path(place)
        finally:
            subprocess.run(["umount", place], check=True)


def _files(folder: Path) -> dict[str, Path]:
    """All files below `folder`, by their names without the attempts that are counted there."""
    found = (one for one in folder.rglob("*") if one.is_file())
    return {COUNTED.sub("", str(one.relative_to(folder))): one for one in found}


def same_files(copied: Path, boot: Path = BOOT) -> bool:
    """Whether all of the boot partition that is copied is there, byte for byte."""
    there, here = _files(copied), _files(boot)
    wanted = here.keys() - NOT_COPIED
    # Found once more before it is read: a good start gives the kernel image another name.
    return wanted <= there.keys() and all(
        filecmp.cmp(_files(boot)[name], there[name], shallow=False) for name in sorted(wanted)
    )


def spoil(disk: str, made: dict[str, str], way: Way) -> None:
    """Let nothing start from it. What is repaired keeps its partition table, and with it root."""
    places = list(made.values()) if way == "repair" else [disk]
    subprocess.run(["wipefs", "--all", "--force", "--quiet", *places], check=False)


def _blocks(tree: str) -> int:
    """How many bytes a hash tree stands for (cryptsetup's on-disk format of dm-verity)."""
    with Path(tree).open("rb") as file:
        head = file.read(512)
    return int.from_bytes(head[64:68], "little") * int.from_bytes(head[72:80], "little")
