"""Listens on a stage's wires: who sends to whom, and which names are asked for.

A packet to somebody who is not on the stage would not even be sent, for want of a way there. So
while somebody listens there is one, to a router that does not exist.
"""

import ipaddress
import json
import secrets
import socket
import struct
import threading
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from typing import NamedTuple

from builder.machines.container import Box
from builder.machines.stage import BRIDGE, Stage

ROUTER_NUMBER = 254
ROUTER_IPV6 = "fe80::fe"
ROUTER_HARDWARE = "02:00:00:00:00:fe"
# linux/if_ether.h, linux/if_packet.h, asm-generic/socket.h
ETH_P_ALL, ETH_P_IP, ETH_P_ARP, ETH_P_IPV6 = 0x0003, 0x0800, 0x0806, 0x86DD
SOL_PACKET, PACKET_STATISTICS = 263, 6
SO_RCVBUFFORCE = 33
BUFFER_BYTES = 64 * 2**20
SNAP_BYTES = 600  # of each packet: whole headers, and a whole question
READ_SECONDS = 20.0  # for what has come and was not read yet
PROTOCOLS = {1: "icmp", 2: "igmp", 6: "tcp", 17: "udp", 58: "icmpv6"}
DNS, DNS_OVER_TLS = 53, 853
# What no router passes on: RFC 5771 section 4, RFC 4291 section 2.7, RFC 919.
ON_LINK = tuple(map(ipaddress.ip_network, ("224.0.0.0/24", "ff02::/16", "255.255.255.255/32")))
ITSELF = tuple(map(ipaddress.ip_network, ("127.0.0.0/8", "::1/128")))


class Packet(NamedTuple):
    """One way that packets went. `port`: the one that they were sent to; 0 where there is none."""

    source: str
    destination: str
    protocol: str
    port: int


class Question(NamedTuple):
    """A name that somebody asked for, in small letters without the last dot, and the RR type."""

    name: str
    kind: int


def _ports(content: bytes, at: int, protocol: int) -> int:
    if protocol not in (6, 17) or len(content) < at + 4:
        return 0
    return int(struct.unpack_from("!H", content, at + 2)[0])


def read(kind: int, content: bytes) -> tuple[Packet, bytes]:
    """A packet from the network layer on, and what it carries; `kind`: its EtherType.

    Of fragments only the first has a port (RFC 791, RFC 8200 section 4.5).
    """
    if kind == ETH_P_IP and len(content) >= 20:
        at = (content[0] & 15) * 4
        first = not struct.unpack_from("!H", content, 6)[0] & 0x1FFF
        protocol, addresses, family = content[9], (content[12:16], content[16:20]), socket.AF_INET
    elif kind == ETH_P_IPV6 and len(content) >= 40:
        at, first, protocol = 40, True, content[6]
        while protocol in (0, 43, 44, 60) and len(content) >= at + 8:
            if protocol == 44:
                first = not struct.unpack_from("!H", content, at + 2)[0] & 0xFFF8
            length = 8 if protocol == 44 else (content[at + 1] + 1) * 8
            protocol, at = content[at], at + length
        addresses, family = (content[8:24], content[24:40]), socket.AF_INET6
    elif kind == ETH_P_ARP and len(content) >= 28:
        ends = [socket.inet_ntop(socket.AF_INET, content[one : one + 4]) for one in (14, 24)]
        return Packet(ends[0], ends[1], "arp", 0), b""
    else:
        return Packet("", "", f"EtherType {kind:#06x}", 0), b""
    source, destination = (socket.inet_ntop(family, one) for one in addresses)
    port = _ports(content, at, protocol) if first else 0
    name = PROTOCOLS.get(protocol, str(protocol))
    return Packet(source, destination, name, port), content[at + 8 :] if protocol == 17 else b""


def questions(content: bytes) -> Iterator[Question]:
    """The questions in a message of DNS (RFC 1035, section 4.1); none in an answer."""
    if len(content) < 12 or content[2] & 0x80:
        return
    at = 12
    for _ in range(struct.unpack_from("!H", content, 4)[0]):
        labels = []
        while at < len(content) and content[at]:
            labels.append(content[at + 1 : at + 1 + content[at]].decode("ascii", "replace"))
            at += 1 + content[at]
        if len(content) < at + 3:
            return
        yield Question(".".join(labels).lower(), struct.unpack_from("!H", content, at + 1)[0])
        at += 5


class Capture:
    """What was heard. Complete once the block of `capture` has ended."""

    def __init__(self, network: ipaddress.IPv4Network) -> None:
        self.packets: set[Packet] = set()
        self.questions: set[Question] = set()
        self.lost = 0
        self._network = network

    def note(self, kind: int, content: bytes) -> None:
        """Take in one packet, from the network layer on."""
        packet, carried = read(kind, content)
        self.packets.add(packet)
        if packet.port == DNS and packet.protocol == "udp":
            self.questions.update(questions(carried))

    def _strange(self, packet: Packet, own: Collection[str]) -> bool:
        if packet.protocol == "arp":
            return False  # who is on the wire: it never leaves it
        if not packet.destination:
            return True
        to = ipaddress.ip_address(packet.destination)
        if any(to in net for net in ITSELF):
            return False
        if packet.port in (DNS, DNS_OVER_TLS) and packet.protocol == "tcp":
            return True  # its questions were not read
        broadcast = to == self._network.broadcast_address
        return not (packet.destination in own or broadcast or any(to in net for net in ON_LINK))

    def strangers(self, own: Collection[str], names: Collection[str]) -> list[str]:
        """What was sent to others than the addresses `own`, and asked beside `names`, in words.

        Sent to everybody on the same wire does not count: no router passes that on. Raises
        AssertionError where packets were missed, since one of them may have been it.
        """
        assert not self.lost, f"{self.lost} packets were missed"
        sent = sorted(one for one in self.packets if self._strange(one, own))
        asked = sorted(one for one in self.questions if one.name not in names)
        return [
            *(f"{one.source} to {one.destination}, {one.protocol} {one.port}" for one in sent),
            *(f"asked for {one.name}, type {one.kind}" for one in asked),
        ]


def addresses(told: str) -> set[str]:
    """All addresses in what `ip -json address show` prints."""
    return {one["local"] for card in json.loads(told) for one in card["addr_info"]}


def known(stage: Stage, box: Box) -> set[str]:
    """Whom packets may go to: the box, and the stage, whose name server is the only one."""
    show = "ip -json address show"
    return addresses(stage.run(show.split())) | addresses(box.shell(show))


@contextmanager
def capture(stage: Stage) -> Iterator[Capture]:
    """Hear all packets on all cards of the stage, its own and those of boxes, for the block."""
    heard = Capture(ipaddress.IPv4Network(f"{stage.prefix}.0/24"))
    router = f"{stage.prefix}.{ROUTER_NUMBER}"
    stage.ip(
        f"neighbour replace {router} lladdr {ROUTER_HARDWARE} nud permanent dev {BRIDGE}",
        f"neighbour replace {ROUTER_IPV6} lladdr {ROUTER_HARDWARE} nud permanent dev {BRIDGE}",
        f"route add default via {router} dev {BRIDGE}",
        f"-6 route add default via {ROUTER_IPV6} dev {BRIDGE}",
    )
    with stage.joined():
        listener = socket.socket(socket.AF_PACKET, socket.SOCK_DGRAM, socket.htons(ETH_P_ALL))
        speaker = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    listener.setsockopt(socket.SOL_SOCKET, SO_RCVBUFFORCE, BUFFER_BYTES)
    # Packets are read in the order in which they came: this one is the last.
    last = secrets.token_bytes(16)

    def listen() -> None:
        while True:
            content, (_, kind, *_) = listener.recvfrom(SNAP_BYTES)
            if content.endswith(last):
                return
            heard.note(kind, content)

    listening = threading.Thread(target=listen, daemon=True)
    listening.start()
    try:
        yield heard
    finally:
        speaker.sendto(last, ("127.0.0.1", 9))
        listening.join(READ_SECONDS)
        missed = listener.getsockopt(SOL_PACKET, PACKET_STATISTICS, 8)
        heard.lost = struct.unpack("II", missed)[1]
        stage.ip(
            f"route del default via {router} dev {BRIDGE}",
            f"-6 route del default via {ROUTER_IPV6} dev {BRIDGE}",
        )
    assert not listening.is_alive(), "Packets come faster than they are read."
    listener.close()
    speaker.close()
