"""The box's public name: asked, diagnosed, and never a reason to stop."""

import ipaddress
from typing import Any

from firstboot.domain import check_name, diagnose, gather
from firstboot.letters import Kind, letter
from firstboot.texts import SaidError
from firstboot.web.forms import Answers, Field, FieldError, Letter, Note, Step, View
from firstboot.web.steps.network import look as look_at_cards

LOCAL = "ratssaal.local"


def _fields(view: View) -> list[Field]:
    name = view.settings["box"]["host_name"]
    return [Field("host_name", value="" if name == LOCAL else name, mode="url", length=253)]


def _take(answers: Answers, view: View) -> dict[str, Any]:
    del view
    typed = answers.get("host_name", "").strip()
    if not typed:
        return {"box": {"host_name": LOCAL, "turn_name": ""}}
    try:
        name = check_name(typed)
    except SaidError as error:
        raise FieldError("host_name", error.said.key, **error.said.values) from error
    return {"box": {"host_name": name, "turn_name": f"turn.{name}"}}


def _own(settings: dict[str, Any]) -> list[str]:
    cards = look_at_cards(settings)["cards"]
    return [address for card in cards for address in card["addresses"]]


def _look(settings: dict[str, Any]) -> dict[str, Any]:
    box = settings["box"]
    own = _own(settings)
    if box["host_name"] == LOCAL:
        return {"own": own, "findings": []}
    facts = gather(box["host_name"], own)
    found = diagnose(box["host_name"], facts, box["reach"], None)
    return {"own": own, "findings": found.findings}


def _notes(view: View) -> list[Note]:
    return [Note(one.severity, one.said) for one in view.facts.get("findings", ())]


def _letters(view: View) -> list[Letter]:
    name = view.settings["box"]["host_name"]
    own = view.facts.get("own", [])
    if name == LOCAL or not own:
        return []
    kind: Kind = "datacentre" if view.settings["box"]["reach"] == "datacentre" else "provider"
    house = view.settings["cluster"]["house"]["name"]
    inside = [one for one in own if ":" not in one] or own
    private = not ipaddress.ip_address(inside[0]).is_global
    public = [one for one in own if ":" in one and ipaddress.ip_address(one).is_global]
    written = letter(
        kind, view.language, name, inside[0], house, private, public[0] if public else None
    )
    return [Letter(kind, written.subject, written.body)]


STEP = Step("domain", 1, _fields, _take, _notes, _letters, _look)
