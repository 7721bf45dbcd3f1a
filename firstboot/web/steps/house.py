"""The municipality as its guests see it."""

import base64
from typing import Any

from firstboot.web.forms import Answers, Field, FieldError, Step, View

LOGO_BYTES = 250_000
PNG = b"\x89PNG\r\n\x1a\n"


def _fields(view: View) -> list[Field]:
    house = view.settings["cluster"]["house"]
    name = "" if house["name"] == "Ratssaal" else house["name"]
    return [
        Field("name", value=name, required=True, length=80, autocomplete="organization"),
        Field("colour", "colour", house["colour"], more=True),
        Field("logo", "file", more=True),
    ]


def _take(answers: Answers, view: View) -> dict[str, Any]:
    name = answers.get("name", "").strip()
    if not name:
        raise FieldError("name", "setup.house.name_missing")
    house: dict[str, Any] = {"name": name, "colour": answers.get("colour") or "#0b4f8a"}
    if answers.get("logo"):
        try:
            picture = base64.b64decode(answers["logo"], validate=True)
        except ValueError as error:
            raise FieldError("logo", "setup.house.logo_kind") from error
        # A PNG alone: an SVG could carry programs, which the page of every guest would run.
        if not picture.startswith(PNG):
            raise FieldError("logo", "setup.house.logo_kind")
        if len(picture) > LOGO_BYTES:
            raise FieldError("logo", "setup.house.logo_size", limit=LOGO_BYTES // 1000)
        house["logo"] = answers["logo"]
    del view
    return {"cluster": {"house": house}}


STEP = Step("house", 1, _fields, _take)
