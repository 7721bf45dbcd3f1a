"""A line typed on a terminal of the box: corrected, accepted by Enter, left by Escape."""

import fcntl
import os
import select
import termios
import textwrap
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from firstboot.screen.layout import CLEAR, COLUMNS

# Whoever has gone away leaves the screen to what it showed before.
IDLE_SECONDS = 300.0
# What follows Escape sooner belongs to a key such as an arrow, which means nothing here.
SEQUENCE_SECONDS = 0.1
MOST_LETTERS = 253
ENTER, ESCAPE, INTERRUPT, ERASE = b"\r\n", b"\x1b", b"\x03", b"\x7f\x08"


class LeftError(Exception):
    """Somebody has pressed Escape, or has gone away."""


class Terminal:
    """A terminal that nobody else draws on or reads from meanwhile (TIOCEXCL of ioctl_tty(2))."""

    def __init__(self, source: int, target: int) -> None:
        self.source = source
        self.target = target

    @contextmanager
    def alone(self) -> Iterator[None]:
        """Have the terminal for oneself, letter by letter, until the block ends."""
        before = termios.tcgetattr(self.source)
        fcntl.ioctl(self.source, termios.TIOCEXCL)
        try:
            mode = termios.tcgetattr(self.source)
            mode[0] &= ~(termios.ICRNL | termios.IXON)
            mode[3] &= ~(termios.ICANON | termios.ECHO | termios.ISIG | termios.IEXTEN)
            termios.tcsetattr(self.source, termios.TCSAFLUSH, mode)
            yield
        finally:
            termios.tcsetattr(self.source, termios.TCSADRAIN, before)
            fcntl.ioctl(self.source, termios.TIOCNXCL)

    def show(self, paragraphs: Sequence[str], typed: str | None = None) -> None:
        """Draw paragraphs, and below them what is being typed."""
        lines = [
            line
            for one in paragraphs
            for line in textwrap.wrap(one, COLUMNS, initial_indent="  ", subsequent_indent="  ")
            or [""]
        ]
        text = "\n".join(lines) + ("" if typed is None else f"\n\n  > {typed}")
        left = (CLEAR + text).encode()
        while left:  # a line that is slow to take it takes a part at a time
            left = left[os.write(self.target, left) :]

    def _key(self) -> bytes:
        """The next key; empty for one that means nothing here. LeftError where nobody is there."""
        if not select.select([self.source], [], [], IDLE_SECONDS)[0]:
            raise LeftError
        found = os.read(self.source, 1)
        if not found or found == INTERRUPT:
            raise LeftError
        if found == ESCAPE:
            if not self._follows():
                raise LeftError
            self._skip_sequence()
            return b""
        return found

    def _follows(self) -> bool:
        return bool(select.select([self.source], [], [], SEQUENCE_SECONDS)[0])

    def _skip_sequence(self) -> None:
        """Take the rest of what an arrow or a function key sends (ECMA-48, section 5.4)."""
        if os.read(self.source, 1) not in b"[O":
            return
        while self._follows():
            key = os.read(self.source, 1)
            # The console's own function keys have a second bracket.
            if b"@" <= key <= b"~" and key != b"[":
                return

    def line(self, paragraphs: Sequence[str], typed: str = "") -> str:
        """What somebody types below `paragraphs`; begins with `typed`. Raises LeftError."""
        while True:
            self.show(paragraphs, typed)
            key = self._key()
            if key and key in ENTER:
                return typed.strip()
            if key and key in ERASE:
                typed = typed[:-1]
            elif key and b" " <= key <= b"~" and len(typed) < MOST_LETTERS:
                typed += key.decode()
