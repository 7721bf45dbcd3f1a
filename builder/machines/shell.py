"""The root shell of tests on a machine: a virtual console, joined through a socket of QEMU's."""

import base64
import contextlib
import os
import re
import socket
import time
from collections.abc import Callable
from pathlib import Path

from builder.errors import CommandError

START_SECONDS = 600.0


def wait_for(condition: Callable[[], object], seconds: float, message: str) -> None:
    """Wait until `condition` is true; CommandError with `message` where it is not in time."""
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            raise CommandError(message)
        time.sleep(0.1)


class Shell:
    """A root shell on a virtual console. Scripts travel as base64: no terminal changes them."""

    LINE = 2000  # a terminal takes at most 4095 characters a line (termios(3))

    # What systemd sends to a terminal before it starts a shell there.
    RESET = "\x1b]104"

    def __init__(self, path: Path, alive: Callable[[], object], *, running: bool) -> None:
        """Connect; `running`: the shell is there already, and not after a start to come."""
        self._socket = socket.socket(socket.AF_UNIX)
        self._socket.connect(os.fspath(path))
        self._alive = alive
        self._buffer = ""
        self._count = 0
        self._greeted = False
        self._running = running

    def greet(self, seconds: float = START_SECONDS) -> None:
        """Wait for the shell and make it quiet. Firmware and boot loader must not be typed at."""
        if self._greeted:
            return
        deadline = time.monotonic() + seconds
        while not self._running:
            self._alive()
            self._running = self._read_until(self.RESET, 1.0) is not None
            if time.monotonic() > deadline:
                raise CommandError("The shell for tests did not start.")
        while time.monotonic() < deadline:
            self._alive()
            self._count += 1
            self.send("exec bash --noediting --norc")
            self.send("stty -echo -onlcr 2>/dev/null; PS1= PS2= PROMPT_COMMAND=")
            self.send(f"echo hello-$(({self._count}))-")
            if self._read_until(f"hello-{self._count}-", 5.0) is not None:
                self._greeted = True
                return
        raise CommandError("The shell for tests did not answer.")

    def send(self, line: str) -> None:
        """Type one line."""
        self._socket.sendall(line.encode() + b"\n")

    def _read_until(self, mark: str, seconds: float) -> str | None:
        deadline = time.monotonic() + seconds
        while mark not in self._buffer:
            if time.monotonic() > deadline:
                return None
            with contextlib.suppress(TimeoutError):
                self._socket.settimeout(max(0.05, min(1.0, deadline - time.monotonic())))
                received = self._socket.recv(65536)
                if not received:
                    raise CommandError("The shell for tests went away.")
                self._buffer += received.decode(errors="replace")
        text, _, self._buffer = self._buffer.partition(mark)
        return text

    def run(self, script: str, seconds: float = 300.0) -> str:
        """Run `script` with sh -e and return its output; raises CommandError where it fails."""
        self.greet()
        self._count += 1
        encoded = base64.b64encode(script.encode()).decode()
        parts = [encoded[i : i + self.LINE] for i in range(0, len(encoded), self.LINE)]
        self.send("S=")
        for part in parts:
            self.send(f"S=${{S}}{part}")
        mark = f"end-{self._count}"
        run = 'sh -euc "$(echo $S | base64 -d)" 2>&1 </dev/null | base64 -w 0'
        self.send(
            f"echo begin-$(({self._count})); {run};"
            f' echo " end-$(({self._count}))=${{PIPESTATUS[0]}}."'
        )
        text = self._read_until(f"{mark}=", seconds)
        code = self._read_until(".", 10.0)
        if text is None or code is None:
            raise CommandError(
                f"On the box a program did not end within {seconds:.0f} s:\n  {script}"
            )
        _, _, body = text.rpartition(f"begin-{self._count}")
        output = base64.b64decode(re.sub(r"[^A-Za-z0-9+/=]", "", body)).decode(errors="replace")
        if code.strip() != "0":
            raise CommandError(
                f"On the box a program ended with {code}:\n  {script}\n{output[-3000:]}"
            )
        return output

    def detach(self) -> socket.socket:
        """The console itself, for a person to type on, once a shell is there."""
        deadline = time.monotonic() + START_SECONDS
        while not self._running and time.monotonic() < deadline:
            self._alive()
            self._running = self._read_until(self.RESET, 1.0) is not None
        self._socket.settimeout(None)
        self.send("exec bash")
        return self._socket

    def close(self) -> None:
        """Hang up; the shell itself stays."""
        self._socket.close()
