"""Who may meet, and how: one of five presets, each explained in two lines."""

from typing import Any

from firstboot.settings import PRESETS as PRESETS
from firstboot.texts import Said
from firstboot.web.forms import Answers, Field, FieldError, Note, Option, Step, View
from firstboot.web.steps import rules


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


def _notes(view: View) -> list[Note]:
    own = "; ".join(rules.own(view.settings, view.language))
    return [Note("note", Said("setup.meetings.own_stay", {"rules": own}))] if own else []


STEP = Step("meetings", 1, _fields, _take, _notes)
