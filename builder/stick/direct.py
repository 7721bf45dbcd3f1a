"""A block device opened for one program alone, past the page cache; and work that is read ahead."""

import contextlib
import fcntl
import mmap
import os
import queue
import struct
import threading
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from types import TracebackType
from typing import Generic, Self, TypeVar

Job = TypeVar("Job")
# linux/fs.h; BLKGETSIZE64 carries the size of a size_t, eight bytes on all that we build on.
BLKRRPART, BLKFLSBUF, BLKSSZGET, BLKGETSIZE64 = 0x125F, 0x1261, 0x1268, 0x80081272


def buffer(size: int) -> memoryview:
    """`size` bytes of zeros at the start of a page, as direct transfers want them (open(2))."""
    return memoryview(mmap.mmap(-1, size))


class Device:
    """The block device at `path`, held alone (O_EXCL, O_DIRECT); `size` and `sector` in bytes.

    `number` is MAJOR:MINOR, `at` where the last transfer began. Offsets and lengths are multiples
    of `sector`. OSError comes through as the kernel gives it.
    """

    def __init__(self, path: Path) -> None:
        self.path, self.at = path, 0
        flags = os.O_RDWR | os.O_EXCL | os.O_DIRECT | os.O_CLOEXEC
        self._descriptor = os.open(path, flags)
        try:
            number = os.fstat(self._descriptor).st_rdev
            self.number = f"{os.major(number)}:{os.minor(number)}"
            self.size = int(self._ask(BLKGETSIZE64, "Q"))
            self.sector = int(self._ask(BLKSSZGET, "I"))
        except BaseException:
            os.close(self._descriptor)
            raise

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        os.close(self._descriptor)

    def _ask(self, request: int, form: str) -> int:
        answer = bytearray(struct.calcsize(form))
        fcntl.ioctl(self._descriptor, request, answer)
        return int(struct.unpack(form, answer)[0])

    def write(self, offset: int, view: memoryview) -> None:
        """Write all of `view`, which lies in a `buffer`."""
        self.at = offset
        done = 0
        while done < len(view):
            count = os.pwritev(self._descriptor, [view[done:]], offset + done)
            if count <= 0 or count % self.sector:
                raise OSError(5, "Short write")
            done += count

    def read_into(self, offset: int, view: memoryview) -> None:
        """Fill `view`, which lies in a `buffer`, from the device itself."""
        self.at = offset
        done = 0
        while done < len(view):
            count = os.preadv(self._descriptor, [view[done:]], offset + done)
            if count <= 0 or count % self.sector:
                raise OSError(5, "Short read")
            done += count

    def flush(self) -> None:
        """Return once the device says that it keeps what was written; forget what was cached."""
        os.fsync(self._descriptor)
        fcntl.ioctl(self._descriptor, BLKFLSBUF, 0)

    def reread_table(self) -> None:
        """Have the kernel look at the partition table anew, where the device can have one."""
        with contextlib.suppress(OSError):
            fcntl.ioctl(self._descriptor, BLKRRPART, 0)

    def present(self) -> bool:
        """Whether it is still plugged in: the kernel still knows it, and gives it a size."""
        try:
            return int(Path(f"/sys/dev/block/{self.number}/size").read_text()) > 0
        except (OSError, ValueError):
            return False


class FileDevice(Device):
    """A file in the place of a device, for virtual machines and tests; not past the page cache."""

    def __init__(self, path: Path) -> None:
        self.path, self.at, self.number, self.sector = path, 0, "0:0", 512
        self._descriptor = os.open(path, os.O_RDWR | os.O_CLOEXEC)
        self.size = path.stat().st_size

    def flush(self) -> None:
        """Nothing: the file lives no longer than this machine is on."""

    def present(self) -> bool:
        """A file is not plugged."""
        return True


class Ahead(Generic[Job]):
    """Fills a few buffers of `size` bytes in a thread while the caller works on those before.

    `with Ahead(jobs, fill, size) as ready: for job, view in ready: …`; a view is good until the
    next one. What `fill(job, view)` raises comes out of the loop. No thread outlives the block.
    """

    def __init__(
        self, jobs: Iterable[Job], fill: Callable[[Job, memoryview], None], size: int
    ) -> None:
        self._jobs, self._fill = jobs, fill
        self._free: queue.SimpleQueue[memoryview] = queue.SimpleQueue()
        self._full: queue.SimpleQueue[tuple[Job, memoryview] | BaseException | None]
        self._full = queue.SimpleQueue()
        self._stop = False
        self._size = size
        self._thread = threading.Thread(target=self._work, daemon=True)

    def __enter__(self) -> Iterator[tuple[Job, memoryview]]:
        for _ in range(3):
            self._free.put(buffer(self._size))
        self._thread.start()
        return self._ready()

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._stop = True
        self._free.put(memoryview(b""))
        self._thread.join()

    def _work(self) -> None:
        try:
            for job in self._jobs:
                view = self._free.get()
                if self._stop:
                    return
                self._fill(job, view)
                self._full.put((job, view))
        except BaseException as error:
            self._full.put(error)
        else:
            self._full.put(None)

    def _ready(self) -> Iterator[tuple[Job, memoryview]]:
        while (found := self._full.get()) is not None:
            if isinstance(found, BaseException):
                raise found
            yield found
            self._free.put(found[1])
