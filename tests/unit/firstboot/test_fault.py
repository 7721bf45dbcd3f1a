"""Which answers a failure is put down to: those that changed and that it can depend on, or none."""

import re
from pathlib import Path
from typing import Any

import pytest

from firstboot import fault
from firstboot.health import BASE_UNITS, STORE
from firstboot.settings import Settings
from firstboot.stack import Stack
from firstboot.texts import LANGUAGES, Said

pytestmark = pytest.mark.unit

PROJECT = Path(__file__).resolve().parents[3]
LIVEKIT = PROJECT / "overlays/livekit/usr/lib/ratssaal/stack"
ROLES = {one.name: one for one in (PROJECT / "firstboot/ansible/roles").iterdir()}
STACK = Stack("Example", ("x.service",), (), ("http://127.0.0.1:1/",), answers=("box.turn_name",))
EVERYTHING = (
    "box.certificate.kind",
    "box.host_name",
    "box.network.uplink",
    "box.reach",
    "box.turn_name",
    "cluster.administration.networks",
    "cluster.house.name",
)
# What ansible-playbook prints, shortened; the last task before the failure is the one.
PRINTED = """
PLAY [Ratssaal] ****************************************************************

TASK [system : Names by which this box knows itself] ***************************
changed: [localhost] => (item={'src': 'hostname.j2', 'dest': '/etc/hostname'})

%s
%s

PLAY RECAP *********************************************************************
localhost                  : ok=8    changed=1    unreachable=0    failed=1
"""
FATAL = 'fatal: [localhost]: FAILED! => {"changed": false, "msg": "TASK [store : x]"}'
ITEM = 'failed: [localhost] (item={"src": "a"}) => {"msg": "failed to validate"}'


@pytest.mark.parametrize(
    ("header", "failed", "answers"),
    [
        ("TASK [network : Packet filter] ****", FATAL, ["box.network.uplink"]),
        ("TASK [network : Cards] ****", ITEM, ["box.network.uplink"]),
        (
            "RUNNING HANDLER [web : Check web server] ****",
            FATAL,
            [
                "box.certificate.kind",
                "box.host_name",
                "box.turn_name",
                "cluster.administration.networks",
            ],
        ),
        ("RUNNING HANDLER [stack : Restart stack] ****", FATAL, ["box.turn_name"]),
        ("TASK [system : Names] ****", FATAL, ["box.host_name", "box.turn_name"]),
        ("RUNNING HANDLER [store : Restart store] ****", FATAL, []),
        ("TASK [some task of no role] ****", FATAL, []),
        ("TASK [unknown : Task] ****", FATAL, []),
        ("", "ERROR! the playbook could not be read", []),
    ],
)
def test_a_task_that_failed_leads_to_the_answers_of_its_role(
    header: str, failed: str, answers: list[str]
) -> None:
    said = fault.of_play(PRINTED % (header, failed), EVERYTHING, STACK)
    assert said.key == "converge.configuration_refused" + ("" if answers else "_by_none")
    assert said.values == ({"answer": answers} if answers else {})


def test_the_first_change_by_name_is_not_blamed_for_anothers_fault() -> None:
    changed = ("box.host_name", "box.network.uplink")
    printed = PRINTED % ("TASK [network : Packet filter] ****", FATAL)
    assert fault.of_play(printed, changed, STACK) == Said(
        "converge.configuration_refused", {"answer": ["box.network.uplink"]}
    )


@pytest.mark.parametrize(
    ("wrong", "changed", "answers"),
    [
        (["nginx.service"], ["box.network.proxy", "box.host_name"], ["box.host_name"]),
        (["nginx.service"], ["box.reach", "cluster.house.name"], []),
        (
            ["nginx.service"],
            ["box.certificate.key", "box.host_name"],
            ["box.certificate.key", "box.host_name"],
        ),
        (["systemd-networkd.service"], ["box.host_name", "box.network.vlan"], ["box.network.vlan"]),
        (
            ["nftables.service"],
            ["box.network.uplink", "cluster.house.name"],
            ["box.network.uplink"],
        ),
        (["nftables.service"], ["cluster.administration.networks"], []),
        (["etcd.service"], list(EVERYTHING), []),
        ([STORE], list(EVERYTHING), []),
        (["x.service"], list(EVERYTHING), ["box.turn_name"]),
        (["http://127.0.0.1:1/"], list(EVERYTHING), ["box.turn_name"]),
        (["etcd.service", "x.service"], ["box.reach", "box.turn_name"], ["box.turn_name"]),
        (["x.service"], [], []),
    ],
)
def test_what_is_not_well_leads_to_the_answers_that_it_is_made_of(
    wrong: list[str], changed: list[str], answers: list[str]
) -> None:
    said = fault.of_services(wrong, tuple(changed), STACK)
    assert said.key == "converge.not_healthy" + ("" if answers else "_by_none")
    assert said.values == ({"answer": answers} if answers else {})
    for language in LANGUAGES:
        assert said.text(language)


def used(*templates: Path) -> set[str]:
    """The settings that templates and files of a role mention, by their full names."""
    found: set[str] = set()
    for one in templates:
        text = one.read_text()
        found |= set(re.findall(r"settings\.((?:box|cluster)(?:\.[a-z_]+)+)", text))
        if re.search(r"\b(named(_turn)?|one_name)\b(?! \{|/)", re.sub(r"#.*", "", text)):
            found |= {"box.certificate"}
    return found


@pytest.mark.parametrize("role", sorted(ROLES))
def test_all_that_a_role_uses_of_the_settings_is_known(role: str) -> None:
    files = [one for one in ROLES[role].rglob("*") if one.suffix in (".j2", ".yml")]
    mentioned = used(*files)
    prefixes = fault.ANSWERS[role]
    assert all(one.startswith(prefixes) for one in mentioned), mentioned
    # The web server reads a stack's doors as well.
    mentioned |= used(*(LIVEKIT / "roles").rglob("*.j2")) if role == "web" else set()
    assert all(any(one.startswith(prefix) for one in mentioned) for prefix in prefixes)


def test_all_that_the_stack_uses_of_the_settings_is_known() -> None:
    stack = Stack.read(LIVEKIT / "stack.yaml")
    templates = list((LIVEKIT / "roles").rglob("*.j2"))
    (own,) = [one for one in templates if one.name == "livekit.yaml.j2"]
    assert used(own) == set(stack.answers)
    known = (*stack.answers, *fault.ANSWERS["web"])
    assert all(one.startswith(known) for one in used(*templates))


def test_units_that_are_watched_have_a_role_and_settings_that_are_named_exist() -> None:
    assert set(fault.MADE_BY) == {*BASE_UNITS, STORE}
    assert set(fault.MADE_BY.values()) <= set(fault.ANSWERS) == set(ROLES)
    content = Settings().model_dump(mode="json")
    stack = Stack.read(LIVEKIT / "stack.yaml")
    for prefixes in (*fault.ANSWERS.values(), stack.answers):
        for prefix in prefixes:
            inside: Any = content
            for word in prefix.split("."):
                inside = inside[word]
