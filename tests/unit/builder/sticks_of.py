"""Images and sticks for tests: small files made by the test, loop devices where there are some."""

import contextlib
import hashlib
import os
import random
import shutil
import struct
import subprocess
import uuid
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from builder import release
from builder.artifacts import SUMS
from builder.disk import ESP, USR
from builder.stick import writing
from builder.stick.direct import FileDevice
from builder.stick.gpt import ENTRY, HEADER
from builder.stick.writing import HEAD, TAIL

MIB = 2**20
NAME = "ratssaal_1.2.3"
IMAGE_SIZE = 64 * MIB
STICK_SIZE = 80 * MIB
BLOCK = 4096
# Bytes of the image that hold data, beside its table: what a build leaves between its holes.
DATA = ((MIB, 3 * MIB), (11 * MIB, 20 * MIB), (40 * MIB + BLOCK, 40 * MIB + 3 * BLOCK))
# Where a used stick has other data, in MiB.
USED = (0, 1, 3, 5, 6, 12, 20, 23, 24, 35, 40, 41, 50, 62)
PARTITIONS = ((ESP, 1, 11), (USR, 11, 63))  # from and up to, in MiB

LOOPS = pytest.mark.skipif(
    os.geteuid() != 0 or not os.access("/dev/loop-control", os.R_OK | os.W_OK),
    reason="loop devices need root and /dev/loop-control",
)

ZSTD = pytest.mark.skipif(not shutil.which("zstd"), reason="the host has no zstd")


def table(size: int) -> tuple[bytes, bytes]:
    """A partition table for an image of `size` bytes: its first 34 sectors, its last 33."""
    entries = b"".join(
        ENTRY.pack(
            uuid.UUID(kind).bytes_le,
            uuid.uuid4().bytes_le,
            start * MIB // 512,
            end * MIB // 512 - 1,
            0,
            b"",
        )
        for kind, start, end in PARTITIONS
    ).ljust(128 * 128, b"\0")
    last = size // 512 - 1

    def header(own: int, other: int, place: int) -> bytes:
        fields = [b"EFI PART", 0x10000, 92, 0, 0, own, other, 2048, last - 33, bytes(16)]
        fields += [place, 128, 128, zlib.crc32(entries)]
        fields[3] = zlib.crc32(HEADER.pack(*fields))
        return HEADER.pack(*fields).ljust(512, b"\0")

    protective = bytes(446) + struct.pack("<8sII", b"\0\0\2\0\xee\xff\xff\xff", 1, last)
    first = protective.ljust(510, b"\0") + b"\x55\xaa"
    return first + header(1, last, 2) + entries, entries + header(last, 1, last - 32)


def block_map(image: Path) -> str:
    """The map of a sparse file, as bmap-tools write it: by what the file system calls data."""
    ranges: list[str] = []
    mapped = 0
    with image.open("rb") as file:
        at, size = 0, image.stat().st_size
        while at < size:
            try:
                start = os.lseek(file.fileno(), at, os.SEEK_DATA)
            except OSError:
                break
            at = os.lseek(file.fileno(), start, os.SEEK_HOLE)
            digest = hashlib.sha256(os.pread(file.fileno(), at - start, start)).hexdigest()
            first, last = start // BLOCK, (at - 1) // BLOCK
            mapped += last - first + 1
            words = f"{first}-{last}" if last > first else str(first)
            ranges.append(f'        <Range chksum="{digest}"> {words} </Range>')
    return with_own_sum(
        "\n".join(
            (
                '<?xml version="1.0" ?>',
                "<!-- Comments as those of the tool. -->",
                '<bmap version="2.0">',
                f"    <ImageSize> {size} </ImageSize>",
                f"    <BlockSize> {BLOCK} </BlockSize>",
                f"    <BlocksCount> {size // BLOCK} </BlocksCount>",
                f"    <MappedBlocksCount> {mapped}    </MappedBlocksCount>",
                "    <ChecksumType> sha256 </ChecksumType>",
                f"    <BmapFileChecksum> {'0' * 64} </BmapFileChecksum>",
                "    <BlockMap>",
                *ranges,
                "    </BlockMap>",
                "</bmap>",
                "",
            )
        )
    )


def with_own_sum(text: str) -> str:
    """The map's text with its own sum, which is taken with zeros in its place."""
    zeros = "0" * 64
    return text.replace(zeros, hashlib.sha256(text.encode()).hexdigest(), 1)


def sign(folder: Path) -> None:
    """Write SHA256SUMS over all files of `folder`."""
    files = sorted(one for one in folder.iterdir() if one.name != SUMS)
    lines = [f"{hashlib.sha256(one.read_bytes()).hexdigest()}  {one.name}" for one in files]
    (folder / SUMS).write_text("\n".join(lines) + "\n")


def image(parent: Path, size: int = IMAGE_SIZE) -> Path:
    """The folder of a small sparse image with a table, its map and its sums; the raw file."""
    folder = parent / NAME
    folder.mkdir()
    raw = folder / f"{NAME}.raw"
    first, last = table(size)
    content = random.Random(1)
    with raw.open("wb") as file:
        file.truncate(size)
        file.write(first)
        for start, end in DATA:
            file.seek(start)
            file.write(content.randbytes(end - start))
        file.seek(size - len(last))
        file.write(last)
    (folder / f"{NAME}.raw.bmap").write_text(block_map(raw))
    sign(folder)
    return raw


@contextlib.contextmanager
def loop(file: Path, *options: str) -> Iterator[Path]:
    """A loop device on `file`, gone after the block."""
    command = ["losetup", "--find", "--show", *options, str(file)]
    answer = subprocess.run(command, check=True, capture_output=True, text=True)
    device = Path(answer.stdout.strip())
    try:
        yield device
    finally:
        subprocess.run(["losetup", "--detach", device], check=True)


def used_stick(file: Path, size: int) -> Path:
    """A file for a stick that was full of other things before, backup table and all."""
    content = random.Random(2).randbytes(MIB)
    with file.open("wb") as opened:
        opened.truncate(size)
        for number in (*USED, size // MIB - 2):
            opened.seek(number * MIB)
            opened.write(content)
        opened.seek(size - 33 * 512)
        opened.write(table(size)[1])
    return file


class CountingDevice(FileDevice):
    """A file in the place of a device, and how often it was to be flushed."""

    def __init__(self, path: Path) -> None:
        super().__init__(path)
        self.flushed = 0

    def flush(self) -> None:
        self.flushed += 1


def compressed(raw: Path) -> Path:
    subprocess.run(["zstd", "--quiet", "--rm", raw], check=True)
    sign(raw.parent)
    return raw.with_name(f"{raw.name}.zst")


def content(raw: Path) -> writing.Content:
    return writing.content_of(release.find(raw))


def holds(stick: bytes, raw: bytes, before: bytes) -> None:
    """The stick has the image's data, zeros around it, and beyond that what it had before."""
    assert stick[: 3 * MIB] == raw[: 3 * MIB]
    for start, end in DATA:
        assert stick[start:end] == raw[start:end]
        around = slice(end, end + writing.MARGIN)
        assert stick[around] == raw[around] == bytes(writing.MARGIN)
    assert stick[30 * MIB : 40 * MIB] == before[30 * MIB : 40 * MIB]
    assert stick[:IMAGE_SIZE].endswith(raw[-33 * 512 :])
    assert stick[IMAGE_SIZE:-TAIL] == before[IMAGE_SIZE:-TAIL]


def looks_empty(stick: Path) -> bool:
    """Whether neither firmware nor Linux finds a table on it."""
    found = stick.read_bytes()
    return not any(found[:HEAD]) and b"EFI PART" not in found[-TAIL:]


@contextlib.contextmanager
def at(step: str, action: Callable[[], None], monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Do something once 10 MiB of a step of the writing are done."""

    @contextlib.contextmanager
    def transfer(name: str, _: int) -> Iterator[Callable[[int], None]]:
        done = 0

        def advance(count: int) -> None:
            nonlocal done
            done += count
            if name == step and done >= 10 * MIB:
                action()

        yield advance

    with monkeypatch.context() as patched:
        patched.setattr(writing, "transfer", transfer)
        yield
