"""What is kept of what works, and from where a browser was seen."""

import json
from pathlib import Path
from typing import Any

import pytest

from firstboot.web import findings
from firstboot.web.findings import Findings, seen_from

pytestmark = pytest.mark.unit

LINKS: list[dict[str, Any]] = [
    {"addr_info": [{"local": "203.0.113.10", "prefixlen": 28}]},
    {"ifname": "x"},
]
GOOD = {"now": "direct", "direct": "works", "relay": "fails"}


@pytest.mark.parametrize(
    ("address", "where"),
    [
        ("192.168.7.8", "inside"),
        ("10.0.0.1", "inside"),
        ("fd00::7", "inside"),
        ("fe80::1", "inside"),
        ("203.0.113.14", "inside"),  # on the box's own wire
        ("203.0.113.20", "outside"),
        ("198.51.100.7", "outside"),
        ("2001:db8::7", "outside"),
        ("203.0.113.99", "unknown"),  # the house's own public address: led back by the router
        ("", "unknown"),
        ("nonsense", "unknown"),
    ],
)
def test_from_where_a_browser_is_seen(address: str, where: str) -> None:
    assert seen_from(address, LINKS, ("203.0.113.99",)) == where


def test_a_browser_has_one_line_the_latest_and_few_are_kept(tmp_path: Path) -> None:
    kept = Findings(tmp_path / "findings.json")
    assert kept.read() == {"box": None, "seen": []}
    for number in range(findings.MOST + 3):
        kept.of_a_browser(str(number), "phone", "outside", GOOD)
    kept.of_a_browser("7", "phone", "inside", {**GOOD, "relay": "works"})
    seen = kept.read()["seen"]
    assert len(seen) == findings.MOST
    assert [one["number"] for one in seen].count("7") == 1
    assert (seen[0]["number"], seen[0]["relay"], seen[0]["where"]) == ("7", "works", "inside")


@pytest.mark.parametrize(
    "report",
    [
        {},
        {**GOOD, "more": "x"},
        {**GOOD, "relay": "<b>"},
        {**GOOD, "relay": ["works"]},
        {"now": "direct", "direct": "works"},
    ],
)
def test_nothing_but_known_words_is_kept(tmp_path: Path, report: dict[str, object]) -> None:
    kept = Findings(tmp_path / "findings.json")
    with pytest.raises(ValueError, match=r"not a report|relay"):
        kept.of_a_browser("1", "phone", "inside", report)
    assert not kept.file.exists()


def test_what_was_found_a_day_ago_is_not_shown(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    kept = Findings(tmp_path / "findings.json")
    kept.of_a_browser("1", "phone", "inside", GOOD)
    later = json.loads(kept.file.read_text())["seen"][0]["at"] + findings.SECONDS
    monkeypatch.setattr("time.time", lambda: later)
    assert kept.read()["seen"] == []
