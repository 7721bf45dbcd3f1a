"""Keys pressed on the machine's own keyboard, and what its screen shows then."""

import re

import pytest

from builder.machines.machine import Machine
from builder.machines.shell import wait_for

pytestmark = pytest.mark.boot

SECONDS = 120.0
DIGITS = {".": "dot"}


def shown(machine: Machine) -> str:
    """The text on the screen, the first virtual terminal (vcs(4)); its own signs are left out."""
    return machine.shell(
        "columns=$(stty --file=/dev/tty1 size | cut -d ' ' -f 2);"
        " tr -c '\\40-\\176' ' ' </dev/vcs1 | fold -w $columns"
    )


def until_shown(machine: Machine, *words: str) -> None:
    wait_for(
        lambda: all(one in shown(machine) for one in words),
        SECONDS,
        f"The screen never said {words}.",
    )


def code_shown(machine: Machine) -> str:
    found = re.search(r"Code +([a-x]{4} [a-x]{4})", shown(machine))
    return found[1] if found else ""


def test_a_new_code_by_a_key(machine: Machine) -> None:
    before = code_shown(machine)
    assert before
    machine.press("n")
    until_shown(machine, "Ein neuer Code ist da")
    assert code_shown(machine) not in ("", before)


def test_the_network_is_asked_for_by_a_key_and_escape_changes_nothing(machine: Machine) -> None:
    machine.press("a")
    until_shown(machine, "Netz von Hand", "Woher kommt die Adresse")
    # What would be a key otherwise is typed now, and taken off again.
    machine.press("backspace", "n")
    until_shown(machine, "> n")
    machine.press("backspace", "2", "ret")
    until_shown(machine, "Feste Adresse")
    machine.press(*(DIGITS.get(one, one) for one in "192.0.2.20"), "ret")
    until_shown(machine, "192.0.2.20", "> 24")
    machine.press("esc")
    until_shown(machine, "Der Konferenzserver Ihres Hauses", machine.address)
    assert machine.shell("ls /var/lib/ratssaal/settings") == ""
    # And the keys are read again.
    machine.press("t")
    until_shown(machine, "Selbsttest: Alles ist in Ordnung")
