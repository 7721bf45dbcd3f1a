"""What the units say of themselves: what is out of their reach, and what they need to begin."""

from pathlib import Path

import pytest

from builder.paths import OVERLAYS
from firstboot.screen.keys import ACTIONS

pytestmark = pytest.mark.unit

PLACE = Path("usr/lib/systemd/system")
BASE = OVERLAYS / "base" / PLACE
# Services of root that are handed no key and need none: secrets, TLS keys and certbot's lie there.
WITHOUT_KEYS = (
    "ratssaal-font.service",
    "ratssaal-give-up.service",
    "ratssaal-keys.service",
    "ratssaal-self-test.service",
    "ratssaal-support-to-stick.service",
    "ratssaal-way-back.service",
)


def setting(unit: Path, name: str) -> list[str]:
    """All values that a unit has for one setting, in order."""
    lines = unit.read_text().splitlines()
    return [value for key, _, value in (one.partition("=") for one in lines) if key == name]


# Before there is a system nothing is confined yet.
SERVICES = sorted(one for one in OVERLAYS.glob(f"*/{PLACE}/*.service") if "initrd" not in one.parts)


@pytest.mark.parametrize("unit", SERVICES, ids=lambda unit: unit.name)
def test_every_service_of_the_system_is_confined(unit: Path) -> None:
    assert setting(unit, "NoNewPrivileges") == ["yes"]
    assert len(setting(unit, "CapabilityBoundingSet")) == 1
    # Ansible's roles may write /etc and /var, which is what converge is for.
    if unit.name != "ratssaal-converge.service":
        assert setting(unit, "ProtectSystem") == ["strict"]


@pytest.mark.parametrize("unit", WITHOUT_KEYS)
def test_a_service_that_needs_no_key_sees_none(unit: str) -> None:
    hidden = " ".join(setting(BASE / unit, "InaccessiblePaths")).split()
    assert "/var/lib/ratssaal" in [one.removeprefix("-") for one in hidden]


def test_giving_up_needs_nothing_that_may_be_what_is_broken() -> None:
    unit = BASE / "ratssaal-give-up.service"
    # With PrivateTmp systemd makes a folder below /var/tmp, on a disk that may be full or lost.
    assert setting(unit, "PrivateTmp") == []
    assert setting(unit, "ReadWritePaths") == []
    assert all(one.startswith("-") for one in " ".join(setting(unit, "InaccessiblePaths")).split())
    # The same words as the key at the box, whose service is as confined.
    assert setting(unit, "ExecStart") == [f"/usr/bin/systemctl {' '.join(ACTIONS['r'])}"]
