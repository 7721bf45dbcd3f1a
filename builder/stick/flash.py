"""Flashing: an image, checked and agreed to, goes to a stick, with what a box is to be told."""

import contextlib
import errno
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from builder import release
from builder.errors import DeviceError, StoppedError
from builder.host import require_root
from builder.machines import firmware
from builder.progress import say, step
from builder.stick import consent, seed, sticks
from builder.stick.consent import Ask
from builder.stick.direct import Device
from builder.stick.sticks import Disk
from builder.stick.writing import Stick, Written, content_of
from builder.toolbox import Toolbox, open_toolbox

# A few short files; large enough for a FAT that every system reads.
SEED_BYTES = 16 * 2**20
# Of the seed's partition, the second table, and the round MiB at which partitions begin.
SEED_ROOM = SEED_BYTES + 3 * 2**20
# What a box makes of its disk at the first start (overlays/update), rounded up.
BOX_BYTES = 12 * 2**30


@dataclass(frozen=True)
class FlashOptions:
    """What to write and where to: see `./ratssaal flash --help`."""

    image: Path
    device: Path | None = None
    answers: Path | None = None
    code_card: Path | None = None
    network: Path | None = None
    yes: bool = False
    serial: str | None = None

    @property
    def brings(self) -> bool:
        """Whether the stick gets a partition with answers, a code card or a network."""
        return bool(self.answers or self.code_card or self.network)


def flash(options: FlashOptions, ask: Ask, *, loops: bool = False) -> tuple[Disk, Written]:
    """Write the image to a stick and read it back; the stick, and what was done.

    `ask` shows a question and gives the answer, None where nobody can be asked. With `loops` a
    loop device counts as a stick, for tests. Raises RatssaalError; whether the stick is usable
    then stands in the message.
    """
    require_root("it writes to a device")
    try:
        given, brought = release.find(options.image), options.brings
        seed.prepare(options.answers, None, options.network)
        with step("Checking the image's sums", estimate=False):
            given.check()
        image = content_of(given)
        toolbox = open_toolbox() if brought else None
        disk = _agreed(options, ask, image.block_map.size + SEED_ROOM * brought, loops)
        with _opened(disk) as device, _brought(options, toolbox) as partition:
            consent.same(disk, device.number, device.size)
            written = Stick(device, image, partition).write()
    except KeyboardInterrupt as error:
        raise StoppedError("Stopped before anything was written.") from error
    return disk, written


def _agreed(options: FlashOptions, ask: Ask, needed: int, loops: bool) -> Disk:
    known = sticks.disks()
    if options.device is None:
        disk = consent.choose(known, needed, options.serial, ask)
    else:
        disk = sticks.find(options.device, known)
    if refused := sticks.refusal(disk, needed, loops=loops):
        raise refused
    if disk.size < BOX_BYTES:
        say(f"{disk.title} is too small to be a box's own disk, which takes 12 GiB.")
    consent.confirm(disk, yes=options.yes, serial=options.serial, ask=ask)
    return disk


def _opened(disk: Disk) -> Device:
    try:
        return Device(disk.path)
    except OSError as error:
        if error.errno == errno.EBUSY:
            raise DeviceError(
                f"{disk.path} is in use: another program has it for itself alone.",
                "Unmount it, close the program, or plug the stick in anew.",
            ) from error
        if error.errno in (errno.EROFS, errno.EACCES, errno.EPERM):
            raise sticks.write_protected(disk) from error
        raise DeviceError(
            f"{disk.path} cannot be opened: {error.strerror}.", "Plug the stick in anew."
        ) from error


@contextlib.contextmanager
def _brought(options: FlashOptions, toolbox: Toolbox | None) -> Iterator[Path | None]:
    """The file system with what the stick brings; a card goes again where the stick fails."""
    if toolbox is None:
        yield None
        return
    with tempfile.TemporaryDirectory(prefix="ratssaal-") as folder:
        prepared = seed.prepare(options.answers, options.code_card, options.network)
        try:
            image = Path(folder) / "seed.img"
            firmware.make_seed(toolbox, image, prepared.files, SEED_BYTES)
            yield image
        except BaseException:
            if options.code_card:
                options.code_card.unlink(missing_ok=True)
            raise


def report(options: FlashOptions, disk: Disk) -> None:
    """Say what was done, for people."""
    say(f"Done: {disk.title} holds the image; all of it was read back.")
    if options.code_card:
        say(f"The set-up code is on the card {options.code_card}: keep it apart from the stick.")
    if options.answers:
        say("The stick holds your answers, secrets too: keep it like a key.")
    say("Unplug it, or start a computer from it.")
