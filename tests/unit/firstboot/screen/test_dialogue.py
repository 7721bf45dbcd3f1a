"""The network typed at the box itself, on a real pseudo-terminal."""

import fcntl
import json
import os
import termios
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from firstboot import texts
from firstboot.by_hand import ByHand
from firstboot.screen import dialogue, layout, terminal
from firstboot.screen.dialogue import Questions
from firstboot.screen.terminal import LeftError, Terminal
from firstboot.settings import Network
from firstboot.store import Draft
from tests.unit.firstboot.folders import Box
from tests.unit.firstboot.pseudo_terminal import PseudoTerminal
from tests.unit.firstboot.test_converge import settings

pytestmark = pytest.mark.unit

NONE = Network()
CARDS = [("enp1s0", "52:54:00:52:53:00"), ("enp2s0", "52:54:00:52:53:01")]


class Line(PseudoTerminal):
    """With somebody who answers the questions."""

    def answers(self, *typed: str, before: Network = NONE, cards: Any = None) -> Network:
        """What comes of typing these lines; each replaces what was offered, but for "="."""
        questions = Questions(Terminal(self.line, self.line), before, cards or CARDS[:1])
        with questions.terminal.alone():
            for one in typed:
                wiped = "" if one == "=" else "\x7f" * 60 + one
                os.write(self.typist, f"{wiped}\r".encode())
            return questions.network()


@pytest.fixture
def line() -> Iterator[Line]:
    with Line() as found:
        yield found


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(terminal, "IDLE_SECONDS", 0.5)


def test_a_fixed_address_with_all_that_belongs_to_it(line: Line) -> None:
    found = line.answers(
        "2", "192.0.2.20", "24", "192.0.2.1", "192.0.2.53 192.0.2.54", "12", "192.0.2.8", "8080", ""
    )
    assert found == Network(
        mode="static",
        card="enp1s0",
        address="192.0.2.20/24",
        gateway="192.0.2.1",
        dns=("192.0.2.53", "192.0.2.54"),
        vlan=12,
        proxy="http://192.0.2.8:8080",
    )


def test_an_ipv6_address_without_a_colon_on_the_keyboard(line: Line) -> None:
    found = line.answers("2", "2001,db8,,20", "=", "fe80,,1", "", "", "", "")
    assert (found.address, found.gateway) == ("2001:db8::20/64", "fe80::1")


def test_enter_alone_keeps_what_is_there(line: Line) -> None:
    before = Network(
        mode="static",
        card="enp2s0",
        address="192.0.2.20/25",
        gateway="192.0.2.1",
        dns=("192.0.2.53",),
        vlan=12,
        proxy="http://proxy.example:3128",
        time_servers=("time.example",),
    )
    assert line.answers(*"=" * 10, before=before, cards=CARDS) == before


def test_with_dhcp_stays_what_nobody_was_asked_for(line: Line) -> None:
    before = Network(card="enp2s0", dns=("192.0.2.53",))
    assert line.answers("=", "", "", "", before=before, cards=CARDS) == before
    # A card that was taken out would keep the box from its network.
    gone = before.model_copy(update={"card": "enp9s0"})
    found = line.answers("=", "", "", "", before=gone, cards=CARDS)
    assert found == Network(dns=("192.0.2.53",))


def test_dhcp_holds_for_every_card_but_a_vlan_for_one(line: Line) -> None:
    assert line.answers("1", "", "", "", cards=CARDS) == Network()
    found = line.answers("1", "7", "2", "", "", cards=CARDS)
    assert found == Network(card="enp2s0", vlan=7)


@pytest.mark.parametrize(
    ("typed", "key"),
    [
        (["3", "1", "", "", ""], "how"),
        (["2", "192.0.2.300", "192.0.2.20", "24", "", "", "", "", ""], "address"),
        (["2", "192.0.2.20", "33", "24", "", "", "", "", ""], "length"),
        (["2", "192.0.2.20", "24", "198.51.100.1", "", "", "", "", ""], "gateway"),
        (["2", "192.0.2.20", "24", "", "x", "", "", "", ""], "dns"),
        (["1", "4095", "", "", ""], "vlan"),
        (["1", "", "no host", "", ""], "proxy"),
        (["1", "", "p.example", "70000", "3128", ""], "port"),
        (["1", "", "", "x", ""], "sure"),
    ],
)
def test_what_cannot_be_is_asked_again_with_a_sentence(
    line: Line, typed: list[str], key: str
) -> None:
    line.answers(*typed)
    drawn = line.end()
    for language in texts.LANGUAGES:
        sentence = texts.say(language, f"by_hand.{key}_wrong")
        assert sentence[:40].encode() in drawn


@pytest.mark.parametrize("typed", [b"\x1b", b"2\r192.0.2.20\x1b", b"\x03", b""])
def test_escape_or_nobody_leaves_everything_as_it_is(line: Line, typed: bytes) -> None:
    mode = termios.tcgetattr(line.line)
    questions = Questions(Terminal(line.line, line.line), Network(), CARDS)

    def leave() -> None:
        with questions.terminal.alone():
            os.write(line.typist, typed)
            questions.network()

    with pytest.raises(LeftError):
        leave()
    assert termios.tcgetattr(line.line) == mode


def test_an_arrow_is_no_escape(line: Line) -> None:
    screen = Terminal(line.line, line.line)
    with screen.alone():
        os.write(line.typist, b"1\x1b[[A9\x1b[D2\x1b[15~.\x1bOP0\r")
        assert screen.line([]) == "192.0"


def test_nobody_else_opens_the_terminal_meanwhile(line: Line) -> None:
    """Root might; the drawing of the screen has no right to (CAP_SYS_ADMIN)."""
    screen = Terminal(line.line, line.line)
    exclusive = 0x80045440  # TIOCGEXCL of ioctl_tty(2)
    answer = bytearray(4)
    with screen.alone():
        fcntl.ioctl(line.line, exclusive, answer)
        assert answer[0] == 1
    fcntl.ioctl(line.line, exclusive, answer)
    assert answer[0] == 0


def test_every_question_fits_the_screen(line: Line) -> None:
    keys = texts.topic("de", "by_hand")
    asked = [one for one in keys if f"{one}_short" in keys]
    assert set(keys) == {"title", "trying"} | {
        one + end for one in asked for end in ("", "_short", "_wrong")
    }
    before = Network(
        mode="static",
        card="enp2s0",
        address="2001:db8:1111:2222:3333:4444:5555:6666/64",
        dns=("2001:db8:1111:2222:3333:4444:5555:6666",) * 2,
        vlan=4094,
        proxy="http://proxy.rathaus.example:3128",
    )
    line.answers(*"=" * 9, "x", "", before=before, cards=CARDS * 2)
    for drawn in line.end().decode().split(layout.CLEAR)[1:]:
        assert len(drawn.splitlines()) <= layout.LINES, drawn


@pytest.fixture
def box(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Box:
    return Box(tmp_path, monkeypatch)


def test_after_set_up_it_is_a_change_of_the_settings_like_any_other(box: Box) -> None:
    box.set_up(settings())
    Draft(box.store).put("house", {"cluster": {"house": {"name": "Neu"}}}, 1_000_000)
    wanted = Network(mode="static", card="enp1s0", address="192.0.2.20/24")
    assert dialogue.bring_into_force(box.store, wanted) == ["network_set"]
    assert box.commands()[-1] == "start ratssaal-converge.service"
    made = box.store.generation(2)
    assert made.who == "console"
    assert {one.rpartition(".")[0] for one in made.what} == {"box.network"}
    # An open draft does not bring the network before back later on.
    draft = Draft(box.store).settings()
    assert (draft.box.network, draft.cluster.house.name) == (wanted, "Neu")


def test_before_set_up_it_is_asked_for_and_what_was_wrong_is_said(
    box: Box, monkeypatch: pytest.MonkeyPatch
) -> None:
    typed = ByHand(box.store.folder)
    wanted = Network(proxy="http://192.0.2.8:3128")
    assert dialogue.bring_into_force(box.store, wanted) == ["network_set"]
    assert typed.wanted() == wanted
    monkeypatch.setattr(ByHand, "refused", lambda _: "network.gateway_silent")
    said = dialogue.bring_into_force(box.store, wanted)
    assert said == ["network.gateway_silent", "network_back"]
    for sentence in layout.sentences(tuple(said)):
        assert "Gateway" in sentence or "gateway" in sentence
    assert json.loads((box.store.folder / "network-wanted.json").read_text())["mode"] == "dhcp"
