"""How busy the box is, from what the kernel tells."""

import time
from pathlib import Path

import pytest

from firstboot.load import Share, measure
from firstboot.texts import LANGUAGES, say
from firstboot.web.condition import health_notes, load_said, meeting_said

pytestmark = pytest.mark.unit


def test_this_machine_is_measured() -> None:
    found = {one.name: one for one in measure(disk=Path("/"), seconds=0.01)}
    assert list(found) == ["processor", "memory", "disk", "network"]
    for name in ("processor", "memory", "disk"):
        percent = found[name].percent
        assert percent is not None
        assert 0 <= percent <= 100


def test_shares_are_those_between_two_looks(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    card = tmp_path / "cards/host0"
    card.mkdir(parents=True)
    (card / "speed").write_text("100\n")
    net = tmp_path / "net"
    net.mkdir()

    def write(busy: int, idle: int, octets: int) -> None:
        (tmp_path / "stat").write_text(f"cpu  {busy} 0 0 {idle} 0 0 0 0 0 0\n")
        line = f" host0: {octets} 0 0 0 0 0 0 0 5 0 0 0 0 0 0 0\n    lo: 9 0 0 0 0 0 0 0 9\n"
        (net / "dev").write_text("Inter-\n face\n" + line)

    (tmp_path / "meminfo").write_text("MemTotal: 8000000 kB\nMemAvailable: 2000000 kB\n")
    write(100, 100, 0)
    clock = iter([0.0, 1.0])
    monkeypatch.setattr(time, "monotonic", lambda: next(clock))
    monkeypatch.setattr(time, "sleep", lambda _: write(190, 110, 11_875_000))
    shares = measure(tmp_path, tmp_path / "cards", tmp_path, 1.0)
    percents = {one.name: one.percent for one in shares}
    assert percents["processor"] == 90
    assert percents["memory"] == 75
    assert percents["network"] == 95
    assert [one.level for one in shares if one.name != "disk"] == ["problem", "note", "problem"]


@pytest.mark.parametrize("name", ["processor", "memory", "disk", "network"])
@pytest.mark.parametrize("percent", [None, 0, 69, 70, 89, 90, 100])
@pytest.mark.parametrize("people", [None, 0, 3])
def test_every_share_is_told_in_both_languages(
    name: str, percent: int | None, people: int | None
) -> None:
    share = Share(name, percent, 1.0, 2.0)  # type: ignore[arg-type]
    rooms = None if people is None else {"rooms": min(1, people), "people": people}
    for language in LANGUAGES:
        for said in load_said(share, rooms):
            assert said.text(language)


@pytest.mark.parametrize("name", ["processor", "network"])
def test_nobody_is_advised_to_end_a_meeting_that_is_not_held(name: str) -> None:
    share = Share(name, 95, 1.0, 2.0)  # type: ignore[arg-type]
    _, held = load_said(share, {"rooms": 1, "people": 3})
    _, empty = load_said(share, {"rooms": 0, "people": 0})
    assert "Kameras aus" in held.text("de")
    assert "niemand tagt" in empty.text("de")
    assert "Kameras" not in empty.text("de")


def test_health_is_told_by_what_does_not_run(tmp_path: Path) -> None:
    file = tmp_path / "health.json"

    def keys() -> list[str]:
        return [one.said.key for one in health_notes(file)]

    assert keys() == ["admin.health_unknown"]
    file.write_text('{"wrong": []}')
    assert keys() == ["admin.healthy"]
    file.write_text('{"wrong": ["etcd.service", "http://127.0.0.1:2379/health", "x.service"]}')
    assert keys() == ["admin.health_store", "admin.health_stack"]
    file.write_text('{"wro')
    assert keys() == ["admin.health_unknown"]


@pytest.mark.parametrize("part", ["web", "filter", "store", "network", "stack"])
def test_each_part_that_may_be_ill_has_its_sentence(part: str) -> None:
    assert all(say(language, f"admin.health_{part}") for language in LANGUAGES)


def test_who_meets_is_told_in_numbers() -> None:
    assert meeting_said(None).key == "admin.rooms_unknown"
    assert meeting_said({"rooms": 0, "people": 0}).key == "admin.rooms_none"
    assert "Personen darin: 7" in meeting_said({"rooms": 2, "people": 7}).text("de")
