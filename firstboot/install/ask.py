"""Asks at the box itself on which disk to install: `python3 -m firstboot.install.ask` there."""

import json
import sys
from collections.abc import Sequence

from firstboot.image import image_version
from firstboot.install import choice, disks, state
from firstboot.install.disks import Disk
from firstboot.install.state import Way
from firstboot.screen.anew import tell
from firstboot.screen.terminal import LeftError, Terminal
from firstboot.texts import LANGUAGES, Said


def _both(said: Said | str) -> list[str]:
    """A text in German and in English."""
    known = said if isinstance(said, Said) else Said(f"install.{said}")
    return [known.text(language) for language in LANGUAGES]


def _line(number: int, disk: Disk) -> str:
    return f"{number}  {disk.title}: {_content(disk) or 'nichts Bekanntes · nothing known'}"


def _content(disk: Disk) -> str:
    return f"Ratssaal {disk.version}" if disk.version else ", ".join(disk.content)


class Questions:
    """Which disk, what is to become of a Ratssaal on it, and its name. Raises LeftError."""

    def __init__(self, terminal: Terminal, found: Sequence[Disk]) -> None:
        self.terminal = terminal
        self.found = found

    def disk(self) -> Disk:
        """One that may be installed on."""
        listed = [_line(number, one) for number, one in enumerate(self.found, 1)]
        typed, wrong = ("1" if len(self.found) == 1 else ""), [""]
        while True:
            said = [*_both("title"), "", *listed, "", *_both("which"), *wrong]
            typed = self.terminal.line(said, typed)
            if typed not in [str(number + 1) for number in range(len(self.found))]:
                wrong = ["", *_both("wrong_way")]
                continue
            disk = self.found[int(typed) - 1]
            said_no = choice.refusal(disk)
            if said_no is None:
                return disk
            wrong = ["", *_both(said_no)]

    def way(self, disk: Disk) -> Way:
        """Whether a Ratssaal that is there is repaired; nothing is asked where there is none."""
        if not disk.kept:
            return "anew"
        typed, wrong = "1", [""]
        values: dict[str, object] = {"disk": disk.title, "version": disk.version}
        while True:
            asked = _both(Said("install.there", values))
            typed = self.terminal.line([*_both("title"), "", *asked, *wrong], typed)
            old = choice.too_old(disk, image_version()) if typed == "1" else None
            if typed in ("1", "2") and not old:
                return "repair" if typed == "1" else "anew"
            wrong = ["", *_both(old or "wrong_way")]

    def name(self, disk: Disk, way: Way) -> None:
        """Until the disk's name has been typed."""
        values: dict[str, object] = {"disk": disk.title, "content": _content(disk)}
        what = "repair" if way == "repair" else "lost" if disk.content else "empty"
        asked = [*_both(Said(f"install.sure_{what}", values)), "", *_both("type_name"), disk.name]
        typed, wrong = "", [""]
        while True:
            typed = self.terminal.line([*_both("title"), "", *asked, *wrong], typed)
            if choice.named(disk, typed):
                return
            wrong = ["", *_both("wrong_name")]


def main() -> int:
    """Ask, and have the unit begin. What it does stands on the screen."""
    terminal = Terminal(sys.stdin.fileno(), sys.stdout.fileno())
    known = disks.found()
    possible = choice.candidates(known)
    said = choice.source(known) or (None if possible else Said("install.no_disk"))
    if said is None and not state.under_way():
        try:
            with terminal.alone():
                questions = Questions(terminal, possible)
                disk = questions.disk()
                way = questions.way(disk)
                questions.name(disk, way)
            state.ask(disk, way, "stick")
        except LeftError:
            pass
    tell(*([f"{said.key} {json.dumps(said.values)}"] if said else []))
    return 0


if __name__ == "__main__":
    sys.exit(main())
