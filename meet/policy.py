"""What a house allows in its meetings, and what of it a single room may change.

A house has one of the presets, and sets single rules as it likes, stricter or laxer; a room may
only be stricter than its house. Rules and presets are those of the settings (firstboot.rules).
"""

from typing import Annotated, Any

from pydantic import Field

from firstboot.settings import PRESETS as WHOLE
from firstboot.settings import Encryption, Level, Meetings, Preset
from firstboot.settings import Rules as HouseRules
from meet.names import Role, Source, Topic

Notice = Annotated[str, Field(max_length=2000)]

# From the laxest to the strictest: a room may move to the right alone.
LEVELS: tuple[Level, ...] = ("everyone", "asked", "moderators")
ENCRYPTIONS: tuple[Encryption, ...] = ("off", "offered", "required")
SOURCES: tuple[Source, ...] = ("microphone", "camera", "screen")


class Rules(HouseRules):
    """What one room does otherwise than its house; what is None is as the house has it."""

    notice: Notice | None = None


class Policy(Preset):
    """All that is allowed in one room, or in the house where no room says otherwise."""

    preset: str
    notice: Notice = ""

    @staticmethod
    def of(meetings: Meetings, notice: str = "") -> "Policy":
        """The policy of a house: its preset, and over it the rules that it has set itself."""
        rules = WHOLE[meetings.preset].model_dump() | meetings.own()
        return Policy.model_validate({**rules, "preset": meetings.preset, "notice": notice})

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
        """Whether LiveKit may take texts from somebody: its one right covers chat and live text.

        Where only one of them is on, the service passes texts on; in an encrypted room it could not
        read whether they are of that one.
        """
        if role == "viewer":
            return False
        some = self.chat or self.live_text
        return some if self.encryption == "required" else self.chat and self.live_text

    def relays(self, role: Role, topic: Topic) -> bool:
        """Whether the service passes texts on that somebody writes.

        Also where LiveKit would take them: whoever is there when the house allows more has no right
        there yet.
        """
        on = self.chat if topic == "chat" else self.live_text
        return on and role != "viewer" and self.encryption != "required"


PRESETS: dict[str, Policy] = {one: Policy.of(Meetings(preset=one)) for one in WHOLE}
# Before set-up nobody meets, save in the test room.
BEFORE_SET_UP = PRESETS["council"].model_copy(update={"create": "nobody"})
