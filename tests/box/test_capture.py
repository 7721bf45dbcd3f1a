"""What hears packets to strangers: that it does, so that hearing none means something."""

import struct

import pytest

from builder.machines.place import Place
from builder.machines.stage import BRIDGE, Stage
from tests.box.capture import (
    ETH_P_ARP,
    ETH_P_IP,
    ETH_P_IPV6,
    Packet,
    Question,
    addresses,
    capture,
    questions,
    read,
)

pytestmark = pytest.mark.box

# TEST-NET-3 of RFC 5737 and the addresses of RFC 3849: never anybody's.
FOREIGN = "203.0.113.9"
FOREIGN_IPV6 = "2001:db8:9::9"
SEND = "import socket; socket.socket(socket.AF_INET{}, socket.SOCK_DGRAM).sendto(b'x', ('{}', {}))"
LOOK_UP = """
import contextlib, socket
with contextlib.suppress(socket.gaierror):
    socket.getaddrinfo('{}', 443, socket.AF_INET)
"""
ASK = bytes.fromhex("000101000001000000000000") + b"\x05names\x07example\x00\x00\x01\x00\x01"


def send(place: Stage, address: str, port: int) -> None:
    place.run(["python3", "-c", SEND.format("6" if ":" in address else "", address, port)])


def test_whoever_sends_to_a_stranger_is_heard(stage: Stage) -> None:
    with Place(stage) as guest:
        guest.plug(BRIDGE, f"{stage.prefix}.21", stage.gateway, stage.gateway)
        stage.run(["ip", "address", "add", "2001:db8:1::1/64", "dev", BRIDGE, "nodad"])
        with capture(stage) as heard:
            own = addresses(stage.run(["ip", "-json", "address", "show"]))
            own |= addresses(guest.run(["ip", "-json", "address", "show"]))
            # Those who are there, and everybody on the wire.
            send(stage, f"{stage.prefix}.21", 9)
            send(guest, stage.gateway, 9)
            send(stage, "224.0.0.251", 5353)
        assert heard.strangers(own, ()) == []
        assert Packet(f"{stage.prefix}.21", stage.gateway, "udp", 9) in heard.packets
        with capture(stage) as heard:
            # From the stage itself, where browsers are, and through a cable, as a box does.
            send(stage, FOREIGN, 443)
            send(guest, FOREIGN, 19302)
            send(stage, FOREIGN_IPV6, 443)
            send(stage, "239.255.255.250", 1900)
            guest.run(["python3", "-c", LOOK_UP.format("names.example")])
        assert heard.strangers(own, ["other.example"]) == [
            f"{stage.gateway} to {FOREIGN}, udp 443",
            f"{stage.gateway} to 239.255.255.250, udp 1900",
            f"{stage.prefix}.21 to {FOREIGN}, udp 19302",
            f"2001:db8:1::1 to {FOREIGN_IPV6}, udp 443",
            "asked for names.example, type 1",
        ]
        assert heard.strangers(own | {FOREIGN, FOREIGN_IPV6}, ["names.example"]) == [
            f"{stage.gateway} to 239.255.255.250, udp 1900"
        ]


def test_packets_are_read_as_they_are_written() -> None:
    udp = struct.pack("!HHHH", 5000, 53, 8 + len(ASK), 0) + ASK
    four = bytes.fromhex("4500 0000 0000 0000 4011 0000 c6336401 cb007109".replace(" ", ""))
    packet, carried = read(ETH_P_IP, four + udp)
    assert packet == Packet("198.51.100.1", FOREIGN, "udp", 53)
    assert list(questions(carried)) == [Question("names.example", 1)]
    assert list(questions(carried[:2] + b"\x81" + carried[3:])) == []
    assert list(questions(carried[:-3])) == []
    # A later fragment has no port of its own.
    later = four[:6] + b"\x00\xb9" + four[8:]
    assert read(ETH_P_IP, later + udp)[0].port == 0
    ends = bytes.fromhex("20010db8000900000000000000000009" * 2)
    header = b"\x60\0\0\0\0\x10"
    assert read(ETH_P_IPV6, header + b"\x06\x40" + ends + udp)[0] == Packet(
        FOREIGN_IPV6, FOREIGN_IPV6, "tcp", 53
    )
    # Behind a hop-by-hop header, as reports of multicast listeners are.
    options = bytes.fromhex("3a00050200000100")
    assert read(ETH_P_IPV6, header + b"\x00\x01" + ends + options)[0].protocol == "icmpv6"
    asked = bytes.fromhex("0001080006040001 025400000001 c6336401 000000000000 c6336465")
    assert read(ETH_P_ARP, asked)[0] == Packet("198.51.100.1", "198.51.100.101", "arp", 0)
    assert read(0x88CC, b"x")[0].protocol == "EtherType 0x88cc"
