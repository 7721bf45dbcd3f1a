"""Random names of rooms, codes and people, and what may be in a name that a person types."""

import re
import secrets
import unicodedata
from typing import Annotated, Literal

from pydantic import StringConstraints

from meet.errors import RefusedError

ALPHABET = "abcdefghijklmnopqrstuvwxyz234567"  # RFC 4648, section 6, in small letters
ROOM_LETTERS = 10
IDENTITY_LETTERS = 16
CODE_DIGITS = 9
NAME_MOST = 80  # characters

Role = Literal["moderator", "participant", "viewer"]
Source = Literal["microphone", "camera", "screen"]
# What texts are of: chat, and live text (each letter as it is typed).
Topic = Literal["chat", "text"]
RoomId = Annotated[str, StringConstraints(pattern=r"^[a-z2-7]{10}$")]
Identity = Annotated[str, StringConstraints(pattern=r"^p[a-z2-7]{16}$")]
Code = Annotated[str, StringConstraints(pattern=r"^[0-9]{9}$")]

# The room in which the box's own people try camera and microphone. No booked room is called so.
TEST_ROOM = re.compile(r"ratssaal-test(-[A-Za-z0-9_-]{1,40})?")


def _letters(count: int) -> str:
    return "".join(secrets.choice(ALPHABET) for _ in range(count))


def new_room() -> str:
    """The name of a new room: 50 random bits."""
    return _letters(ROOM_LETTERS)


def new_identity() -> str:
    """The name of somebody in one meeting: 80 random bits, nothing of the person in them."""
    return "p" + _letters(IDENTITY_LETTERS)


def new_code() -> str:
    """Digits for people who type: 30 random bits."""
    return f"{secrets.randbelow(10**CODE_DIGITS):0{CODE_DIGITS}}"


def shown(typed: str) -> str:
    """`typed` as others see it: one line, nothing invisible, at most 80 characters.

    Markup is text like any other: pages show it as it is. Raises RefusedError.
    """
    # Composing makes a text shorter, four to one at most: what is longer need not be looked at.
    if len(typed) > 4 * NAME_MOST:
        raise RefusedError("name_long", most=NAME_MOST)
    composed = unicodedata.normalize("NFC", typed)
    # Joiners (U+200D) hold emoji together; other controls could turn a line around.
    kept = "".join(
        " " if unicodedata.category(one) in ("Zs", "Zl", "Zp", "Cc") else one
        for one in composed
        if one == "\u200d" or unicodedata.category(one) not in ("Cf", "Cs", "Co", "Cn")
    )
    name = " ".join(kept.split())
    if not name.strip("\u200d"):
        raise RefusedError("name")
    if len(name) > NAME_MOST:
        raise RefusedError("name_long", most=NAME_MOST)
    return name
