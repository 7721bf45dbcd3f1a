"""Single rules of meetings beside the preset: for administrators, and not asked at set-up."""

from typing import Any, get_args

from firstboot.settings import LIMITS, PRESETS, Meetings, Preset
from firstboot.texts import Said, say
from firstboot.web.forms import Answers, Field, FieldError, Option, Step, View

# The answer that leaves a rule to the preset.
AS_PRESET = "preset"
SWITCH = {"yes": True, "no": False}
# In the order of the page.
RULES = tuple(name for name in Preset.model_fields)


def _choices(rule: str) -> dict[str, Any]:
    """The answers that a rule has, as a form names them, with their values; none for numbers."""
    if rule in LIMITS:
        return {}
    kind = Preset.model_fields[rule].annotation
    found = SWITCH if kind is bool else {one: one for one in get_args(kind)}
    # Nobody makes rooms only before set-up.
    return {key: value for key, value in found.items() if value != "nobody"}


def says(rule: str, value: Any) -> Said:
    """What a value of a rule means, in words."""
    if rule in LIMITS:
        return Said("setup.rules.number", {"number": value})
    answer = next(key for key, one in _choices(rule).items() if one == value)
    own = rule in ("create", "encryption")
    return Said(f"setup.rules.{rule}_{answer}" if own else f"setup.rules.{answer}")


def own(settings: dict[str, Any], language: str) -> list[str]:
    """The rules that are set beside the preset, each with its value, in words."""
    meetings = Meetings.model_validate(settings["cluster"]["meetings"]).own()
    return [
        say(
            language,
            "setup.rules.one",
            rule=say(language, f"setup.rules.{one}"),
            says=says(one, meetings[one]).text(language),
        )
        for one in RULES
        if one in meetings
    ]


def _fields(view: View) -> list[Field]:
    meetings = view.settings["cluster"]["meetings"]
    whole = PRESETS[meetings["preset"]].model_dump()
    name = Said(f"setup.meetings.{meetings['preset']}")
    found = []
    for rule in RULES:
        as_preset: dict[str, object] = {"preset": name, "says": says(rule, whole[rule])}
        value = meetings[rule]
        if rule in LIMITS:
            least, most = LIMITS[rule]
            hint = Said("setup.rules.number_hint", {**as_preset, "least": least, "most": most})
            shown = "" if value is None else str(value)
            found.append(Field(rule, value=shown, mode="numeric", length=4, hint=hint))
            continue
        choices = _choices(rule)
        chosen = next((key for key, one in choices.items() if one == value), AS_PRESET)
        options = (
            Option(AS_PRESET, Said("setup.rules.as_preset", as_preset)),
            *(Option(key, says(rule, one)) for key, one in choices.items()),
        )
        found.append(Field(rule, "select", chosen, options, required=True))
    return found


def _number(answers: Answers, rule: str) -> int | None:
    least, most = LIMITS[rule]
    typed = answers.get(rule, "").strip()
    if not typed:
        return None
    digits = typed.isascii() and typed.isdecimal() and len(typed) <= len(str(most))
    if not (digits and least <= int(typed) <= most):
        raise FieldError(rule, f"setup.rules.{rule}_number", least=least, most=most)
    return int(typed)


def _choice(answers: Answers, rule: str) -> Any:
    answer, choices = answers.get(rule), _choices(rule)
    if answer == AS_PRESET:
        return None
    if answer not in choices:
        raise FieldError(rule, "setup.choose_one")
    return choices[answer]


def _take(answers: Answers, view: View) -> dict[str, Any]:
    del view
    given = {
        rule: _number(answers, rule) if rule in LIMITS else _choice(answers, rule) for rule in RULES
    }
    return {"cluster": {"meetings": given}}


STEP = Step("rules", 1, _fields, _take)
