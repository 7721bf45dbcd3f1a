"""Says whether this box does what it is for; an image version on trial stands or falls with it.

The result is /run/ratssaal/public/state.json, which nginx serves to anybody: whether the box is
ready and which version it has, nothing else. Details go to the journal.
"""

import json
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from firstboot.console import STATE, redraw
from firstboot.files import write_whole
from firstboot.image import image_version
from firstboot.stack import Stack

BASE_UNITS = ("nftables.service", "nginx.service", "etcd.service", "systemd-networkd.service")
STORE = "http://127.0.0.1:2379/health"
# Long enough for an emulated machine with a cold cache, well below the unit's own limit.
PATIENCE_SECONDS = 240.0


@dataclass(frozen=True)
class Check:
    """One question to the box: a name for people; a function that gives None or what is wrong."""

    name: str
    ask: Callable[[], str | None]


def unit_is_active(unit: str) -> str | None:
    """None where systemd says the unit is active, else the state it is in."""
    answer = subprocess.run(
        ["systemctl", "is-active", unit], capture_output=True, text=True, check=False
    )
    state = answer.stdout.strip()
    return None if state == "active" else f"{unit} is {state}"


def answers(url: str) -> str | None:
    """None where `url` answers 200 within two seconds, else why not."""
    try:
        with urllib.request.urlopen(url, timeout=2) as response:  # noqa: S310 - loopback, from the image
            return None if response.status == 200 else f"{url} answers {response.status}"
    except (urllib.error.URLError, TimeoutError, OSError) as error:
        return f"{url}: {error}"


def checks(stack: Stack) -> Iterator[Check]:
    """All checks of base and stack."""
    for unit in (*BASE_UNITS, *stack.units):
        yield Check(unit, lambda unit=unit: unit_is_active(unit))  # type: ignore[misc]
    for url in (STORE, *stack.health):
        yield Check(url, lambda url=url: answers(url))  # type: ignore[misc]


def main() -> int:
    """Ask until all is well or patience ends, or with --once no more than that; write the state."""
    pending = list(checks(Stack.read()))
    patience = 0.0 if "--once" in sys.argv[1:] else PATIENCE_SECONDS
    deadline = time.monotonic() + patience
    while True:
        wrong = [(check, reason) for check in pending if (reason := check.ask())]
        if not wrong or time.monotonic() > deadline:
            break
        pending = [check for check, _ in wrong]
        time.sleep(0.2)
    for check, reason in wrong:
        print(f"<3>{check.name}: {reason}", file=sys.stderr)  # noqa: T201 - the journal's format
    state = {"ready": not wrong, "version": image_version()}
    if write_whole(STATE, json.dumps(state) + "\n"):
        redraw()
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
