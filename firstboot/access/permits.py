"""Who asks root's side: a permit for everybody who has typed the right code or password.

The web server holds permits for those who are signed in, and shows one with each request. Whoever
breaks into it while nobody is signed in may ask for nothing. Kept as hashes, for root alone.
"""

import hashlib
import json
import secrets
import time
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Literal

from firstboot.files import write_whole

# As long as the sessions of the web server.
IDLE_SECONDS = 3600.0
MOST = 100

# root: root itself, and what it starts. rooms: the service in which the house's people book rooms.
Role = Literal["nobody", "clerk", "administrator", "root", "rooms"]


@dataclass(frozen=True)
class Asker:
    """Who asks. name: of an administrator who has signed in; empty for who came by the code.

    proof: a hash of what was proven by the password, so that a new password ends the permit.
    """

    role: Role
    name: str = ""
    proof: str = ""


NOBODY = Asker("nobody")
ROOT = Asker("root")
ROOMS = Asker("rooms")


def _hash(token: str) -> str:
    return hashlib.sha256(token.encode(errors="replace")).hexdigest()


class Permits:
    """All permits that are not over yet. The caller holds the store's lock when it changes any."""

    def __init__(self, file: Path) -> None:
        self.file = file

    def _read(self) -> dict[str, dict[str, str | float]]:
        try:
            found: dict[str, dict[str, str | float]] = json.loads(self.file.read_text())
        except (OSError, ValueError):
            return {}
        now = time.time()
        # Of a clock that was ahead they would be good until then.
        since, until = now - IDLE_SECONDS, now + 60
        return {key: one for key, one in found.items() if since < float(one["used"]) < until}

    def _write(self, found: dict[str, dict[str, str | float]]) -> None:
        latest = sorted(found.items(), key=lambda item: -float(item[1]["used"]))[:MOST]
        write_whole(self.file, json.dumps(dict(latest)) + "\n", mode=0o600)

    def give(self, asker: Asker) -> str:
        """A new permit for `asker`: 256 random bits as text."""
        token = secrets.token_urlsafe(32)
        self._write({**self._read(), _hash(token): {**asdict(asker), "used": time.time()}})
        return token

    def find(self, token: str) -> Asker:
        """Whose permit this is; NOBODY where it is over or never was."""
        found = self._read()
        one = found.get(_hash(token))
        if one is None:
            return NOBODY
        # One had by the code alone is over an hour after it was given, whatever happens meanwhile.
        lasting = one["role"] != "administrator" or one["proof"]
        if lasting and float(one["used"]) + 60 < time.time():
            self._write({**found, _hash(token): {**one, "used": time.time()}})
        role: Role = "administrator" if one["role"] == "administrator" else "clerk"
        return Asker(role, str(one["name"]), str(one["proof"]))

    def end(self, token: str) -> None:
        """This permit is worth nothing from now on."""
        found = self._read()
        if found.pop(_hash(token), None):
            self._write(found)
