"""Policies: what presets allow, and that a room is never laxer than its house."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from firstboot.settings import Meetings
from meet.names import Source
from meet.policy import BEFORE_SET_UP, ENCRYPTIONS, LEVELS, PRESETS, SOURCES, Policy, Rules

pytestmark = pytest.mark.unit

NONE: frozenset[Source] = frozenset()
RULES = st.builds(
    Rules,
    lobby=st.none() | st.booleans(),
    guests=st.none() | st.booleans(),
    speak=st.none() | st.sampled_from(LEVELS),
    camera=st.none() | st.sampled_from(LEVELS),
    share=st.none() | st.sampled_from(LEVELS),
    chat=st.none() | st.booleans(),
    live_text=st.none() | st.booleans(),
    max_minutes=st.none() | st.integers(5, 1440),
    max_people=st.none() | st.integers(2, 300),
    pseudonyms=st.none() | st.booleans(),
    encryption=st.none() | st.sampled_from(ENCRYPTIONS),
)


def test_every_preset_of_the_settings_has_its_policy() -> None:
    for name, policy in PRESETS.items():
        assert Meetings.model_validate({"preset": name}).preset == policy.preset == name
    assert Meetings().preset in PRESETS
    schema = Meetings.model_json_schema()["properties"]["preset"]["enum"]
    assert sorted(schema) == sorted(PRESETS)


def test_presets_do_what_their_texts_say() -> None:
    council, citizens, open_ = PRESETS["council"], PRESETS["citizens"], PRESETS["open"]
    assert (council.create, council.lobby, council.share) == ("staff", True, "moderators")
    assert (council.muted_at_entry, council.camera_off_at_entry) == (True, True)
    assert (citizens.speak, citizens.pseudonyms) == ("asked", True)
    assert (PRESETS["counter"].lobby, PRESETS["school"].share) == (True, "asked")
    assert (open_.create, open_.lobby) == ("anyone", False)
    assert BEFORE_SET_UP.create == "nobody"


@given(st.sampled_from(sorted(PRESETS)), RULES)
def test_a_room_is_never_laxer_than_its_house(name: str, rules: Rules) -> None:
    house = PRESETS[name]
    room = house.with_rules(rules)
    assert room.create == house.create
    assert room.lobby >= house.lobby
    for field in ("guests", "chat", "live_text", "pseudonyms"):
        assert getattr(room, field) <= getattr(house, field)
    for field in ("speak", "camera", "share"):
        assert LEVELS.index(getattr(room, field)) >= LEVELS.index(getattr(house, field))
    assert room.max_minutes <= house.max_minutes
    assert room.max_people <= house.max_people
    assert ENCRYPTIONS.index(room.encryption) >= ENCRYPTIONS.index(house.encryption)
    # What is not laxer is obeyed, and what is, is named.
    for field, value in rules.given().items():
        assert (getattr(room, field) == value) is (field not in house.loosened(rules))


@pytest.mark.parametrize("level", LEVELS)
def test_what_is_sent_follows_role_and_level(level: Any) -> None:
    policy = PRESETS["open"].model_copy(update={"speak": level})
    every = frozenset(SOURCES)
    assert policy.sources("viewer", every, NONE) == ()
    assert policy.sources("moderator", NONE, NONE) == SOURCES
    assert ("microphone" in policy.sources("participant", NONE, NONE)) is (level == "everyone")
    assert ("microphone" in policy.sources("participant", every, NONE)) is (level != "moderators")
    assert "microphone" not in policy.sources("participant", every, every)


def test_texts_are_for_those_who_take_part_where_any_are_allowed() -> None:
    policy: Policy = PRESETS["council"]
    assert policy.data("participant")
    assert not policy.data("viewer")
    assert policy.model_copy(update={"chat": False}).data("participant")
    silent = policy.model_copy(update={"chat": False, "live_text": False})
    assert not silent.data("moderator")
