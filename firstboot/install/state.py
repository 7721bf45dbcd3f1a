"""How far an installation is, for screen and wizard; and what was asked for, for the unit."""

import fcntl
import json
import subprocess
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Literal

from firstboot.files import write_whole
from firstboot.install.disks import Disk
from firstboot.texts import Said

FILE = Path("/run/ratssaal/install.json")
REQUEST = Path("/run/ratssaal-install/request.json")
UNIT = "ratssaal-install.service"
Stage = Literal["copying", "checking", "done", "failed"]
# Begin anew, or put this image into the place of the one there, whose root stays as it is.
Way = Literal["anew", "repair"]
# What follows: wait until the stick is pulled out, or start again at once.
Then = Literal["stick", "restart"]


@dataclass(frozen=True)
class State:
    """percent: of the stage; said: why it failed, or what is to be known besides."""

    stage: Stage
    percent: int
    disk: str
    then: Then = "stick"
    said: Said | None = None

    @property
    def over(self) -> bool:
        """Whether nothing more is being copied."""
        return self.stage in ("done", "failed")

    @property
    def under_way(self) -> bool:
        """Whether it is being copied, or is to be started again."""
        return self.stage != "failed"

    def sentences(self) -> list[Said]:
        """What there is to say of it."""
        if self.stage == "failed":
            return [self.said] if self.said else []
        key: str = self.stage
        if (self.stage, self.then) == ("done", "restart"):
            key = "done_restart"
        elif (self.stage, self.percent) == ("copying", 0):
            # systemd-repart first has the disk forget what is on it.
            key = "preparing"
        said = Said(f"install.{key}", {"disk": self.disk, "percent": self.percent})
        return [said, self.said] if self.said else [said]

    def write(self, file: Path = FILE) -> None:
        """Put the file in place."""
        write_whole(file, json.dumps(asdict(self)) + "\n")


def under_way() -> bool:
    """Whether nothing more may be asked for."""
    now = read()
    return now is not None and now.under_way


def read(file: Path = FILE) -> State | None:
    """The latest state; None where nothing was installed since the start."""
    try:
        found = json.loads(file.read_text())
        said = Said(**found.pop("said")) if found["said"] else found.pop("said")
        return State(**found, said=said)
    except (OSError, ValueError, TypeError, KeyError):
        return None


def broken_off(file: Path = FILE) -> bool:
    """Whether nobody copies any more although it was not over; then it has failed from here on."""
    last = read(file)
    if last is None or last.over:
        return False
    said = Said("install.broken", {"disk": last.disk})
    State("failed", 0, last.disk, last.then, said).write(file)
    return True


@dataclass(frozen=True)
class Request:
    """What somebody has asked for; disk: its identity."""

    disk: dict[str, Any]
    way: Way = "anew"
    then: Then = "stick"


def ask(disk: Disk, way: Way, then: Then, file: Path = REQUEST) -> None:
    """Have the unit begin, which alone may write to disks. From here on it counts as begun.

    Nothing where it has begun already: box, wizard and answers may ask at the same time.
    """
    request = Request(disk.identity, way, then)
    with (file.parent / "lock").open("w") as gate:
        fcntl.flock(gate, fcntl.LOCK_EX)
        if under_way():
            return
        State("copying", 0, disk.title, then).write()
        write_whole(file, json.dumps(asdict(request)) + "\n", mode=0o600)
    subprocess.run(["systemctl", "start", "--no-block", UNIT], check=True)


def take(file: Path = REQUEST) -> Request:
    """What was asked for, once. Raises OSError or ValueError where nothing was."""
    found = json.loads(file.read_text())
    file.unlink()
    return Request(**found)
