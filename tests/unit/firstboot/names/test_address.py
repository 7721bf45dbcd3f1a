"""Which address the box names to its guests, from what `ip -json` says."""

import json
from dataclasses import replace

import pytest

from firstboot.names.address import Addresses, choose, leads_out
from tests.unit.firstboot.folders import RECORDED

pytestmark = pytest.mark.unit

Answer = list[dict[str, object]]


def recorded(name: str) -> tuple[Answer, Answer]:
    """What `ip -json address` and `ip -json -4 route show default` said in that situation."""
    found = json.loads((RECORDED / f"{name}.json").read_text())
    return found["address"], found["route"]


def test_a_box_without_a_cable_serves_itself_alone() -> None:
    assert choose(*recorded("no-cable")) == Addresses("127.0.0.1", (), ("52:54:00:52:53:00",))


def test_a_box_without_any_card_serves_itself_alone() -> None:
    assert choose(*recorded("no-card")) == Addresses("127.0.0.1", (), ())
    assert choose([], []) == Addresses("127.0.0.1", (), ())


def test_a_box_with_one_card_names_its_address() -> None:
    expected = Addresses("192.0.2.10", ("192.0.2.10", "2001:db8:1::10"), ("22:33:33:1e:b6:5e",))
    assert choose(*recorded("one-card")) == expected


def test_of_two_cards_the_one_with_the_better_default_route_is_named() -> None:
    links, routes = recorded("two-cards")
    expected = Addresses(
        "198.51.100.20",
        ("192.0.2.10", "2001:db8:1::10", "198.51.100.20"),
        ("22:33:33:1e:b6:5e", "6a:df:39:86:b9:ab"),
    )
    assert choose(links, routes) == expected
    assert choose(links, routes[::-1]) == expected


def test_a_route_without_a_metric_is_the_best_as_for_the_kernel() -> None:
    links, routes = recorded("two-cards")
    for route in routes:
        if route["dev"] == "eno1":
            del route["metric"]
    assert choose(links, routes).primary == "192.0.2.10"


def test_a_card_without_a_default_route_is_named_only_where_no_other_has_one() -> None:
    links, routes = recorded("two-cards")
    leads = [route for route in routes if route["dev"] == "enp3s0"]
    assert choose(links, leads).primary == "198.51.100.20"
    assert choose(links, []).primary == "192.0.2.10"


def test_a_default_route_through_a_card_without_an_address_does_not_count() -> None:
    links, routes = recorded("two-cards")
    [second] = [link for link in links if link["ifname"] == "enp3s0"]
    second["addr_info"] = []
    assert choose(links, routes).primary == "192.0.2.10"


def test_a_network_of_ipv6_alone_is_shown_but_the_media_server_stays_on_loopback() -> None:
    found = choose(*recorded("ipv6-only"))
    assert found.primary == "127.0.0.1"
    assert found.all == ("2001:db8:1::10",)


def test_in_a_container_the_virtual_cable_is_the_card() -> None:
    expected = Addresses("198.51.100.100", ("198.51.100.100",), ("52:54:00:52:53:00",))
    assert choose(*recorded("container")) == expected


def test_an_address_that_is_still_being_tried_is_not_named() -> None:
    links, routes = recorded("tentative")
    entries = json.dumps(links)
    assert "2001:db8:1::10" in entries
    assert '"tentative": true' in entries
    assert choose(links, routes).all == ("192.0.2.10",)


def test_an_address_that_another_machine_has_already_is_not_named() -> None:
    links, routes = recorded("duplicate")
    assert "2001:db8:1::10" in json.dumps(links)
    assert choose(links, routes).all == ("192.0.2.10",)


def test_loopback_and_the_clusters_wireguard_are_nobodys_address() -> None:
    links, routes = recorded("wireguard")
    names = {link["ifname"] for link in links}
    assert {"lo", "wg0"} <= names
    expected = Addresses("192.0.2.10", ("192.0.2.10",), ("22:33:33:1e:b6:5e",))
    assert choose(links, routes) == expected
    assert choose([link for link in links if link["ifname"] != "eno1"], routes) == replace(
        expected, primary="127.0.0.1", all=(), hardware=()
    )


def test_addresses_of_the_link_alone_are_not_named() -> None:
    links, routes = recorded("one-card")
    assert "fe80::" in json.dumps(links)
    assert not [one for one in choose(links, routes).all if one.startswith("fe80")]


HEADING = "Iface\tDestination\tGateway\tFlags\tRefCnt\tUse\tMetric\tMask\tMTU\tWindow\tIRTT\n"
HOUSE = "enp0s6\t006433C6\t00000000\t0001\t0\t0\t1024\t00FFFFFF\t0\t0\t0\n"
OUT = "enp0s6\t00000000\t016433C6\t0003\t0\t0\t1024\t00000000\t0\t0\t0\n"
HALF_OF_ALL = "wg0\t00000000\t00000000\t0001\t0\t0\t0\t00000080\t0\t0\t0\n"


@pytest.mark.parametrize(
    ("routes", "expected"),
    [
        ("", False),
        (HEADING, False),
        (HEADING + HOUSE, False),
        (HEADING + HALF_OF_ALL, False),
        (HEADING + HOUSE + OUT, True),
    ],
    ids=["no IPv4", "no cable", "the house alone", "half of all", "a default route"],
)
def test_the_wait_for_an_address_ends_with_a_default_route(routes: str, expected: bool) -> None:
    assert leads_out(routes) == expected
