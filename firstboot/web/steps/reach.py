"""Who reaches the box: the house alone, everybody, or everybody through a data centre."""

from typing import Any

from firstboot.texts import Said
from firstboot.web.forms import Answers, Field, FieldError, Option, Step, View

KINDS = ("house", "public", "datacentre")


def _fields(view: View) -> list[Field]:
    options = tuple(
        Option(one, Said(f"setup.reach.{one}"), Said(f"setup.reach.{one}_hint")) for one in KINDS
    )
    return [Field("reach", "radio", view.settings["box"]["reach"], options, required=True)]


def _take(answers: Answers, view: View) -> dict[str, Any]:
    del view
    if answers.get("reach") not in KINDS:
        raise FieldError("reach", "setup.choose_one")
    return {"box": {"reach": answers["reach"]}}


STEP = Step("reach", 1, _fields, _take)
