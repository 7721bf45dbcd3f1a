"""Finds out which answers a failure may be due to, of those that have changed: all that fit.

A failed task of the play says which role has failed, a unit or an address that is not well which
roles make it what it is. Where no changed answer fits, it says so.
"""

import re
from collections.abc import Iterable

from firstboot.health import STORE
from firstboot.stack import Stack
from firstboot.texts import Said

# The settings that end in the files of each role, by the beginnings of their names. What a stack's
# own role uses is in its description, save for its doors in the web server.
ANSWERS: dict[str, tuple[str, ...]] = {
    "system": ("box.host_name", "box.turn_name"),
    "network": ("box.network",),
    "web": (
        "box.certificate",
        "box.host_name",
        "box.turn_name",
        "cluster.administration.networks",
    ),
    "store": (),
}
# The role whose files a unit, or what answers at an address, lives by. All others are the stack's.
MADE_BY = {
    "systemd-networkd.service": "network",
    "nftables.service": "network",
    "nginx.service": "web",
    "etcd.service": "store",
    STORE: "store",
}
TASK = re.compile(r"^(?:TASK|RUNNING HANDLER) \[(?:(?P<role>[\w.-]+) : )?", re.MULTILINE)
FAILED = re.compile(r"^(?:fatal|failed): \[", re.MULTILINE)


def failed_role(printed: str) -> str:
    """The role of the task that has failed, by what ansible-playbook printed; empty where none."""
    failed = FAILED.search(printed)
    tasks = list(TASK.finditer(printed, 0, failed.start())) if failed else []
    return (tasks[-1]["role"] or "") if tasks else ""


def _said(key: str, roles: Iterable[str], changed: tuple[str, ...], stack: Stack) -> Said:
    known = {**ANSWERS, "stack": stack.answers}
    prefixes = tuple(one for role in roles for one in known.get(role, ()))
    found = [one for one in changed if one.startswith(prefixes)]
    return Said(f"converge.{key}", {"answer": found}) if found else Said(f"converge.{key}_by_none")


def of_play(printed: str, changed: tuple[str, ...], stack: Stack) -> Said:
    """What to say where the playbook has failed; printed: its output."""
    return _said("configuration_refused", [failed_role(printed)], changed, stack)


def of_services(wrong: Iterable[str], changed: tuple[str, ...], stack: Stack) -> Said:
    """What to say where units or addresses are not well; wrong: which, as firstboot.health says."""
    roles = dict.fromkeys(MADE_BY.get(one, "stack") for one in wrong)
    return _said("not_healthy", roles, changed, stack)
