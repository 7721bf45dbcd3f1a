"""The box's own screen: what a clerk reads on it, in German and English."""

import datetime
import json
import re
from dataclasses import replace
from pathlib import Path

import pytest
import segno

from firstboot import texts
from firstboot.access.code import Code
from firstboot.install.disks import Started
from firstboot.install.state import Stage, State
from firstboot.screen import console, layout
from firstboot.screen.console import Screen

pytestmark = pytest.mark.unit

COLUMNS, LINES = 80, 24
LONGEST_IPV6 = "2001:db8:1111:2222:3333:4444:5555:6666"
NO_NETWORK = ("Kein Netz", "No network")
BLOCKS = re.compile("[▀▄█]")
# Whether the upper and the lower half of a letter's cell are lit.
LIT = {"█": (True, True), "▀": (True, False), "▄": (False, True), " ": (False, False)}
CODE = Code("hash", "abcdefgh")
CARDS = ("52:54:00:52:53:00", "52:54:00:52:53:01", "52:54:00:52:53:02", "52:54:00:52:53:03")
MARKS = ("3F9A 0B12 CCCC DDDD EEEE FFFF 0123 4567", "89AB CDEF 0000 1111 2222 3333 4444 5555")
PROBLEMS = (
    "test_found",
    "part_firewall",
    "part_pages",
    "part_store",
    "part_network",
    "part_conference",
    "test_then",
)


def screen(*addresses: str, ready: bool | None = True, host_name: str = "ratssaal.local") -> Screen:
    return Screen("1.2.3", host_name, addresses, ("52:54:00:52:53:00",), ready)


def fullest(*addresses: str) -> Screen:
    """Before set-up, with all that can stand there save what a key leads to."""
    shown = replace(screen(*addresses, ready=False), code=Code("hash", "abcdefgh", 123))
    return replace(shown, secure_boot=True, encrypted=True, hardware=CARDS, marks=MARKS)


def words(text: str) -> list[str]:
    """The lines without the QR code."""
    return [BLOCKS.split(line)[0].rstrip() for line in text.splitlines()]


def flowing(text: str) -> str:
    """The text without the QR code and without its line breaks."""
    return " ".join(" ".join(words(text)).split())


def modules(text: str) -> list[list[bool]]:
    """The QR code as the screen shows it, whether each module is dark; with its quiet zone."""
    rows = [line for line in text.splitlines() if BLOCKS.search(line)]
    left = min(match.start() for row in rows if (match := BLOCKS.search(row)))
    width = max(len(row) for row in rows) - left
    found = []
    for row in rows:
        cells = [LIT[letter] for letter in row[left:].ljust(width)]
        found += [[not upper for upper, _ in cells], [not lower for _, lower in cells]]
    return found


def test_the_rule_for_half_blocks_reads_what_is_lit() -> None:
    assert modules("x  █▀\ny  ▄ ") == [
        [False, False],
        [False, True],
        [True, True],
        [False, True],
    ]


@pytest.mark.parametrize("complete", [False, True])
@pytest.mark.parametrize("ready", [None, True, False])
@pytest.mark.parametrize("notice", [(), ("ask_restart",), PROBLEMS], ids=["", "asked", "found"])
@pytest.mark.parametrize(
    "addresses",
    [(), ("192.0.2.10",), ("192.0.2.10", LONGEST_IPV6), (LONGEST_IPV6,) * 3, (LONGEST_IPV6,) * 20],
    ids=["none", "one", "two", "three", "twenty"],
)
def test_all_fits_the_smallest_screen_and_the_keys_come_last(
    addresses: tuple[str, ...], notice: tuple[str, ...], ready: bool | None, complete: bool
) -> None:
    shown = replace(fullest(*addresses), notice=notice, ready=ready, complete=complete)
    lines = shown.text().splitlines()
    assert len(lines) <= LINES
    # What ends in the last column makes some terminals begin another line.
    assert max(map(len, lines)) < COLUMNS
    assert [line.split()[0] for line in lines[-4:]] == ["Tasten", "Keys", "a", "b"]
    for offered in (
        "n  ",
        "t  Selbsttest",
        "r  neu starten",
        "s  ausschalten",
        "a  Netz von Hand",
        "w  zurück",
        "b  Bericht auf Stick",
    ):
        assert offered in "\n".join(lines[-4:])


@pytest.mark.parametrize("count", [1, 3])
def test_with_a_code_to_scan_nothing_that_has_to_be_read_is_left_out(count: int) -> None:
    addresses = ("192.0.2.10", "198.51.100.20", LONGEST_IPV6)[:count]
    text = replace(fullest(*addresses), ready=True).text()
    assert BLOCKS.search(text)
    for part in (
        "abcd efgh",
        "123-mal",
        *addresses,
        *CARDS,
        "Secure Boot an",
        "Secure Boot on",
        *MARKS,
    ):
        assert part in flowing(text)


@pytest.mark.parametrize("length", [50, pytest.param(100), pytest.param(253)])
@pytest.mark.parametrize("complete", [False, True])
def test_every_line_fits_the_screen_with_a_long_name_of_the_town(
    length: int, complete: bool
) -> None:
    name = ("a" * 40 + ".") * 6
    name = name[: length - 8].rstrip(".") + ".example"
    text = replace(screen("192.0.2.10", host_name=name), complete=complete).text()
    assert max(map(len, text.splitlines())) < COLUMNS
    assert name in flowing(text).replace(" ", "")


@pytest.mark.parametrize(
    ("ready", "german", "english"),
    [(None, "startet", "starting"), (True, "bereit", "ready"), (False, "gestört", "faulty")],
)
def test_the_state_is_shown_in_both_languages(
    ready: bool | None, german: str, english: str
) -> None:
    lines = [line.split() for line in screen(ready=ready).text().splitlines()]
    states = {line[0]: line[1] for line in lines if line[:1] in (["Zustand"], ["State"])}
    assert states == {"Zustand": german, "State": english}


def test_a_faulty_box_says_what_to_do_in_both_languages() -> None:
    text = flowing(screen("192.0.2.10", ready=False).text())
    assert "bitte neu starten" in text
    assert "please restart" in text
    assert "Betreuung" in text
    assert "support" in text


def test_a_faulty_box_names_what_is_wrong_for_whoever_is_called(tmp_path: Path) -> None:
    wrong = {"etcd.service": "is failed", "nginx.service": "is inactive"}
    (tmp_path / "health").write_text(json.dumps({"wrong": wrong}))
    faulty = written(tmp_path, state='{"ready": false, "version": "1.2.3"}\n')
    assert "Defekt etcd: is failed, nginx: is inactive" in flowing(faulty.text())
    ready = written(tmp_path, state='{"ready": true, "version": "1.2.3"}\n')
    assert "Defekt" not in ready.text()


def test_however_much_is_wrong_the_screen_keeps_its_drawing() -> None:
    wrong = tuple(f"unit-{number}: is failed" for number in range(20))
    usual = replace(fullest("192.0.2.10"), hardware=CARDS[:1], code=Code("hash", "abcdefgh"))
    lines = replace(usual, wrong=wrong).text().splitlines()
    assert len(lines) <= layout.LINES
    assert any(BLOCKS.search(line) for line in lines)
    assert sum("unit-" in line for line in lines) == console.MOST_WRONG


def test_every_address_can_be_typed_as_it_is_shown() -> None:
    lines = words(screen("192.0.2.10", "198.51.100.20", LONGEST_IPV6).text())
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


def test_before_set_up_the_code_is_shown_with_what_to_do_with_it() -> None:
    text = replace(screen("192.0.2.10"), code=CODE).text()
    assert re.search(r"^  Code +abcd efgh", text, re.MULTILINE)
    assert "Code eingeben" in text
    assert "type the code" in text
    assert "-mal" not in text


def test_a_box_is_installed_by_a_key_from_the_stick_alone_and_not_twice() -> None:
    stick = replace(screen("192.0.2.10"), start=Started(stick=True, model="Stick"))
    assert "d  installieren · install on disk" in stick.text()
    for other in (
        replace(stick, installing=True),
        replace(stick, start=Started(stick=False, model="Disk")),
        replace(stick, start=None),
    ):
        assert "install" not in other.text()


def test_where_only_its_hash_is_known_the_screen_says_where_the_code_is() -> None:
    text = replace(screen("192.0.2.10"), code=Code("abcd", None)).text()
    assert "auf der Karte des Sticks" in text
    assert "on the stick's card" in text
    assert "abcd" not in text


def test_wrong_attempts_are_counted_on_the_screen() -> None:
    text = replace(screen("192.0.2.10"), code=Code("hash", "abcdefgh", 7)).text()
    assert "7-mal eingegeben · typed wrong" in text


@pytest.mark.parametrize(
    ("addresses", "primary", "url"),
    [
        (("192.0.2.10",), "192.0.2.10", "https://192.0.2.10/"),
        (("192.0.2.10", "198.51.100.20"), "198.51.100.20", "https://198.51.100.20/"),
        ((LONGEST_IPV6,), "127.0.0.1", f"https://[{LONGEST_IPV6}]/"),
    ],
    ids=["one", "primary", "ipv6"],
)
def test_the_code_to_scan_leads_to_the_box(
    addresses: tuple[str, ...], primary: str, url: str
) -> None:
    drawn = modules(replace(screen(*addresses), primary=primary, code=CODE).text())
    expected = segno.make(url, micro=False)
    dark = [[bool(one) for one in row] for row in expected.matrix_iter(border=2)]
    assert drawn[: len(dark)] == dark
    # Half a row may follow, as dark as the rest of the screen.
    assert all(all(row) for row in drawn[len(dark) :])


def test_without_a_network_there_is_nothing_to_scan() -> None:
    assert not BLOCKS.search(replace(screen(), code=CODE).text())


def test_after_set_up_the_screen_leads_administrators_to_their_page_and_shows_no_code() -> None:
    done = replace(screen("192.0.2.10", host_name="rathaus.example"), complete=True, named=True)
    text = done.text()
    assert "https://rathaus.example/admin/" in text
    assert "Code" not in text
    assert not BLOCKS.search(text)
    assert "Zugang verloren" in text
    assert "access lost" in text


def test_without_a_certificate_for_its_name_the_screen_leads_to_an_address_that_works(
    tmp_path: Path,
) -> None:
    found = {"primary": "192.0.2.11", "all": ["2001:db8::1", "192.0.2.11"], "hardware": []}
    address = json.dumps({**found, "host_name": "rathaus.example"})
    text = written(tmp_path, address=address, applied='{"named": false}').text()
    assert "https://192.0.2.11/admin/" in text
    assert "https://ratssaal.local" in text
    assert "https://rathaus.example/admin/" not in text
    text = written(tmp_path, applied='{"named": true}').text()
    assert "https://rathaus.example/admin/" in text
    assert "ratssaal.local" not in text
    local = replace(screen("192.0.2.10"), complete=True).text()
    assert "https://ratssaal.local/admin/" in local


def test_after_set_up_a_new_code_is_shown_to_whoever_has_lost_access() -> None:
    done = replace(screen("192.0.2.10"), complete=True, code=CODE)
    text = done.text()
    assert re.search(r"^  Code +abcd efgh$", text, re.MULTILINE)
    assert "Unter /admin/ diesen Code eingeben" in text
    assert not BLOCKS.search(text)


@pytest.mark.parametrize("key", texts.topic("de", "console"))
def test_what_a_key_leads_to_is_said_in_both_languages(key: str) -> None:
    text = flowing(replace(fullest("192.0.2.10"), notice=(key,)).text())
    for language in texts.LANGUAGES:
        assert texts.say(language, f"console.{key}") in text


def written(folder: Path, **files: str) -> Screen:
    """What the screen reads from a folder with these files of the box."""
    for name, content in files.items():
        (folder / name).write_text(content)
    return console.read(
        folder / "address",
        folder / "state",
        code_file=folder / "code",
        applied=folder / "applied",
        answers=folder / "answers",
        notice=folder / "notice",
        certificate=folder / "certificate",
        served=folder,
        installation=folder / "installation",
        health=folder / "health",
    )


@pytest.mark.parametrize(("stage", "said"), [("copying", False), ("failed", True)])
def test_what_an_answers_file_led_to_is_not_said_while_the_box_is_installed(
    tmp_path: Path, stage: Stage, said: bool
) -> None:
    State(stage, 12, "Good Disk").write(tmp_path / "installation")
    found = written(tmp_path, answers="Pull the stick.\n")
    assert ("Pull the stick." in found.answers) is said
    assert ("Pull the stick." in found.text()) is said


def test_the_screen_is_read_from_what_the_box_wrote(tmp_path: Path) -> None:
    before = written(tmp_path)
    assert (before.addresses, before.hardware, before.ready) == ((), (), None)
    assert (before.complete, before.code, before.answers, before.notice) == (False, None, (), ())
    found = {"primary": "192.0.2.10", "all": ["192.0.2.10"], "hardware": ["52:54:00:52:53:00"]}
    after = written(
        tmp_path,
        address=json.dumps(found),
        state='{"ready": false, "version": "1.2.3"}\n',
        code='{"hash": "x", "shown": "abcdefgh", "wrong": 2}\n',
        answers="Deutsch.\nEnglish.\n",
        notice="testing\n",
    )
    assert after.addresses == ("192.0.2.10",)
    assert after.primary == "192.0.2.10"
    assert after.hardware == ("52:54:00:52:53:00",)
    assert after.ready is False
    assert after.code == Code("x", "abcdefgh", 2)
    assert after.answers == ("Deutsch.", "English.")
    assert after.notice == ("testing",)


def test_the_fault_in_an_answers_file_is_shown_until_the_box_is_set_up(tmp_path: Path) -> None:
    assert (
        "Die Angabe x passt nicht."
        in written(
            tmp_path, answers="Die Angabe x passt nicht.\nThe answer x does not fit.\n"
        ).text()
    )
    assert "Die Angabe x" not in written(tmp_path, applied="{}").text()


def test_an_answers_file_cannot_move_the_cursor(tmp_path: Path) -> None:
    assert "\x1b" not in written(tmp_path, answers="Die Angabe \x1b[2J passt nicht.\n").text()


def test_a_notice_that_no_text_exists_for_does_not_keep_the_screen_from_being_drawn(
    tmp_path: Path,
) -> None:
    text = written(tmp_path, notice="of another version\ntesting\n").text()
    assert texts.say("de", "console.testing") in flowing(text)


def test_the_old_picture_is_wiped_away_first(tmp_path: Path) -> None:
    terminal = tmp_path / "tty1"
    terminal.touch()
    console.main([str(terminal)])
    drawn = terminal.read_text()
    assert drawn.startswith(layout.CLEAR)
    assert "Ratssaal" in drawn


def test_a_terminal_that_the_box_does_not_have_is_passed_over(tmp_path: Path) -> None:
    terminal = tmp_path / "tty1"
    terminal.touch()
    console.main([str(tmp_path / "none/ttyS0"), str(tmp_path / "ttyS0"), str(terminal)])
    assert "Ratssaal" in terminal.read_text()
    assert [path.name for path in tmp_path.iterdir()] == ["tty1"]


@pytest.mark.parametrize("ended", [False, True])
def test_a_certificate_that_ends_soon_takes_one_line_in_both_languages(ended: bool) -> None:
    shown = replace(screen("192.0.2.10"), complete=True)
    warned = replace(
        shown, certificate_end=datetime.date(2026, 12, 14), certificate_ended=ended
    ).text()
    (line,) = set(words(warned)) - set(words(shown.text()))
    german, english = ("endete", "ended") if ended else ("endet", "ends")
    assert f"Zertifikat {german} am 14.12.2026" in line
    assert f"certificate {english} 2026-12-14: /admin/" in line
    assert len(line) < COLUMNS


def test_before_set_up_the_marks_of_the_boxs_own_certificates_can_be_read_off() -> None:
    text = replace(screen("192.0.2.10"), code=CODE, marks=MARKS).text()
    assert f"  SHA-256   {MARKS[0]}   Gerät · box\n  SHA-256   {MARKS[1]}   Stelle · CA" in text
    assert BLOCKS.search(text)
    done = replace(screen("192.0.2.10"), complete=True, marks=MARKS).text()
    assert MARKS[0] not in done
