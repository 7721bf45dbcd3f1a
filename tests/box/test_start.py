"""A first start, a second one, and one without any network: what an operator would look at."""

import json

import pytest

from builder.artifacts import Artifacts
from builder.machines.container import Box
from builder.machines.stage import Stage
from tests.box.conftest import Town

pytestmark = pytest.mark.box


def assert_well(box: Box) -> None:
    """No failed unit, nothing unfinished, no ordering cycle, and the box calls itself ready."""
    failed = box.run("systemctl", "--failed", "--no-legend", "--plain").stdout
    assert failed == ""
    assert box.run("systemctl", "is-system-running", check=False).stdout.strip() == "running"
    journal = box.run("journalctl", "--boot", "--no-pager").stdout
    assert "ordering cycle" not in journal
    assert json.loads(box.run("cat", "/run/ratssaal/public/state.json").stdout)["ready"] is True


def fingerprint(box: Box) -> str:
    """All that must not change by itself: settings, secrets, certificates, services' files."""
    return box.shell(
        "find /etc /var/lib/ratssaal /var/lib/nginx -xdev -type f ! -name .updated"
        " -printf '%p %m %U %G ' -exec sha256sum {} \\; | sort"
    )


def test_ready_and_well(town: Town) -> None:
    assert_well(town.box)


def test_screen_shows_address_and_state(town: Town) -> None:
    screen = town.box.shell(
        "PYTHONPATH=/usr/lib/ratssaal python3 -m firstboot.screen.console /dev/stdout"
    )
    assert f"https://{town.box.address}" in screen
    assert "bereit" in screen
    assert "https://ratssaal.local" in screen


def test_second_start_changes_nothing(stage: Stage, artifacts: Artifacts) -> None:
    with Box(stage, artifacts) as box:
        before = fingerprint(box)
        assert "/var/lib/ratssaal/secrets/stack/keys.yaml" in before
        box.stop()
        box.start()
        assert_well(box)
        assert fingerprint(box) == before


def test_well_without_any_network(stage: Stage, artifacts: Artifacts) -> None:
    with Box(stage, artifacts, cable=False) as box:
        assert_well(box)
        screen = box.shell(
            "PYTHONPATH=/usr/lib/ratssaal python3 -m firstboot.screen.console /dev/stdout"
        )
        assert "Kein Netz" in screen
        assert box.address == "127.0.0.1"


def test_follows_a_new_address(stage: Stage, artifacts: Artifacts) -> None:
    with Box(stage, artifacts) as box:
        old = box.address
        # A container has no screen: what is drawn on it stays in a file in its place.
        box.shell(": >/dev/tty1")
        box.shell(
            "ip address flush dev host0 scope global;"
            " ip address add 198.51.100.77/24 dev host0;"
            " timeout 30 sh -c"
            " 'until grep -q 198.51.100.77 /run/ratssaal/address.env; do sleep 0.1; done';"
            " systemctl is-active --wait ratssaal-address-changed.service || true;"
            " timeout 30 sh -c 'until ss -uln | grep -q 198.51.100.77:443; do sleep 0.1; done'"
        )
        assert old != "198.51.100.77"
        names = box.shell(
            "openssl x509 -in /var/lib/ratssaal/tls/fullchain.pem -noout -ext subjectAltName"
        )
        assert "198.51.100.77" in names
        # The certificate's own mark is on the screen, too, so it is drawn last.
        box.shell(
            "timeout 30 sh -c 'until grep -q https://198.51.100.77 /dev/tty1; do sleep 0.1; done'"
        )
        assert old not in box.shell("cat /dev/tty1")


def test_an_address_that_came_before_anybody_listened_is_noticed(
    stage: Stage, artifacts: Artifacts
) -> None:
    with Box(stage, artifacts) as box:
        box.shell(
            "systemctl stop ratssaal-address-watch;"
            " ip address add 198.51.100.78/24 dev host0;"
            " systemctl start ratssaal-address-watch;"
            " timeout 60 sh -c 'until grep -q 198.51.100.78 /run/ratssaal/address.json;"
            " do sleep 0.5; done'"
        )


def test_each_box_has_secrets_of_its_own(town: Town, artifacts: Artifacts) -> None:
    own = (
        "cat /etc/machine-id /var/lib/ratssaal/secrets/stack/keys.yaml;"
        " sha256sum /var/lib/ratssaal/tls/*.pem"
    )
    with Box(town.stage, artifacts) as other:
        first = set(town.box.shell(own).split())
        second = set(other.shell(own).split())
        assert {word for word in first & second if not word.startswith("/var/")} == set()
        # Both live on one bridge: the neighbour's front door opens.
        answer = other.shell(
            f'python3 -c "import ssl, urllib.request; c = ssl._create_unverified_context(); '
            f"url = 'https://{town.box.address}/';"
            'print(urllib.request.urlopen(url, context=c, timeout=30).status)"'
        )
        assert answer.strip() == "200"
