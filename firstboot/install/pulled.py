"""A stick that is pulled out before all of it was copied: that is said, and what to do then.

Everything that could be started lies on the stick, so from then on no program can be, and what runs
may break at its next step. What says so is in memory as a whole before anything is copied.
"""

import contextlib
import ctypes
import os
import threading
import time
from collections.abc import Sequence
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
# Reading may fail before the kernel has taken the stick off its list.
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


class Guard:
    """Context manager: as long as it is open, a stick that goes is told at once.

    Once it has gone this never ends: the box restarts when the stick is plugged in again.
    """

    def __init__(
        self,
        stick: Disk,
        said: Said,
        *,
        screens: Sequence[Path] = SCREENS,
        blocks: Path = BLOCKS,
        restart: Path = RESTART,
    ) -> None:
        texts = [said.text(language) for language in LANGUAGES]
        self._words = (CLEAR + "\n".join(["", *paragraphs(texts), ""])).encode()
        self._stick, self._blocks = blocks / Path(stick.path).name, blocks
        self._sectors = stick.size // SECTOR
        self._screens = []
        for one in screens:
            with contextlib.suppress(OSError):  # a box without it
                self._screens.append(os.open(one, os.O_WRONLY | os.O_NOCTTY | os.O_NONBLOCK))
        self._restart = os.open(restart, os.O_WRONLY)
        self._over, self._gone = threading.Event(), threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if error:
            self._gone.wait(LATE_SECONDS)
        if not self._gone.is_set():
            self._over.set()
        self._thread.join()
        for one in (*self._screens, self._restart):
            os.close(one)

    def _watch(self) -> None:
        while self._stick.exists():
            if self._over.wait(TICK_SECONDS):
                return
        self._gone.set()
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
        """Whether a disk of the stick's size has come, under whatever name."""
        for name in self._names() - others:
            with contextlib.suppress(OSError, ValueError):
                if int((self._blocks / name / "size").read_text()) == self._sectors:
                    return True
        return False

    def _names(self) -> set[str]:
        return {one.name for one in self._blocks.iterdir()}
