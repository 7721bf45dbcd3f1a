"""What the service signs and believes again: invitations, tickets, seats, errands (JWT, RFC 7519).

The key is the service's own, never LiveKit's: what opens a door here is worth nothing there. Each
kind has its own audience, so that none passes for another.
"""

import datetime
from typing import Any, Literal, TypeVar

import jwt
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from meet.errors import RefusedError
from meet.names import Identity, Role, RoomId
from meet.policy import Rules

ALGORITHM = "HS256"
SEAT_SECONDS = 12 * 3600
# Invitations to rooms without an end of their own.
LASTING_DAYS = 400
MOST_CHARACTERS = 8000


class _Claims(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)


class Invitation(_Claims):
    """Who has this may ask to come into `room`, from `nbf` to `exp` (seconds since 1970)."""

    aud: Literal["invite"] = "invite"
    room: RoomId
    tenant: str
    role: Role
    title: str = Field(max_length=80)
    rules: Rules = Rules()
    nbf: int | None = None
    exp: int
    # The room has no end of its own; `exp` is that of the link.
    lasting: bool = False


class _Person(_Claims):
    room: RoomId
    tenant: str
    identity: Identity
    role: Role
    name: str = Field(max_length=80)
    iat: int
    exp: int


class Seat(_Person):
    """Who has this was let in. What may be done with it now, the meeting says."""

    aud: Literal["seat"] = "seat"


class Ticket(_Person):
    """Who has this waits outside."""

    aud: Literal["ticket"] = "ticket"


class Errand(_Claims):
    """Who has this in a cookie has just gone to the directory whose mark is `mark`."""

    aud: Literal["directory"] = "directory"
    state: str
    nonce: str
    verifier: str
    mark: str
    exp: int


Kind = TypeVar("Kind", Invitation, Seat, Ticket, Errand)


def now() -> int:
    """Seconds since 1970."""
    return int(datetime.datetime.now(datetime.UTC).timestamp())


class Signer:
    """Signs with one key, and reads what it has signed."""

    def __init__(self, key: bytes) -> None:
        if len(key) < 32:
            raise ValueError("The key that signs invitations has less than 256 bits.")
        self._key = key

    def sign(self, claims: Invitation | Seat | Ticket | Errand) -> str:
        """`claims` as text that goes into links and headers."""
        content = claims.model_dump(mode="json", exclude_none=True)
        if not content.get("rules", True):
            del content["rules"]
        return jwt.encode(content, self._key, algorithm=ALGORITHM)

    def read(self, kind: type[Kind], text: str) -> Kind:
        """What was signed. An invitation is read before its time and after it, too.

        Raises RefusedError: `wrong_invitation` or `not_allowed` for what this key has not signed as
        a `kind`, `over` for a seat, ticket or errand that has run out.
        """
        timed = kind is not Invitation
        wrong = "not_allowed" if timed else "wrong_invitation"
        if len(text) > MOST_CHARACTERS:
            raise RefusedError(wrong)
        options: Any = {
            "require": ["aud", "exp"],
            "verify_nbf": False,
            "verify_iat": False,
            "verify_exp": timed,
        }
        audience = str(kind.model_fields["aud"].default)
        try:
            content = jwt.decode(
                text, self._key, algorithms=[ALGORITHM], audience=audience, options=options
            )
            return kind.model_validate(content)
        except jwt.ExpiredSignatureError as error:
            raise RefusedError("over") from error
        except (jwt.InvalidTokenError, ValidationError, ValueError) as error:
            raise RefusedError(wrong) from error

    def seat(self, ticket: Ticket | Seat) -> str:
        """A seat for whoever holds `ticket` and has been let in."""
        begun = now()
        person = ticket.model_dump(include={"room", "tenant", "identity", "role", "name"})
        return self.sign(Seat(**person, iat=begun, exp=begun + SEAT_SECONDS))
