"""The rules of meetings: what may be set one by one, and what each preset says.

meet takes all of this from firstboot.settings, which hands it on. The words for them stand in
texts/*/setup.yaml: of the presets under `meetings`, of the single rules under `rules`.
"""

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field

Create = Literal["nobody", "staff", "anyone"]
Level = Literal["everyone", "asked", "moderators"]
Encryption = Literal["off", "offered", "required"]
PresetName = Literal["council", "citizens", "counter", "school", "open"]
# The least and the most that a rule may say.
LIMITS = {"max_minutes": (5, 1440), "max_people": (2, 300)}
Minutes = Annotated[int, Field(ge=LIMITS["max_minutes"][0], le=LIMITS["max_minutes"][1])]
People = Annotated[int, Field(ge=LIMITS["max_people"][0], le=LIMITS["max_people"][1])]
Switch = Annotated[bool, Field(description="true or false")]

CONFIG = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)


class Rules(BaseModel):
    """Single rules. None: as the preset says, or for a room as its house has it."""

    model_config = CONFIG

    lobby: Switch | None = None
    guests: Switch | None = None
    speak: Level | None = None
    camera: Level | None = None
    share: Level | None = None
    chat: Switch | None = None
    live_text: Switch | None = None
    muted_at_entry: Switch | None = None
    camera_off_at_entry: Switch | None = None
    max_minutes: Minutes | None = None
    max_people: People | None = None
    pseudonyms: Switch | None = None
    encryption: Encryption | None = None

    def given(self) -> dict[str, Any]:
        """Only those that say something."""
        return self.model_dump(exclude_none=True)


class Preset(BaseModel):
    """All rules of a house, each with a value.

    create: who may make rooms. guests: whether people come in who are neither signed in nor hold
    a moderator's link. max_minutes: of one meeting. encryption: whether a room may be encrypted
    end to end, or has to be.
    """

    model_config = CONFIG

    create: Create
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


PRESETS: dict[PresetName, Preset] = {
    "council": Preset(create="staff", lobby=True, share="moderators"),
    "citizens": Preset(
        create="staff", lobby=False, speak="asked", camera="asked", share="moderators",
        max_people=300, max_minutes=300, pseudonyms=True,
    ),
    "counter": Preset(
        create="staff", lobby=True, share="everyone", max_people=10, max_minutes=120,
        muted_at_entry=False,
    ),
    "school": Preset(create="staff", lobby=True, share="asked", max_minutes=300),
    "open": Preset(create="anyone", lobby=False, share="everyone", pseudonyms=True),
}  # fmt: skip
