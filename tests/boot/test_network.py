"""The network of a town hall whose switch sends the box its own VLAN, numbers and all."""

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest

from builder.errors import CommandError
from builder.machines.machine import Machine
from builder.machines.shell import wait_for
from tests.boot import trunk
from tests.boot.conftest import House
from tests.boot.test_keys import DIGITS, until_shown

pytestmark = pytest.mark.boot

VLAN = 42
# TEST-NET-3 of RFC 5737; the stage itself is TEST-NET-2.
FIXED, ROUTER = "203.0.113.20", "203.0.113.1"
# What stands on the screen, and what is typed then.
BY_HAND = (
    ("Woher kommt die Adresse", "backspace 2 ret"),
    ("Feste Adresse", f"{FIXED} ret"),
    ("Netzl", "ret"),
    ("Gateway", f"{ROUTER} ret"),
    ("DNS-Server", f"{ROUTER} ret"),
    ("VLAN-Nummer", f"{VLAN} ret"),
    ("Proxy f", "ret"),
    ("Enter stellt das so ein", "ret"),
)
ASK = f"""
import ssl, urllib.request
context = ssl._create_unverified_context()
url = "https://{FIXED}/.well-known/ratssaal"
print(urllib.request.urlopen(url, timeout=20, context=context).read().decode())
"""


def keys(words: str) -> list[str]:
    """The keys for words: names of keys, or what is typed letter by letter."""
    named = ("ret", "backspace")
    return [
        key
        for word in words.split()
        for key in ([word] if word in named else [DIGITS.get(one, one) for one in word])
    ]


@contextmanager
def switched(house: House, machine: Machine) -> Iterator[subprocess.Popen[bytes]]:
    """A switch at the other end of the machine's cable, with a router in the VLAN."""
    command = [sys.executable, "-u", str(Path(trunk.__file__)), f"tap{machine.number}"]
    words = [*command, str(VLAN), "office", f"{ROUTER}/24"]
    child = house.stage.start(words, stdout=subprocess.PIPE)
    try:
        yield child
    finally:
        child.kill()
        child.wait()


@pytest.mark.slow  # Too long for every run: with --all.
def test_a_vlan_typed_at_the_box_is_spoken_on_the_wire(house: House, machine: Machine) -> None:
    """The host's kernel need not know VLANs: the machine's own does, down to its card."""
    with switched(house, machine) as wire:
        machine.press("a")
        for words, typed in BY_HAND:
            until_shown(machine, words)
            machine.press(*keys(typed))
        until_shown(machine, FIXED)
        assert f"id {VLAN} " in machine.shell(f"ip -details link show vlan{VLAN}")
        assert FIXED in machine.shell(f"ip -4 -oneline address show dev vlan{VLAN}")
        card = machine.shell("ls -d /sys/class/net/e* | head -n 1 | xargs basename").strip()
        assert machine.shell(f"ip -oneline address show dev {card}") == ""
        wait_for(lambda: answers(house), 60, "Nobody in the VLAN reaches the box.")
        # What it said without a number, it said before.
        spoken_without(wire)
        assert answers(house)
        assert spoken_without(wire) == 0


def answers(house: House) -> bool:
    """Whether the box serves whoever is in the VLAN."""
    with suppress(CommandError):
        return '"ready": true' in house.stage.run([sys.executable, "-c", ASK])
    return False


def spoken_without(wire: subprocess.Popen[bytes]) -> int:
    """How many packets have come without a number since the last time."""
    assert wire.stdout
    os.set_blocking(wire.stdout.fileno(), False)
    return len(wire.stdout.read() or b"")
