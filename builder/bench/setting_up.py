"""Measures setting a box up, beside Ansible with nothing to do."""

from collections.abc import Iterator

import yaml

from builder import answers, image
from builder.bench.figure import Figure, timed
from builder.machines.container import Box
from builder.machines.stage import Stage

_BOX_PYTHON = ("env", "PYTHONPATH=/usr/lib/ratssaal", "python3", "-c")
_GIVE_ANSWERS = """
import sys
from firstboot import agent, unattended
from firstboot.store import Draft, Store
Draft(Store()).begin(unattended.read(sys.stdin.buffer.read()))
agent.subprocess.run = lambda *_, **__: None  # begun by what is measured
agent.apply(Store(), "bench")
"""
_PLAY_AGAIN = """
from firstboot import converge
from firstboot.store import Store
said = converge.play(Store().settings(1), True).stdout
assert "changed=0" in said, said
"""
_COUNT_DECISIONS = """
from firstboot.web import steps
print(sum(one.decisions for one in steps.steps().values()) + steps.BEFORE_AND_AFTER)
"""


def set_up(box: Box, network: dict[str, object], meetings: dict[str, object] | None = None) -> None:
    """Set the box up by answers; `network` and `meetings` are more of them.

    Raises CommandError where it fails.
    """
    person = {"name": "Anna", "password": answers.hash_password("korrekt pferd batterie")}
    content = {
        "box": {"host_name": "sitzung.musterhausen.example", "network": network},
        "cluster": {
            "administration": {"people": [person], "alone_because": "-"},
            "meetings": meetings or {},
        },
    }
    box.run(*_BOX_PYTHON, _GIVE_ANSWERS, stdin=yaml.safe_dump(content))
    box.run("systemctl", "start", "ratssaal-converge.service")
    # A figure of what was given up would be a good one.
    box.run("test", "-e", "/var/lib/ratssaal/settings/applied.json")


def measure_setup() -> Iterator[Figure]:
    """From answers to serving on a box in a container, beside Ansible with nothing to do."""
    built = image.build(image.BuildOptions())
    with Stage(built.toolbox) as stage, Box(stage, built.artifacts) as box:
        box.shell("printf '%s\\n' '- hosts: localhost' '  gather_facts: false' >/run/empty.yml")
        nothing = ("ansible-playbook", "--inventory", "localhost,", "/run/empty.yml")
        box.run(*nothing)
        floor = timed(lambda: box.run(*nothing))
        first = timed(lambda: set_up(box, {}))
        second = timed(lambda: box.run(*_BOX_PYTHON, _PLAY_AGAIN))
        decisions = int(box.run(*_BOX_PYTHON, _COUNT_DECISIONS).stdout)
    beside = f"beside {floor:.2f} s of Ansible with an empty playbook"
    yield Figure("apply to serving", first / floor, 40, "x", f"{first:.1f} s {beside}")
    yield Figure("converge, second run", second / floor, 30, "x", f"{second:.1f} s {beside}")
    yield Figure("decisions on the way", decisions, 12, "", "answers asked of everybody")
