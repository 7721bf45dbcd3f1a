"""A neighbour on the network, run inside a stage: which doors answer, and what they say."""

import contextlib
import json
import re
import select
import socket
import ssl
import struct
import sys
import time
import urllib.error
import urllib.request
from email.message import Message
from typing import Any

OWN_PORT = 40123
SYN = 2
MDNS, MDNS_PORT = "224.0.0.251", 5353


def _sum(content: bytes) -> int:
    """The checksum of the Internet (RFC 1071)."""
    total: int = sum(struct.unpack(f"!{len(content) // 2}H", content))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return ~total & 0xFFFF


def _syn(source: str, target: str, port: int) -> bytes:
    """The first segment of a connection (RFC 9293, section 3.1)."""
    head = struct.pack("!HHIIBBHHH", OWN_PORT, port, 1, 0, 5 << 4, SYN, 1024, 0, 0)
    both = socket.inet_aton(source) + socket.inet_aton(target)
    checked = _sum(both + struct.pack("!BBH", 0, socket.IPPROTO_TCP, len(head)) + head)
    return head[:16] + struct.pack("!H", checked) + head[18:]


def _tcp(address: str) -> list[int]:
    """All of the 65535 TCP ports that accept or refuse; a dropped packet is no answer.

    Each is asked twice, as TCP itself would where a segment is lost on the way.
    """
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as one:
        one.connect((address, 9))
        source = one.getsockname()[0]
    found = set()
    with socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_TCP) as line:
        line.setblocking(False)

        def listen(seconds: float) -> None:
            while select.select([line], [], [], seconds)[0]:
                packet, (sender, _) = line.recvfrom(2048)
                segment = packet[(packet[0] & 0xF) * 4 :]
                port, own = struct.unpack("!HH", segment[:4])
                if sender == address and own == OWN_PORT:
                    found.add(port)

        for _ in range(2):
            for port in range(1, 65536):
                line.sendto(_syn(source, address, port), (address, 0))
                if port % 256 == 0:
                    listen(0.002)
            listen(2)
    return sorted(found)


def _udp(address: str, ports: list[int]) -> list[int]:
    """Those of `ports` from which anything comes back, an error message included."""
    answered = []
    for port in ports:
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as one:
            one.settimeout(0.7)
            one.connect((address, port))
            # A question that name services and STUN servers would answer.
            one.send(bytes.fromhex("1234012000010000000000000566696c6c65056c6f63616c0000010001"))
            with contextlib.suppress(TimeoutError):
                with contextlib.suppress(ConnectionRefusedError):
                    one.recv(2048)
                answered.append(port)
    return answered


def _named(name: str, own: str) -> list[str]:
    """The IPv4 addresses that answer for `name` in the local network (RFC 6762), within 5 s.

    own: the address of the card by which it is asked.
    """
    labels = b"".join(bytes([len(one)]) + one.encode() for one in name.split("."))
    asked = labels + b"\0" + struct.pack("!HH", 1, 1)
    found: set[str] = set()
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as one:
        one.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        one.bind(("", MDNS_PORT))
        both = socket.inet_aton(MDNS) + socket.inet_aton(own)
        one.setsockopt(socket.IPPROTO_IP, socket.IP_ADD_MEMBERSHIP, both)
        one.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_IF, socket.inet_aton(own))
        one.sendto(struct.pack("!6H", 0, 0, 1, 0, 0, 0) + asked, (MDNS, MDNS_PORT))
        deadline = time.monotonic() + 5
        while not found and (left := deadline - time.monotonic()) > 0:
            if not select.select([one], [], [], left)[0]:
                break
            answer = one.recv(9000)
            # A record of it: name, kind A, class IN whose first bit says that it is the only one.
            record = re.compile(re.escape(labels) + rb"\0\0\x01[\0\x80]\x01.{4}\0\x04(.{4})", re.S)
            if answer[2] & 0x80:
                found |= {socket.inet_ntoa(one) for one in record.findall(answer)}
    return sorted(found)


class _NoRedirect(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, *_: Any, **__: Any) -> None:
        return None


def _http(url: str) -> tuple[int, dict[str, str], str]:
    context = ssl._create_unverified_context()
    handlers = [_NoRedirect(), urllib.request.HTTPSHandler(context=context)]
    try:
        answer: Any = urllib.request.build_opener(*handlers).open(url, timeout=5)
    except urllib.error.HTTPError as error:
        answer = error
    headers: Message = answer.headers
    lower = {name.lower(): value for name, value in headers.items()}
    return answer.status, lower, answer.read().decode()


if __name__ == "__main__":
    kind, target, *rest = sys.argv[1:]
    if kind == "tcp":
        print(json.dumps(_tcp(target)))
    elif kind == "udp":
        print(json.dumps(_udp(target, [int(port) for port in rest])))
    elif kind == "named":
        print(json.dumps(_named(target, *rest)))
    else:
        print(json.dumps(_http(target)))
