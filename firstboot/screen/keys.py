"""Reads the keys pressed at the box itself, and has systemd do what they ask for.

`python3 -S -m firstboot.screen.keys TERMINAL ...` runs as long as the box, so it is small on
purpose: no library that costs memory, and all work is done by units of its own. A letter counts
only where nothing else arrives within 200 ms before and after it; neither pasted text nor noise on
a serial line is a key.
"""

import os
import select
import sys
import termios
import time

# What was asked or found: keys of the texts in `console`, one a line, drawn by the console.
# Behind a key its values may follow, as JSON.
NOTICE = "/run/ratssaal/notice.txt"
QUIET_SECONDS = 0.2
CONFIRM_SECONDS = 10.0
# A letter that comes again sooner is a key held down, which confirms nothing.
HELD_SECONDS = 1.0
NOTICE_SECONDS = 120.0
# A terminal that is not there is tried again, after pauses that double up to this one.
LONGEST_PAUSE_SECONDS = 60.0
FOREVER = float("inf")

REDRAW = ("restart", "--no-block", "ratssaal-console.service")
_POWER = ("start", "--no-block", "--job-mode=replace-irreversibly")
# Arguments of systemctl(1) by letter: of those that lie in one place on German and US keyboards.
ACTIONS = {
    "n": ("start", "ratssaal-new-code.service"),
    "a": ("start", "ratssaal-network@{}.service"),
    "d": ("start", "ratssaal-install-ask@{}.service"),
    "t": ("start", "ratssaal-self-test.service"),
    "b": ("start", "ratssaal-support-to-stick.service"),
    "w": ("start", "ratssaal-ask-reset@{}.service"),
    "r": (*_POWER, "reboot.target"),
    "s": (*_POWER, "poweroff.target"),
}
ASKS = {"r": "ask_restart", "s": "ask_off"}
BEGINS = {"t": "testing", "b": "bundling", "r": "restarting", "s": "going_off"}
ENDS = {"n": "new_code"}
# Those whose unit itself reads the terminal until it ends.
LENDS = ("a", "d", "w")
# Where this is (firstboot.screen.repair), nothing of the disk is open, and only these are of use.
REPAIR = "/run/ratssaal/repair.json"
IN_REPAIR = ("b", "w", "r", "s")


class Terminal:
    """A terminal that keys are read from, whether it is there or not."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.descriptor = -1
        self.due = 0.0
        self._pause = 1.0
        self._last = -FOREVER
        self._alone = b""

    def open(self) -> None:
        """Read letter by letter without echo. Raises OSError or termios.error.

        What is printed is treated as before: the screen is drawn on the same terminal.
        """
        flags = os.O_RDONLY | os.O_NOCTTY | os.O_NONBLOCK
        self.descriptor = os.open(self.name, flags)
        mode = termios.tcgetattr(self.descriptor)
        # IXON: a stray Ctrl-S must not stop the drawing. CLOCAL: no modem is waited for.
        mode[0] &= ~(termios.BRKINT | termios.ICRNL | termios.IXON | termios.IXOFF)
        mode[0] |= termios.IGNBRK | termios.IGNPAR
        mode[2] |= termios.CLOCAL | termios.CREAD
        mode[3] &= ~(termios.ICANON | termios.ECHO | termios.ISIG | termios.IEXTEN)
        mode[6][termios.VMIN], mode[6][termios.VTIME] = 1, 0
        termios.tcsetattr(self.descriptor, termios.TCSANOW, mode)
        termios.tcflush(self.descriptor, termios.TCIFLUSH)
        self.due = FOREVER

    def close(self, now: float) -> None:
        """Give up until after the next pause."""
        if self.descriptor >= 0:
            os.close(self.descriptor)
        self.descriptor, self._alone = -1, b""
        self.due = now + self._pause
        self._pause = min(2 * self._pause, LONGEST_PAUSE_SECONDS)

    def lend(self) -> None:
        """Leave the terminal to somebody else, until `due` is set."""
        os.close(self.descriptor)
        self.descriptor, self._alone, self.due = -1, b"", FOREVER

    def read(self, now: float) -> bytes:
        """Take what has arrived; what of it is noise. Raises OSError where the terminal is gone."""
        try:
            found = os.read(self.descriptor, 4096)
        except BlockingIOError:
            return b""
        if not found:
            raise OSError(f"{self.name} has hung up")
        self._pause = 1.0
        alone = len(found) == 1 and now - self._last >= QUIET_SECONDS
        noise = b"" if alone else self._alone + found
        self._last = now
        self._alone = found if alone else b""
        self.due = now + QUIET_SECONDS if alone else FOREVER
        return noise

    def key(self) -> str:
        """The letter that has stayed alone, small; each only once."""
        found, self._alone = self._alone, b""
        self.due = FOREVER
        return found.decode("latin-1").lower()


class Keys:
    """Waits for keys, asks once more where a key ends meetings, and has systemd do the rest."""

    def __init__(
        self, terminals: list[str], notice: str = NOTICE, letters: tuple[str, ...] = tuple(ACTIONS)
    ) -> None:
        self.terminals = [Terminal(name) for name in terminals]
        self.notice = notice
        self.letters = letters
        self._asked: tuple[Terminal, str] | None = None
        self._pressed = ("", -FOREVER)
        self._forget = FOREVER
        # Programs under way, by descriptor (pidfd_open(2)): the letter that started each, and the
        # terminal that was lent to it.
        self._running: dict[int, tuple[str, Terminal | None]] = {}
        self._tell("", FOREVER)

    def wait(self, most: float = FOREVER) -> None:
        """Wait for what happens next, `most` seconds at the longest, and act on it."""
        poll = select.poll()
        known = {one.descriptor: one for one in self.terminals if one.descriptor >= 0}
        for descriptor in (*known, *self._running):
            poll.register(descriptor, select.POLLIN)
        due = min([self._forget, *(one.due for one in self.terminals)])
        seconds = min(most, max(0.0, due - time.monotonic()))
        # Rounded up: a turn that ends too soon would only be followed by another.
        happened = poll.poll(None if seconds == FOREVER else int(seconds * 1000) + 1)
        now = time.monotonic()
        for descriptor, _ in happened:
            if descriptor in known:
                self._hear(known[descriptor], now)
            else:
                self._reap(descriptor, now)
        for terminal in self.terminals:
            if terminal.due <= now:
                self._follow(terminal, now)
        if self._forget <= now:
            self._asked = None
            self._tell("", FOREVER)

    def _follow(self, terminal: Terminal, now: float) -> None:
        """A terminal's time has come: its letter stayed alone, or it may be there again."""
        if terminal.descriptor >= 0:
            self.press(terminal, terminal.key(), now)
            return
        try:
            terminal.open()
        except (OSError, termios.error):
            terminal.close(now)

    def _hear(self, terminal: Terminal, now: float) -> None:
        try:
            noise = terminal.read(now)
        except OSError:
            terminal.close(now)
            return
        # The key that was just asked about, held down for long, takes nothing back.
        asked = self._asked[1].encode() if self._asked else b""
        if noise.lower().strip(asked):
            self._withdraw(terminal)

    def _withdraw(self, terminal: Terminal) -> None:
        """Forget what was asked, unless it was asked on the other terminal."""
        if self._asked and self._asked[0] is terminal:
            self._asked = None
            self._tell("", FOREVER)

    def press(self, terminal: Terminal, letter: str, now: float) -> None:
        """Do what `letter` asks for. Any other letter than the one asked about takes that back."""
        before, since = self._pressed
        if letter == before and now - since < HELD_SECONDS:
            return
        self._pressed = (letter, now)
        if letter not in self.letters:
            self._withdraw(terminal)
            return
        asked, self._asked = self._asked, None
        if letter in ASKS and asked != (terminal, letter):
            self._asked = (terminal, letter)
            self._tell(ASKS[letter], now + CONFIRM_SECONDS)
            return
        self._tell(BEGINS.get(letter, ""), now + NOTICE_SECONDS)
        if letter in LENDS:
            terminal.lend()
            place = terminal.name.removeprefix("/dev/").replace("/", "-")
            self._start(letter, tuple(one.format(place) for one in ACTIONS[letter]), terminal)
        else:
            self._start(letter, ACTIONS[letter])

    def _tell(self, text: str, until: float) -> None:
        """Have `text` stand on the screen until then; nothing where it is empty."""
        self._forget = until
        content = f"{text}\n".encode() if text else b""
        try:
            file = os.open(self.notice, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
            try:
                if os.read(file, 4096) == content:
                    return
                os.ftruncate(file, 0)
                os.pwrite(file, content, 0)
            finally:
                os.close(file)
        except OSError:
            return  # keys go on working where nothing can be said about them
        self._start("", REDRAW)

    def _start(self, letter: str, arguments: tuple[str, ...], lent: Terminal | None = None) -> None:
        try:
            process = os.posix_spawnp("systemctl", ("systemctl", *arguments), os.environ)
            self._running[os.pidfd_open(process)] = (letter, lent)
        except OSError as error:
            if lent:
                lent.due = time.monotonic()
            print(f"<3>systemctl {' '.join(arguments)}: {error}", file=sys.stderr)  # noqa: T201

    def _reap(self, descriptor: int, now: float) -> None:
        """A program has ended: say what became of what the key asked for."""
        letter, lent = self._running.pop(descriptor)
        ended = os.waitid(os.P_PIDFD, descriptor, os.WEXITED)
        os.close(descriptor)
        if lent:
            lent.due = now
        if not letter:
            return
        well = ended is not None and (ended.si_code, ended.si_status) == (os.CLD_EXITED, 0)
        text = ENDS.get(letter) if well else "failed"
        # Whoever has been asked something else meanwhile is to read that.
        if text and not self._asked:
            self._tell(text, now + NOTICE_SECONDS)
        elif not self._asked:
            self._forget = now + NOTICE_SECONDS


def main(terminals: list[str]) -> None:
    """Read keys until the box goes off."""
    letters = IN_REPAIR if os.access(REPAIR, os.F_OK) else tuple(ACTIONS)
    keys = Keys(terminals, letters=letters)
    while True:
        keys.wait()


if __name__ == "__main__":
    main(sys.argv[1:])
