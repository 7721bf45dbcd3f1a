"""Settings and states in short, for summary, history and overview."""

import datetime
from dataclasses import dataclass
from typing import Any

from firstboot.certificates.expiry import Attempt, findings
from firstboot.certificates.named import Named
from firstboot.settings import Box
from firstboot.texts import LANGUAGES, Said, SaidError, say
from firstboot.web.forms import Field, FieldError, Note
from firstboot.web.steps import rules

# Which step asked for a setting: the first part of its name that fits.
ASKED_IN = {
    "box.install": "install",
    "box.network": "network",
    "box.reach": "reach",
    "box.host_name": "domain",
    "box.turn_name": "domain",
    "box.certificate": "certificate",
    "box.language": "language",
    "box.recovery_key_for": "administrators",
    "cluster.house": "house",
    "cluster.administration": "administrators",
    "cluster.meetings.preset": "meetings",
    "cluster.meetings": "rules",
    "cluster.texts": "texts",
}
# Those that are answered elsewhere than in a step.
ELSEWHERE = ("", "language", "install")
TEXTS = ("imprint", "privacy", "notice")


def _texts_in_short(cluster: dict[str, Any], language: str) -> str:
    """Whether somebody has looked at the texts of law, and has made them the house's own."""
    house, texts = cluster["house"]["name"], cluster["texts"]
    if not any(texts.values()):
        return say(language, "setup.texts.unseen")
    drafts = {
        say(one, f"setup.texts.{name}_draft", house=house).strip()
        for one in LANGUAGES
        for name in TEXTS
    }
    if all(not text or text.strip() in drafts for text in texts.values()):
        return say(language, "setup.texts.kept")
    gaps = any("[" in text for text in texts.values())
    return say(language, "setup.texts.gaps" if gaps else "setup.texts.own")


@dataclass(frozen=True)
class Change:
    """What would be different about one step's answers: in short before and after, and which."""

    step: str
    before: str
    after: str
    questions: tuple[str, ...]


def step_of(setting: str) -> str:
    """The step that asks for a setting such as `box.host_name`; empty where none does."""
    found = [step for prefix, step in ASKED_IN.items() if setting.startswith(prefix)]
    return found[0] if found else ""


def differences(
    what: list[str], before: dict[str, Any], after: dict[str, Any], language: str
) -> list[Change]:
    """`what` differs between two settings without secrets, by the steps that ask for it."""
    found: list[Change] = []
    for step in dict.fromkeys(step_of(one) for one in what):
        if step in ELSEWHERE:
            continue
        names = [one for one in what if step_of(one) == step]
        questions = dict.fromkeys(filter(None, (_question(step, one, language) for one in names)))
        one, other = in_short(step, before, language), in_short(step, after, language)
        found.append(Change(step, one, other, tuple(questions)))
    return found


def _question(step: str, setting: str, language: str) -> str:
    """The words of the question for a setting; empty where it has none of its own."""
    place = setting.split(".")
    for name in (place[-1], "_".join(place[-2:])):
        try:
            return say(language, f"setup.{step}.{name}")
        except KeyError:
            continue
    return ""


def told(said: Said, language: str) -> tuple[Said, tuple[str, ...]]:
    """`said` with the names of settings in it replaced by their steps' titles, and those steps."""
    named = said.values.get("answer")
    # One alone is a text: so earlier versions kept it.
    settings = [named] if isinstance(named, str) else named
    if not isinstance(settings, list) or said.key.startswith("setup."):
        return said, ()
    found = tuple(dict.fromkeys(step_of(str(one)) for one in settings))
    titles = [say(language, f"setup.{step or 'summary'}.title") for step in found]
    known = tuple(step for step in found if step not in ELSEWHERE)
    return Said(said.key, {**said.values, "answer": ", ".join(titles)}), known


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
        "meetings": _meetings(settings, language),
        "rules": _rules(settings, language),
        "texts": _texts_in_short(cluster, language),
        "cluster": say(language, "setup.cluster.alone"),
    }
    return texts[name]


def _meetings(settings: dict[str, Any], language: str) -> str:
    """The preset, and whether rules are set beside it."""
    preset = say(language, f"setup.meetings.{settings['cluster']['meetings']['preset']}")
    differs = rules.own(settings, language)
    return say(language, "setup.meetings.own", preset=preset) if differs else preset


def _rules(settings: dict[str, Any], language: str) -> str:
    """The rules that are set beside the preset; where none is, that all are as it says."""
    preset = say(language, f"setup.meetings.{settings['cluster']['meetings']['preset']}")
    found = "; ".join(rules.own(settings, language))
    return found or say(language, "setup.rules.as_preset_all", preset=preset)


def _network(network: dict[str, Any], language: str) -> str:
    """How the box is reached and how it gets out."""
    static = network["mode"] == "static"
    said = str(network["address"]) if static else say(language, "setup.network.dhcp")
    if network["vlan"]:
        said = say(language, "setup.network.in_vlan", address=said, vlan=network["vlan"])
    if network["proxy"]:
        said = say(language, "setup.network.by_proxy", address=said, proxy=network["proxy"])
    if network["uplink"]:
        said = say(language, "setup.network.on_line", address=said, uplink=network["uplink"])
    return said


def changed_words(what: list[str], language: str) -> list[str]:
    """The titles of the steps in which these settings are answered."""
    found = [step for name in what if (step := step_of(name))]
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


def imprint_notes(state: dict[str, Any]) -> list[Note]:
    """What is missing in the imprint, which German law wants (DDG, section 5); perhaps nothing."""
    if not state["settings"]:
        return []
    imprint = str(state["settings"]["cluster"]["texts"]["imprint"])
    if not imprint.strip():
        return [Note("note", Said("admin.imprint_missing"))]
    return [Note("note", Said("admin.imprint_gaps"))] if "[" in imprint else []


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
