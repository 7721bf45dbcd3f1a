"""How far an installation is, for the file that screen and wizard read."""

import os
import subprocess
from pathlib import Path

from firstboot.install.disks import Disk
from firstboot.install.state import Request, Stage, State
from firstboot.screen.anew import redraw
from firstboot.texts import Said

TICK_SECONDS = 0.5
# Places in /sys/class/block/DISK/stat (Documentation/block/stat.rst), in sectors of 512 bytes.
READ, WRITTEN, SECTOR = 2, 6, 512


class Telling:
    """Says how far it is: the file at each percent, the screen, which costs more, at each tenth.

    And at the first percent: what is said before is something else.
    """

    def __init__(self, disk: Disk, request: Request) -> None:
        self.disk = disk
        self.request = request
        self._shown: tuple[str, int, bool] = ("", -1, False)

    def say(self, stage: Stage, percent: int = 0, said: Said | None = None) -> None:
        """The stage has come to `percent`."""
        State(stage, percent, self.disk.title, self.request.then, said).write()
        shown = (stage, percent // 10, percent > 0)
        if shown != self._shown:
            self._shown = shown
            redraw()

    def watch(self, stage: Stage, command: list[str], counter: int, total: int) -> str:
        """Run `command`, whose way through `total` bytes the disk counts; what it prints.

        Raises CalledProcessError where it fails.
        """
        before = moved(self.disk.path, counter)
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as running:
            while True:
                done = moved(self.disk.path, counter) - before
                self.say(stage, min(99, done * 100 // max(1, total)))
                try:
                    printed, _ = running.communicate(timeout=TICK_SECONDS)
                    break
                except subprocess.TimeoutExpired:
                    continue
        if running.returncode:
            raise subprocess.CalledProcessError(running.returncode, command[0])
        return printed


def moved(path: str, counter: int) -> int:
    """How many bytes a disk has read or written since the start."""
    stat = Path("/sys/class/block") / Path(path).name / "stat"
    return int(stat.read_text().split()[counter]) * SECTOR


def unwritten(path: str, before: int) -> bool:
    """Whether nothing was written to a disk since it had taken `before` bytes."""
    os.sync()
    try:
        return moved(path, WRITTEN) == before
    except OSError:
        return False
