"""The addresses on a stage: no two machines share one, and none is anybody's real one."""

import ipaddress
import re

import pytest

from builder.machines.stage import GATEWAY, PREFIX, hardware_address, ip_address

pytestmark = pytest.mark.unit


def test_every_machine_has_addresses_of_its_own() -> None:
    assert len({hardware_address(number) for number in range(100)}) == 100
    assert len({ip_address(number) for number in range(100)}) == 100


def test_all_addresses_are_on_the_stages_network_and_nobody_has_the_gateways() -> None:
    network = ipaddress.ip_network(f"{PREFIX}.0/24")
    # RFC 5737: for documentation, routed nowhere
    assert network == ipaddress.ip_network("198.51.100.0/24")
    for number in range(100):
        address = ipaddress.ip_address(ip_address(number))
        assert address in network
        assert str(address) not in (GATEWAY, f"{PREFIX}.2")
        assert address != network.broadcast_address


def test_hardware_addresses_are_locally_administered_and_of_one_card() -> None:
    for number in (0, 9, 10, 99):
        address = hardware_address(number)
        assert re.fullmatch(r"([0-9a-f]{2}:){5}[0-9a-f]{2}", address)
        first = int(address[:2], 16)
        assert first & 0b11 == 0b10
