"""Single rules of meetings: administrators set them beside the preset, each by its own question."""

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from firstboot.settings import LIMITS, PRESETS, Meetings, Settings
from firstboot.store import Draft
from firstboot.texts import LANGUAGES, say
from firstboot.web.steps.rules import AS_PRESET, RULES, STEP, own, says
from tests.unit.firstboot.web.conftest import Clerk, House
from tests.unit.firstboot.web.test_pages import BOTH, TEXTS, _view, assert_readable

pytestmark = pytest.mark.unit

PAGE = "/admin/settings/rules"
NOTHING = {one: "" if one in LIMITS else AS_PRESET for one in RULES}
# Each rule once, other than every preset has it, as a form says it and as settings have it.
OTHERWISE: dict[str, tuple[str, Any]] = {
    "guests": ("no", False),
    "speak": ("moderators", "moderators"),
    "camera": ("moderators", "moderators"),
    "chat": ("no", False),
    "live_text": ("no", False),
    "camera_off_at_entry": ("no", False),
    "max_minutes": ("45", 45),
    "max_people": (" 12 ", 12),
    "encryption": ("required", "required"),
}


@pytest.fixture
def anna(ready: Clerk) -> Clerk:
    """An administrator on the page of the rules."""
    ready.sign_in()
    ready.get(PAGE)
    return ready


def kept(house: House) -> Meetings:
    """What the draft says of meetings."""
    return Draft(house.box.store).settings().cluster.meetings


def shown(clerk: Clerk) -> dict[str, str]:
    """The answers that stand in the open form."""
    return {one: clerk.seen.value(one) for one in RULES}


def test_the_page_asks_for_every_rule_that_settings_have(house: House, anna: Clerk) -> None:
    assert set(RULES) == set(Meetings.model_fields) - {"preset"}
    assert [one.name for one in STEP.fields(_view(house))] == list(RULES)
    assert shown(anna) == NOTHING


@BOTH
def test_each_rule_says_what_the_preset_says_of_it(
    house: House, ready: Clerk, language: str
) -> None:
    clerk = house.visitor(language)
    clerk.sign_in()
    for preset, whole in PRESETS.items():
        clerk.get("/admin/settings/meetings")
        clerk.send("/admin/settings/meetings", preset=preset)
        page = clerk.get(PAGE).text
        assert_readable(page, language)
        options = [one for one in clerk.seen.all("option") if one.attributes["value"] == AS_PRESET]
        hints = [one.text for one in clerk.seen.all("div") if "kern-hint" in str(one.attributes)]
        name = say(language, f"setup.meetings.{preset}")
        told = iter(options)
        for rule, value in whole.model_dump().items():
            if rule in LIMITS:
                assert any(name in hint and f": {value} (" in hint for hint in hints), rule
            else:
                words = says(rule, value).text(language)
                assert next(told).text.startswith(f"{words} ("), (preset, rule)
        assert next(told, None) is None
    del ready


def test_a_rule_is_set_shown_brought_into_force_and_left_to_the_preset_again(
    house: House, anna: Clerk
) -> None:
    anna.send(PAGE, **NOTHING | {"share": "everyone", "lobby": "no", "max_minutes": "45"})
    assert anna.place == "/admin/settings/summary"
    told = "In der Lobby warten, bis die Leitung einlässt: Nein; Bildschirm teilen: Alle; "
    told += "Höchste Dauer einer Sitzung in Minuten: 45"
    assert f"{told} (bisher: Wie „Rat und Ausschüsse“)" in anna.page
    assert "Rat und Ausschüsse, mit eigenen Regeln" in anna.page
    anna.send("/admin/settings/apply")
    assert house.box.converge()
    generation = house.box.store.generation(2)
    assert generation.what == (
        "cluster.meetings.lobby", "cluster.meetings.max_minutes", "cluster.meetings.share",
    )  # fmt: skip
    in_force = house.box.store.settings(2).cluster.meetings
    assert in_force.own() == {"share": "everyone", "lobby": False, "max_minutes": 45}
    anna.get("/admin/")
    assert [one.text for one in anna.seen.all("td")][2] == "Regeln im Einzelnen"
    assert told in anna.page
    anna.send("/admin/undo", number="1")
    assert f"Wie „Rat und Ausschüsse“ (bisher: {told})" in anna.page
    anna.get(PAGE)
    assert shown(anna) == NOTHING | {"share": "everyone", "lobby": "no", "max_minutes": "45"}
    anna.send(PAGE, **NOTHING)
    assert kept(house) == Meetings()


def test_each_answer_is_the_rule_of_its_name(house: House, anna: Clerk) -> None:
    for rule, (answer, value) in OTHERWISE.items():
        anna.get(PAGE)
        anna.send(PAGE, **NOTHING | {rule: answer})
        assert anna.place == "/admin/settings/summary", rule
        assert kept(house).own() == {rule: value}
        for language in LANGUAGES:
            (words,) = own(Draft(house.box.store).public()["settings"], language)
            assert words.startswith(say(language, f"setup.rules.{rule}") + ": ")


def test_every_choice_is_one_that_settings_take_and_that_is_shown_again(
    house: House, ready: Clerk
) -> None:
    view = _view(house)
    for field in STEP.fields(view):
        for option in field.options:
            part = STEP.take(NOTHING | {field.name: option.value}, view)
            made = Settings.model_validate(part).model_dump(mode="json")
            drawn = STEP.fields(replace(view, settings=made))
            answers = NOTHING | {field.name: option.value}
            assert {one.name: one.value for one in drawn} == answers
    del ready


WRONG = (
    *(("share", one) for one in ("nobody", "", "yes", "EVERYONE")),
    *(("create", "nobody"), ("lobby", "asked"), ("chat", "true"), ("encryption", "yes")),
    *(("max_minutes", one) for one in ("4", "1441", "-30", "9" * 4000, "zwei Stunden")),
    *(("max_people", one) for one in ("1", "301", "٣٠", "12.5")),
)


def test_what_a_rule_cannot_say_is_refused_at_its_question(house: House, anna: Clerk) -> None:
    for rule, answer in WRONG:
        sent = NOTHING | {"camera": "asked", rule: answer}
        assert anna.send(PAGE, **sent).status_code == 422, (rule, answer)
        (wrong,) = [
            one for one in anna.seen.elements if one.attributes.get("id", "").endswith("-error")
        ]
        assert wrong.attributes["id"] == f"{rule}-error"
        if rule in LIMITS:
            assert all(str(one) in wrong.text for one in LIMITS[rule])
            assert anna.seen.value(rule) == answer
        assert anna.seen.value("camera") == "asked"
        assert_readable(anna.page, "de")
        assert kept(house) == Meetings()


def test_a_form_without_one_of_the_choices_changes_nothing(house: House, anna: Clerk) -> None:
    sent = {name: answer for name, answer in NOTHING.items() if name != "chat"}
    assert anna.send(PAGE, **sent | {"share": "everyone"}).status_code == 422
    assert kept(house) == Meetings()


def test_set_up_does_not_ask_for_single_rules_and_says_where_they_are(inside: Clerk) -> None:
    assert inside.get("/setup/rules").status_code == 404
    inside.walk()
    assert "/setup/rules" not in inside.page
    inside.get("/setup/meetings")
    assert "in der Verwaltung auch jede Regel einzeln" in inside.page
    assert "Eigens festgelegt" not in inside.page


def test_rules_stay_whatever_preset_is_chosen_and_the_page_says_so(
    house: House, anna: Clerk
) -> None:
    anna.send(PAGE, **NOTHING | {"chat": "no"})
    anna.get("/admin/settings/meetings")
    assert "Eigens festgelegt ist: Chat: Nein." in anna.page
    anna.send("/admin/settings/meetings", preset="open")
    assert kept(house) == Meetings(preset="open", chat=False)
    assert "Offen, mit eigenen Regeln" in anna.page


def test_a_clerk_is_told_of_rules_that_came_with_a_draft(house: House, inside: Clerk) -> None:
    inside.walk()
    made = Settings.model_validate({"cluster": {"meetings": {"preset": "school", "chat": False}}})
    Draft(house.box.store).begin(made)
    inside.get("/setup/summary")
    inside.get("/setup/meetings")
    assert "Eigens festgelegt ist: Chat: Nein." in inside.page
    inside.send("/setup/meetings", preset="school")
    inside.get("/setup/summary")
    assert "Schule und Volkshochschule, mit eigenen Regeln" in inside.page
    assert "/setup/rules" not in inside.page


def test_a_page_from_before_somebody_elses_change_is_told_so(house: House, anna: Clerk) -> None:
    before = anna.page
    anna.send(PAGE, **NOTHING | {"chat": "no"})
    anna.page = before
    assert anna.send(PAGE, **NOTHING | {"share": "asked"}).status_code == 422
    assert say("de", "store.somebody_else") in anna.page
    assert "Auf Freigabe der Leitung" in [one.text for one in anna.seen.all("dd")]
    assert shown(anna) == NOTHING | {"chat": "no"}
    assert kept(house).own() == {"chat": False}


@settings(
    max_examples=12,
    derandomize=True,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(answers=st.fixed_dictionaries({}, optional=dict.fromkeys((*RULES, "revision"), TEXTS)))
def test_no_answer_breaks_the_page(anna: Clerk, answers: dict[str, str]) -> None:
    anna.get(PAGE)
    assert anna.send(PAGE, **NOTHING | answers).status_code in (200, 422)
