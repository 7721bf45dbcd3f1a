"""Bringing settings into force: once, as a whole, or back to what was there before."""

import json
import stat
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import yaml

from firstboot import converge, progress
from firstboot.access import code
from firstboot.access.passwords import proof_of_staff
from firstboot.access.permits import ROOT
from firstboot.certificates import named
from firstboot.certificates.acme import SET_UP_SECONDS
from firstboot.progress import Progress
from firstboot.settings import Settings
from firstboot.stack import Stack
from firstboot.store import Applied, Draft
from firstboot.texts import Said, SaidError
from tests.unit.firstboot.certificates.test_named import pair
from tests.unit.firstboot.folders import Box

pytestmark = pytest.mark.unit

HASH = "$argon2id$v=19$m=65536,t=3,p=2$c2FsdHNhbHRzYWx0$aGFzaGhhc2hoYXNoaGFzaA"


def settings(name: str = "Gemeinde Musterhausen", **box: Any) -> Settings:
    people = [{"name": "Anna", "password": HASH}]
    administration = {"people": people, "alone_because": "klein"}
    cluster = {"house": {"name": name}, "administration": administration}
    return Settings.model_validate({"box": box, "cluster": cluster})


def test_the_store_gets_proofs_of_who_administers_and_no_secrets(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "etcdctl"
    file.write_text(f'#!/bin/sh\necho "$@" >{tmp_path}/asked\ncat >{tmp_path}/put\n')
    file.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    wanted = settings().model_dump(mode="json")
    wanted["cluster"]["administration"]["people"][0]["totp"] = "ABCDEFGHIJKLMNOPABCDEFGHIJKLMNOP"
    converge._publish(Settings.model_validate(wanted), 3)
    said = (tmp_path / "put").read_text()
    put = json.loads(said)
    assert put["generation"] == 3
    (anna,) = put["administration"]["people"]
    assert anna == {"name": "Anna", "mail": "", "proof": proof_of_staff("Anna", HASH)}
    for secret in ("argon2id", HASH.rsplit("$", 1)[1], "ABCDEFGH"):
        assert secret not in said + (tmp_path / "asked").read_text()


@pytest.fixture
def box(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Box:
    return Box(tmp_path, monkeypatch)


def ask_for(box: Box, wanted: Settings) -> int:
    """Somebody wants these settings in force."""
    Draft(box.store).begin(wanted)
    number: int = box.ask_as(ROOT, "apply", who="Anna")
    return number


def test_roles_get_no_secrets(box: Box, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    description = tmp_path / "stack.yaml"
    description.write_text(
        yaml.safe_dump(
            {
                "name": "x",
                "units": ["x.service"],
                "doors": [{"port": 443, "protocol": "udp", "purpose": "media"}],
                "health": [],
            }
        )
    )
    monkeypatch.setattr(Stack, "read", staticmethod(lambda read=Stack.read: read(description)))
    chain, key = pair("rat.example", "turn.rat.example")
    wanted = settings(
        host_name="rat.example", certificate={"kind": "files", "chain": chain, "key": key}
    )
    found = converge.variables(wanted, complete=True)
    text = json.dumps(found)
    assert HASH not in text
    assert "PRIVATE KEY" not in text
    assert found["complete"] is True
    assert (found["named"], found["named_turn"]) == (False, False)
    named.install(chain, key, "rat.example")
    found = converge.variables(wanted, complete=False)
    assert (found["named"], found["named_turn"], found["one_name"]) == (True, True, False)
    assert found["complete"] is False
    other = converge.variables(settings(host_name="other.example"), complete=True)
    assert (other["named"], other["named_turn"], other["one_name"]) == (False, False, False)
    named.install(*pair("rat.example"), "rat.example")
    found = converge.variables(wanted, complete=True)
    assert (found["named"], found["named_turn"], found["one_name"]) == (True, False, True)
    del box


def test_before_set_up_there_is_nothing_to_do(box: Box) -> None:
    assert box.converge()
    assert progress.read() is None
    assert box.played == []


def test_settings_come_into_force_once(box: Box) -> None:
    number = ask_for(box, settings())
    assert box.converge()
    applied = box.store.applied()
    assert applied
    assert (applied.generation, applied.named) == (number, False)
    assert box.published == [number]
    assert code.read() is None
    assert not Draft(box.store).path.exists()
    found = progress.read()
    assert found
    assert (found["finished"], found["ok"]) == (True, True)
    box.progress.unlink()
    assert box.converge()
    assert progress.read() is None, "a second time nothing is done"


def test_another_image_or_another_certificate_brings_the_same_settings_into_force_again(
    box: Box,
) -> None:
    acme = {"kind": "acme", "directory": "https://acme.example/directory"}
    ask_for(box, settings(host_name="rat.example", certificate=acme))
    assert box.converge()
    applied = box.store.applied()
    assert applied
    box.store.set_applied(Applied(1, "0.0.1", False))
    assert box.converge()
    assert box.store.applied() == applied
    named.install(*pair("rat.example"), "rat.example")
    assert box.converge()
    found = named.read()
    assert found
    assert box.store.applied() == Applied(1, applied.image, True, False, found.fingerprint)
    assert box.published == [1, 1, 1]
    # The relay's name comes later: its certificate is brought into force, too.
    named.install(*pair("rat.example", "turn.rat.example"), "rat.example")
    assert box.converge()
    found = named.read()
    assert found
    assert box.store.applied() == Applied(1, applied.image, True, True, found.fingerprint)
    assert box.published == [1, 1, 1, 1]
    named.remove()
    named.install(*pair("other.example"), "other.example")
    assert box.converge()
    applied = box.store.applied()
    assert applied
    assert (applied.named, applied.named_turn) == (False, False)


def test_a_renewed_certificate_is_loaded_and_nothing_else_is_done(box: Box) -> None:
    acme = {"kind": "acme", "directory": "https://acme.example/directory"}
    ask_for(box, settings(host_name="rat.example", certificate=acme))
    named.install(*pair("rat.example"), "rat.example")
    assert box.converge()
    before = box.store.applied()
    box.progress.unlink()
    loaded = box.commands().count("reload nginx.service")
    named.install(*pair("rat.example"), "rat.example")
    assert box.converge()
    after = box.store.applied()
    assert before
    assert after
    assert after.certificate != before.certificate
    assert replace(after, certificate=before.certificate) == before
    assert box.commands().count("reload nginx.service") == loaded + 1
    assert box.published == [1]
    assert progress.read() is None
    assert box.converge()
    assert box.commands().count("reload nginx.service") == loaded + 1, "once is enough"


def test_an_uploaded_certificate_for_the_same_names_is_loaded(box: Box) -> None:
    def certificate() -> dict[str, Any]:
        chain, key = pair("rat.example", "turn.rat.example")
        return {"kind": "files", "chain": chain, "key": key}

    for number in (1, 2):
        wanted = settings(host_name="rat.example", certificate=certificate())
        ask_for(box, wanted)
        assert converge._certificate(wanted) is None
        assert box.converge()
        assert box.commands().count("reload nginx.service") == number


def test_a_certificate_that_nobody_wants_any_more_is_not_served(
    box: Box, monkeypatch: pytest.MonkeyPatch
) -> None:
    stack = Stack("Example", (), (), ())
    monkeypatch.setattr(Stack, "read", staticmethod(lambda: stack))
    named.install(*pair("rat.example", "turn.rat.example"), "rat.example")
    found = converge.variables(settings(host_name="rat.example"), True)
    assert (found["named"], found["named_turn"]) == (False, False)
    acme = {"kind": "acme", "directory": "https://acme.example/directory"}
    found = converge.variables(settings(host_name="rat.example", certificate=acme), True)
    assert (found["named"], found["named_turn"]) == (True, True)


def test_settings_that_only_meet_another_image_are_not_blamed(
    box: Box, monkeypatch: pytest.MonkeyPatch
) -> None:
    given: list[tuple[str, ...]] = []
    monkeypatch.setattr(converge, "bring_into_force", lambda _, changed, *__: given.append(changed))
    ask_for(box, settings("eins"))
    assert box.converge()
    box.store.set_applied(Applied(1, "0.0.1", False))
    assert box.converge()
    assert given[0]
    assert given[1] == ()


def test_what_failed_is_given_up_and_the_settings_before_come_back(box: Box) -> None:
    ask_for(box, settings("eins"))
    assert box.converge()
    ask_for(box, settings("zwei"))
    box.said = Said("converge.not_healthy", {"answer": "cluster.house.name"})
    assert not box.converge()
    assert box.store.applied() == Applied(1, "unknown", False)
    assert box.store.generation(2).failed == box.said
    assert box.played == [(settings("eins"), True)]
    assert box.published == [1]
    # The answers are still there, to be corrected.
    assert Draft(box.store).settings() == settings("zwei")
    found = progress.read()
    assert found
    assert (found["finished"], found["ok"]) == (True, False)
    assert [key for key, _ in found["notes"]] == ["converge.not_healthy", "converge.went_back"]
    box.progress.unlink()
    assert box.converge(), "it is not tried again and again"
    assert progress.read() is None


def test_a_cut_while_going_back_is_followed_by_another_try(
    box: Box, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Cut(BaseException):
        pass

    def cut(*_: object) -> None:
        raise Cut

    ask_for(box, settings("eins"))
    assert box.converge()
    ask_for(box, settings("zwei"))
    box.said = Said("converge.not_healthy", {"answer": "cluster.house.name"})
    with monkeypatch.context() as patch, pytest.raises(Cut):
        patch.setattr(converge, "_follow_names", cut)
        box.converge()
    assert box.store.pending() == 2
    assert not box.converge()
    assert box.store.pending() is None


def test_a_way_back_that_fails_is_not_called_good(box: Box) -> None:
    ask_for(box, settings())
    box.said = Said("converge.configuration_refused", {"answer": "box.host_name"})
    box.ended = 2
    assert not box.converge()
    assert box.store.pending() is None, "it ends all the same"
    found = progress.read()
    assert found
    assert found["notes"][-1] == ["converge.not_whole", {}]


def test_what_did_not_come_back_whole_does_so_at_the_next_start(box: Box) -> None:
    ask_for(box, settings("eins"))
    assert box.converge()
    ask_for(box, settings("zwei"))
    box.said, box.ended = Said("converge.not_healthy", {"answer": "cluster.house.name"}), 2
    assert not box.converge()
    assert not box.converge()
    assert box.store.generation(1).failed is None, "what is in force is not what failed"
    box.said = None
    assert box.converge()
    assert box.store.applied() == Applied(1, "unknown", False)
    assert box.published == [1, 1]


def test_the_certificate_before_comes_back_after_the_network_before(
    box: Box, monkeypatch: pytest.MonkeyPatch
) -> None:
    stack = Stack("Example", (), (), ())
    monkeypatch.setattr(Stack, "read", staticmethod(lambda: stack))
    chain, key = pair("eins.example")
    files = {"kind": "files", "chain": chain, "key": key}
    former = settings(host_name="eins.example", certificate=files)
    named.install(*pair("zwei.example"), "zwei.example")
    served: list[bool] = []

    def play(wanted: Settings, *_: object) -> subprocess.CompletedProcess[str]:
        served.append(converge.to_apply(wanted).named)
        return subprocess.CompletedProcess([], 0, "", "")

    monkeypatch.setattr(converge, "play", play)
    assert converge._go_back(former, True, certificate=False)
    assert served == [False]
    assert converge._go_back(former, True, certificate=True)
    assert served == [False, False, True], "the web server is told of it"


def test_what_failed_at_set_up_leads_back_to_the_wizard_and_keeps_the_code(box: Box) -> None:
    ask_for(box, settings())
    box.said = Said("converge.configuration_refused", {"answer": "box.host_name"})
    assert not box.converge()
    assert box.store.applied() is None
    assert code.read()
    assert box.played == [(Settings(), False)]
    box.said = None
    assert box.ask_as(ROOT, "apply", who="Anna") == 2
    assert box.converge()


@pytest.mark.parametrize(
    "fault",
    [OSError("disk full"), ValueError("x"), subprocess.CalledProcessError(1, ["etcdctl"])],
)
@pytest.mark.parametrize("place", ["bring_into_force", "_publish"])
def test_a_fault_of_ours_ends_the_waiting_too(
    box: Box,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    place: str,
    fault: Exception,
) -> None:
    def fail(*_: object) -> None:
        raise fault

    monkeypatch.setattr(converge, place, fail)
    ask_for(box, settings())
    assert not box.converge()
    assert box.store.applied() is None
    assert box.store.pending() is None
    found = progress.read()
    assert found
    assert found["finished"]
    assert found["notes"][0] == ["converge.broken", {}]
    assert type(fault).__name__ in capsys.readouterr().err


def test_what_was_asked_for_meanwhile_follows_at_once(
    box: Box, monkeypatch: pytest.MonkeyPatch
) -> None:
    """systemd does not start a unit again that is running still."""
    monkeypatch.setattr(converge, "Store", lambda: box.store)
    monkeypatch.setattr(sys, "argv", ["converge"])
    names: list[str] = []

    def force(wanted: Settings, *_: object) -> None:
        if not names:
            ask_for(box, settings("zwei"))
        names.append(wanted.cluster.house.name)

    monkeypatch.setattr(converge, "bring_into_force", force)
    ask_for(box, settings("eins"))
    assert converge.main() == 0
    assert names == ["eins", "zwei"]
    assert box.store.applied() == Applied(2, "unknown", False)


def test_what_somebody_answered_meanwhile_is_not_lost(
    box: Box, monkeypatch: pytest.MonkeyPatch
) -> None:
    ask_for(box, settings())

    def force(*_: object) -> None:
        revision = Draft(box.store).read()["revision"]
        part = {"box": {"reach": "public"}}
        box.ask_as(ROOT, "put", step="reach", part=part, revision=revision)

    monkeypatch.setattr(converge, "bring_into_force", force)
    assert box.converge()
    assert box.store.settings(1).box.reach == "house"
    assert Draft(box.store).settings().box.reach == "public"


def test_each_stage_is_shown_and_one_that_fails_ends_the_rest(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """The real stages; what Ansible answers, and what the services do, is given."""
    played = subprocess.CompletedProcess(["ansible-playbook"], 0, "", "")
    wrong: dict[str, str] = {}
    monkeypatch.setattr(converge, "play", lambda *_: played)
    monkeypatch.setattr(converge, "_follow_names", lambda: None)
    monkeypatch.setattr(converge, "_settle", lambda: wrong)
    monkeypatch.setattr(Stack, "read", staticmethod(lambda: Stack("Example", (), (), ())))

    def force() -> tuple[Said | None, dict[str, Any]]:
        shown = Progress(1, converge.STAGES, tmp_path / "progress.json")
        said = converge.bring_into_force(settings(), ("box.reach", "box.host_name"), shown)
        found = progress.read(shown.file)
        assert found
        return said, dict(found["stages"])

    done = {"certificate": "done", "configuration": "done", "services": "done"}
    assert force() == (None, done)
    wrong["nginx.service"] = "failed"
    said, stages = force()
    assert said == Said("converge.not_healthy", {"answer": ["box.host_name"]})
    assert stages == {**done, "services": "failed"}
    printed = "TASK [web : Web server] ***\nfailed: [localhost] (item=x) => {}\n"
    played.returncode, played.stdout = 2, printed
    said, stages = force()
    assert said == Said("converge.configuration_refused", {"answer": ["box.host_name"]})
    assert stages == {**done, "configuration": "failed", "services": "waiting"}
    assert printed in capsys.readouterr().err


def test_at_set_up_an_authority_gets_little_time_and_more_afterwards(
    box: Box, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where packets are dropped, nobody waits minutes for a call inside the house."""
    given: list[float | None] = []

    def obtain(_: object, seconds: float | None) -> None:
        given.append(seconds)
        raise SaidError("acme.not_yet" if seconds else "acme.directory_unreachable")

    def force(wanted: Settings, _: object, shown: Progress, first: bool) -> None:
        if said := converge._certificate(wanted, SET_UP_SECONDS if first else None):
            shown.note(said)

    monkeypatch.setattr("firstboot.certificates.acme.obtain", obtain)
    monkeypatch.setattr(converge, "bring_into_force", force)
    directory = {"kind": "acme", "directory": "https://acme.example/directory"}
    ask_for(box, settings("eins", host_name="rat.example", certificate=directory))
    assert box.converge()
    renew = "ratssaal-certificate-renew.service"
    assert [one for one in box.commands() if renew in one] == [
        "start --no-block ratssaal-forget-brought.service ratssaal-recovery-copy.service " + renew
    ]
    ask_for(box, settings("zwei", host_name="rat.example", certificate=directory))
    assert box.converge()
    assert given == [SET_UP_SECONDS, None]
    assert len([one for one in box.commands() if renew in one]) == 1, "the timer does the rest"


def test_a_certificate_that_does_not_come_is_told_and_stops_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    served = tmp_path / "tls"
    served.mkdir()
    monkeypatch.setattr(named.install, "__defaults__", (served,))
    chain, key = pair("rat.example")
    other = pair("rat.example")[1]
    good = settings(
        host_name="rat.example", certificate={"kind": "files", "chain": chain, "key": key}
    )
    bad = settings(
        host_name="rat.example", certificate={"kind": "files", "chain": chain, "key": other}
    )
    assert converge._certificate(settings()) is None
    assert converge._certificate(good) is None
    assert converge._certificate(bad) == Said("rehearsal.pair")
    assert (served / "named/privkey.pem").read_text() == key


def test_a_playbook_gets_its_settings_in_a_file_for_root_alone(
    box: Box, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    work = tmp_path / "work"
    monkeypatch.undo()
    monkeypatch.setattr(converge, "WORK", work)
    monkeypatch.setattr(converge, "variables", lambda *_: {"settings": {"box": "x"}})
    programs = tmp_path / "programs"
    program = programs / "ansible-playbook"
    program.write_text(
        f'#!/bin/sh\necho "$@" >{tmp_path}/called\nstat -c %a {work}/settings.json\n'
    )
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{programs}:/usr/bin:/bin")
    ended = converge.play(settings(), True, "--check")
    assert (ended.returncode, ended.stdout) == (0, "600\n")
    assert stat.S_IMODE(work.stat().st_mode) == 0o700
    called = (tmp_path / "called").read_text().split()
    assert f"@{work}/settings.json" in called
    assert "--check" in called
    assert called[-1].endswith("site.yml")
    del box
