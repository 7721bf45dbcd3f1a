"""Writing files so that a power cut leaves the old one or the new one, never half of either."""

import os
import stat
import tempfile
from pathlib import Path


def write_whole(path: Path, text: str, *, mode: int = 0o644, group: int | None = None) -> bool:
    """Put `text` under `path` in one step. Says whether anything changed."""
    return write_whole_bytes(path, text.encode(), mode=mode, group=group)


def write_whole_bytes(
    path: Path, content: bytes, *, mode: int = 0o644, group: int | None = None
) -> bool:
    """As write_whole, for what is no text."""
    if path.exists() and path.read_bytes() == content:
        found = path.stat()
        if stat.S_IMODE(found.st_mode) == mode and group in (None, found.st_gid):
            return False
    descriptor, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(descriptor, "wb") as file:
            os.fchmod(descriptor, mode)
            if group is not None:
                os.fchown(descriptor, 0, group)
            file.write(content)
            file.flush()
            os.fsync(descriptor)
        Path(name).replace(path)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise
    return True
