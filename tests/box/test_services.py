"""Configuration and confinement of the services."""

import json
import re

import pytest

from tests.box.conftest import Town

pytestmark = pytest.mark.box

# Exposure by systemd-analyze(1) security, 0 (confined) to 10; what each service must stay below.
EXPOSURE = {
    "nginx.service": 2.5,
    "etcd.service": 2.5,
    "livekit.service": 2.5,
    "ratssaal-meet.service": 2.0,
    "ratssaal-openid@0.service": 2.0,
}


@pytest.mark.parametrize("unit", sorted(EXPOSURE))
def test_services_are_confined(town: Town, unit: str) -> None:
    answer = town.box.run("systemd-analyze", "security", "--no-pager", unit).stdout
    match = re.search(r"Overall exposure level for \S+: ([0-9.]+)", answer)
    assert match
    assert float(match[1]) <= EXPOSURE[unit], answer


def test_no_service_of_ours_runs_as_root_in_the_network(town: Town) -> None:
    sockets = town.box.run("ss", "-tulpnH").stdout
    names = set(re.findall(r'users:\(\("([^"]+)"', sockets))
    users = {
        name: town.box.run("ps", "-o", "user=", "-C", name[:15]).stdout.split() for name in names
    }
    assert users
    for name, owners in users.items():
        assert "root" not in owners, name


def test_converge_on_the_box_changes_nothing(town: Town) -> None:
    """The roles ran while the image was built: on the box they find all as it should be."""
    answer = town.box.shell(
        "mkdir -p /run/ratssaal-ansible; cd /usr/lib/ratssaal;"
        " PYTHONPATH=. python3 -m firstboot.settings >/run/ratssaal-ansible/settings.json;"
        " HOME=/run/ratssaal-ansible ANSIBLE_CONFIG=firstboot/ansible/ansible.cfg LC_ALL=C.UTF-8"
        " ansible-playbook --inventory localhost, --extra-vars @/run/ratssaal-ansible/settings.json"
        " firstboot/ansible/site.yml"
    )
    recap = re.search(r"localhost\s+: (.*)", answer)
    assert recap
    assert "changed=0" in recap[1], answer
    assert "failed=0" in recap[1]


def test_each_checker_accepts_its_service_s_file(town: Town) -> None:
    town.box.run("nft", "--check", "--file", "/etc/nftables.conf")
    town.box.run("nginx", "-t", "-q")
    check = "/usr/lib/ratssaal/stack/check"
    town.box.run(check, "/etc/livekit/livekit.yaml")
    town.box.shell("(cat /etc/livekit/livekit.yaml; echo 'nonsense: 1') >/run/nonsense.yaml")
    refused = town.box.run(check, "/run/nonsense.yaml", check=False)
    assert refused.returncode == 1
    assert "nonsense" in refused.stderr


def test_units_verify(town: Town) -> None:
    units = town.box.shell(
        "cd /usr/lib/systemd/system; ls -d ratssaal-*.service ratssaal-*.socket"
        " ratssaal-*.timer ratssaal-*.target"
        " livekit.service nginx.service etcd.service nftables.service"
    ).split()
    assert len(units) > 8
    answer = town.box.run("systemd-analyze", "verify", "--man=no", *units, check=False)
    assert (answer.returncode, answer.stderr) == (0, "")


def test_a_part_that_is_only_started_anew_makes_no_box_faulty(town: Town) -> None:
    look = ("systemctl", "start", "ratssaal-health-again.service")
    town.box.shell(
        "systemctl stop livekit.service;"
        " systemd-run --quiet --on-active=3 systemctl start livekit.service"
    )
    town.box.run(*look)
    town.box.shell("systemctl stop livekit.service")
    assert town.box.run(*look, check=False).returncode
    assert json.loads(town.box.shell("cat /run/ratssaal/health.json"))["wrong"] == [
        "livekit.service"
    ]
    town.box.shell("systemctl start livekit.service")
    town.box.run(*look)
    assert json.loads(town.box.shell("cat /run/ratssaal/health.json"))["wrong"] == []
