"""A block map (bmap format 2.0): which blocks of a disk image hold data, with their sums."""

import hashlib
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from defusedxml import ElementTree

from builder.errors import CommandError, RatssaalError

SECTOR = 512
SHA256 = re.compile(r"[0-9a-f]{64}")
OWN_SUM = re.compile(rb"(<BmapFileChecksum>\s*)([0-9a-f]{64})(\s*</BmapFileChecksum>)")


@dataclass(frozen=True)
class Range:
    """The bytes from `start` up to `end` of an image, and their SHA-256 in hexadecimal digits."""

    start: int
    end: int
    sha256: str


@dataclass(frozen=True)
class Piece:
    """A part of a range that is moved at once: `length` bytes from `start` of the image."""

    start: int
    length: int
    range: Range

    @property
    def last(self) -> bool:
        """Whether its range ends with it."""
        return self.start + self.length == self.range.end


@dataclass(frozen=True)
class BlockMap:
    """The size of an image in bytes, and its ranges in ascending order; the rest are holes."""

    size: int
    ranges: tuple[Range, ...]

    @property
    def mapped(self) -> int:
        """How many bytes hold data."""
        return sum(one.end - one.start for one in self.ranges)

    def with_margins(self, margin: int) -> "BlockMap":
        """The same with the first `margin` bytes of each hole as ranges of zeros.

        A hole may begin within what a file system reads: free entries of a FAT, padding that
        dm-verity has summed up. On a stick with old data these have to be zeros too.
        """
        found: list[Range] = []
        ends = [*(one.start for one in self.ranges), self.size]
        if ends[0]:
            found.append(_zeros(0, min(margin, ends[0])))
        for one, end in zip(self.ranges, ends[1:], strict=True):
            found.append(one)
            if one.end < end:
                found.append(_zeros(one.end, min(one.end + margin, end)))
        return BlockMap(self.size, tuple(found))

    def pieces(self, most: int, cut: int = 0) -> Iterator[Piece]:
        """All ranges in pieces of at most `most` bytes, none of which crosses `cut`."""
        for one in self.ranges:
            start = one.start
            while start < one.end:
                end = min(start + most, one.end)
                if start < cut < end:
                    end = cut
                yield Piece(start, end - start, one)
                start = end


def _zeros(start: int, end: int) -> Range:
    return Range(start, end, hashlib.sha256(bytes(end - start)).hexdigest())


class Sums:
    """Compares the sum of each range with the map's while its pieces come by, in their order."""

    def __init__(self) -> None:
        self._digest = hashlib.sha256()

    def add(self, piece: Piece, content: memoryview) -> bool:
        """Whether all is well so far: False where a range ends with another sum than the map's."""
        self._digest.update(content)
        if not piece.last:
            return True
        found = self._digest.hexdigest()
        self._digest = hashlib.sha256()
        return found == piece.range.sha256


def read(file: Path) -> BlockMap:
    """The block map in `file`. Raises CommandError where there is none, or where it is damaged."""
    try:
        return parse(file.read_bytes())
    except (OSError, ValueError, KeyError, ElementTree.ParseError) as error:
        raise unreadable(file, str(error)) from error


def unreadable(file: Path, why: str) -> RatssaalError:
    """The error for a map that cannot be used."""
    return CommandError(
        f"{file} is not a block map that fits its image: {why}.",
        "Copy the image's files anew from where they come from, or build again.",
    )


def parse(text: bytes) -> BlockMap:
    """The block map in an XML text. Raises ValueError or ParseError for anything else.

    The format is that of bmap-tools, which describes it in the comments of each file: ranges of
    blocks, both ends included; the map's own sum is taken with 64 zeros in its place.
    """
    root = ElementTree.fromstring(text)
    if root.tag != "bmap" or not root.get("version", "").startswith("2."):
        raise ValueError("it is not of format 2")
    if _text(root, "ChecksumType") != "sha256":
        raise ValueError("its sums are not SHA-256")
    own = OWN_SUM.search(text)
    if not own or hashlib.sha256(
        OWN_SUM.sub(rb"\g<1>" + b"0" * 64 + rb"\g<3>", text)
    ).hexdigest() != (own[2].decode()):
        raise ValueError("its own sum is wrong")
    size, block = int(_text(root, "ImageSize")), int(_text(root, "BlockSize"))
    if size <= 0 or size % SECTOR or block <= 0 or block % SECTOR:
        raise ValueError("its sizes are not whole sectors")
    ranges = tuple(_ranges(root, size, block))
    if not ranges:
        raise ValueError("it names no blocks")
    return BlockMap(size, ranges)


def _text(root: Any, name: str) -> str:
    found = root.findtext(name)
    if found is None:
        raise ValueError(f"{name} is missing in it")
    return str(found).strip()


def _ranges(root: Any, size: int, block: int) -> Iterator[Range]:
    end = 0
    for one in root.iterfind("BlockMap/Range"):
        first, _, last = (one.text or "").strip().partition("-")
        start, before = int(first) * block, end
        end = min((int(last or first) + 1) * block, size)
        digest = one.get("chksum", "")
        if not before <= start < end or not SHA256.fullmatch(digest):
            raise ValueError(f"its range {(one.text or '').strip()!r} does not fit")
        yield Range(start, end, digest)
