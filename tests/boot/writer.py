"""Run on a box: what `./ratssaal flash` does with a stick, by its own code.

Without what the command line is made of, and without answers and cards, whose packages no box has.
Arguments: the image's folder, the stick's serial number, and where it must not be looked for by
that, the device. Ends with the exit code and the words of the command.
"""

import sys
from pathlib import Path

from builder import release
from builder.errors import RatssaalError
from builder.stick import consent, sticks
from builder.stick.direct import Device
from builder.stick.writing import Stick, content_of


def write(folder: Path, serial: str, device: Path | None) -> None:
    """Check the image, agree on the stick, write it and read it back."""
    given = release.find(folder)
    given.check()
    image, known = content_of(given), sticks.disks()
    needed = image.block_map.size
    disk = sticks.find(device, known) if device else consent.choose(known, needed, serial, None)
    if refused := sticks.refusal(disk, needed):
        raise refused
    consent.confirm(disk, yes=True, serial=serial, ask=None)
    with Device(disk.path) as opened:
        consent.same(disk, opened.number, opened.size)
        Stick(opened, image).write()
    print(f"Done: {disk.title}")


if __name__ == "__main__":
    place, number, *where = sys.argv[1:]
    try:
        write(Path(place), number, Path(where[0]) if where else None)
    except RatssaalError as error:
        print(error.message, error.hint)
        sys.exit(error.exit_code)
