"""A pseudo-terminal for tests: one end for the program, one for somebody who types and looks."""

import os
import pty
import threading
from types import TracebackType
from typing import Self


class PseudoTerminal:
    """typist, line: descriptors of both ends; drawn: what the program has written so far.

    Whoever opens one ends it: a reader that is left behind would read from whatever is opened
    under the same number next.
    """

    def __init__(self) -> None:
        self.typist, self.line = pty.openpty()
        self.drawn = b""
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def _read(self) -> None:
        while True:
            try:
                self.drawn += os.read(self.typist, 4096)
            except OSError:  # the line is closed, and all that was written is read
                return

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.end()

    def end(self) -> bytes:
        """Close both ends; all that the program has written."""
        if self._reader.is_alive():
            os.close(self.line)
            self._reader.join()
            os.close(self.typist)
        return self.drawn
