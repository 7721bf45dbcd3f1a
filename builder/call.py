"""Holds a call on a running box: two real clients come in by its front door and count frames."""

import json
import os
import secrets
import subprocess
import sys
import time
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Protocol

import yaml
from livekit import api

from builder.errors import CommandError, RatssaalError
from builder.machines.stage import Stage, die_with_parent
from builder.paths import PROJECT

GUESTS = ("Anna", "Bernd")
FRAMES = 30
# How long a guest may stay; the clocks of the box and of this machine may differ.
STAY = timedelta(hours=1)


class Reachable(Protocol):
    """A running box, in a container or a machine: it has a root shell for tests, and an address."""

    @property
    def address(self) -> str:
        """The address under which guests reach it."""

    def shell(self, script: str) -> str:
        """Run a script on it, as root."""


@dataclass(frozen=True)
class Call:
    """What each guest of a call saw of the other: frames, moving frames, lit frames."""

    guests: dict[str, dict[str, object]]
    frames: dict[str, int]
    moving: dict[str, int]

    def held(self, frames: int = FRAMES) -> bool:
        """Whether every guest received at least `frames` moving pictures of the other."""
        return len(self.moving) == len(GUESTS) and min(self.moving.values()) >= frames


def token(keys: str, room: str, shown: str) -> str:
    """A token for `room`, signed with the first key of LiveKit's key file `keys`.

    The identity is random, since LiveKit writes it into its log; `shown` is the name for people.
    The rooms service wants to know when a place in the test room ends.
    """
    name, secret = next(iter(yaml.safe_load(keys).items()))
    grants = api.VideoGrants(room_join=True, room=room, can_publish=True, can_subscribe=True)
    access = api.AccessToken(str(name), str(secret)).with_identity(secrets.token_urlsafe(12))
    until = str(int(time.time() + STAY.total_seconds()))
    access = access.with_name(shown).with_grants(grants).with_attributes({"until": until})
    return access.with_ttl(timedelta(minutes=10)).to_jwt()


def trial_room() -> str:
    """A new room of the one kind that the rooms service opens to tokens of the box's key alone."""
    return f"ratssaal-test-{secrets.token_hex(8)}"


def hold(box: Reachable, stage: Stage, *, seconds: float = 90.0, frames: int = FRAMES) -> Call:
    """Let two guests on the stage's network meet on `box` until each saw enough of the other.

    Raises CommandError where a guest cannot even join.
    """
    authority = stage.folder / "authority.pem"
    authority.write_text(box.shell("cat /var/lib/ratssaal/tls/authority.pem"))
    keys = box.shell("cat /var/lib/ratssaal/secrets/stack/keys.yaml")
    room = trial_room()
    started = [
        _start(box, stage, token(keys, room, one), authority, seconds, frames) for one in GUESTS
    ]
    guests: dict[str, dict[str, object]] = {}
    for name, child in zip(GUESTS, started, strict=True):
        try:
            output, errors = child.communicate(timeout=seconds + 30)
        except subprocess.TimeoutExpired:
            child.kill()
            output, errors = child.communicate()
        try:
            guests[name] = json.loads(output.splitlines()[-1])
        except (IndexError, ValueError) as error:
            raise CommandError(f"The guest {name} broke off:\n{errors[-2000:]}") from error
        if "error" in guests[name]:
            raise CommandError(f"The guest {name} could not join: {guests[name]['error']}")
    return _counted(guests)


def _start(
    box: Reachable, stage: Stage, signed: str, authority: Path, seconds: float, frames: int
) -> subprocess.Popen[str]:
    wish = {"url": f"wss://{box.address}", "token": signed, "frames": frames, "seconds": seconds}
    environment = {
        **os.environ,
        "PYTHONPATH": str(PROJECT),
        "SSL_CERT_FILE": str(authority),
        "RUST_LOG": "warn",
    }
    environment.pop("SSL_CERT_DIR", None)
    child = subprocess.Popen(
        stage.enter([sys.executable, "-m", "builder.guest"]),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=environment,
        preexec_fn=die_with_parent,
    )
    assert child.stdin
    child.stdin.write(json.dumps(wish))
    child.stdin.close()
    child.stdin = None
    return child


def _counted(guests: dict[str, dict[str, object]]) -> Call:
    frames: dict[str, int] = {}
    moving: dict[str, int] = {}
    for name, result in guests.items():
        seen = result.get("seen")
        if not isinstance(seen, dict):
            raise RatssaalError(f"The guest {name} reported nothing.")
        for counts in seen.values():
            frames[name] = frames.get(name, 0) + int(counts["frames"])
            moving[name] = moving.get(name, 0) + min(int(counts["moving"]), int(counts["bright"]))
    return Call(guests, frames, moving)
