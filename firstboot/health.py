"""Says whether this box does what it is for; an image version on trial stands or falls with it.

The result is /run/ratssaal/public/state.json, which nginx serves to anybody: whether the box is
ready and which version it has, nothing else. What is wrong goes to the journal, and for the screen
and the administrators' page to /run/ratssaal/health.json. A certificate that ends soon makes nobody
go back to an older version; it stands in a file of its own, for the screen.
"""

import datetime
import http.client
import json
import subprocess
import sys
import time
from pathlib import Path
from urllib.parse import urlsplit

from firstboot.files import write_whole
from firstboot.image import image_version
from firstboot.screen.anew import APPLIED, CERTIFICATE, HEALTH, STATE, found_wrong, redraw
from firstboot.stack import Stack

BASE_UNITS = ("nftables.service", "nginx.service", "etcd.service", "systemd-networkd.service")
STORE = "http://127.0.0.1:2379/health"
# Long enough for an emulated machine with a cold cache, well below the unit's own limit.
PATIENCE_SECONDS = 240.0
# A part that is only being started anew is back by then: that settings come into force makes no box
# faulty, nor a failure that nobody else has noticed.
RESTART_SECONDS = 15.0
# A start draws the screen when it begins and when the box is ready. Where that takes longer than
# this, whoever looks sees at least under which address it is.
SCREEN_SECONDS = 10.0


def inactive(units: tuple[str, ...]) -> dict[str, str]:
    """Those of `units` that systemd does not call active, and what it calls them."""
    answer = subprocess.run(
        ["systemctl", "is-active", *units], capture_output=True, text=True, check=False
    )
    states = zip(units, answer.stdout.splitlines(), strict=True)
    return {unit: f"is {state}" for unit, state in states if state != "active"}


def answers(url: str) -> str | None:
    """None where `url` (http) answers 200 within two seconds, else what it does instead."""
    asked = urlsplit(url)
    connection = http.client.HTTPConnection(asked.netloc, timeout=2)
    try:
        connection.request("GET", asked.path)
        status = connection.getresponse().status
        return None if status == 200 else f"answers {status}"
    except (http.client.HTTPException, OSError) as error:
        return f"does not answer: {error}"
    finally:
        connection.close()


def silent(stack: Stack) -> bool:
    """Whether anything does not answer. What is asked again and again has better things to do."""
    return any(map(answers, (STORE, *stack.health)))


def mute(stack: Stack) -> dict[str, str]:
    """What does not answer, and how, by URL."""
    asked = {url: answers(url) for url in (STORE, *stack.health)}
    return {url: reason for url, reason in asked.items() if reason}


def wrong(stack: Stack) -> dict[str, str]:
    """What is not as it should be, by unit or URL, in words for the journal."""
    return inactive((*BASE_UNITS, *stack.units)) or mute(stack)


def start_again(found: dict[str, str]) -> None:
    """Start the units among what was found wrong, for instance one that systemd has given up.

    Nobody stands before a box who could. The look after this one says whether it has helped.
    """
    units = [name for name in found if "://" not in name]
    if units:
        print(f"<4>Starting again: {' '.join(units)}", file=sys.stderr)  # noqa: T201 - as below
        subprocess.run(["systemctl", "start", "--no-block", *units], check=False)


def certificate(applied: Path = APPLIED, file: Path = CERTIFICATE) -> None:
    """Look at the end of the certificate for the public name, and write it down where it is near.

    What the administrators' page says of it goes to the journal, when it is new.
    """
    if not applied.exists() or not json.loads(applied.read_text())["named"]:
        file.unlink(missing_ok=True)
        return
    # Libraries that a box without such a certificate need not wait for.
    from firstboot.certificates import named

    found, now = named.read(), datetime.datetime.now(datetime.UTC)
    if found is None or found.days_left(now) >= named.WARNING_DAYS:
        file.unlink(missing_ok=True)
        return
    from firstboot.certificates.expiry import findings, last_attempt
    from firstboot.store import Store

    number = json.loads(applied.read_text())["generation"]
    box = Store(applied.parent).generation(number).public["box"]
    end = {"end": found.not_after.date().isoformat(), "ended": found.not_after <= now}
    if write_whole(file, json.dumps(end) + "\n"):
        for _, said in findings(box, found, last_attempt(), now):
            print(f"<4>{said.text('en')}", file=sys.stderr)  # noqa: T201
        redraw()


def main() -> int:
    """Ask until all is well or patience ends, with --again a short one; write the state."""
    stack = Stack.read()
    begun = time.monotonic()
    drawn = again = "--again" in sys.argv[1:]
    patience = RESTART_SECONDS if again else PATIENCE_SECONDS
    # Begins beside what it waits for: to ask that costs next to nothing, to ask systemd a process.
    while not (well := not silent(stack) and not inactive((*BASE_UNITS, *stack.units))):
        waited = time.monotonic() - begun
        if waited >= patience:
            break
        if waited >= SCREEN_SECONDS and not drawn:
            redraw()
            drawn = True
        time.sleep(0.2)
    found = {} if well else wrong(stack)
    for name, reason in found.items():
        print(f"<3>{name} {reason}", file=sys.stderr)  # noqa: T201 - the journal's format
    start_again(found)
    now = datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds")
    before = found_wrong()
    write_whole(HEALTH, json.dumps({"time": now, "wrong": found}, sort_keys=True) + "\n")
    certificate()
    state = {"ready": not found, "version": image_version()}
    if write_whole(STATE, json.dumps(state) + "\n") or found != before:
        redraw()
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
