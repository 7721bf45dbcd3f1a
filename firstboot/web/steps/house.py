"""The municipality as its guests see it: name, colour and picture."""

import base64
import re
from typing import Any
from xml.etree.ElementTree import ParseError

import defusedxml.ElementTree
from defusedxml import DefusedXmlException

from firstboot.house import LEAST_CONTRAST, contrast_with_white, kind
from firstboot.texts import Said
from firstboot.web.forms import Answers, Field, FieldError, Note, Step, View

LOGO_BYTES = 250_000
SVG = "{http://www.w3.org/2000/svg}svg"
COLOUR = re.compile(r"#[0-9A-Fa-f]{6}")


def _fields(view: View) -> list[Field]:
    house = view.settings["cluster"]["house"]
    name = "" if house["name"] == "Ratssaal" else house["name"]
    found = [
        Field("name", value=name, required=True, length=80, autocomplete="organization"),
        Field("colour", "colour", house["colour"], more=True),
        Field("logo", "file", more=True),
    ]
    if house["logo"]:
        found.append(Field("logo_off", "checkbox", more=True))
    return found


def _check_picture(picture: bytes) -> None:
    """Raise FieldError for what is no picture that the box takes.

    An SVG may hold programs: the web server sends it so that no browser runs them.
    """
    if len(picture) > LOGO_BYTES:
        raise FieldError("logo", "setup.house.logo_size", limit=LOGO_BYTES // 1000)
    if kind(picture) == "png":
        if picture[12:16] != b"IHDR" or b"IEND" not in picture[-16:]:
            raise FieldError("logo", "setup.house.logo_broken")
        return
    try:
        root = defusedxml.ElementTree.fromstring(picture)
    except DefusedXmlException as error:
        raise FieldError("logo", "setup.house.logo_entities") from error
    except (ParseError, ValueError, LookupError) as error:
        raise FieldError("logo", "setup.house.logo_kind") from error
    if root.tag != SVG:
        raise FieldError("logo", "setup.house.logo_kind")


def _take(answers: Answers, view: View) -> dict[str, Any]:
    del view
    name = answers.get("name", "").strip()
    if not name:
        raise FieldError("name", "setup.house.name_missing")
    colour = answers.get("colour") or "#0b4f8a"
    if not COLOUR.fullmatch(colour):
        raise FieldError("colour", "setup.house.colour_kind")
    if contrast_with_white(colour) < LEAST_CONTRAST:
        raise FieldError("colour", "setup.house.colour_light")
    house: dict[str, Any] = {"name": name, "colour": colour}
    if answers.get("logo"):
        try:
            picture = base64.b64decode(answers["logo"], validate=True)
        except ValueError as error:
            raise FieldError("logo", "setup.house.logo_kind") from error
        _check_picture(picture)
        house["logo"] = answers["logo"]
    elif answers.get("logo_off"):
        house["logo"] = None
    return {"cluster": {"house": house}}


def _notes(view: View) -> list[Note]:
    kept = view.settings["cluster"]["house"]["logo"]
    return [Note("good", Said("setup.house.logo_kept"))] if kept else []


STEP = Step("house", 1, _fields, _take, _notes)
