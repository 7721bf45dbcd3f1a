"""A town hall behind a router: people inside and outside of it, each in a network of their own."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from builder.machines.place import Place
from builder.machines.stage import BRIDGE, Stage
from tests.box.rules import rules

# The town hall's own network (RFC 1918), in which the stage is the router, and a world outside of
# it: TEST-NET-3 of RFC 5737, which no browser takes for private.
INSIDE = "192.168.77"
OUTSIDE = "203.0.113"
WORLD = "world0"
PUBLIC = f"{OUTSIDE}.1"
NAME_SERVER = 53  # the last number of the address of one, on either side
# 443 is forwarded; what leaves gets the router's own address. What comes from outside for an
# address inside does not pass, as no provider would even carry it.
ROUTER = """
table ip router {
    chain prerouting {
        type nat hook prerouting priority dstnat; policy accept;
        @FROM@ ip daddr @PUBLIC@ tcp dport 443 dnat to @BOX@
        @FROM@ ip daddr @PUBLIC@ udp dport 443 dnat to @BOX@
    }
    chain input {
        type filter hook input priority filter; policy accept;
        iifname "@BRIDGE@" ip daddr @PUBLIC@ drop
        iifname "@WORLD@" ip daddr @NAMES@ accept
        iifname "@WORLD@" ct state established,related accept
        iifname "@WORLD@" meta l4proto { tcp, udp } reject
    }
    chain forward {
        type filter hook forward priority filter; policy drop;
        ct state established,related accept
        iifname "@BRIDGE@" accept
        iifname "@WORLD@" ct status dnat accept
    }
    chain postrouting {
        type nat hook postrouting priority srcnat; policy accept;
        oifname "@WORLD@" masquerade
        iifname "@BRIDGE@" oifname "@BRIDGE@" ct status dnat masquerade
    }
}
"""
# Somebody at home, or anywhere: nobody gets in who was not asked. What goes directly is counted.
GUARDED = """
table inet guarded {
    chain input {
        type filter hook input priority filter; policy drop;
        iifname lo accept
        ct state established,related accept
    }
    chain output {
        type filter hook output priority filter; policy accept;
        ip daddr { @BOX@, @PUBLIC@ } meta l4proto udp counter
    }
}
"""
# A router; and the kernel's own filter for bridges would have neighbours pass the router's rules.
SWITCHES = """
cd /proc/sys/net
for one in bridge/bridge-nf-call-* ipv4/conf/*/send_redirects; do
    [ ! -e "$one" ] || echo 0 >"$one"
done
echo 1 >ipv4/ip_forward
"""


@contextmanager
def name_server(stage: Stage, bridge: str, address: str, name: str, leads_to: str) -> Iterator[str]:
    """A name server on a bridge: it knows `name` and what is below it, and no other name."""
    stage.ip(f"address add {address}/24 dev {bridge}")
    command = ["dnsmasq", "--keep-in-foreground", "--conf-file=/dev/null", "--no-resolv"]
    command += ["--no-hosts", "--user=root", "--pid-file=", "--bind-interfaces"]
    command += [f"--listen-address={address}", f"--address=/{name}/{leads_to}", "--address=/#/"]
    inside = stage.toolbox.command(command, own_processes=True)
    try:
        with stage.serving(inside, address, 53, "The name server does not answer."):
            yield address
    finally:
        stage.ip(f"address delete {address}/24 dev {bridge}")


@dataclass(frozen=True)
class Sides:
    """Somebody on each side of the router, and how many UDP packets each has sent to the box."""

    inside: Place
    outside: Place
    direct_inside: Callable[[], int]
    direct_outside: Callable[[], int]


@contextmanager
def router(stage: Stage, box: str, name: str, *, hairpin: bool) -> Iterator[Sides]:
    """Make the stage a router that forwards 443 to the address `box`, with a person on each side.

    The box's `name`, and what is below it, leads to the public address. With `hairpin` it does so
    inside as well, and the router turns round what goes there. Without, name servers inside give
    the box's own address, and the public one cannot be reached from there.
    """
    there, away = (f"{prefix}.{NAME_SERVER}" for prefix in (stage.prefix, OUTSIDE))
    text = ROUTER
    for place, value in {
        "@FROM@": "" if hairpin else f'iifname "{WORLD}"',
        "@PUBLIC@": PUBLIC,
        "@NAMES@": away,
        "@BOX@": box,
        "@BRIDGE@": BRIDGE,
        "@WORLD@": WORLD,
    }.items():
        text = text.replace(place, value)
    stage.ip(
        f"link add {WORLD} type bridge forward_delay 0 mcast_snooping 0",
        f"address add {PUBLIC}/24 dev {WORLD}",
        f"link set {WORLD} up",
    )
    try:
        stage.run(["sh", "-euc", SWITCHES])
        with (
            rules(stage, text),
            name_server(stage, BRIDGE, there, name, PUBLIC if hairpin else box),
            name_server(stage, WORLD, away, name, PUBLIC),
            Place(stage) as inside,
            Place(stage) as outside,
        ):
            inside.plug(BRIDGE, f"{stage.prefix}.20", stage.gateway, there)
            outside.plug(WORLD, f"{OUTSIDE}.20", PUBLIC, away)
            guarded = GUARDED.replace("@BOX@", box).replace("@PUBLIC@", PUBLIC)
            with rules(inside, guarded) as near, rules(outside, guarded) as far:
                yield Sides(inside, outside, near, far)
    finally:
        stage.ip(f"link delete {WORLD}")
