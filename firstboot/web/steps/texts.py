"""Texts of law: drafts that the house's own lawyer edits."""

from typing import Any

from firstboot.texts import say
from firstboot.web.forms import Answers, Field, Step, View

KINDS = ("imprint", "privacy", "notice")


def _fields(view: View) -> list[Field]:
    house = view.settings["cluster"]["house"]["name"]
    written = view.settings["cluster"]["texts"]
    return [
        Field(
            one,
            "textarea",
            written[one] or say(view.language, f"setup.texts.{one}_draft", house=house),
            length=50_000,
            more=one != "imprint",
        )
        for one in KINDS
    ]


def _take(answers: Answers, view: View) -> dict[str, Any]:
    del view
    return {"cluster": {"texts": {one: answers.get(one, "").strip() for one in KINDS}}}


STEP = Step("texts", 1, _fields, _take)
