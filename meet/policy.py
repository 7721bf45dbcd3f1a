"""What a house allows in its meetings, and what of it a single room may change.

The presets are those that an administrator chooses among (firstboot.settings.Meetings); the texts
that describe them stand in firstboot/texts/*/setup.yaml under `meetings`.
"""

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from meet.names import Role, Source

Level = Literal["everyone", "asked", "moderators"]
Encryption = Literal["off", "offered", "required"]
Minutes = Annotated[int, Field(ge=5, le=1440)]
People = Annotated[int, Field(ge=2, le=300)]
Notice = Annotated[str, Field(max_length=2000)]

# From the laxest to the strictest: a room may move to the right alone.
LEVELS: tuple[Level, ...] = ("everyone", "asked", "moderators")
ENCRYPTIONS: tuple[Encryption, ...] = ("off", "offered", "required")
SOURCES: tuple[Source, ...] = ("microphone", "camera", "screen")


class _Model(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)


class Rules(_Model):
    """What one room does otherwise than its house; what is None is as the house has it."""

    lobby: bool | None = None
    guests: bool | None = None
    speak: Level | None = None
    camera: Level | None = None
    share: Level | None = None
    chat: bool | None = None
    live_text: bool | None = None
    muted_at_entry: bool | None = None
    camera_off_at_entry: bool | None = None
    max_minutes: Minutes | None = None
    max_people: People | None = None
    pseudonyms: bool | None = None
    encryption: Encryption | None = None
    notice: Notice | None = None

    def given(self) -> dict[str, Any]:
        """Only what this room does otherwise."""
        return self.model_dump(exclude_none=True)


class Policy(_Model):
    """All that is allowed in one room, or in the house where no room says otherwise."""

    preset: str
    create: Literal["nobody", "staff", "anyone"]
    lobby: bool
    guests: bool = True
    speak: Level = "everyone"
    camera: Level = "everyone"
    share: Level
    chat: bool = True
    live_text: bool = True
    muted_at_entry: bool = True
    camera_off_at_entry: bool = True
    max_minutes: Minutes = 480
    max_people: People = 80
    pseudonyms: bool = False
    encryption: Encryption = "offered"
    notice: Notice = ""

    def with_rules(self, rules: Rules) -> "Policy":
        """This policy as `rules` change it. Whatever they would loosen stays as it is.

        A house that becomes stricter is obeyed in rooms that were booked before.
        """
        wanted = rules.given()
        kept = {name: value for name, value in wanted.items() if self.may(name, value)}
        return self.model_copy(update=kept)

    def loosened(self, rules: Rules) -> list[str]:
        """Those of `rules` that this policy does not allow a room."""
        return [name for name, value in rules.given().items() if not self.may(name, value)]

    def may(self, name: str, value: Any) -> bool:
        """Whether a room may have `value` for the field `name` in this house."""
        own = getattr(self, name)
        if value == own or name in ("muted_at_entry", "camera_off_at_entry"):
            return True
        if name in ("speak", "camera", "share"):
            return LEVELS.index(value) > LEVELS.index(own)
        if name == "encryption":
            return own != "off" and ENCRYPTIONS.index(value) > ENCRYPTIONS.index(own)
        if name in ("max_minutes", "max_people"):
            return bool(value < own)
        if name == "lobby":
            return bool(value)
        if name == "notice":
            # The house's own words are seen in every room; one may bring words where it has none.
            return not own
        return not value  # guests, chat, live_text, pseudonyms

    def level(self, source: Source) -> Level:
        """Who may use `source`."""
        levels: dict[Source, Level] = {
            "microphone": self.speak,
            "camera": self.camera,
            "screen": self.share,
        }
        return levels[source]

    def sources(
        self, role: Role, given: frozenset[Source], taken: frozenset[Source]
    ) -> tuple[Source, ...]:
        """What somebody may send: by role, what a moderator gave on asking, and took away."""
        if role == "viewer":
            return ()
        if role == "moderator":
            return SOURCES
        return tuple(
            one
            for one in SOURCES
            if one not in taken
            and (self.level(one) == "everyone" or (self.level(one) == "asked" and one in given))
        )

    def data(self, role: Role) -> bool:
        """Whether somebody may send texts: LiveKit's one right covers chat and live text."""
        return role != "viewer" and (self.chat or self.live_text)


PRESETS: dict[str, Policy] = {
    "council": Policy(preset="council", create="staff", lobby=True, share="moderators"),
    "citizens": Policy(
        preset="citizens", create="staff", lobby=False, speak="asked", camera="asked",
        share="moderators", max_people=300, max_minutes=300, pseudonyms=True,
    ),
    "counter": Policy(
        preset="counter", create="staff", lobby=True, share="everyone", max_people=10,
        max_minutes=120, muted_at_entry=False,
    ),
    "school": Policy(preset="school", create="staff", lobby=True, share="asked", max_minutes=300),
    "open": Policy(
        preset="open", create="anyone", lobby=False, share="everyone", pseudonyms=True
    ),
}  # fmt: skip
# Before set-up nobody meets, save in the test room.
BEFORE_SET_UP = PRESETS["council"].model_copy(update={"create": "nobody"})
