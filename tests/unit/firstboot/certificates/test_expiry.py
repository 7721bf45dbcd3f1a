"""How long the certificate for the public name lasts, in words."""

import datetime
import json
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from firstboot.certificates.expiry import Attempt, findings, keep_attempt, last_attempt
from firstboot.certificates.named import Named
from firstboot.texts import LANGUAGES, Said

pytestmark = pytest.mark.unit

NOW = datetime.datetime(2026, 11, 24, 12, tzinfo=datetime.UTC)
HOST, TURN = "rat.example", "turn.rat.example"
REFUSED = Attempt("2026-11-24T11:05+00:00", Said("acme.too_many"))


def box(kind: str) -> dict[str, Any]:
    return {"certificate": {"kind": kind}, "host_name": HOST, "turn_name": TURN}


def named(days: float, *names: str) -> Named:
    end = NOW + datetime.timedelta(days=days)
    return Named(names or (HOST, TURN), "CN=x", end)


@pytest.mark.parametrize(
    ("kind", "found", "attempt", "told"),
    [
        ("own", None, None, ["note certificate_own"]),
        ("own", named(5), REFUSED, ["note certificate_own"]),
        ("acme", None, None, ["problem certificate_missing_acme"]),
        (
            "acme",
            None,
            REFUSED,
            ["problem certificate_missing_acme", "problem certificate_attempt"],
        ),
        ("files", None, REFUSED, ["problem certificate_missing_files"]),
        ("files", named(50, "other.example"), None, ["problem certificate_missing_files"]),
        ("acme", named(60), None, ["good certificate_good"]),
        ("acme", named(60), REFUSED, ["good certificate_good", "note certificate_attempt"]),
        ("acme", named(21), None, ["good certificate_good"]),
        ("acme", named(20.9), None, ["problem certificate_ends_acme"]),
        (
            "acme",
            named(3),
            REFUSED,
            ["problem certificate_ends_acme", "problem certificate_attempt"],
        ),
        ("files", named(0.5), None, ["problem certificate_ends_files"]),
        ("files", named(0), None, ["problem certificate_ended_files"]),
        ("acme", named(-1), None, ["problem certificate_ended_acme"]),
        ("acme", named(60, "*.example"), None, ["good", "note certificate_without_turn_acme"]),
        ("files", named(60, HOST), None, ["good", "note certificate_without_turn_files"]),
        ("files", named(60, HOST, f"*.{HOST}"), None, ["good certificate_good"]),
    ],
)
def test_what_is_said_and_how_weighty_it_is(
    kind: str, found: Named | None, attempt: Attempt | None, told: list[str]
) -> None:
    said = findings(box(kind), found, attempt, NOW)
    assert len(said) == len(told)
    for (severity, one), expected in zip(said, told, strict=True):
        assert f"{severity} {one.key.removeprefix('admin.')}".startswith(expected)
        for language in LANGUAGES:
            assert one.text(language)


@pytest.fixture
def berlin(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """The clock of a box in Germany."""
    with monkeypatch.context() as told:
        told.setenv("TZ", "Europe/Berlin")
        time.tzset()
        yield
    time.tzset()


@pytest.mark.usefixtures("berlin")
def test_day_time_and_reason_are_in_the_words() -> None:
    ends, tried = (one.text("de") for _, one in findings(box("acme"), named(20), REFUSED, NOW))
    assert "am 14.12.2026 (verbleibende Tage: 20)" in ends
    assert tried.startswith("Zuletzt versucht am 24.11.2026 um 12:05 Uhr, ohne Erfolg: Die Zert")


def test_what_came_of_a_try_is_kept(tmp_path: Path) -> None:
    file = tmp_path / "attempt.json"
    assert last_attempt(file) is None
    keep_attempt(Said("acme.caa"), file)
    found = last_attempt(file)
    assert found
    assert found.said == Said("acme.caa")
    assert Attempt.of(json.loads(json.dumps(found.content()))) == found
    keep_attempt(None, file)
    assert last_attempt(file) == Attempt(Attempt.of(json.loads(file.read_text())).time, None)
    file.write_text("{")
    assert last_attempt(file) is None
