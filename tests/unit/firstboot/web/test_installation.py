"""The page before the steps, on a box that runs from a stick."""

import json
from pathlib import Path

import pytest

from firstboot.install import disks, offer, state
from firstboot.texts import Said
from tests.unit.firstboot.test_install import EMPTY, OLDER, STICK, WINDOWS, known, whole
from tests.unit.firstboot.web.conftest import Clerk

pytestmark = pytest.mark.unit

PLACE = "/setup/install"
SMALL = whole("sde", size=8 * 10**9, model="Small")


@pytest.fixture
def request_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """What is asked for ends in this file, and no unit begins; the box has these disks."""
    file, shown = tmp_path / "request.json", tmp_path / "install.json"
    monkeypatch.setattr(state.ask, "__defaults__", (file,))
    monkeypatch.setattr(state.read, "__defaults__", (shown,))
    monkeypatch.setattr(state.State.write, "__defaults__", (shown,))
    monkeypatch.setattr(disks, "found", lambda: known(STICK, EMPTY, WINDOWS, OLDER, SMALL))
    monkeypatch.setattr(offer, "image_version", lambda: "0.1.0")
    return file


@pytest.mark.usefixtures("request_file")
def test_the_choice_comes_after_the_code_and_trying_goes_on_to_the_steps(inside: Clerk) -> None:
    assert inside.place == PLACE
    assert "Windows (ntfs)" in inside.page
    assert "Ratssaal 0.0.9" in inside.page
    # One that may not be chosen says why.
    assert "Small, 8 GB (sde) ist zu klein" in inside.page
    assert "anew /dev/sde" not in inside.page
    inside.send(PLACE, disk="stick")
    assert inside.place == "/setup/network"
    inside.get("/setup/")
    assert inside.place == "/setup/network"


def test_nothing_is_written_to_a_disk_whose_name_was_not_typed(
    inside: Clerk, request_file: Path
) -> None:
    for disk, name in (
        ("anew /dev/sdb", ""),
        ("anew /dev/sdb", "Stick"),
        ("anew /dev/sda", "Stick"),
        ("anew /dev/sde", "Small"),
        # All are of one model: its serial number tells which is meant.
        ("anew /dev/sdb", "Good Disk"),
        ("anew /dev/sdb", "Good Disk S-1"),
        ("anew /dev/sdz", "Good Disk S-1"),
        ("anew /dev/../dev/nvme0n1", "Good Disk S-1"),
        ("repair /dev/nvme0n1", "Good Disk S-1"),
        ("wipe /dev/nvme0n1", "Good Disk S-1"),
        ("", "Good Disk S-1"),
    ):
        assert inside.send(PLACE, disk=disk, name=name).status_code == 422
        assert [one.attributes["role"] for one in inside.seen.elements if "role" in one.attributes]
        inside.get(PLACE)
    assert not request_file.exists()


@pytest.mark.parametrize("way", ["anew", "repair"])
def test_what_was_chosen_is_asked_for_and_its_way_is_shown(
    inside: Clerk, request_file: Path, way: str
) -> None:
    inside.send(PLACE, disk=f"{way} /dev/sdc", name="good disk s-3")
    asked = json.loads(request_file.read_text())
    assert (asked["disk"]["path"], asked["way"], asked["then"]) == ("/dev/sdc", way, "stick")
    assert any(f"--no-block {state.UNIT}" in one for one in inside.box.commands())
    # Without JavaScript the page loads itself anew; every other way leads here meanwhile.
    assert 'http-equiv="refresh"' in inside.page
    assert "/assets/reload.js" in inside.page
    inside.get("/setup/")
    assert inside.place == PLACE
    # What is answered now would stay on the stick.
    inside.get("/setup/house")
    assert inside.send("/setup/house", name="Gemeinde Musterhausen").status_code == 422
    assert "wird gerade installiert" in inside.page
    assert inside.seen.value("name") == "Gemeinde Musterhausen"
    state.State("checking", 40, "Good Disk").write()
    inside.get(PLACE)
    assert "40 Prozent geprüft" in inside.page
    state.State("done", 100, "Good Disk").write()
    inside.get(PLACE)
    assert "ziehen Sie jetzt den Stick ab" in inside.page
    assert 'http-equiv="refresh"' not in inside.page
    assert "/assets/reload.js" not in inside.page


@pytest.mark.usefixtures("request_file")
def test_after_a_failure_the_page_says_why_and_offers_the_choice_anew(inside: Clerk) -> None:
    state.State("failed", 0, "Good Disk", said=Said("install.changed")).write()
    inside.get(PLACE)
    assert "nicht mehr so da wie zuvor" in inside.page
    assert inside.seen.value("disk") == "stick"


def test_a_box_that_runs_from_its_disk_offers_nothing(
    clerk: Clerk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(disks, "found", lambda: known(EMPTY, WINDOWS))
    clerk.open_with_code()
    assert clerk.place == "/setup/network"
    clerk.get(PLACE)
    assert clerk.place == "/setup/network"


def test_a_stick_in_a_box_without_disks_says_what_to_look_at_and_goes_on(
    clerk: Clerk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(disks, "found", lambda: known(STICK))
    clerk.open_with_code()
    assert clerk.place == PLACE
    assert "von RAID auf AHCI" in clerk.page
    clerk.send(PLACE, disk="stick")
    assert clerk.place == "/setup/network"


def test_a_newer_ratssaal_is_not_repaired(
    inside: Clerk, request_file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(offer, "image_version", lambda: "0.0.8")
    answer = inside.send(PLACE, disk="repair /dev/sdc", name="Good Disk S-3")
    assert answer.status_code == 422
    assert "Ratssaal 0.0.9" in inside.page
    assert not request_file.exists()


@pytest.mark.usefixtures("request_file")
def test_whoever_tries_it_from_the_stick_is_led_to_installing_by_the_summary(inside: Clerk) -> None:
    inside.send(PLACE, disk="stick")
    inside.get("/setup/summary")
    assert PLACE in [one.attributes.get("href") for one in inside.seen.elements]


def test_whoever_asks_second_changes_nothing(inside: Clerk, request_file: Path) -> None:
    """Somebody at the box was still typing when the wizard had begun."""
    inside.send(PLACE, disk="anew /dev/sdb", name="Good Disk S-2")
    before = request_file.read_text()
    state.ask(known(STICK, EMPTY)[1], "anew", "stick")
    assert request_file.read_text() == before
