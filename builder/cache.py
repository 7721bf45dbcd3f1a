"""The cache: entries are found by the hash of what made them, and appear whole or not at all."""

import fcntl
import hashlib
import json
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from builder.errors import MissingError
from builder.paths import cache_folder
from builder.progress import say

COMPLETE = "complete"
# Lines as of sha256sum(1), beside the sizes in COMPLETE.
SUMS = "complete.sha256"


def hash_of(*parts: Path | str | bytes) -> str:
    """A name for what `parts` make: 16 hexadecimal digits over texts, files and whole folders.

    Of a file counts its path below the part, whether it may be executed, and its content.
    """
    digest = hashlib.sha256()
    for part in parts:
        if isinstance(part, Path):
            for file in sorted([part] if not part.is_dir() else part.rglob("*")):
                if "__pycache__" in file.parts or (file.is_dir() and not file.is_symlink()):
                    continue
                name = file.relative_to(part).as_posix()
                link = file.is_symlink()
                kind = "link" if link else "program" if os.access(file, os.X_OK) else "file"
                content = os.fsencode(file.readlink()) if link else file.read_bytes()
                digest.update(f"\0{kind}\0{name}\0{len(content)}\0".encode() + content)
        else:
            content = part.encode() if isinstance(part, str) else part
            digest.update(f"\0text\0{len(content)}\0".encode() + content)
    return digest.hexdigest()[:16]


def sha256(path: Path) -> str:
    """SHA-256 of a file, as hexadecimal digits."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def said_sums(file: Path) -> dict[str, str]:
    """What a file as of sha256sum(1) says: hexadecimal digits by a file's name."""
    lines = file.read_text(errors="replace").splitlines()
    return {name: digest for digest, _, name in (line.partition("  ") for line in lines)}


@contextmanager
def exclusive(name: str) -> Iterator[None]:
    """Hold the lock `name`; a second holder waits and says so."""
    folder = cache_folder() / "locks"
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / name).open("w") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            say(f"Another ratssaal is busy with {name}; waiting until it is done.")
            fcntl.flock(file, fcntl.LOCK_EX)
        yield


@contextmanager
def new_entry(folder: Path, *needed: str) -> Iterator[Path]:
    """A folder beside `folder` to fill; it gets that name once the block has ended well.

    Until then an older entry of that name stays as it was. Kept with it are size and SHA-256 of the
    files `needed`; without names, the sizes alone of all files directly in it.
    """
    growing = folder.with_name(f".{folder.name}.growing")
    former = folder.with_name(f".{folder.name}.former")
    if former.exists() and not folder.exists():
        former.rename(folder)  # power went between the two renames below
    for rest in (growing, former):
        shutil.rmtree(rest, ignore_errors=True)
        if rest.is_file():
            rest.unlink()  # a killed build's last step, for which the folder was gone already
    growing.mkdir(parents=True)
    try:
        yield growing
    except BaseException:
        shutil.rmtree(growing, ignore_errors=True)
        raise
    names = needed or [path.name for path in growing.iterdir()]
    files = {name: growing / name for name in names if (growing / name).is_file()}
    sizes = {name: file.lstat().st_size for name, file in files.items()}
    kept = [name for name in needed if name in files and not files[name].is_symlink()]
    lines = [f"{sha256(files[name])}  {name}\n" for name in kept]
    if lines:
        (growing / SUMS).write_text("".join(lines))
    (growing / COMPLETE).write_text(json.dumps(sizes))
    os.sync()  # the name must not reach the disk before the content
    if folder.exists():
        folder.rename(former)
    growing.rename(folder)
    shutil.rmtree(former, ignore_errors=True)


def is_complete(folder: Path, *needed: str) -> bool:
    """Whether the entry was finished and still holds what is `needed`; else make it anew."""
    if not (folder / COMPLETE).exists():
        return False
    if found := damage(folder, *needed):
        say(f"The cache entry {folder.name} is damaged ({found}): making it anew.")
    return not found


def damage(folder: Path, *needed: str) -> str:
    """What is wrong with a finished entry, as `NAME is missing`; nothing where it is whole."""
    try:
        # Entries of earlier versions hold no sizes, or no sums.
        sizes = json.loads((folder / COMPLETE).read_text() or "{}")
        sums = said_sums(folder / SUMS) if (folder / SUMS).exists() else {}
    except ValueError:
        return f"{COMPLETE} cannot be read"
    for name in needed:
        if not os.path.lexists(folder / name):
            return f"{name} is missing"
        if name in sizes and (folder / name).lstat().st_size != sizes[name]:
            return f"{name} has another size"
        if name in sums and sha256(folder / name) != sums[name]:
            return f"{name} has another content"
    return ""


def require_space(folder: Path, gibibytes: float) -> None:
    """Raise MissingError where fewer than `gibibytes` GiB are free at `folder`."""
    place = folder
    while not place.exists():
        place = place.parent
    free = shutil.disk_usage(place).free / 2**30
    if free < gibibytes:
        raise MissingError(
            f"Only {free:.1f} GiB are free at {place}; {gibibytes:.0f} GiB are needed.",
            "Free some space, or name another folder in RATSSAAL_CACHE.",
        )
