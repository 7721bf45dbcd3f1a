"""The files from which the screen is drawn, and having it drawn anew when one of them has changed.

Small: who only tells the screen something need not load firstboot.screen.console, which draws.
"""

import json
import subprocess
from pathlib import Path

from firstboot.files import write_whole
from firstboot.screen import keys

ADDRESSES = Path("/run/ratssaal/address.json")
STATE = Path("/run/ratssaal/public/state.json")
APPLIED = Path("/var/lib/ratssaal/settings/applied.json")
# What is wrong with an answers file: a sentence in each language, one a line.
ANSWERS_ERROR = Path("/run/ratssaal/answers-error.txt")
# When the certificate for the public name ends, where that is near; firstboot.health writes it.
CERTIFICATE = Path("/run/ratssaal/certificate.json")
# What `found_wrong` reads.
HEALTH = Path("/run/ratssaal/health.json")


def found_wrong(file: Path = HEALTH) -> dict[str, str] | None:
    """What firstboot.health found wrong at its last look, by unit or URL, in words.

    None where that is not known.
    """
    try:
        found: dict[str, str] = json.loads(file.read_text())["wrong"]
    except (OSError, ValueError, KeyError):
        return None
    return found


def tell(*lines: str) -> None:
    """Have the screen say these lines, as `keys` has them, instead of those before."""
    write_whole(Path(keys.NOTICE), "".join(f"{one}\n" for one in lines))
    redraw()


def redraw() -> None:
    """Have the screen drawn anew. A drawing under way begins again, so no change is missed."""
    subprocess.run(["systemctl", *keys.REDRAW], check=False)
