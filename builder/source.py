"""Reads a disk image in ascending order, from a raw file or decompressed meanwhile."""

import contextlib
import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Protocol

from builder.errors import CommandError
from builder.toolbox import open_toolbox

DECOMPRESS = ("zstd", "--decompress", "--stdout", "--quiet")
HINT = "Copy the image anew from where it comes from, or build again: ./ratssaal build --force"


class Source(Protocol):
    """The content of a disk image."""

    def read_into(self, start: int, view: memoryview) -> None:
        """Fill `view` with what stands at `start`, which never goes back.

        Raises CommandError where that cannot be read.
        """


class _Raw:
    def __init__(self, file: Path, opened: IO[bytes]) -> None:
        self._file, self._opened = file, opened

    def read_into(self, start: int, view: memoryview) -> None:
        done = 0
        while done < len(view):
            try:
                count = os.preadv(self._opened.fileno(), [view[done:]], start + done)
            except OSError as error:
                raise _unreadable(self._file, str(error.strerror)) from error
            if not count:
                raise _unreadable(self._file, "it ends too early")
            done += count


class _Compressed:
    def __init__(self, file: Path, program: subprocess.Popen[bytes]) -> None:
        self._file, self._program, self._at = file, program, 0
        self._skipped = memoryview(bytearray(2**20))

    def read_into(self, start: int, view: memoryview) -> None:
        while self._at < start:
            self._fill(self._skipped[: start - self._at])
        self._fill(view)

    def _fill(self, view: memoryview) -> None:
        assert self._program.stdout is not None
        done = 0
        while done < len(view):
            count = os.readv(self._program.stdout.fileno(), [view[done:]])
            if not count:
                raise _unreadable(self._file, "it is damaged or ends too early")
            done += count
        self._at += done


def _unreadable(file: Path, why: str) -> CommandError:
    return CommandError(f"{file} cannot be read: {why}.", HINT)


def _decompressor() -> list[str]:
    """The host's own zstd, else that of the toolbox."""
    return list(DECOMPRESS) if shutil.which("zstd") else open_toolbox().command(DECOMPRESS)


@contextlib.contextmanager
def open_source(file: Path) -> Iterator[Source]:
    """The content of `file`, compressed where its name ends in .zst. Raises CommandError."""
    with contextlib.ExitStack() as opened:
        try:
            raw = opened.enter_context(file.open("rb"))
        except OSError as error:
            raise _unreadable(file, str(error.strerror)) from error
        if file.suffix != ".zst":
            yield _Raw(file, raw)
            return
        program = opened.enter_context(
            subprocess.Popen(
                _decompressor(),
                stdin=raw,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                # Ctrl-C is for this program alone, which then ends it.
                process_group=0,
            )
        )
        opened.callback(program.kill)
        yield _Compressed(file, program)
