"""A pseudo-terminal for tests: one end for the program, one for somebody who types and looks."""

import os
import pty
import threading


class PseudoTerminal:
    """typist, line: descriptors of both ends; drawn: what the program has written so far."""

    def __init__(self) -> None:
        self.typist, self.line = pty.openpty()
        self.drawn = b""
        threading.Thread(target=self._read, daemon=True).start()

    def _read(self) -> None:
        while True:
            try:
                self.drawn += os.read(self.typist, 4096)
            except OSError:
                return
