"""Settings and states in short, for summary, history and overview."""

import datetime
import json
from pathlib import Path
from typing import Any

from firstboot.expiry import Attempt, findings
from firstboot.named import Named
from firstboot.settings import Box
from firstboot.texts import SaidError, say
from firstboot.web.forms import Field, FieldError, Note

STATE = Path("/run/ratssaal/public/state.json")
# Which step asked for a setting: the first part of its name that fits.
ASKED_IN = {
    "box.network": "network",
    "box.reach": "reach",
    "box.host_name": "domain",
    "box.turn_name": "domain",
    "box.certificate": "certificate",
    "box.language": "language",
    "cluster.house": "house",
    "cluster.administration": "administrators",
    "cluster.meetings": "meetings",
    "cluster.texts": "texts",
}


def in_short(name: str, settings: dict[str, Any], language: str) -> str:
    """What was answered in a step, in one line."""
    box, cluster = settings["box"], settings["cluster"]
    people = ", ".join(one["name"] for one in cluster["administration"]["people"])
    texts: dict[str, str] = {
        "network": _network(box["network"], language),
        "house": cluster["house"]["name"],
        "reach": say(language, f"setup.reach.{box['reach']}"),
        "domain": box["host_name"],
        "certificate": say(language, f"setup.certificate.{box['certificate']['kind']}"),
        "administrators": people or say(language, "setup.nothing_yet"),
        "meetings": say(language, f"setup.meetings.{cluster['meetings']['preset']}"),
        "texts": say(language, "setup.texts.kept"),
        "cluster": say(language, "setup.cluster.alone"),
    }
    return texts[name]


def _network(network: dict[str, Any], language: str) -> str:
    """How the box is reached and how it gets out."""
    static = network["mode"] == "static"
    said = str(network["address"]) if static else say(language, "setup.network.dhcp")
    if network["vlan"]:
        said = say(language, "setup.network.in_vlan", address=said, vlan=network["vlan"])
    if network["proxy"]:
        said = say(language, "setup.network.by_proxy", address=said, proxy=network["proxy"])
    return said


def changed_words(what: list[str], language: str) -> list[str]:
    """The titles of the steps in which these settings are answered."""
    found = [step for name in what for prefix, step in ASKED_IN.items() if name.startswith(prefix)]
    return [say(language, f"setup.{step}.title") for step in dict.fromkeys(found)]


def explained(error: SaidError, step: str, fields: list[Field], language: str) -> SaidError:
    """`error`, or where root's side has named a setting that it does not take, its question."""
    if error.said.key != "setup.not_accepted":
        return error
    place = str(error.said.values["answer"]).split(".")
    names = {*place, "_".join(place[-2:])}
    if len(place) > 1 and place[-2].isdecimal():
        names.add(f"{place[-1]}{int(place[-2]) + 1}")
    for field in fields:
        if field.name in names:
            words = say(language, f"setup.{step}.{field.name}")
            return FieldError(field.name, "setup.not_accepted", answer=words)
    return SaidError("setup.not_accepted", answer=say(language, f"setup.{step}.title"))


def healthy(file: Path = STATE) -> bool:
    """Whether all services run, as the box itself has found."""
    try:
        found = json.loads(file.read_text())
    except (OSError, ValueError):
        return False
    return bool(found["ready"])


def certificate_notes(state: dict[str, Any]) -> list[Note]:
    """How the certificate for the public name does."""
    found, tried = state["certificate"], state["attempt"]
    in_place = None
    if found:
        end = datetime.datetime.fromisoformat(found["not_after"])
        in_place = Named(tuple(found["names"]), found["issuer"], end)
    box = state["settings"]["box"] if state["settings"] else Box().model_dump(mode="json")
    attempt = Attempt.of(tried) if tried else None
    now = datetime.datetime.now(datetime.UTC)
    return [Note(severity, said) for severity, said in findings(box, in_place, attempt, now)]
