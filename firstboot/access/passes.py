"""Passes: links by which somebody without an account gets into the test room, for half an hour.

A pass says what it is for, until when, and a number that tells one from the next; root's secret
signs it (HMAC, RFC 2104). Nothing is kept of those that were given, and nothing is of a person.
"""

import base64
import hashlib
import hmac
import re
import secrets
import time
from dataclasses import dataclass
from pathlib import Path

from firstboot.files import write_whole
from firstboot.texts import SaidError

SECONDS = 1800
KEY = "passes.key"  # among root's secrets
KINDS = ("browser", "phone")
FORM = re.compile(rf"({'|'.join(KINDS)})\.([0-9a-f]{{8,12}})\.([\w-]{{11}})\.([\w-]{{43}})", re.A)


@dataclass(frozen=True)
class Pass:
    """What a pass says. until: seconds since 1970; number: 64 random bits as text."""

    kind: str
    until: int
    number: str


def _signature(key: str, content: str) -> str:
    made = hmac.digest(bytes.fromhex(key), b"test room " + content.encode(), hashlib.sha256)
    return base64.urlsafe_b64encode(made).decode().rstrip("=")


def give(file: Path, kind: str) -> tuple[str, Pass]:
    """A new pass, as it goes into a link, and what it says; `file` keeps the secret.

    The caller holds the store's lock. Raises ValueError for a kind that there is not.
    """
    if kind not in KINDS:
        raise ValueError(kind)
    if not file.exists():
        write_whole(file, secrets.token_hex(32), mode=0o600)
    made = Pass(kind, int(time.time()) + SECONDS, secrets.token_urlsafe(8))
    content = f"{made.kind}.{made.until:08x}.{made.number}"
    return f"{content}.{_signature(file.read_text(), content)}", made


def check(file: Path, token: str) -> Pass:
    """What a pass says. Raises SaidError where it is over, or was never given like this."""
    found = FORM.fullmatch(token)
    if found and file.exists():
        kind, until, number, signature = found.groups()
        expected = _signature(file.read_text(), token.rpartition(".")[0])
        if hmac.compare_digest(expected, signature) and time.time() < int(until, 16):
            return Pass(kind, int(until, 16), number)
    raise SaidError("proof.pass_over")
