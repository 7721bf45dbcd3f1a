"""The stick of a virtual machine: written as `flash` writes one, where other things were before."""

import random
from pathlib import Path

from builder import release
from builder.artifacts import Artifacts
from builder.stick.direct import FileDevice
from builder.stick.writing import Stick, content_of

MIB = 2**20


def write(file: Path, size: int, artifacts: Artifacts, seed: Path | None) -> None:
    """Make `file`, a stick of `size` bytes, with the image and behind it the file system `seed`.

    Where the image has holes it keeps what means nothing, as a stick that was in use before does.
    """
    image = content_of(release.find(artifacts.raw))
    before = random.Random(size).randbytes(MIB)  # noqa: S311
    with file.open("wb") as opened:
        for _ in range(image.block_map.size // MIB):
            opened.write(before)
        opened.truncate(size)
    with FileDevice(file) as device:
        Stick(device, image, seed).write()
