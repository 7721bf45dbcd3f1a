"""Looks whether the box has the network that its settings want, before anybody relies on it.

The address has to be on the card, and a gateway has to answer for its own (RFC 826, RFC 4861):
routers may keep silent to a ping, but not to that.
"""

import ipaddress
import json
import socket
import subprocess
import time
from collections.abc import Callable
from contextlib import suppress
from typing import Any

from firstboot.settings import Network
from firstboot.texts import Said

# Long enough for a network that looks first who has an address, and for a slow DHCP server.
SECONDS = 30.0
DISCARD = 9  # the port that nobody answers (RFC 863): what counts is who asks for the way to it
# What does not change how the box itself is reached.
OUTSIDE = {"proxy", "proxy_authority", "time_servers", "uplink"}


def moves(before: Network, after: Network) -> bool:
    """Whether the box may be reached differently afterwards."""
    return before.model_dump(exclude=OUTSIDE) != after.model_dump(exclude=OUTSIDE)


def destination(before: Network, after: Network) -> str | None:
    """Where browsers find the box afterwards: a URL; empty where only the network knows.

    None where the way stays the one that it is.
    """
    if (before.mode, before.address, before.card, before.vlan) == (
        after.mode,
        after.address,
        after.card,
        after.vlan,
    ):
        return None
    if after.mode == "dhcp" or not after.address:
        return ""
    address = ipaddress.ip_interface(after.address).ip
    host = f"[{address}]" if address.version == 6 else address
    # That page leads on wherever the box is by then; the bare address is for guests.
    return f"https://{host}/setup/"


def _links() -> dict[str, dict[str, Any]]:
    """The box's cards by name, as `ip -json address` tells them."""
    command = ["ip", "-json", "address", "show"]
    told = subprocess.run(command, capture_output=True, text=True, check=True)
    links = json.loads(told.stdout or "[]")
    return {one["ifname"]: one for one in links if one.get("link_type") == "ether"}


def cards() -> list[tuple[str, str]]:
    """Name and hardware address of each card; a VLAN is none."""
    found = _links()
    return [(name, one["address"]) for name, one in found.items() if one.get("link") not in found]


def _plugged(link: dict[str, Any]) -> bool:
    return "LOWER_UP" in link.get("flags", ())


def _addresses(link: dict[str, Any]) -> list[dict[str, Any]]:
    """Addresses that can be used: nobody else was found to have them."""
    return [
        one
        for one in link.get("addr_info", ())
        if one.get("scope") == "global" and not one.get("tentative") and not one.get("dadfailed")
    ]


def _until(happened: Callable[[], bool], deadline: float) -> bool:
    """Whether it happens before the deadline."""
    while not happened():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.3)
    return True


def _answers(gateway: str, card: str) -> bool:
    """Whether the kernel knows just now who has the gateway's address; asks for it otherwise."""
    address = ipaddress.ip_address(gateway)
    family = socket.AF_INET6 if address.version == 6 else socket.AF_INET
    near = address.version == 6 and address.is_link_local
    with suppress(OSError), socket.socket(family, socket.SOCK_DGRAM) as knock:
        scope = (0, socket.if_nametoindex(card)) if near else ()
        knock.sendto(b"", (gateway, DISCARD, *scope))
    command = ["ip", "-json", "neighbour", "show", "to", gateway, "dev", card, "nud", "reachable"]
    told = subprocess.run(command, capture_output=True, text=True, check=False)
    return bool(json.loads(told.stdout or "[]"))


def trouble(wanted: Network, seconds: float = SECONDS) -> Said | None:
    """None where the box is reached as `wanted` says, else what is missing after `seconds`.

    Where no cable is in the card there is nothing to find out: `unplugged` says so. The sentence
    has no values in it, since the box's own screen knows it by its key.
    """
    deadline = time.monotonic() + seconds
    if wanted.card and wanted.card not in _links():
        return Said("network.no_such_card", {"answer": "box.network.card"})
    if unplugged(wanted):
        return None
    card = f"vlan{wanted.vlan}" if wanted.vlan else wanted.card
    if wanted.mode == "dhcp" or not wanted.address:

        def has_any() -> bool:
            links = _links()
            chosen = [links[card]] if card and card in links else [] if card else links.values()
            return any(one.get("dynamic") for link in chosen for one in _addresses(link))

        if _until(has_any, deadline):
            return None
        return Said("network.nobody_gave_one", {"answer": "box.network.mode"})
    assert card
    address = str(ipaddress.ip_interface(wanted.address).ip)

    def has_it() -> bool:
        return address in [one["local"] for one in _addresses(_links().get(card, {}))]

    if not _until(has_it, deadline):
        return Said("network.address_not_there", {"answer": "box.network.address"})
    gateway = wanted.gateway
    if gateway and not _until(lambda: _answers(gateway, card), time.monotonic() + seconds / 2):
        return Said("network.gateway_silent", {"answer": "box.network.gateway"})
    return None


def unplugged(wanted: Network) -> Said | None:
    """The sentence for a card without a cable, of which nobody can say whether it would work."""
    links = _links()
    chosen = [links[wanted.card]] if wanted.card in links else list(links.values())
    if any(_plugged(one) for one in chosen):
        return None
    return Said("network.no_cable", {"answer": "box.network.card"})
