"""Finds the address under which this box is reached and tells those services that have to know.

Written to /run/ratssaal: address.json (for the console), address.env (for units' shells) and
address.conf (for nginx). A box with no network serves itself alone, on loopback.
"""

import argparse
import json
import os
import select
import socket
import subprocess
from dataclasses import dataclass
from pathlib import Path

from firstboot.certificates import own
from firstboot.files import write_whole
from firstboot.screen.anew import redraw

NAMES = Path("/etc/ratssaal.json")
WAIT_ONLINE = "/usr/lib/systemd/systemd-networkd-wait-online"
ROUTES = Path("/proc/net/route")
# Which of its news the kernel sends: changes of IPv4 routes (RTMGRP_IPV4_ROUTE, rtnetlink(7)).
ROUTES_CHANGE = 0x40
NEWS_BYTES = 65536
RUN = Path("/run/ratssaal")
LOOPBACK = "127.0.0.1"


@dataclass(frozen=True)
class Addresses:
    """All global addresses of the box's cards, and the one that it names to guests."""

    primary: str
    all: tuple[str, ...]
    hardware: tuple[str, ...]


def _ip(*arguments: str) -> list[dict[str, object]]:
    answer = subprocess.run(["ip", "-json", *arguments], check=True, capture_output=True, text=True)
    result: list[dict[str, object]] = json.loads(answer.stdout or "[]")
    return result


def choose(links: list[dict[str, object]], routes: list[dict[str, object]]) -> Addresses:
    """Choose from `ip -json address` and `ip -json -4 route show default`.

    The primary address is that of the card with the best default route, else any IPv4 address.
    """
    found: list[tuple[str, str]] = []
    hardware: list[str] = []
    for link in links:
        name = str(link.get("ifname"))
        if name == "lo" or link.get("link_type") != "ether":
            continue
        hardware.append(str(link.get("address")))
        entries = link.get("addr_info")
        for entry in entries if isinstance(entries, list) else []:
            if entry.get("scope") == "global" and not entry.get("tentative"):
                found.append((name, str(entry["local"])))
    by_metric = sorted(routes, key=lambda route: int(str(route.get("metric", 0))))
    preferred = [str(route.get("dev")) for route in by_metric]
    ipv4 = [(name, address) for name, address in found if ":" not in address]
    ipv4.sort(key=lambda pair: preferred.index(pair[0]) if pair[0] in preferred else len(preferred))
    primary = ipv4[0][1] if ipv4 else LOOPBACK
    # A VLAN has the hardware address of its card.
    cards = tuple(dict.fromkeys(hardware))
    return Addresses(primary, tuple(address for _, address in found), cards)


def leads_out(routes: str) -> bool:
    """Whether there is a default route; routes: what /proc/net/route says, a heading and lines.

    Of each line: card, destination, gateway, four more, mask; numbers of 32 bits in hexadecimal.
    """
    fields = [line.split() for line in routes.splitlines()[1:]]
    return any(int(one[1], 16) == 0 and int(one[7], 16) == 0 for one in fields)


def wait(seconds: int) -> None:
    """Wait for an address and its default route, or until networkd is done, at most so long.

    networkd is done only once nobody else has the link's own IPv6 address, which takes seconds
    (RFC 4862, section 5.4); a network that leads nowhere has no route to wait for.
    """
    with socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, socket.NETLINK_ROUTE) as news:
        news.bind((0, ROUTES_CHANGE))
        if leads_out(ROUTES.read_text()):
            return
        online = subprocess.Popen([WAIT_ONLINE, "--any", f"--timeout={seconds}"])
        end = os.pidfd_open(online.pid)
        try:
            while not leads_out(ROUTES.read_text()):
                ready, _, _ = select.select([news.fileno(), end], [], [])
                if end in ready:
                    return
                news.recv(NEWS_BYTES)
        finally:
            os.close(end)
            online.terminate()
            online.wait()


def main() -> None:
    """Write the address files. --wait: not before there is an address, or seconds have passed;
    --restart: also restart what depends on the address.
    """
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--wait", type=int, metavar="SECONDS", help="wait so long for an address")
    parser.add_argument("--restart", action="store_true", help="restart dependent services")
    options = parser.parse_args()

    names = json.loads(NAMES.read_text())
    authority = own.open_authority()
    if options.wait:
        redraw()  # for the first time: that the box starts
        # A box without a network is a box all the same: no failure, no more than this wait.
        wait(options.wait)
    addresses = choose(_ip("address", "show"), _ip("-4", "route", "show", "default"))
    known = dict.fromkeys([names["host_name"], names["turn_name"], *own.ALWAYS])
    renewed = own.ensure_leaf(authority, list(known), list(addresses.all))
    moved = write_whole(RUN / "address.env", f"RATSSAAL_ADDRESS={addresses.primary}\n")
    mapping = f"map $remote_port $box_address {{ default {addresses.primary}; }}\n"
    write_whole(RUN / "address.conf", mapping)
    facts = {**vars(addresses), "host_name": names["host_name"]}
    told = write_whole(RUN / "address.json", json.dumps(facts) + "\n")
    # By its certificate, too, the box is known. At a start firstboot.health has the screen drawn.
    if options.restart and (told or renewed):
        redraw()
    if options.restart and moved:
        subprocess.run(["systemctl", "restart", "ratssaal-address.target"], check=True)
    if options.restart and (moved or renewed):
        subprocess.run(["systemctl", "reload-or-restart", "nginx.service"], check=True)


if __name__ == "__main__":
    main()
