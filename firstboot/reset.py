"""Has the next start reset this box: keys first, then data; the image stays.

The work is done in the initrd, where nothing of root is open yet (overlays/initrd). Here somebody
is asked whether that is meant: an administrator on his page, or with `python3 -m firstboot.reset`
on its terminal whoever stands at the box, and could take the disk out as well.
"""

import subprocess
import sys

from firstboot.access.permits import Asker
from firstboot.access.sign_in import prove
from firstboot.screen.anew import tell
from firstboot.screen.terminal import LeftError, Terminal
from firstboot.store import Store
from firstboot.texts import LANGUAGES, SaidError, say

# Typed at the box: letters that lie in one place on German and US keyboards.
WORD = "reset"
UNIT = "ratssaal-reset.service"


def name_of(store: Store) -> str:
    """What an administrator types: the name under which the box in force is known."""
    applied = store.applied()
    return store.settings(applied.generation if applied else None).box.host_name


def _begin() -> bool:
    """Whether the next start will reset the box; the restart has begun then."""
    return subprocess.run(["systemctl", "start", UNIT], check=False).returncode == 0


def by_administrator(store: Store, asker: Asker, password: str, totp: str, typed: str) -> None:
    """Reset the box where `asker` proves to be it once more and has `typed` the box's name.

    Raises SaidError. Who came by the code has no password to show, and stands at the box.
    """
    if not asker.name:
        raise SaidError("reset.at_the_box")
    name = name_of(store)
    if typed.strip().casefold() != name.casefold():
        raise SaidError("reset.wrong_name", name=name)
    prove(store, asker.name, password, totp)
    if not _begin():
        raise SaidError("reset.failed")


def _both(key: str) -> list[str]:
    return [say(language, f"reset.{key}") for language in LANGUAGES]


def main() -> int:
    """Ask at the box, and say on the screen what comes of it."""
    terminal = Terminal(sys.stdin.fileno(), sys.stdout.fileno())
    said: tuple[str, ...] = ()
    try:
        with terminal.alone():
            wrong: list[str] = []
            while terminal.line([*_both("console"), *wrong]).casefold() != WORD:
                wrong = ["", *_both("console_wrong")]
            said = ("reset.begun" if _begin() else "reset.failed",)
    except LeftError:
        pass
    tell(*said)
    return 0


if __name__ == "__main__":
    sys.exit(main())
