"""Installs the image that the box runs on the disk that was asked for: `ratssaal-install.service`.

systemd-repart copies; the root hash of the running /usr, which Secure Boot vouches for, says
whether the copy is good. The partition table is written last, so that whatever interrupts this
leaves the disk as one from which nothing new starts. With `--ended` it says so where it was ended.
"""

import os
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from firstboot.install import choice, disks
from firstboot.install.checking import check
from firstboot.install.copying import copy
from firstboot.install.disks import Disk
from firstboot.install.pulled import Guard, stay_in_memory
from firstboot.install.state import Request, Way, broken_off, take
from firstboot.install.telling import WRITTEN, Telling, moved, unwritten
from firstboot.screen.anew import redraw
from firstboot.texts import Said, SaidError

LABEL = "Ratssaal"
LOADER = r"\EFI\systemd\systemd-bootx64.efi"
# What is said where it fails once something was written.
BROKEN: dict[Way, str] = {"anew": "broken", "repair": "broken_repair"}
# And where the stick went before all was copied.
PULLED: dict[Way, str] = {"anew": "install.pulled", "repair": "install.pulled_repair"}
# What a BIOS runs, before the table of partitions in the master boot record.
BIOS_BYTES = 440
STICK_SECONDS = 0.2


def stick_of(known: list[Disk]) -> Disk:
    """The one among the disks of the box from which it was started."""
    return next(one for one in known if one.started)


def start_from(made: dict[str, str], disk: Disk) -> Said | None:
    """Have the firmware start the disk first; what is to be said where it does not take that.

    It finds the disk all the same, by its \\EFI\\BOOT.
    """
    number = made["00-esp.conf"].removeprefix(disk.path).lstrip("p")
    create = ["--create", "--disk", disk.path, "--part", number, "--loader", LOADER]
    try:
        known = subprocess.run(["efibootmgr"], check=True, capture_output=True, text=True).stdout
        for line in known.splitlines():
            # Of an installation before this one.
            if line.startswith("Boot0") and LABEL in line.partition("\t")[0].split():
                subprocess.run(
                    ["efibootmgr", "--quiet", "--delete-bootnum", "--bootnum", line[4:8]],
                    check=True,
                )
        subprocess.run(["efibootmgr", "--quiet", *create, "--label", LABEL], check=True)
    except (OSError, subprocess.CalledProcessError):
        return Said("install.no_entry")
    return None


def keep_bios_sentence(source: str, target: str) -> None:
    """A BIOS that starts the disk shows what one shows that starts the stick."""
    with Path(source).open("rb") as stick:
        program = stick.read(BIOS_BYTES)
    with Path(target).open("r+b") as disk:
        disk.write(program)
        os.fsync(disk.fileno())


def install(request: Request, known: list[Disk], telling: Telling) -> Said | None:
    """All of it; what is to be known besides. Raises SaidError, OSError, CalledProcessError."""
    telling.say("copying")
    made = copy(telling, request)
    check(telling, made, request.way)
    keep_bios_sentence(stick_of(known).path, telling.disk.path)
    os.sync()
    return start_from(made, telling.disk)


def wait_for_stick(stick: Path, restart: Callable[[], Any]) -> None:
    """Restart once the stick is gone. Nothing more is read from it: all is in memory by then."""
    while stick.exists():
        time.sleep(STICK_SECONDS)
    restart()


def ended() -> int:
    """The unit is over. Where it was killed meanwhile, nobody else says that it has failed."""
    if broken_off():
        redraw()
    return 0


def main() -> int:
    """Do what was asked for, and say what came of it."""
    request = take()
    telling = Telling(Disk(str(request.disk.get("path", "")), 0), request)
    before = -1
    try:
        known = disks.found()
        if no := choice.source(known):
            raise SaidError(no.key, **no.values)
        telling.disk = choice.again(known, request.disk)
        before = moved(telling.disk.path, WRITTEN)
        stay_in_memory()
        with Guard(stick_of(known), Said(PULLED[request.way], {"disk": telling.disk.title})):
            said = install(request, known, telling)
    except SaidError as error:
        telling.say("failed", said=error.said)
        print(error.said.text("en"), file=sys.stderr)  # noqa: T201
        return 1
    except (OSError, ValueError, KeyError, subprocess.SubprocessError) as error:
        untouched = before < 0 or unwritten(telling.disk.path, before)
        key = "unwritten" if untouched else BROKEN[request.way]
        telling.say("failed", said=Said(f"install.{key}", {"disk": telling.disk.title}))
        print(error, file=sys.stderr)  # noqa: T201
        return 1
    # Kept open: without the stick nothing can be opened any more. The kernel restarts at once,
    # which harms nothing, since only the stick's own file systems were written to after sync.
    with Path("/proc/sysrq-trigger").open("wb", buffering=0) as trigger:
        telling.say("done", 100, said)
        if request.then == "restart":
            # The screen says so first: this waits until what was just asked for is drawn.
            drawn = ["systemctl", "start", "--wait", "ratssaal-console.service"]
            subprocess.run(drawn, check=False)
            subprocess.run(["systemctl", "--no-block", "reboot"], check=True)
            return 0
        stick = Path("/sys/class/block") / Path(stick_of(known).path).name
        wait_for_stick(stick, lambda: trigger.write(b"b"))
    return 0


if __name__ == "__main__":
    sys.exit(ended() if sys.argv[1:] == ["--ended"] else main())
