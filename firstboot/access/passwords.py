"""Administrators' passwords and the six digits beside them: kept, checked and judged.

Passwords are prepared as RFC 8265 asks of an OpaqueString, so that an "ü" typed on a phone and one
typed on a desk are the same, and kept as Argon2id (RFC 9106). The digits are those of RFC 6238.
"""

import datetime
import hmac
import re
import unicodedata
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

import pyotp
from argon2 import PasswordHasher
from argon2.exceptions import VerificationError
from zxcvbn_rs_py import Feedback, zxcvbn

from firstboot.texts import Said, SaidError

LEAST = 10  # characters
MOST = 256  # characters
ACCEPTED_FROM = 3  # zxcvbn: 10**8 guesses and more
# RFC 9106, section 4, second recommended option, with two lanes: the smallest box has two cores.
HASHER = PasswordHasher(
    time_cost=3, memory_cost=65536, parallelism=2, hash_len=32, salt_len=16, encoding="utf-8"
)
STEP = 30  # seconds; RFC 6238, section 5.2
DIGITS = 6
# zxcvbn knows English words alone. These are what is tried first in a German office.
COMMON = re.findall(
    r"\w+",
    """
    passwort kennwort geheim willkommen hallo schatz admin administrator verwaltung rathaus gemeinde
    stadt markt dorf kreis landkreis landratsamt bürgermeister bürgermeisterin bürger gemeinderat
    stadtrat kreistag ratssaal sitzung sitzungssaal bürgerbüro bauamt ordnungsamt feuerwehr schule
    konferenz video videokonferenz sommer herbst winter frühling frühjahr ostern weihnachten
    januar februar märz april juni juli august september oktober november dezember montag dienstag
    mittwoch donnerstag freitag samstag sonntag fussball sonnenschein computer deutschland welt
    ichliebedich
    """,
)
_WARNINGS = {
    "StraightRowsOfKeysAreEasyToGuess": "password.keys",
    "ShortKeyboardPatternsAreEasyToGuess": "password.keys",
    "RepeatsLikeAaaAreEasyToGuess": "password.repeats",
    "RepeatsLikeAbcAbcAreOnlySlightlyHarderToGuess": "password.repeats",
    "ThisIsATop10Password": "password.listed",
    "ThisIsATop100Password": "password.listed",
    "ThisIsACommonPassword": "password.listed",
    "ThisIsSimilarToACommonlyUsedPassword": "password.similar",
    "SequencesLikeAbcAreEasyToGuess": "password.sequence",
    "RecentYearsAreEasyToGuess": "password.dates",
    "DatesAreOftenEasyToGuess": "password.dates",
    "AWordByItselfIsEasyToGuess": "password.word",
    "NamesAndSurnamesByThemselvesAreEasyToGuess": "password.names",
    "CommonNamesAndSurnamesAreEasyToGuess": "password.names",
}
_SPELT_OUT = str.maketrans({"ä": "ae", "ö": "oe", "ü": "ue", "ß": "ss"})
_WITHOUT_DOTS = str.maketrans({"ä": "a", "ö": "o", "ü": "u", "ß": "ss"})
_US_KEYS = str.maketrans("yzYZ", "zyZY")


@dataclass(frozen=True)
class Strength:
    """What a password is worth.

    `score` goes from 0 (among the first guesses) to 4 (beyond 10**10 guesses) and is 3 or more for
    accepted passwords alone; `said` tells what to do.
    """

    accepted: bool
    score: int
    said: Said


def _opaque(password: str) -> str:
    """`password` as an OpaqueString (RFC 8265, section 4.2), of at most 256 characters."""
    # Composing makes a text shorter, four to one at most: what is longer need not be looked at.
    if len(password) > 4 * MOST:
        raise SaidError("password.long", most=MOST)
    spaces = "".join(" " if unicodedata.category(one) == "Zs" else one for one in password)
    prepared = unicodedata.normalize("NFC", spaces)
    if len(prepared) > MOST:
        raise SaidError("password.long", most=MOST)
    # Controls, surrogates, invisible and unassigned characters (RFC 8264, section 4.3.3).
    if any(unicodedata.category(one).startswith("C") for one in prepared):
        raise SaidError("password.character")
    return prepared


def hash_password(password: str, hasher: PasswordHasher = HASHER) -> str:
    """The Argon2id hash of `password` in the PHC string format, salt and costs in it.

    Raises SaidError for a password that is empty, has more than 256 characters, or holds characters
    that nobody can see. Does not judge it: that is `strength`.
    """
    prepared = _opaque(password)
    if not prepared:
        raise SaidError("password.empty")
    return hasher.hash(prepared)


def verify(hashed: str, password: str) -> bool:
    """Whether `hashed` was made of `password`. False, never an error, for what is no hash."""
    try:
        return HASHER.verify(hashed, _opaque(password))
    except (SaidError, VerificationError, ValueError):
        return False


def proof_of_staff(name: str, hashed: str) -> str:
    """What a sign-in at the rooms service is bound to: another password, and it is worth nothing.

    HMAC-SHA256 (RFC 2104) of `name`, with the hash of the password as its key: nobody who reads the
    proof can try passwords with it, since the hash holds a random salt of 128 bits.
    """
    said = f"ratssaal staff {name}"
    return hmac.new(hashed.encode(), said.encode(), "sha256").hexdigest()


def _spellings(text: str) -> Iterator[str]:
    """`text` as it is, with umlauts spelt out, and with the dots left out."""
    small = "".join(one.casefold() if one in "ÄÖÜẞ" else one for one in text)
    yield text
    yield small.translate(_SPELT_OUT)
    yield small.translate(_WITHOUT_DOTS)


def _words(texts: Iterable[str]) -> list[str]:
    """All words of three letters and more in `texts`, in all spellings, the longest first."""
    parts = (part for one in texts for part in re.findall(r"\w+", one.casefold()))
    spelt = {way for part in parts for way in _spellings(unicodedata.normalize("NFC", part))}
    return sorted((word for word in spelt if len(word) > 2), key=lambda word: (-len(word), word))


def _without(text: str, words: list[str]) -> str:
    return re.sub("|".join(map(re.escape, words)), "", text, flags=re.IGNORECASE) if words else text


def strength(password: str, about: Sequence[str]) -> Strength:
    """What `password` is worth where names, house and host name are `about`.

    Accepted from 10 characters and a score of 3 (zxcvbn, Wheeler 2016). The weakest reading counts:
    without the words of `about` and those that are common in an office, with umlauts spelt out, and
    with the keys of a German keyboard taken for those of the American one that zxcvbn knows. Raises
    SaidError as `hash_password` does, save for an empty password.
    """
    prepared = _opaque(password)
    own, common = _words(about), _words(COMMON)
    known = [*own, *common]
    reasons: dict[str, Said | None] = {}
    for reading in (*_spellings(prepared), prepared.translate(_US_KEYS)):
        reasons[reading] = None
        cause = Said("password.office" if _without(reading, own) == reading else "password.about")
        # What is left without the words that are tried first has to be good by itself.
        reasons.setdefault(_without(reading, sorted(known, key=len, reverse=True)), cause)
    judged = {reading: zxcvbn(reading, known) for reading in reasons}
    weakest = min(judged, key=lambda reading: judged[reading].guesses_log10)
    score = int(judged[weakest].score)
    if len(prepared) < LEAST:
        said = Said("password.short", {"length": len(prepared), "least": LEAST})
        return Strength(False, min(score, ACCEPTED_FROM - 1), said)
    if score >= ACCEPTED_FROM:
        return Strength(True, score, Said("password.good"))
    return Strength(False, score, reasons[weakest] or _reason(judged[weakest].feedback))


def _reason(feedback: Feedback | None) -> Said:
    """The sentence for what zxcvbn complains of; a general one where it says nothing, or news."""
    warning = feedback.warning if feedback else None
    return Said(_WARNINGS.get(repr(warning).rpartition(".")[2], "password.weak"))


def totp_secret() -> str:
    """A new secret for six digits: 160 random bits (RFC 4226, R6) in base 32, 32 characters."""
    return pyotp.random_base32()


def totp_uri(secret: str, name: str, issuer: str) -> str:
    """The `otpauth:` address for the QR code that the administrator's app reads.

    The app shows `issuer` and `name`. A colon parts the two and may be in neither.
    """
    label, house = (" ".join(one.replace(":", " ").split()) for one in (name, issuer))
    return pyotp.TOTP(secret).provisioning_uri(name=label, issuer_name=house)


def totp_valid(secret: str, code: str, now: datetime.datetime, last_step: int | None) -> int | None:
    """The step of 30 seconds since 1970 that `code` belongs to, or None where it is not valid.

    Taken are the step of `now` and one either side, for clocks that differ. Steps up to `last_step`
    are not taken: the caller keeps what is returned, so that a code works once (RFC 6238, section
    5.2). Raises ValueError for a `now` without a time zone and a `secret` that is not base 32.
    """
    if now.tzinfo is None:
        raise ValueError("A moment without a time zone is no moment.")
    digits = "".join(code.split())
    if len(digits) != DIGITS or not digits.isascii() or not digits.isdigit():
        return None
    clock, current = pyotp.TOTP(secret, digits=DIGITS, interval=STEP), int(now.timestamp()) // STEP
    # All are compared, whichever fits, and the latest is returned: else a code that fits two steps
    # would work twice.
    fits = [
        step
        for step in (current - 1, current, current + 1)
        if hmac.compare_digest(clock.generate_otp(step), digits)
    ]
    taken = max(fits, default=None)
    return taken if taken is not None and (last_step is None or taken > last_step) else None
