"""What the units say of themselves: what is out of their reach."""

from pathlib import Path

import pytest

from builder.paths import OVERLAYS

pytestmark = pytest.mark.unit

UNITS = Path("usr/lib/systemd/system")
# Services of root that are handed no key and need none: secrets, TLS keys and certbot's lie there.
WITHOUT_KEYS = (
    "ratssaal-keys.service",
    "ratssaal-self-test.service",
    "ratssaal-way-back.service",
)


def setting(unit: str, name: str) -> list[str]:
    """All values that a unit of the base has for one setting, in order."""
    lines = (OVERLAYS / "base" / UNITS / unit).read_text().splitlines()
    return [value for key, _, value in (one.partition("=") for one in lines) if key == name]


@pytest.mark.parametrize("unit", WITHOUT_KEYS)
def test_a_service_that_needs_no_key_sees_none(unit: str) -> None:
    assert "/var/lib/ratssaal" in " ".join(setting(unit, "InaccessiblePaths")).split()
