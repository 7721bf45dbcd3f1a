"""Somebody at a box's own screen: presses key a on a pseudo-terminal there, and answers questions.

Run inside a box with the answers as JSON on standard input: pairs of what has to stand on the
screen and what is typed then. Prints the keys of what the screen says in the end.
"""

import json
import os
import pty
import select
import subprocess
import sys
import termios
import time
from pathlib import Path

PATIENCE_SECONDS = 120.0
NOTICE = Path("/run/ratssaal/notice.txt")
# With the rights of ratssaal-console.service, which has to leave the terminal alone meanwhile.
DRAW = [
    "systemd-run", "--quiet", "--wait", "--property=CapabilityBoundingSet=CAP_DAC_OVERRIDE",
    "--property=NoNewPrivileges=yes", "--setenv=PYTHONPATH=/usr/lib/ratssaal",
    "python3", "-m", "firstboot.screen.console",
]  # fmt: skip


def main() -> None:
    """As the module says."""
    answers = json.load(sys.stdin)
    typist, line = pty.openpty()
    name = os.ttyname(line)
    drawn = b""
    environment = {**os.environ, "PYTHONPATH": "/usr/lib/ratssaal"}
    command = ["python3", "-S", "-m", "firstboot.screen.keys", name]
    keys = subprocess.Popen(command, env=environment)
    deadline = time.monotonic() + PATIENCE_SECONDS

    def read() -> None:
        nonlocal drawn
        if time.monotonic() > deadline:
            raise TimeoutError(drawn.decode(errors="replace")[-3000:])
        if select.select([typist], [], [], 0.1)[0]:
            drawn += os.read(typist, 65536)

    try:
        while termios.tcgetattr(line)[3] & termios.ECHO:
            read()
        os.write(typist, b"a")
        for shown, typed in answers:
            before = len(drawn)
            # Of the latest drawing alone: questions before it had other words.
            while shown.encode() not in drawn.rpartition(b"\x1b[2J")[2]:
                read()
            if typed == "draw":
                subprocess.run([*DRAW, name], check=True)
                while select.select([typist], [], [], 0.5)[0]:
                    read()
                assert b"Der Konferenzserver" not in drawn[before:], drawn[before:]
            else:
                os.write(typist, typed.encode())
        while not NOTICE.exists() or not NOTICE.read_text().strip():
            read()
        print(NOTICE.read_text())
    finally:
        keys.terminate()
        keys.wait()


if __name__ == "__main__":
    main()
