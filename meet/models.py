"""What goes over the service's HTTP interface, both ways; every text has a longest length."""

from typing import Annotated, Literal

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, StringConstraints

from meet.names import Code, Identity, Role, Source, Topic
from meet.policy import Policy, Rules
from meet.rooms import Listed
from meet.signed import MOST_CHARACTERS

Signed = Annotated[str, StringConstraints(max_length=MOST_CHARACTERS)]
# Longer than a name may be, so that a name of 500 characters gets its sentence.
Typed = Annotated[str, StringConstraints(max_length=2000)]
Secret = Annotated[str, StringConstraints(max_length=1024)]
All = Literal["all"]


class _Asked(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)


class Done(BaseModel):
    """It was done."""

    done: Literal[True] = True


class Refused(BaseModel):
    """Why not: a word for which the page has a sentence. Further fields are its values."""

    model_config = ConfigDict(extra="allow")

    error: str


class HouseLook(BaseModel):
    """The house as guests see it."""

    name: str
    colour: str
    logo: str | None
    imprint: str
    privacy: str
    notice: str
    policy: Policy


class CodeAsked(_Asked):
    """A code that somebody typed."""

    code: Code


class Invited(BaseModel):
    """An invitation."""

    invitation: str


class LookAsked(_Asked):
    """An invitation to look at."""

    invitation: Signed


class EnterAsked(_Asked):
    """Who wants to come in. `name` has at most 80 characters; more is refused as `name_long`."""

    invitation: Signed
    name: Typed
    notice_seen: bool = False


class HandAsked(_Asked):
    """One's own hand."""

    raised: bool


class SayAsked(_Asked):
    """A text to all who are there. A line of live text is said again with each letter."""

    topic: Topic
    id: Annotated[str, StringConstraints(max_length=40)]
    text: Annotated[str, StringConstraints(max_length=2000)]
    done: bool


class IdsAsked(_Asked):
    """Those who wait, by their ids."""

    ids: Annotated[list[Identity], Field(max_length=300)] | All


class MeetingAsked(_Asked):
    """What is to hold for the meeting; what is None stays."""

    locked: bool | None = None


class MuteAsked(_Asked):
    """Whom to mute; `lasting`: until a moderator allows it again."""

    identity: Identity | All
    source: Source
    lasting: bool = False


class AllowAsked(_Asked):
    """Whom to allow a source; all: takes back what was taken from all."""

    identity: Identity | All
    source: Source


class PersonAsked(_Asked):
    """Whom."""

    identity: Identity


class RoleAsked(_Asked):
    """Who gets which role."""

    identity: Identity
    role: Role


class LowerAsked(_Asked):
    """Whose hand."""

    identity: Identity | All


class SignInAsked(_Asked):
    """Who signs in."""

    name: Typed
    password: Secret
    totp: Annotated[str, StringConstraints(max_length=20)] = ""


class StaffLook(BaseModel):
    """Who is signed in, and whether the asker may book rooms.

    `directory`: the words on the button for signing in by the house's directory, empty for the
    page's own; None where there is no directory.
    """

    name: str | None
    may_create: bool
    directory: str | None = None


class RoomAsked(_Asked):
    """A room to book. Times are ISO 8601 with a time zone."""

    title: Typed
    opens: AwareDatetime | None = None
    closes: AwareDatetime | None = None
    policy: Rules = Rules()


class Booked(BaseModel):
    """All bookings."""

    rooms: list[Listed]
