"""The files for networkd, as the role's templates make them."""

from typing import Any

import jinja2
import pytest

from builder.paths import PROJECT
from firstboot.settings import Network

pytestmark = pytest.mark.unit

TEMPLATES = PROJECT / "firstboot/ansible/roles/network/templates"


def drawn(name: str, **network: Any) -> list[str]:
    """A template's lines without comments and empty ones."""
    # As Ansible does: block lines leave nothing behind, undefined names are errors.
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(TEMPLATES),
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        autoescape=False,
    )
    wires = Network.model_validate(network).model_dump(mode="json")
    text = environment.get_template(name).render(network_wires=wires, ansible_managed="x")
    return [one for one in text.splitlines() if one and not one.startswith("#")]


def part(lines: list[str], section: str) -> list[str]:
    """The lines of one section."""
    after = lines[lines.index(f"[{section}]") + 1 :]
    ends = [n for n, one in enumerate(after) if one.startswith("[")]
    return after[: ends[0]] if ends else after


STATIC: dict[str, Any] = {"mode": "static", "card": "enp1s0", "address": "192.0.2.20/24"}


def test_a_fixed_address_asks_nobody_for_one() -> None:
    lines = drawn(
        "addresses.network.j2", **STATIC, gateway="192.0.2.1", dns=["192.0.2.53", "2001:db8::53"]
    )
    assert part(lines, "Match") == ["Name=enp1s0"]
    network = part(lines, "Network")
    assert network[:4] == ["DHCP=no", "Gateway=192.0.2.1", "DNS=192.0.2.53", "DNS=2001:db8::53"]
    assert not any(one.startswith("IPv6AcceptRA") for one in network)
    assert part(lines, "Address") == ["Address=192.0.2.20/24", "DuplicateAddressDetection=both"]
    assert part(lines, "IPv6AcceptRA") == ["UseDNS=no"]


def test_an_ipv6_address_believes_its_own_gateway_or_the_networks_routers() -> None:
    fixed = STATIC | {"address": "2001:db8::20/64"}
    alone = part(drawn("addresses.network.j2", **fixed), "Network")
    assert "IPv6AcceptRA=yes" in alone
    named = drawn("addresses.network.j2", **fixed, gateway="fe80::1")
    assert {"IPv6AcceptRA=no", "Gateway=fe80::1"} <= set(part(named, "Network"))
    assert "UseAutonomousPrefix=no" in part(named, "IPv6AcceptRA")


def test_own_servers_take_the_place_of_those_that_the_network_names() -> None:
    lines = drawn("addresses.network.j2", time_servers=["time.example"], dns=["192.0.2.53"])
    assert part(lines, "Match") == ["Type=ether"]
    assert part(lines, "Network")[0] == "DHCP=yes"
    for section in ("DHCPv4", "DHCPv6"):
        assert {"UseDNS=no", "UseNTP=no"} <= set(part(lines, section))
    assert drawn("timesyncd.conf.j2", time_servers=["time.example", "192.0.2.9"])[1:] == [
        "NTP=time.example 192.0.2.9"
    ]


def test_what_leaves_the_house_waits_for_its_line_and_sound_goes_first() -> None:
    queues = [one.removeprefix("class add dev CARD ") for one in drawn("line.tc.j2", uplink=40)]
    # 5 ms of the line are 24 kB; 50 ms are 250 kB, which is 200 packets of 1250 bytes.
    burst = "burst 24000 cburst 24000"
    assert queues == [
        "qdisc add dev CARD root handle 1: htb default 30",
        f"parent 1: classid 1:1 htb rate 38000kbit {burst}",
        f"parent 1:1 classid 1:10 htb prio 0 rate 19000kbit ceil 38000kbit {burst}",
        f"parent 1:1 classid 1:20 htb prio 1 rate 19000kbit ceil 38000kbit {burst}",
        "qdisc add dev CARD parent 1:20 handle 20: pfifo limit 200",
        "parent 1: classid 1:30 htb rate 10gbit ceil 10gbit burst 2m cburst 2m quantum 60000",
    ]
    slow = drawn("line.tc.j2", uplink=1)
    assert slow[1].endswith("rate 950kbit burst 3200 cburst 3200")
    assert slow[4].endswith("limit 20")


def test_a_vlan_has_the_address_and_its_card_has_none() -> None:
    lines = drawn("addresses.network.j2", **STATIC, vlan=12)
    assert part(lines, "Match") == ["Name=vlan12"]
    trunk = drawn("trunk.network.j2", **STATIC, vlan=12)
    assert part(trunk, "Match") == ["Name=enp1s0"]
    assert {"VLAN=vlan12", "DHCP=no", "LinkLocalAddressing=no"} <= set(part(trunk, "Network"))
    device = drawn("vlan.netdev.j2", **STATIC, vlan=12)
    assert device == ["[NetDev]", "Name=vlan12", "Kind=vlan", "[VLAN]", "Id=12"]
