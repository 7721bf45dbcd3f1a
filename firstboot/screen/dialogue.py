"""Asks for the network at the box itself: `python3 -m firstboot.screen.dialogue` on its terminal.

Before set-up what was answered is tried at once, so that the wizard can be reached; afterwards it
is a change of the settings like any other. Letters that change places between keyboards are not
needed: the length of the network is asked for by itself, and a comma does for a colon.
"""

import ipaddress
import subprocess
import sys
from collections.abc import Callable
from typing import TypeVar

from pydantic import TypeAdapter

from firstboot import network
from firstboot.by_hand import ByHand
from firstboot.fields import Url
from firstboot.screen.anew import tell
from firstboot.screen.terminal import LeftError, Terminal
from firstboot.settings import Network
from firstboot.store import Draft, Store
from firstboot.texts import LANGUAGES, say

PROXY_PORT = "3128"
T = TypeVar("T")
URL: TypeAdapter[str] = TypeAdapter(Url)


class Questions:
    """The questions in their order, on one terminal; what stands there already is offered."""

    def __init__(self, terminal: Terminal, before: Network, cards: list[tuple[str, str]]) -> None:
        self.terminal = terminal
        self.before = before
        # Name and hardware address of each.
        self.cards = cards
        self._answered: list[str] = []

    def _ask(self, key: str, typed: str, take: Callable[[str], T], *more: str) -> T:
        """Ask until `take` accepts it; a ValueError of it is said as `KEY_wrong`."""
        wrong: list[str] = []
        while True:
            said = [*_both("title"), "", *self._answered, "", *_both(key), *more]
            typed = self.terminal.line([*said, *wrong], typed)
            try:
                found = take(typed)
            except ValueError:
                wrong = ["", *_both(f"{key}_wrong")]
                continue
            self._answered.append(f"{' · '.join(_both(f'{key}_short'))}: {typed or '-'}")
            return found

    def network(self) -> Network:
        """What was answered, as a network in order. Raises LeftError where somebody leaves."""
        before = self.before
        static = self._ask("how", "2" if before.mode == "static" else "1", _choice(2)) == 2
        found: dict[str, object] = {"mode": "static" if static else "dhcp"}
        if static:
            found |= self._fixed()
        elif before.mode == "dhcp":
            # Nobody was asked for these, and DHCP may have them beside it.
            found["dns"] = before.dns
            if not before.vlan and before.card in [name for name, _ in self.cards]:
                found["card"] = before.card
        vlan = self._ask("vlan", str(before.vlan or ""), _vlan)
        if static or vlan:
            found["card"] = self._card()
        found["vlan"] = vlan
        found["proxy"] = self._proxy()
        kept: dict[str, object] = {"time_servers": before.time_servers, "uplink": before.uplink}
        kept |= {"proxy_authority": before.proxy_authority if found["proxy"] else None}
        wanted = Network.model_validate(found | kept)
        self._ask("sure", "", _nothing)
        return wanted

    def _fixed(self) -> dict[str, object]:
        """Address, gateway and DNS servers, each tried against those before it."""
        former = ipaddress.ip_interface(self.before.address) if self.before.address else None
        address = self._ask("address", str(former.ip) if former else "", _address)
        usual = "64" if ":" in address else "24"
        length = str(former.network.prefixlen) if former else usual

        def whole(typed: str) -> str:
            return str(ipaddress.ip_interface(f"{address}/{int(typed)}"))

        interface = self._ask("length", length, whole)

        def gateway(typed: str) -> str | None:
            near = _address(typed) if typed else None
            Network(mode="static", card="card", address=interface, gateway=near)
            return near

        return {
            "address": interface,
            "gateway": self._ask("gateway", self.before.gateway or "", gateway),
            "dns": self._ask("dns", " ".join(self.before.dns), _addresses),
        }

    def _card(self) -> str:
        """The card that all this is for; asked where there are several."""
        if len(self.cards) == 1:
            return self.cards[0][0]
        listed = [f"{n}  {name}  {mac}" for n, (name, mac) in enumerate(self.cards, 1)]
        names = [name for name, _ in self.cards]
        offered = str(names.index(self.before.card) + 1) if self.before.card in names else ""
        return names[self._ask("card", offered, _choice(len(names)), *listed) - 1]

    def _proxy(self) -> str | None:
        """The address of a proxy, by its host and port."""
        scheme, _, rest = (self.before.proxy or "http://").partition("://")
        known, _, port = rest.partition("/")[0].rpartition(":") if rest else ("", "", "")
        host = self._ask("proxy", known, lambda typed: typed and _host(typed))
        if not host:
            return None

        def url(typed: str) -> str:
            return URL.validate_python(f"{scheme}://{host}:{_number(typed, 65535)}")

        return self._ask("port", port or PROXY_PORT, url)


def _both(key: str) -> list[str]:
    """A text in German and in English."""
    return [say(language, f"by_hand.{key}") for language in LANGUAGES]


def _number(typed: str, most: int) -> int:
    if not (typed.isascii() and typed.isdecimal() and 1 <= int(typed[:6]) <= most):
        raise ValueError("no number of these")
    return int(typed)


def _choice(most: int) -> Callable[[str], int]:
    return lambda typed: _number(typed, most)


def _vlan(typed: str) -> int | None:
    return _number(typed, 4094) if typed else None


def _nothing(typed: str) -> None:
    if typed:
        raise ValueError("Enter alone")


def _address(typed: str) -> str:
    if "%" in typed:
        raise ValueError("an address without a scope")
    return str(ipaddress.ip_address(typed.replace(",", ":")))


def _addresses(typed: str) -> list[str]:
    return [_address(one) for one in typed.split()]


def _host(typed: str) -> str:
    """A name or an address, as it stands in a URL."""
    host = typed.replace(",", ":")
    host = f"[{host.strip('[]')}]" if ":" in host else host
    URL.validate_python(f"http://{host}")
    return host


def bring_into_force(store: Store, wanted: Network) -> list[str]:
    """Have `wanted` tried, and wait for it; keys of the texts that say what came of it."""
    part = {"box": {"network": wanted.model_dump(mode="json")}}
    with store.locked():
        applied = store.applied()
        number = 0
        if applied is None:
            ByHand(store.folder).ask(wanted)
        else:
            former = store.settings(applied.generation)
            box = former.box.model_copy(update={"network": wanted})
            number = store.add(former.model_copy(update={"box": box}), "console")
            Draft(store).lay(part)
    subprocess.run(["systemctl", "start", "ratssaal-converge.service"], check=False)
    if number:
        failed = store.generation(number).failed
        wrong = failed.key if failed else ""
    else:
        wrong = ByHand(store.folder).refused()
    return [wrong, "network_back"] if wrong else ["network_set"]


def main() -> int:
    """Ask, bring into force, and say on the screen what came of it."""
    store = Store()
    terminal = Terminal(sys.stdin.fileno(), sys.stdout.fileno())
    applied = store.applied()
    before = store.settings(applied.generation if applied else None).box.network
    said: list[str] = []
    try:
        with terminal.alone():
            wanted = Questions(terminal, before, network.cards()).network()
            terminal.show([*_both("title"), "", *_both("trying")])
            said = bring_into_force(store, wanted)
    except LeftError:
        pass
    tell(*said)
    return 0


if __name__ == "__main__":
    sys.exit(main())
