"""Writes an image to a stick by its block map, and reads all of it back.

The first MiB holds the partition table. It is wiped first and written last, once all else was read
back, so that whatever interrupts this leaves a stick that looks empty and starts no computer.
"""

import contextlib
import errno
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from builder import block_map
from builder.block_map import BlockMap, Piece, Range, Sums
from builder.cache import sha256
from builder.disk import BASIC_DATA
from builder.errors import CommandError, DeviceError, StoppedError
from builder.progress import transfer
from builder.release import Release
from builder.source import open_source
from builder.stick import gpt
from builder.stick.direct import Ahead, Device, buffer

HEAD = 2**20
# Where the second table of an earlier, larger image may lie: the last 33 sectors, and some more.
TAIL = 2**20
PIECE = 4 * 2**20
# Of each hole of the image, so many bytes are written as zeros: more than a FAT of its ESP has.
MARGIN = 4 * 2**20
SEED_NAME = "ratssaal-seed"
# What the kernel says of a device that is no longer there; EIO may also be a worn-out one.
GONE = {errno.ENODEV, errno.ENXIO, errno.ENOMEDIUM}
UNUSABLE = "The stick is not usable now: its partition table was wiped first and comes last."


@dataclass(frozen=True)
class Content:
    """A file whose content goes to the device from the byte `start` on, by `block_map`."""

    file: Path
    block_map: BlockMap
    start: int = 0


@dataclass(frozen=True)
class Written:
    """How many bytes were written and read back, and the seconds that either took."""

    count: int
    writing: float
    reading: float


def content_of(given: Release) -> Content:
    """All of an image that has to be on the stick."""
    return Content(given.file, block_map.read(given.block_map).with_margins(MARGIN))


def seed_content(image: Path, start: int) -> Content:
    """The whole file `image`, as it is."""
    size = image.stat().st_size
    return Content(image, BlockMap(size, (Range(0, size, sha256(image)),)), start)


class Stick:
    """Writes `image` to `device`, which is large enough, and behind it the file system `seed`."""

    def __init__(self, device: Device, image: Content, seed: Path | None = None) -> None:
        self._device, self._image, self._seed = device, image, seed
        self._head = buffer(HEAD)
        self._begun = self._table_begun = False

    def write(self) -> Written:
        """Do it all; nothing is left to the page cache.

        Raises CommandError where the image is damaged, DeviceError where the stick fails or is
        pulled out, StoppedError for Ctrl-C. The stick then looks empty.
        """
        with self._explained():
            begun = time.monotonic()
            self._wipe()
            contents = [self._image]
            count = self._image.block_map.mapped
            count += self._seed.stat().st_size if self._seed else 0
            with transfer("Writing", count) as advance:
                self._send(self._image, advance)
                table = self._table()
                if self._seed and table:
                    contents.append(seed_content(self._seed, table.start))
                    self._send(contents[1], advance)
                self._device.flush()
            half = time.monotonic()
            with transfer("Reading back", count) as advance:
                for content in contents:
                    self._read_back(content, advance)
                self._write_table(table)
            return Written(count, half - begun, time.monotonic() - half)

    def _wipe(self) -> None:
        self._begun = True
        self._device.write(0, buffer(HEAD))
        self._device.write(self._device.size - TAIL, buffer(TAIL))
        self._device.flush()

    def _send(self, content: Content, advance: Callable[[int], None]) -> None:
        """Write `content`, but keep what belongs into the first MiB."""
        sums = Sums()
        with open_source(content.file) as source:

            def fill(piece: Piece, view: memoryview) -> None:
                part = view[: piece.length]
                source.read_into(piece.start, part)
                if not sums.add(piece, part):
                    raise CommandError(
                        f"{content.file} is not what its block map says, between the bytes "
                        f"{piece.range.start} and {piece.range.end}. {UNUSABLE}",
                        "Copy the image's files anew, or build again; then start again.",
                    )

            with Ahead(content.block_map.pieces(PIECE, HEAD), fill, PIECE) as ready:
                for piece, view in ready:
                    place, part = content.start + piece.start, view[: piece.length]
                    if place < HEAD:
                        self._head[place : place + piece.length] = part
                    else:
                        self._device.write(place, part)
                    advance(piece.length)

    def _read_back(self, content: Content, advance: Callable[[int], None]) -> None:
        """Compare the sums of all ranges with what the device holds; the first MiB comes later."""
        sums = Sums()

        def fill(piece: Piece, view: memoryview) -> None:
            place, part = content.start + piece.start, view[: piece.length]
            if place < HEAD:
                part[:] = self._head[place : place + piece.length]
            else:
                self._device.read_into(place, part)

        with Ahead(content.block_map.pieces(PIECE, HEAD), fill, PIECE) as ready:
            for piece, view in ready:
                if not sums.add(piece, view[: piece.length]):
                    start, end = (content.start + at for at in (piece.range.start, piece.range.end))
                    raise self._differs(start, end)
                advance(piece.length)

    def _table(self) -> gpt.Table | None:
        """The table with a partition for the seed; None where there is no seed."""
        if self._seed is None:
            return None
        size = self._seed.stat().st_size
        try:
            return gpt.with_partition(
                bytes(self._head), self._device.size, size, BASIC_DATA, SEED_NAME
            )
        except ValueError as error:
            raise CommandError(f"{self._image.file} has no partition table: {error}.") from error

    def _write_table(self, table: gpt.Table | None) -> None:
        self._table_begun = True
        parts = [(0, table.head if table else bytes(self._head))]
        if table:
            parts.insert(0, (table.tail_start, table.tail))
        for start, content in parts:
            view = buffer(len(content))
            view[:] = content
            self._device.write(start, view)
            self._device.flush()
        for start, content in parts:
            found = buffer(len(content))
            self._device.read_into(start, found)
            if found != content:
                raise self._differs(start, start + len(content))
        self._device.reread_table()

    def _differs(self, start: int, end: int) -> DeviceError:
        return DeviceError(
            f"{self._device.path} gives back something else than was written, between the bytes "
            f"{start} and {end}: it is worn out, or smaller than it says. {UNUSABLE}",
            "Take another stick, and do not use this one for anything.",
        )

    @contextlib.contextmanager
    def _explained(self) -> Iterator[None]:
        """Leave no table behind where anything goes wrong, and say what that was."""
        try:
            yield
        except BaseException as error:
            if self._table_begun:
                with contextlib.suppress(OSError):
                    self._device.write(0, buffer(HEAD))
                    self._device.flush()
            if isinstance(error, KeyboardInterrupt):
                raise self._stopped() from error
            if isinstance(error, OSError):
                raise self._failed(error) from error
            raise

    def _stopped(self) -> StoppedError:
        if not self._begun:
            return StoppedError("Stopped before anything was written.")
        return StoppedError(
            f"Stopped by Ctrl-C while {self._device.path} was being written. {UNUSABLE}",
            "Start again to write it whole, or format it for something else.",
        )

    def _failed(self, error: OSError) -> DeviceError:
        place = f"{self._device.path} at byte {self._device.at}"
        if error.errno in GONE or not self._device.present():
            return DeviceError(
                f"The stick was pulled out, or lost its connection: {place} is not there any "
                f"more. {UNUSABLE}",
                "Plug it in again, in another socket if this happens twice, and start again.",
            )
        return DeviceError(
            f"The stick fails: {place} answers {error.strerror!r}. {UNUSABLE}",
            "Plug it into another socket and start again; if it fails again, take another stick.",
        )
