"""Policies: what presets allow, and that a room is never laxer than its house."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from firstboot.settings import Meetings, Preset
from firstboot.settings import Rules as HouseRules
from meet.house import House
from meet.names import Source, Topic
from meet.policy import BEFORE_SET_UP, ENCRYPTIONS, LEVELS, PRESETS, SOURCES, Policy, Rules

pytestmark = pytest.mark.unit

TOPICS: tuple[Topic, ...] = ("chat", "text")
NONE: frozenset[Source] = frozenset()
ANY: dict[str, st.SearchStrategy[Any]] = {
    **dict.fromkeys(("lobby", "guests", "chat", "live_text", "pseudonyms"), st.booleans()),
    **dict.fromkeys(("muted_at_entry", "camera_off_at_entry"), st.booleans()),
    **dict.fromkeys(("speak", "camera", "share"), st.sampled_from(LEVELS)),
    "max_minutes": st.integers(5, 1440),
    "max_people": st.integers(2, 300),
    "encryption": st.sampled_from(ENCRYPTIONS),
}
PERHAPS = {name: st.none() | values for name, values in ANY.items()}
RULES = st.builds(Rules, **PERHAPS)
HOUSES = st.builds(
    Meetings,
    preset=st.sampled_from(sorted(PRESETS)),
    create=st.sampled_from([None, "staff", "anyone"]),
    **PERHAPS,
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


def test_rules_of_rooms_houses_and_presets_have_the_same_names() -> None:
    assert set(ANY) == set(HouseRules.model_fields) == set(Rules.model_fields) - {"notice"}
    assert set(Preset.model_fields) == {*ANY, "create"}
    assert set(Policy.model_fields) == {*Preset.model_fields, "preset", "notice"}


@given(HOUSES)
def test_a_house_loosens_and_tightens_its_preset_as_it_likes(meetings: Meetings) -> None:
    shared = {"meetings": meetings.model_dump(), "texts": {"notice": "Bitte leise."}}
    policy = House.of("a.example", shared).policy
    for name, value in PRESETS[meetings.preset].model_dump(exclude={"notice"}).items():
        given_value = getattr(meetings, name)
        assert getattr(policy, name) == (value if given_value is None else given_value), name
    assert policy.notice == "Bitte leise."


@given(HOUSES, RULES)
def test_a_room_is_never_laxer_than_its_house(meetings: Meetings, rules: Rules) -> None:
    house = Policy.of(meetings)
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
    silent = policy.model_copy(update={"chat": False, "live_text": False})
    assert not silent.data("moderator")
    assert not any(silent.relays("moderator", topic) for topic in TOPICS)


@pytest.mark.parametrize(("off", "on"), [("chat", "text"), ("live_text", "chat")])
def test_where_only_chat_or_live_text_is_on_the_service_passes_that_on(off: str, on: Topic) -> None:
    policy = PRESETS["council"].model_copy(update={off: False})
    assert not policy.data("moderator")
    for role in ("moderator", "participant"):
        assert [topic for topic in TOPICS if policy.relays(role, topic)] == [on]
    assert not policy.relays("viewer", on)
    # What is encrypted the service could not read.
    encrypted = policy.model_copy(update={"encryption": "required"})
    assert encrypted.data("participant")
    assert not encrypted.relays("participant", on)
