"""The set-up code: who knows it stands before the box, or holds the card of its stick.

Letters that lie in the same place on German and US keyboards and look like no other; made at the
first start, shown on the box's own screen alone. Where the code came with the stick, the box knows
its hash only, a slow one, since sticks are lost (firstboot.access.code_card).
`python3 -m firstboot.access.code` makes a new one: whoever presses the key for it stands before
the box.
"""

import fcntl
import hashlib
import hmac
import json
import secrets
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from firstboot.files import write_whole

FILE = Path("/var/lib/ratssaal/secrets/code.json")
# Without y and z (they change places), i, l and o (they look like digits and like each other).
LETTERS = "abcdefghjkmnpqrstuvwx"
LENGTH = 8
# At most one wrong attempt a second, whoever tries: 21^8 codes then last for more than 500 years on
# average. No lock-out, with which anybody on the network could keep the clerk out.
PAUSE_SECONDS = 1.0


@dataclass(frozen=True)
class Code:
    """The code as stored: `shown` on the screen, or only its hash; wrong attempts so far.

    hash: SHA-256 as hexadecimal digits; of a card's code Argon2id in the PHC string format.
    """

    hash: str
    shown: str | None
    wrong: int = 0


def plain(typed: str) -> str:
    """What was typed, in small letters, without blanks, hyphens and dots."""
    return "".join(letter for letter in typed.lower() if letter.isalnum())


def hash_of(code: str) -> str:
    """SHA-256 of a code, as hexadecimal digits."""
    return hashlib.sha256(plain(code).encode()).hexdigest()


def new() -> str:
    """A new code."""
    return "".join(secrets.choice(LETTERS) for _ in range(LENGTH))


def grouped(code: str) -> str:
    """For reading: groups of four letters."""
    return " ".join(code[n : n + 4] for n in range(0, len(code), 4))


@contextmanager
def _alone(gate: Path) -> Iterator[None]:
    """Wait until nobody else is behind this gate, and keep everybody out until the block ends."""
    with gate.open("w") as opened:
        fcntl.flock(opened, fcntl.LOCK_EX)
        yield


def _changing(file: Path) -> Path:
    """The gate of whoever changes the code. Nobody sleeps behind it."""
    return file.with_suffix(".change")


def _write(code: Code, file: Path) -> None:
    write_whole(file, json.dumps(vars(code)) + "\n", mode=0o600)


def read(file: Path = FILE) -> Code | None:
    """The code in force; None where there is none."""
    try:
        return Code(**json.loads(file.read_text()))
    except (OSError, ValueError, TypeError):
        return None


def renew(file: Path = FILE) -> Code:
    """Make a new code; the one before is worthless from now on."""
    made = new()
    code = Code(hash_of(made), made)
    with _alone(_changing(file)):
        _write(code, file)
    return code


def take_over(hashed: str, file: Path = FILE) -> None:
    """Let the code with this Argon2id hash be the only one; nobody can be shown it."""
    with _alone(_changing(file)):
        _write(Code(hashed, None), file)


def forget(file: Path = FILE) -> None:
    """No code opens anything from now on."""
    with _alone(_changing(file)):
        file.unlink(missing_ok=True)


def _fits(code: Code, typed: str) -> bool:
    if not code.hash.startswith("$"):
        return hmac.compare_digest(code.hash, hash_of(typed))
    # Read with libraries that whoever only draws the screen need not load.
    from firstboot.access.passwords import verify

    return verify(code.hash, plain(typed))


def check(typed: str, file: Path = FILE, pause: float = PAUSE_SECONDS) -> bool:
    """Whether `typed` is the code. Attempts wait for one another, and a wrong one for `pause`."""
    with _alone(file.with_suffix(".lock")):
        # Counting must not bring back a code that has been renewed or forgotten meanwhile.
        with _alone(_changing(file)):
            code = read(file)
            if code and _fits(code, typed):
                return True
            if code:
                _write(Code(code.hash, code.shown, code.wrong + 1), file)
        time.sleep(pause)
        return False


if __name__ == "__main__":
    renew()
