"""The other end of a cable that carries a VLAN: a switch's port in a program, run inside a stage.

Hosts without the kernel's VLAN module can talk to a machine's VLAN by it. What the machine sends
with the number comes out of a network card of this program's own, without it, and the other way
round; for each IPv4 packet without a number a dot goes to the standard output.

Arguments: the machine's cable (a tap device), the VLAN's number, the card's name, its address.
"""

import fcntl
import os
import select
import socket
import struct
import subprocess
import sys

# linux/if_tun.h
TUNSETIFF, IFF_TAP, IFF_NO_PI, IFF_VNET_HDR = 0x400454CA, 0x0002, 0x1000, 0x4000
# linux/if_packet.h, linux/if_ether.h
SOL_PACKET, PACKET_AUXDATA, PACKET_VNET_HDR = 263, 8, 15
PACKET_OUTGOING, TP_STATUS_VLAN_VALID = 4, 0x10
ETH_P_ALL, ETH_P_8021Q, ETH_P_IP = 0x0003, 0x8100, 0x0800
AUXILIARY = struct.Struct("=IIIHHHH")
# struct virtio_net_hdr: what a card would still have to compute of a packet goes along with it.
VIRTIO_BYTES = 10
ADDRESSES_BYTES = 12  # of the Ethernet header: what stands before the tag
MOST_BYTES = 2**17


def make_card(name: str, address: str) -> int:
    """A card whose cable is the file that is returned."""
    cable = os.open("/dev/net/tun", os.O_RDWR)
    flags = IFF_TAP | IFF_NO_PI | IFF_VNET_HDR
    fcntl.ioctl(cable, TUNSETIFF, struct.pack("16sH", name.encode(), flags))
    subprocess.run(["ip", "address", "add", address, "dev", name], check=True)
    subprocess.run(["ip", "link", "set", name, "up"], check=True)
    return cable


def plug_in(tap: str) -> socket.socket:
    """Everything on the machine's cable, as a card gives it."""
    wire = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(ETH_P_ALL))
    wire.setsockopt(SOL_PACKET, PACKET_AUXDATA, 1)
    wire.setsockopt(SOL_PACKET, PACKET_VNET_HDR, 1)
    wire.bind((tap, ETH_P_ALL))
    return wire


def number_of(ancillary: list[tuple[int, int, bytes]]) -> int | None:
    """The VLAN of a packet, which the kernel has taken out of it; None without one."""
    for level, kind, content in ancillary:
        if (level, kind) == (SOL_PACKET, PACKET_AUXDATA):
            status, _, _, _, _, tag, _ = AUXILIARY.unpack(content[: AUXILIARY.size])
            return tag & 0xFFF if status & TP_STATUS_VLAN_VALID else None
    return None


def carry(wire: socket.socket, cable: int, vlan: int) -> None:
    """Both ways, until the program is ended."""
    while True:
        ready, _, _ = select.select([wire.fileno(), cable], [], [])
        if wire.fileno() in ready:
            frame, ancillary, _, source = wire.recvmsg(MOST_BYTES, 256)
            if source[2] == PACKET_OUTGOING:
                continue
            number = number_of(ancillary)
            if number == vlan:
                os.write(cable, frame)
            elif number is None and source[1] == ETH_P_IP:
                os.write(sys.stdout.fileno(), b".")
        if cable in ready:
            frame = os.read(cable, MOST_BYTES)
            at = VIRTIO_BYTES + ADDRESSES_BYTES
            tag = struct.pack("!HH", ETH_P_8021Q, vlan)
            wire.send(frame[:at] + tag + frame[at:])


if __name__ == "__main__":
    tap, number, card, own = sys.argv[1:]
    carry(plug_in(tap), make_card(card, own), int(number))
