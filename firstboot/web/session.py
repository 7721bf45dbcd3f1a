"""Who sits at the browser: sessions, kept as hashes in a file, so that a restart loses nobody."""

import hashlib
import hmac
import json
import secrets
import time
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Literal

from firstboot.files import write_whole

# Sent over TLS alone, to this host alone, and never along with a request from another site.
COOKIE = "__Host-ratssaal"
IDLE_SECONDS = 3600.0
MOST = 500

Role = Literal["guest", "clerk", "administrator"]


@dataclass
class Session:
    """One browser. token: its cookie; form: what its forms carry, against forged requests.

    permit: what root's side wants to see before it does anything for this person.
    """

    token: str
    form: str
    language: str = "de"
    role: Role = "guest"
    name: str = ""
    permit: str = ""
    used: float = 0.0


def _hash(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()


class Sessions:
    """All sessions that are not over yet."""

    def __init__(self, file: Path) -> None:
        self.file = file

    def _read(self) -> dict[str, dict[str, object]]:
        try:
            found: dict[str, dict[str, object]] = json.loads(self.file.read_text())
        except (OSError, ValueError):
            return {}
        now = time.time()
        # Of a clock that was ahead they would last until then.
        since, until = now - IDLE_SECONDS, now + 60
        return {key: one for key, one in found.items() if since < float(str(one["used"])) < until}

    def find(self, token: str | None) -> Session | None:
        """The session of this cookie; None where it is over or never was."""
        raw = self._read().get(_hash(token)) if token else None
        return Session(token=str(token), **raw) if raw else None  # type: ignore[arg-type]

    def keep(self, session: Session) -> None:
        """Remember the session as it is now."""
        found = self._read()
        session.used = time.time()
        content = asdict(session)
        del content["token"]
        found[_hash(session.token)] = content
        if len(found) > MOST:
            # Guests first: whoever only knocks, however often, puts nobody out.
            kept = sorted(
                found.items(),
                key=lambda item: (item[1]["role"] == "guest", -float(str(item[1]["used"]))),
            )
            found = dict(kept[:MOST])
        write_whole(self.file, json.dumps(found), mode=0o600)

    def begin(
        self,
        former: Session | None = None,
        role: Role = "guest",
        name: str = "",
        permit: str = "",
        language: str = "de",
    ) -> Session:
        """A new session; after a code or password it replaces `former`, whose cookie dies."""
        if former:
            found = self._read()
            found.pop(_hash(former.token), None)
            write_whole(self.file, json.dumps(found), mode=0o600)
        token, form = secrets.token_urlsafe(32), secrets.token_urlsafe(32)
        spoken = former.language if former else language
        made = Session(token, form, spoken, role, name, permit)
        self.keep(made)
        return made

    def end(self, session: Session) -> None:
        """Forget the session."""
        found = self._read()
        found.pop(_hash(session.token), None)
        write_whole(self.file, json.dumps(found), mode=0o600)


def genuine(session: Session, form: str) -> bool:
    """Whether a form carries this session's own mark."""
    return hmac.compare_digest(session.form.encode(), form.encode())
