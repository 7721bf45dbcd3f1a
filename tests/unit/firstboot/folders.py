"""A box in the folders of a test: its settings, secrets and code, and what it would start."""

import json
import os
import subprocess
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from argon2 import PasswordHasher

from firstboot import agent, converge, errands, house, openid, progress, proof, trial_room
from firstboot.access import code, sign_in
from firstboot.access.passwords import hash_password
from firstboot.access.permits import Asker
from firstboot.certificates import acme, named
from firstboot.settings import Settings
from firstboot.store import Draft, Store
from firstboot.texts import Said, SaidError
from tests.unit.firstboot.issuing import ROOT

RECORDED = Path(__file__).parent / "recorded"
CHEAP = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)
PASSWORD = "korrekt pferd batterie klammer"


class Box:
    """Root's side of a box, with programs of its own on PATH: systemctl(1) and ip(8)."""

    def __init__(self, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.folder = folder
        self.store = Store(folder / "settings", folder / "secrets")
        self.store.secrets.mkdir(mode=0o700)
        self.tls = folder / "tls"
        self.tls.mkdir()
        self.progress = folder / "progress.json"
        self._commands = folder / "commands"
        programs = folder / "programs"
        programs.mkdir()
        self.program("systemctl", f'echo "$@" >>{self._commands}')
        self.show_cards("one-card")
        monkeypatch.setenv("PATH", f"{programs}:{os.environ['PATH']}")
        # The stack's own programs: places are had, the box's own call is not.
        printed = """printf '{"room": "%s", "name": "%s", "until": %s}' "$1" "$2" "$3" """
        self.program("join", printed)
        monkeypatch.setattr(trial_room, "JOIN", str(programs / "join"))
        call = proof.call_itself
        monkeypatch.setattr(call, "__defaults__", (self.tls, folder / "prove.sock"))
        file = self.store.secrets / "code.json"
        for function in (code.read, code.renew, code.forget):
            monkeypatch.setattr(function, "__defaults__", (file,))
        monkeypatch.setattr(code.check, "__defaults__", (file, 0.0))
        monkeypatch.setattr(acme, "CERTBOT", folder / "certbot")
        monkeypatch.setattr(named.read, "__defaults__", (self.tls,))
        monkeypatch.setattr(named.install, "__defaults__", (self.tls,))
        monkeypatch.setattr(house.publish, "__defaults__", (folder / "house",))
        monkeypatch.setattr(openid.publish, "__defaults__", (folder / "secrets/openid.json",))
        self.rooms, self.bundle = folder / "rooms.json", folder / "support.tar.gz"
        self.preview = folder / "preview.json"
        monkeypatch.setattr(errands.rooms, "__defaults__", (self.rooms,))
        monkeypatch.setattr(errands.bundle, "__defaults__", (self.bundle,))
        monkeypatch.setattr(errands.previewed, "__defaults__", (self.preview,))
        (self.tls / "authority.pem").write_bytes(ROOT.pem)
        monkeypatch.setattr(agent.authority, "__defaults__", (self.tls,))
        monkeypatch.setattr(progress.read, "__defaults__", (self.progress,))
        # A box hashes passwords slowly on purpose; tests of the hashes themselves use no box.
        monkeypatch.setattr(hash_password, "__defaults__", (CHEAP,))
        monkeypatch.setattr(sign_in, "NOBODYS", hash_password("nobody"))
        # What only a whole box can do: configuring services, telling the others in the store.
        self.said: Said | None = None
        self.published: list[int] = []
        monkeypatch.setattr(converge, "bring_into_force", lambda *_: self.said)
        monkeypatch.setattr(converge, "_publish", lambda _, number: self.published.append(number))
        monkeypatch.setattr(converge, "_follow_names", lambda: None)
        monkeypatch.setattr(converge, "play", self._play)
        monkeypatch.setattr(converge, "Progress", partial(progress.Progress, file=self.progress))
        self.played: list[tuple[Settings, bool]] = []
        self.ended = 0
        # Takes long on a host with much to write.
        monkeypatch.setattr(os, "sync", lambda: None)
        code.renew()

    def _play(self, settings: Settings, complete: bool) -> subprocess.CompletedProcess[str]:
        self.played.append((settings, complete))
        return subprocess.CompletedProcess(["ansible-playbook"], self.ended, "", "")

    def program(self, name: str, script: str) -> None:
        """Put a program of the shell on PATH."""
        file = self.folder / "programs" / name
        file.write_text(f"#!/bin/sh\n{script}\n")
        file.chmod(0o755)

    def show_cards(self, recorded: str) -> None:
        """Have ip(8) tell what it told on another box."""
        cards = json.loads((RECORDED / f"{recorded}.json").read_text())["address"]
        file = self.folder / "cards.json"
        file.write_text(json.dumps(cards))
        self.program("ip", f"cat {file}")

    def commands(self) -> list[str]:
        """What systemctl was called with, oldest first."""
        return self._commands.read_text().splitlines() if self._commands.exists() else []

    def ask(self, verb: str, /, **arguments: object) -> Any:
        """As the agent's socket does: all that goes through is JSON."""
        return self.ask_as(None, verb, **arguments)

    def ask_as(self, known: Asker | None, verb: str, /, **arguments: object) -> Any:
        """As `ask`, by somebody who needs no permit."""
        line = json.dumps({"verb": verb, **arguments}).encode()
        answer = json.loads(json.dumps(agent.reply(line, self.store, known)))
        if "said" in answer:
            key, values = answer["said"]
            raise SaidError(key, **values)
        return answer["ok"]

    def code(self) -> str:
        """The code on the box's screen."""
        known = code.read()
        assert known
        assert known.shown
        return known.shown

    def converge(self) -> bool:
        """What systemd does when it is told to start ratssaal-converge.service."""
        return converge.converge(self.store)

    def set_up(self, settings: Settings) -> None:
        """Bring settings into force, all at once."""
        Draft(self.store).begin(settings)
        agent.apply(self.store, "Antwortdatei")
        assert self.converge()

    def files(self) -> list[Path]:
        """All files that the box keeps about itself."""
        kept = (self.store.folder, self.store.secrets, self.tls)
        return [one for folder in kept for one in folder.rglob("*") if one.is_file()]
