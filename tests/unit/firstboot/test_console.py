"""The box's own screen: what a clerk reads on it, in German and English."""

import json
from pathlib import Path

import pytest

from firstboot import console
from firstboot.console import Screen

pytestmark = pytest.mark.unit

COLUMNS = 78
LONGEST_IPV6 = "2001:db8:1111:2222:3333:4444:5555:6666"
NO_NETWORK = ("Kein Netz", "No network")


def screen(*addresses: str, ready: bool | None = True, host_name: str = "ratssaal.local") -> Screen:
    return Screen("1.2.3", host_name, addresses, ("52:54:00:52:53:00",), ready)


def widest(text: str) -> int:
    return max(len(line) for line in text.splitlines())


@pytest.mark.parametrize("ready", [None, True, False])
@pytest.mark.parametrize("addresses", [(), ("192.0.2.10", LONGEST_IPV6)], ids=["none", "two"])
def test_every_line_fits_the_screen(ready: bool | None, addresses: tuple[str, ...]) -> None:
    assert widest(screen(*addresses, ready=ready).text()) <= COLUMNS


@pytest.mark.parametrize("length", [50, pytest.param(100), pytest.param(253)])
def test_every_line_fits_the_screen_with_a_long_name_of_the_town(length: int) -> None:
    name = ("a" * 40 + ".") * 6
    name = name[: length - 8].rstrip(".") + ".example"
    text = screen("192.0.2.10", host_name=name).text()
    assert widest(text) <= COLUMNS
    assert name in "".join(text.split())


@pytest.mark.parametrize(
    ("ready", "german", "english"),
    [(None, "startet", "starting"), (True, "bereit", "ready"), (False, "gestört", "faulty")],
)
def test_the_state_is_shown_in_both_languages(
    ready: bool | None, german: str, english: str
) -> None:
    lines = [line.split() for line in screen(ready=ready).text().splitlines()]
    states = {words[0]: words[1] for words in lines if words[:1] in (["Zustand"], ["State"])}
    assert states == {"Zustand": german, "State": english}


def test_a_faulty_box_says_what_to_do_in_both_languages() -> None:
    text = screen("192.0.2.10", ready=False).text()
    assert "bitte neu starten" in text
    assert "please restart" in text
    assert "Betreuung" in text
    assert "support" in text


def test_every_address_can_be_typed_as_it_is_shown() -> None:
    lines = screen("192.0.2.10", "198.51.100.20", LONGEST_IPV6).text().splitlines()
    shown = [line.split()[-1] for line in lines if "https://" in line]
    assert shown == [
        "https://ratssaal.local",
        "https://192.0.2.10",
        "https://198.51.100.20",
        f"https://[{LONGEST_IPV6}]",
    ]


def test_without_a_network_both_languages_say_so_and_what_to_check() -> None:
    text = screen().text()
    assert all(word in text for word in NO_NETWORK)
    assert "Netzwerkkabel" in text
    assert "network cable" in text


def test_with_a_network_nobody_is_told_to_check_the_cable() -> None:
    text = screen("192.0.2.10").text()
    assert not any(word in text for word in NO_NETWORK)


def test_version_and_hardware_address_are_shown_for_whoever_helps_by_telephone() -> None:
    text = screen().text()
    assert "1.2.3" in text
    assert "52:54:00:52:53:00" in text


def test_the_screen_is_read_from_what_the_box_wrote(tmp_path: Path) -> None:
    addresses, state = tmp_path / "address.json", tmp_path / "state.json"
    before = console.read(addresses, state)
    assert (before.addresses, before.hardware, before.ready) == ((), (), None)
    found = {"primary": "192.0.2.10", "all": ["192.0.2.10"], "hardware": ["52:54:00:52:53:00"]}
    addresses.write_text(json.dumps(found))
    state.write_text('{"ready": false, "version": "1.2.3"}\n')
    after = console.read(addresses, state)
    assert after.addresses == ("192.0.2.10",)
    assert after.hardware == ("52:54:00:52:53:00",)
    assert after.ready is False


def test_the_old_picture_is_wiped_away_first(tmp_path: Path) -> None:
    terminal = tmp_path / "tty1"
    terminal.touch()
    console.main([str(terminal)])
    drawn = terminal.read_text()
    assert drawn.startswith(console.CLEAR)
    assert "Ratssaal" in drawn


def test_a_terminal_that_the_box_does_not_have_is_passed_over(tmp_path: Path) -> None:
    terminal = tmp_path / "tty1"
    terminal.touch()
    console.main([str(tmp_path / "none/ttyS0"), str(tmp_path / "ttyS0"), str(terminal)])
    assert "Ratssaal" in terminal.read_text()
    assert [path.name for path in tmp_path.iterdir()] == ["tty1"]
