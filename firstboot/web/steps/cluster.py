"""Whether the box stands alone. Joining others comes through this same step."""

from typing import Any

from firstboot.texts import Said
from firstboot.web.forms import Answers, Field, Option, Step, View


def _fields(view: View) -> list[Field]:
    del view
    alone = Option("alone", Said("setup.cluster.alone"), Said("setup.cluster.alone_hint"))
    return [Field("cluster", "radio", "alone", (alone,), required=True)]


def _take(answers: Answers, view: View) -> dict[str, Any]:
    del answers, view
    return {}


STEP = Step("cluster", 1, _fields, _take)
