"""A stick that is pulled out before all of it was copied: that is said, and what to do then.

Everything that could be started lies on the stick, so from then on no program can be, and what runs
may break at its next step. What says so is in memory as a whole before anything is copied.
"""

import contextlib
import ctypes
import mmap
import os
import select
import time
import traceback
from collections.abc import Callable, Sequence
from pathlib import Path
from types import TracebackType
from typing import Self

from firstboot.install.disks import Disk
from firstboot.screen.layout import CLEAR, paragraphs
from firstboot.texts import LANGUAGES, Said

SCREENS = (Path("/dev/tty1"), Path("/dev/ttyS0"))
BLOCKS = Path("/sys/class/block")
RESTART = Path("/proc/sysrq-trigger")
SECTOR = 512
TICK_SECONDS = 0.2
# What failed may have failed before the stick did, by a little.
LATE_SECONDS = 3.0
# Whatever else still runs may draw over it.
AGAIN_SECONDS = 10.0
# linux/mman.h
MCL_CURRENT, MCL_FUTURE = 1, 2


def stay_in_memory() -> None:
    """Have all of this program read now, and kept (mlockall(2)). Raises OSError."""
    library = ctypes.CDLL(None, use_errno=True)
    if library.mlockall(MCL_CURRENT | MCL_FUTURE):
        raise OSError(ctypes.get_errno(), "mlockall")


def first_page(path: str) -> Callable[[], bool]:
    """Whether the first page of a block device can be read, from itself and not from memory."""
    device = os.open(path, os.O_RDONLY | os.O_DIRECT | os.O_CLOEXEC)
    page = mmap.mmap(-1, mmap.PAGESIZE)  # aligned, as O_DIRECT wants it

    def read() -> bool:
        try:
            return os.preadv(device, [page], 0) == mmap.PAGESIZE
        except OSError:
            return False

    return read


class Guard:
    """Context manager: as long as it is open, a stick that goes is told at once.

    Once it has gone this never ends: the box restarts when the stick is plugged in again. What
    watches is a process of its own: one that starts a program from a dead stick may stand still.
    """

    def __init__(
        self,
        stick: Disk,
        said: Said,
        *,
        screens: Sequence[Path] = SCREENS,
        blocks: Path = BLOCKS,
        restart: Path = RESTART,
        answers: Callable[[], bool] | None = None,
    ) -> None:
        """answers: whether the stick can be read; the kernel takes it off its list later, once all
        that was to be written to it has failed."""
        texts = [said.text(language) for language in LANGUAGES]
        self._words = (CLEAR + "\n".join(["", *paragraphs(texts), ""])).encode()
        self._stick, self._blocks = blocks / Path(stick.path).name, blocks
        self._sectors = stick.size // SECTOR
        self._answers = answers or first_page(stick.path)
        self._screens = []
        for one in screens:
            with contextlib.suppress(OSError):  # a box without it
                self._screens.append(os.open(one, os.O_WRONLY | os.O_NOCTTY | os.O_NONBLOCK))
        self._restart = os.open(restart, os.O_WRONLY)
        # The watcher tells by one pipe that the stick has gone, and is told by the other to end.
        self._gone, self._tell_gone = os.pipe()
        self._over, self._tell_over = os.pipe()
        self._watcher = 0

    def __enter__(self) -> Self:
        self._watcher = os.fork()
        if not self._watcher:
            try:
                # Nobody inherits that; where it is not allowed, who forked knows already.
                with contextlib.suppress(OSError):
                    stay_in_memory()
                os.close(self._tell_over)
                self._watch()
            except Exception:  # the journal is to have it: nobody waits for how this ends
                traceback.print_exc()
            finally:
                os._exit(0)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if error:
            select.select([self._gone], [], [], LATE_SECONDS)
        os.close(self._tell_over)
        os.waitpid(self._watcher, 0)
        for one in (*self._screens, self._restart, self._gone, self._tell_gone, self._over):
            os.close(one)

    def _watch(self) -> None:
        while self._stick.exists() and self._answers():
            if select.select([self._over], [], [], TICK_SECONDS)[0]:
                return
        os.write(self._tell_gone, b"!")
        others = self._names()
        said_at = -AGAIN_SECONDS
        while not self._back(others):
            if time.monotonic() - said_at >= AGAIN_SECONDS:
                said_at = time.monotonic()
                for one in self._screens:
                    with contextlib.suppress(OSError):
                        os.write(one, self._words)
            time.sleep(TICK_SECONDS)
        # At once: nothing that would be needed for more can be read any more.
        os.write(self._restart, b"b")

    def _back(self, others: set[str]) -> bool:
        """Whether a disk of the stick's size has come, under whatever name that is free by then."""
        names = self._names()
        others &= names
        for name in names - others:
            with contextlib.suppress(OSError, ValueError):
                if int((self._blocks / name / "size").read_text()) == self._sectors:
                    return True
        return False

    def _names(self) -> set[str]:
        return {one.name for one in self._blocks.iterdir()}
