"""Whether the box is reached as its settings say, and how pages are told that it moves."""

import json
import threading
from pathlib import Path
from typing import Any

import pytest

from firstboot import converge, network
from firstboot.access.permits import ROOT
from firstboot.by_hand import ByHand
from firstboot.settings import Network
from firstboot.store import Draft
from firstboot.texts import Said
from tests.unit.firstboot.folders import Box
from tests.unit.firstboot.test_converge import settings

pytestmark = pytest.mark.unit

ADDRESS = "192.0.2.20"
STATIC = Network(mode="static", card="enp1s0", address=f"{ADDRESS}/24", gateway="192.0.2.1")
VLAN = STATIC.model_copy(update={"vlan": 12})


@pytest.fixture
def box(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Box:
    return Box(tmp_path, monkeypatch)


def link(name: str = "enp1s0", *addresses: dict[str, Any], plugged: bool = True) -> dict[str, Any]:
    """A card as ip(8) tells it."""
    return {
        "ifname": name,
        "link_type": "ether",
        "address": "52:54:00:52:53:00",
        "flags": ["UP", "LOWER_UP"] if plugged else ["UP", "NO-CARRIER"],
        "addr_info": [{"scope": "global", **one} for one in addresses],
    }


def tell(box: Box, *links: dict[str, Any], reachable: bool = True) -> None:
    """Have ip(8) say so, and whether the kernel knows who has a neighbour's address."""
    (box.folder / "links.json").write_text(json.dumps(links))
    near = '[{"state":["REACHABLE"]}]' if reachable else "[]"
    script = f"case $* in *neighbour*) echo '{near}' ;; *) cat {box.folder}/links.json ;; esac"
    box.program("ip", script)


HAS = {"local": ADDRESS}
LEASED = {"local": "192.0.2.99", "dynamic": True}


@pytest.mark.parametrize(
    ("wanted", "links", "reachable", "key"),
    [
        (STATIC, [link("enp1s0", HAS)], True, ""),
        (STATIC, [link("enp1s0", HAS)], False, "gateway_silent"),
        (STATIC.model_copy(update={"gateway": None}), [link("enp1s0", HAS)], False, ""),
        (STATIC, [link("enp1s0", LEASED)], True, "address_not_there"),
        (STATIC, [link("enp1s0", {**HAS, "tentative": True})], True, "address_not_there"),
        (STATIC, [link("enp1s0", {**HAS, "dadfailed": True})], True, "address_not_there"),
        (STATIC, [link("enp2s0", HAS)], True, "no_such_card"),
        (STATIC, [link("enp1s0", plugged=False), link("enp2s0", LEASED)], True, ""),
        (VLAN, [link(), link("vlan12", HAS)], True, ""),
        (VLAN, [link("enp1s0", HAS), link("vlan12")], True, "address_not_there"),
        (VLAN, [link("enp1s0", HAS)], True, "address_not_there"),
        (Network(), [link("enp1s0", LEASED)], True, ""),
        (Network(), [link("enp1s0"), link("enp2s0", LEASED)], True, ""),
        (Network(), [link("enp1s0", HAS)], True, "nobody_gave_one"),
        (Network(card="enp1s0", vlan=12), [link(), link("vlan12", LEASED)], True, ""),
        (Network(card="enp1s0", vlan=12), [link("enp1s0", LEASED)], True, "nobody_gave_one"),
        (Network(), [link("enp1s0", plugged=False)], True, ""),
    ],
)
def test_what_is_missing_is_found_and_the_answer_named(
    box: Box, wanted: Network, links: list[dict[str, Any]], reachable: bool, key: str
) -> None:
    tell(box, *links, reachable=reachable)
    found = network.trouble(wanted, 0.0)
    assert (found.key if found else "") == (f"network.{key}" if key else "")
    if found:
        assert str(found.values["answer"]).startswith("box.network.")


def test_an_address_that_comes_late_is_waited_for(box: Box) -> None:
    tell(box, link())
    late = threading.Timer(0.5, tell, (box, link("enp1s0", HAS)))
    late.start()
    assert network.trouble(STATIC, 20.0) is None
    late.join()


@pytest.mark.parametrize(
    ("before", "after", "moves", "destination"),
    [
        (Network(), Network(), False, None),
        (Network(), Network(proxy="http://proxy.example:3128"), False, None),
        (Network(), STATIC, True, f"https://{ADDRESS}/setup/"),
        (STATIC, Network(), True, ""),
        (STATIC, STATIC.model_copy(update={"dns": ("192.0.2.53",)}), True, None),
        (STATIC, VLAN, True, f"https://{ADDRESS}/setup/"),
        (
            Network(),
            Network(mode="static", card="enp1s0", address="2001:db8::20/64"),
            True,
            "https://[2001:db8::20]/setup/",
        ),
    ],
)
def test_pages_know_where_the_box_is_found_afterwards(
    before: Network, after: Network, moves: bool, destination: str | None
) -> None:
    assert network.moves(before, after) is moves
    assert network.destination(before, after) == destination


def test_summary_and_progress_are_told_where_the_box_goes(box: Box) -> None:
    assert box.ask_as(ROOT, "draft")["destination"] is None
    Draft(box.store).begin(settings(network=STATIC.model_dump(mode="json")))
    assert box.ask_as(ROOT, "draft")["destination"] == f"https://{ADDRESS}/setup/"
    assert box.ask_as(ROOT, "state")["destination"] is None
    box.ask_as(ROOT, "apply", who="Anna")
    assert box.ask_as(ROOT, "state")["destination"] == f"https://{ADDRESS}/setup/"
    assert box.ask("state")["destination"] is None, "of what is planned nobody learns"
    assert box.converge()
    assert box.ask_as(ROOT, "state")["destination"] is None


def stages(box: Box) -> list[str]:
    return [name for name, _ in json.loads(box.progress.read_text())["stages"]]


def test_only_a_network_that_changes_is_put_to_the_test(box: Box) -> None:
    box.set_up(settings())
    assert stages(box) == list(converge.STAGES)
    box.set_up(settings(network=STATIC.model_dump(mode="json")))
    assert stages(box) == list(converge.WITH_NETWORK)
    # Another image: the router may be slower than the box after a power cut.
    applied = box.store.applied()
    assert applied
    box.store.set_applied(type(applied)(applied.generation, "0.0.1", False))
    assert box.converge()
    assert stages(box) == list(converge.STAGES)


def test_the_network_typed_before_set_up_is_tried_and_the_wizard_begins_with_it(
    box: Box, monkeypatch: pytest.MonkeyPatch
) -> None:
    tried: list[Network] = []
    said: list[Said] = []

    def connect(wanted: Any) -> Said | None:
        tried.append(wanted.box.network)
        return said[0] if said else None

    monkeypatch.setattr(converge, "connect", connect)
    monkeypatch.setattr(converge, "play", lambda wanted, *_: box.played.append((wanted, False)))
    typed = ByHand(box.store.folder)
    revision = Draft(box.store).put("house", {"cluster": {"house": {"name": "Haus"}}}, 0)[
        "revision"
    ]
    typed.ask(STATIC)
    assert box.converge()
    assert (tried, typed.wanted(), typed.network(), typed.refused()) == ([STATIC], None, STATIC, "")
    assert box.store.settings(None).box.network == STATIC
    draft = Draft(box.store).read()
    assert draft["settings"]["box"]["network"]["address"] == f"{ADDRESS}/24"
    assert draft["settings"]["cluster"]["house"]["name"] == "Haus"
    assert draft["revision"] == revision + 1, "an open page is told"
    # At each start: another image knows nothing of it.
    assert box.converge()
    assert [one.box.network for one, _ in box.played] == [STATIC]
    # What is no good leaves the one before in force.
    said.append(Said("network.gateway_silent", {"answer": "box.network.gateway"}))
    typed.ask(VLAN)
    assert not box.converge()
    assert (typed.wanted(), typed.network()) == (None, STATIC)
    assert typed.refused() == "network.gateway_silent"
    assert [one.box.network for one, _ in box.played] == [STATIC, STATIC]
    # Set-up that fails goes back to it, too.
    assert box.store.settings(None).box.network == STATIC


def test_half_a_file_is_no_network(box: Box) -> None:
    typed = ByHand(box.store.folder)
    typed.ask(STATIC)
    file = box.store.folder / "network-wanted.json"
    file.write_text(file.read_text()[:40])
    assert typed.wanted() is None
    assert box.store.settings(None).box.network == Network()
