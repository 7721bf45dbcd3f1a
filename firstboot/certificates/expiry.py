"""Says how the certificate for the public name does: how long it lasts, and why none came.

Three weeks before its end there is still time to do something about it. What came of the last try
to get one by ACME is kept beside certbot's own files.
"""

import datetime
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from firstboot.certificates.named import WARNING_DAYS, Named
from firstboot.files import write_whole
from firstboot.texts import Said

ATTEMPT = Path("/var/lib/ratssaal/certbot/attempt.json")


@dataclass(frozen=True)
class Attempt:
    """The last try: when (UTC, ISO 8601), and why nothing came of it; None where all went well."""

    time: str
    said: Said | None

    def content(self) -> dict[str, Any]:
        """As it goes through JSON."""
        return {"time": self.time, "said": [self.said.key, self.said.values] if self.said else None}

    @classmethod
    def of(cls, content: dict[str, Any]) -> "Attempt":
        """The try that `content` holds."""
        said = content["said"]
        return cls(content["time"], Said(said[0], said[1]) if said else None)


def keep_attempt(said: Said | None, file: Path = ATTEMPT) -> None:
    """Remember what has just come of a try."""
    now = datetime.datetime.now(datetime.UTC).isoformat(timespec="minutes")
    write_whole(file, json.dumps(Attempt(now, said).content()) + "\n")


def last_attempt(file: Path = ATTEMPT) -> Attempt | None:
    """The last try; None where there was none yet."""
    try:
        return Attempt.of(json.loads(file.read_text()))
    except (OSError, ValueError, KeyError, TypeError):
        return None


Severity = Literal["good", "note", "problem"]
Finding = tuple[Severity, Said]


def _lasting(kind: str, found: Named, now: datetime.datetime) -> Finding:
    left = found.days_left(now)
    values: dict[str, object] = {"days": left, "date": found.not_after.date().isoformat()}
    if found.not_after <= now:
        return "problem", Said(f"admin.certificate_ended_{kind}", values)
    if left < WARNING_DAYS:
        return "problem", Said(f"admin.certificate_ends_{kind}", values)
    return "good", Said("admin.certificate_good", values)


def findings(
    box: dict[str, Any], found: Named | None, attempt: Attempt | None, now: datetime.datetime
) -> list[Finding]:
    """What is to be said, the most important first. `box`: settings, without secrets."""
    kind, host, turn = box["certificate"]["kind"], box["host_name"], box["turn_name"]
    if kind == "own":
        return [("note", Said("admin.certificate_own"))]
    said: list[Finding] = []
    if found is None or not found.covers(host):
        said.append(("problem", Said(f"admin.certificate_missing_{kind}", {"name": host})))
    else:
        said.append(_lasting(kind, found, now))
        if not found.covers(turn):
            said.append(("note", Said(f"admin.certificate_without_turn_{kind}", {"name": turn})))
    if kind == "acme" and attempt and attempt.said:
        values: dict[str, object] = {"time": attempt.time, "reason": attempt.said}
        weight: Severity = "problem" if said[0][0] == "problem" else "note"
        said.append((weight, Said("admin.certificate_attempt", values)))
    return said
