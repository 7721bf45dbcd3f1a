"""Who may meet, and how: one of five presets, each explained in two lines."""

from typing import Any

from firstboot.texts import Said
from firstboot.web.forms import Answers, Field, FieldError, Option, Step, View

PRESETS = ("council", "citizens", "counter", "school", "open")


def _fields(view: View) -> list[Field]:
    options = tuple(
        Option(one, Said(f"setup.meetings.{one}"), Said(f"setup.meetings.{one}_hint"))
        for one in PRESETS
    )
    chosen = view.settings["cluster"]["meetings"]["preset"]
    return [Field("preset", "radio", chosen, options, required=True)]


def _take(answers: Answers, view: View) -> dict[str, Any]:
    del view
    if answers.get("preset") not in PRESETS:
        raise FieldError("preset", "setup.choose_one")
    return {"cluster": {"meetings": {"preset": answers["preset"]}}}


STEP = Step("meetings", 1, _fields, _take)
