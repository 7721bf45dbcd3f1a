"""What the box's own call comes to, and what is made of an answer that makes no sense."""

import json
import socket
import threading
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from firstboot import proof
from firstboot.texts import SaidError
from tests.unit.firstboot.issuing import make

pytestmark = pytest.mark.unit

GOOD = [{"way": way, "works": True, "why": "", "milliseconds": 12} for way in proof.WAYS]


class Program:
    """Whoever sits behind the socket: hears one line, and answers one."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.heard: list[dict[str, Any]] = []

    def answer(self, line: str) -> None:
        """Answer the next one with `line`."""
        listener = socket.socket(socket.AF_UNIX)
        self.path.unlink(missing_ok=True)
        listener.bind(str(self.path))
        listener.listen()

        def serve() -> None:
            with listener, listener.accept()[0] as connection:
                self.heard.append(json.loads(connection.makefile().readline()))
                connection.sendall(line.encode())

        threading.Thread(target=serve, daemon=True).start()


@pytest.fixture
def program(tmp_path: Path) -> Program:
    return Program(tmp_path / "prove.sock")


@pytest.fixture
def call(tmp_path: Path, program: Program) -> Callable[[str], list[dict[str, Any]]]:
    served = tmp_path / "tls"
    served.mkdir()
    (served / "fullchain.pem").write_text("OWN\n")

    def called(line: str) -> list[dict[str, Any]]:
        program.answer(line)
        return proof.call_itself("a.example", "turn.a.example", [1, 2, 3], served, program.path)

    return called


# For the first name alone, too: web and relay then share it.
@pytest.mark.parametrize("names", [("a.example", "turn.a.example"), ("a.example",)])
def test_the_program_gets_places_and_certificates_and_its_answer_counts(
    call: Callable[[str], list[dict[str, Any]]],
    program: Program,
    tmp_path: Path,
    names: tuple[str, ...],
) -> None:
    pair = make("a.example", names=names)
    place = tmp_path / "tls/named"
    place.mkdir()
    (place / "fullchain.pem").write_bytes(pair.pem)
    (place / "privkey.pem").write_bytes(pair.key_pem)
    assert call(json.dumps(GOOD) + "\n") == GOOD
    assert program.heard[0]["places"] == [1, 2, 3]
    assert program.heard[0]["trust"].startswith("OWN\n-----BEGIN CERTIFICATE")


def test_a_relay_with_the_boxs_own_certificate_is_none_for_browsers(
    call: Callable[[str], list[dict[str, Any]]],
) -> None:
    web, udp, relay = call(json.dumps(GOOD) + "\n")
    assert (web["works"], udp["works"]) == (True, True)
    assert (relay["works"], relay["why"]) == (False, "own")


@pytest.mark.parametrize(
    "line",
    [
        "",
        "no JSON\n",
        "[]\n",
        "{}\n",
        json.dumps(GOOD[:2]) + "\n",
        json.dumps([{**GOOD[0], "why": "<script>"}, *GOOD[1:]]) + "\n",
        json.dumps([{**GOOD[0], "works": 1}, *GOOD[1:]]) + "\n",
        json.dumps([{**GOOD[0], "milliseconds": "12"}, *GOOD[1:]]) + "\n",
    ],
)
def test_an_answer_that_makes_no_sense_is_none(
    call: Callable[[str], list[dict[str, Any]]], line: str
) -> None:
    with pytest.raises(SaidError, match=r"proof\.busy"):
        call(line)


def test_a_result_is_fresh_for_some_seconds(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "proof.json"
    assert proof.latest(file) is None
    proof.keep(file, GOOD)
    assert proof.latest(file) == GOOD
    kept = json.loads(file.read_text())["at"]
    for later in (proof.FRESH_SECONDS, -1.0):
        monkeypatch.setattr("time.time", partial(float, kept + later))
        assert proof.latest(file) is None
    file.write_text("broken")
    assert proof.latest(file) is None
