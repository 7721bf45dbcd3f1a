"""Configuration and confinement of the services."""

import json
import re

import pytest

from builder.machines.shell import wait_for
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


def test_a_part_that_is_only_started_anew_makes_no_box_faulty_and_one_that_is_out_comes_back(
    town: Town,
) -> None:
    look = ("systemctl", "start", "ratssaal-health-again.service")
    town.box.shell(
        "systemctl stop livekit.service;"
        " systemd-run --quiet --on-active=3 systemctl start livekit.service"
    )
    town.box.run(*look)
    town.box.shell("systemctl stop livekit.service")
    assert town.box.run(*look, check=False).returncode
    said = town.box.shell("cat /run/ratssaal/health.json")
    assert json.loads(said)["wrong"] == {"livekit.service": "is inactive"}
    town.box.run(*look)
    said = town.box.shell("cat /run/ratssaal/health.json")
    assert json.loads(said)["wrong"] == {}
    told = town.box.shell("journalctl --no-pager -o cat -u ratssaal-health-again.service")
    assert told.count("Starting again: livekit.service") == 1


# Leaves of a log of etcd's what was there before it was first written to: three records, which say
# what it is. Each has eight bytes before it: its length, and above that, behind the topmost bit,
# how many bytes fill it up.
CUT_OFF = """
import pathlib
log = next(pathlib.Path("member/wal").glob("0*-0*.wal"))
content, end = log.read_bytes(), 0
for _ in range(3):
    field = int.from_bytes(content[end : end + 8], "little")
    end += 8 + (field & (1 << 56) - 1) + (field >> 56 & 7 if field >> 63 else 0)
log.write_bytes(content[:end] + bytes(len(content) - end))
pathlib.Path("member/snap/db").unlink()
"""
NOT_THERE = "/run/systemd/system/etcd.service.d/not-there.conf"


def test_a_store_whose_first_start_power_has_ended_is_made_anew(town: Town) -> None:
    """Between making its log and writing down that it is its own only member."""
    box, healthy = town.box, "etcdctl --command-timeout=2s endpoint health"
    box.shell("systemctl stop etcd.service; mv /var/lib/etcd/ratssaal /var/lib/etcd/kept")
    try:
        # A first start, of which etcd itself does nothing.
        box.shell(
            f"mkdir -p {NOT_THERE.rpartition('/')[0]};"
            f" printf '[Service]\\nExecStart=\\nExecStart=false\\nRestart=no\\n' >{NOT_THERE};"
            f" systemctl daemon-reload; ! systemctl start etcd.service; rm {NOT_THERE};"
            " systemctl daemon-reload; test -e /var/lib/etcd/being-made;"
            " cp --archive /var/lib/etcd/kept /var/lib/etcd/ratssaal"
        )
        box.run("env", "-C", "/var/lib/etcd/ratssaal", "python3", "-c", CUT_OFF)
        # Such a store alone does not come up; nor is it thrown away.
        box.shell(
            "mv /var/lib/etcd/being-made /var/lib/etcd/away;"
            " systemctl --no-block start etcd.service; sleep 3"
        )
        assert box.run("sh", "-c", healthy, check=False).returncode
        box.shell(
            "systemctl stop etcd.service; test -e /var/lib/etcd/ratssaal/member/wal;"
            " mv /var/lib/etcd/away /var/lib/etcd/being-made"
        )
        box.shell(f"systemctl start etcd.service; {healthy}; test ! -e /var/lib/etcd/being-made")
        told = box.shell("journalctl --no-pager --output=cat --unit=etcd.service")
        assert told.count("it is made anew") == 1
        # From now on what is stored stays.
        box.shell("etcdctl put /test/one two; systemctl kill --signal=KILL etcd.service")
        wait_for(
            lambda: box.shell("systemctl is-active etcd.service || true").strip() == "active",
            20,
            "etcd did not come back.",
        )
        assert box.shell("etcdctl get --print-value-only /test/one") == "two\n"
    finally:
        box.shell(
            "systemctl stop etcd.service; rm -rf /var/lib/etcd/ratssaal /var/lib/etcd/away;"
            " mv /var/lib/etcd/kept /var/lib/etcd/ratssaal; systemctl start etcd.service"
        )
