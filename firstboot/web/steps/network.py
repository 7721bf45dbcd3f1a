"""How the box is reached on its wires."""

import json
import subprocess
from typing import Any

from firstboot.texts import Said, say
from firstboot.web.forms import Answers, Field, FieldError, Letter, Note, Option, Step, View
from firstboot.web.steps.pem import LENGTH, pasted

MODES = ("dhcp", "static")
FIXED = "setup.when.fixed"


def _words(card: dict[str, Any]) -> dict[str, object]:
    return {"name": card["name"], "mac": card["mac"], "addresses": ", ".join(card["addresses"])}


def _fields(view: View) -> list[Field]:
    network = view.settings["box"]["network"]
    cards = [
        Option(one["name"], Said("setup.network.card_label", _words(one)))
        for one in view.facts.get("cards", [])
    ]
    return [
        Field(
            "mode",
            "radio",
            network["mode"],
            tuple(
                Option(one, Said(f"setup.network.{one}"), Said(f"setup.network.{one}_hint"))
                for one in MODES
            ),
            required=True,
        ),
        Field("card", "select", network["card"] or "", tuple(cards), more=True),
        Field("address", value=network["address"] or "", more=True, when=FIXED),
        Field("gateway", value=network["gateway"] or "", more=True, when=FIXED),
        Field("dns", value=" ".join(network["dns"]), more=True),
        Field("vlan", value=str(network["vlan"] or ""), more=True, mode="numeric"),
        Field("proxy", value=network["proxy"] or "", more=True, mode="url"),
        Field(
            "proxy_authority",
            "textarea",
            network["proxy_authority"] or "",
            more=True,
            length=LENGTH,
        ),
        Field("time_servers", value=" ".join(network["time_servers"]), more=True),
        Field("uplink", value=str(network["uplink"] or ""), more=True, mode="numeric"),
    ]


def _card(answers: Answers, view: View) -> str:
    """The card of a fixed address or a VLAN; where there is one alone, nobody has to choose it."""
    cards = [one["name"] for one in view.facts.get("cards", [])]
    chosen = answers.get("card") or (cards[0] if len(cards) == 1 else "")
    if not chosen:
        raise FieldError("card", "setup.network.card_missing")
    return chosen


def _number(answers: Answers, name: str, most: int) -> int | None:
    """A number from 1 to `most`, or none."""
    typed = answers.get(name, "").strip()
    if not typed:
        return None
    if not (typed.isdecimal() and len(typed) <= len(str(most)) and 1 <= int(typed) <= most):
        raise FieldError(name, f"setup.network.{name}_number")
    return int(typed)


def _take(answers: Answers, view: View) -> dict[str, Any]:
    mode = answers.get("mode", "dhcp")
    if mode not in MODES:
        raise FieldError("mode", "setup.choose_one")
    static = mode == "static"
    if static and not answers.get("address", "").strip():
        raise FieldError("address", "setup.network.address_missing")
    vlan = _number(answers, "vlan", 4094)
    uplink = _number(answers, "uplink", 10000)
    card = _card(answers, view) if static or vlan else None
    former = view.settings["box"]["network"]
    dhcp_before = former["mode"] == "dhcp"
    # A file may name a card for DHCP. Of a fixed address or a VLAN of before it does not stay.
    if not card and dhcp_before and not former["vlan"] and former["card"]:
        card = answers.get("card") or former["card"]
    network = {
        "mode": mode,
        "card": card,
        "address": answers.get("address", "").strip() or None if static else None,
        "gateway": answers.get("gateway", "").strip() or None if static else None,
        "dns": answers.get("dns", "").replace(",", " ").split() if static or dhcp_before else [],
        "vlan": vlan,
        "proxy": answers.get("proxy", "").strip() or None,
        "proxy_authority": pasted(answers, "proxy_authority"),
        "time_servers": answers.get("time_servers", "").replace(",", " ").split(),
        "uplink": uplink,
    }
    return {"box": {"network": network}}


def _notes(view: View) -> list[Note]:
    found = []
    for one in view.facts.get("cards", []):
        if not one["carrier"]:
            found.append(Note("note", Said("setup.network.unplugged", _words(one))))
        elif not one["addresses"]:
            found.append(Note("problem", Said("setup.network.no_address", _words(one))))
        else:
            found.append(Note("good", Said("setup.network.found", _words(one))))
    if not found:
        return [Note("problem", Said("setup.network.no_card"))]
    return found


def _letters(view: View) -> list[Letter]:
    """What the house's IT needs to know to give the box an address for good."""

    def t(key: str, **values: object) -> str:
        return say(view.language, f"setup.network.{key}", **values)

    lines = [
        t("letter_card" if one["addresses"] else "letter_card_bare", **_words(one))
        for one in view.facts.get("cards", [])
    ]
    body = t("letter_body", cards="\n".join(lines))
    return [Letter("it", t("letter_subject"), body)] if lines else []


def look(settings: dict[str, Any]) -> dict[str, Any]:
    """The box's cards: `name`, `mac`, `carrier` (a cable is in), `addresses` as one text."""
    del settings
    listed = subprocess.run(
        ["ip", "-json", "address", "show"], capture_output=True, text=True, check=True
    )
    cards: dict[str, dict[str, Any]] = {}
    for link in json.loads(listed.stdout):
        if link.get("link_type") == "ether":
            addresses = [one["local"] for one in link["addr_info"] if one["scope"] == "global"]
            if link.get("link") in cards:
                # A VLAN is no card, but the way in which its card is reached.
                cards[link["link"]]["addresses"] += addresses
                continue
            card = {"name": link["ifname"], "mac": link["address"], "addresses": addresses}
            cards[link["ifname"]] = {**card, "carrier": "LOWER_UP" in link["flags"]}
    return {"cards": list(cards.values())}


STEP = Step("network", 1, _fields, _take, _notes, _letters, look=look)
