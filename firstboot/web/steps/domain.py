"""The box's public name: asked, diagnosed, and never a reason to stop."""

import ipaddress
import json
import re
import time
from dataclasses import replace
from typing import Any

from firstboot.names.domain import diagnose
from firstboot.names.hostname import check_name
from firstboot.names.letters import Kind, letter
from firstboot.names.lookup import Facts, LoopResult, gather
from firstboot.names.loop import reach_itself
from firstboot.screen.anew import STATE
from firstboot.texts import SaidError
from firstboot.web.forms import Answers, Field, FieldError, Letter, Note, Step, View
from firstboot.web.steps.certificate import suggested
from firstboot.web.steps.network import look as look_at_cards

LOCAL = "ratssaal.local"
LETS_ENCRYPT = re.compile(r"https?://[a-z0-9.-]+\.letsencrypt\.org([:/]|$)", re.IGNORECASE)


def _fields(view: View) -> list[Field]:
    name = view.settings["box"]["host_name"]
    return [Field("host_name", value="" if name == LOCAL else name, mode="url", length=253)]


def _take(answers: Answers, view: View) -> dict[str, Any]:
    _known.clear()  # whoever sends the name wants to know how it is now
    typed = answers.get("host_name", "").strip()
    try:
        name = check_name(typed) if typed else LOCAL
    except SaidError as error:
        raise FieldError("host_name", error.said.key, **error.said.values) from error
    if name == view.settings["box"]["host_name"]:
        return {"box": {"host_name": name}}  # the relay's may be one of its own
    return {"box": {"host_name": name, "turn_name": f"turn.{name}"}}


def _own(settings: dict[str, Any]) -> list[str]:
    cards = look_at_cards(settings)["cards"]
    return [address for card in cards for address in card["addresses"]]


# What came of the box's last connection to itself, and when (monotonic seconds). Pages are seen
# more often than routers change, and one that drops what comes from inside costs three seconds.
_known: dict[tuple[str, Facts], tuple[float, LoopResult | None]] = {}
KNOWN_SECONDS = 60.0


def own_connection(name: str, facts: Facts) -> LoopResult | None:
    """Whether the box reaches itself, as found at most a minute ago for the same facts.

    None, too, as long as it has no state to know itself by.
    """
    asked = (name, facts)
    then, result = _known.get(asked, (0.0, None))
    if asked not in _known or time.monotonic() - then > KNOWN_SECONDS:
        result = _own_connection(name, facts)
        _known.clear()
        _known[asked] = (time.monotonic(), result)
    return result


def _own_connection(name: str, facts: Facts) -> LoopResult | None:
    try:
        version = json.loads(STATE.read_text())["version"]
    except OSError:
        return None
    return reach_itself(name, facts, version)


def ca_domain(certificate: dict[str, Any]) -> str | None:
    """By what name CAA records know the authority that is to issue; None where none is known."""
    known = certificate["kind"] == "acme" and LETS_ENCRYPT.match(certificate["directory"] or "")
    return "letsencrypt.org" if known else None


def _look(settings: dict[str, Any]) -> dict[str, Any]:
    box = settings["box"]
    name, own = box["host_name"], _own(settings)
    if name == LOCAL:
        return {"own": own}
    facts = gather(name, own, turn=box["turn_name"])
    facts = replace(facts, loop=own_connection(name, facts))
    return {"own": own, "facts": facts}


def _notes(view: View) -> list[Note]:
    box, facts = view.settings["box"], view.facts.get("facts")
    if facts is None:
        return []
    # The step of the certificate follows: what it suggests has to be possible.
    found = diagnose(box["host_name"], facts, box["reach"], ca_domain(suggested(view)))
    return [Note(one.severity, one.said) for one in found.findings]


def _letters(view: View) -> list[Letter]:
    name = view.settings["box"]["host_name"]
    own = view.facts.get("own", [])
    # A name of the house alone is no matter of the provider's.
    if name == LOCAL or not own or view.settings["box"]["reach"] == "house":
        return []
    kind: Kind = "datacentre" if view.settings["box"]["reach"] == "datacentre" else "provider"
    house = view.settings["cluster"]["house"]["name"]
    inside = [one for one in own if ":" not in one] or own
    private = not ipaddress.ip_address(inside[0]).is_global
    public = [one for one in own if ":" in one and ipaddress.ip_address(one).is_global]
    written = letter(
        kind,
        view.language,
        name,
        inside[0],
        house,
        private,
        public[0] if public else None,
        view.settings["box"]["turn_name"],
    )
    return [Letter(kind, written.subject, written.body)]


STEP = Step("domain", 1, _fields, _take, _notes, _letters, _look, take_looks=False)
