"""Root's side of the wizard: what it does for whom, whatever the web server asks."""

import base64
import datetime
import itertools
import json
import os
import re
import socket
import stat
import subprocess
import sys
import threading
import time
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import argon2
import pyotp
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, load_pem_private_key

from firstboot import agent
from firstboot.access import code, permits, sign_in
from firstboot.access.passwords import hash_password, proof_of_staff, totp_secret, verify
from firstboot.access.permits import NOBODY, ROOMS, ROOT, Asker, Permits
from firstboot.files import write_whole
from firstboot.settings import Settings
from firstboot.store import Draft
from firstboot.texts import SaidError
from tests.unit.firstboot.folders import PASSWORD, Box

pytestmark = pytest.mark.unit

REFUSED = r"setup\.not_allowed"
# What is asked before set-up alone.
FIRST = ("disks", "install")
# What a box without an encrypted disk refuses: see test_recovery.
ENCRYPTED = ("recovery", "recovery-confirm", "recovery-copy")
HOUSE = {"cluster": {"house": {"name": "Gemeinde Musterhausen"}}}
# Requests that are right in themselves, so that only who asks is at fault.
ASKED: dict[str, dict[str, Any]] = {
    "state": {},
    "disks": {},
    "install": {"path": "/dev/none", "way": "anew", "name": "x"},
    "code": {"typed": "wrong"},
    "sign-in": {"name": "Anna", "password": PASSWORD, "totp": ""},
    "sign-out": {},
    "draft": {},
    "put": {"step": "house", "part": HOUSE, "revision": 0},
    "request": {},
    "authority": {},
    "apply": {"who": "Anna"},
    "discard": {},
    "undo": {"number": 1, "who": "Anna"},
    "history": {},
    "generation": {"number": 1},
    "rooms": {},
    "support": {},
    "preview": {},
    "previewed": {},
    "power": {"how": "reboot"},
    "recovery": {"password": PASSWORD, "totp": ""},
    "recovery-confirm": {"typed": "x"},
    "recovery-copy": {},
    "reset": {"password": PASSWORD, "totp": "", "typed": "ratssaal.local"},
    "prove": {},
    "invite": {"kind": "phone"},
    "guest": {"token": "phone.wrong", "language": "de"},
    "pass": {"token": "phone.wrong"},
}


def settings(**person: Any) -> Settings:
    anna = {"name": "Anna", "password": hash_password(PASSWORD), **person}
    administration = {"people": [anna], "alone_because": "klein"}
    return Settings.model_validate(
        {"cluster": {**HOUSE["cluster"], "administration": administration}}
    )


@pytest.fixture
def box(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Box:
    return Box(tmp_path, monkeypatch)


@pytest.fixture
def ready(box: Box) -> Box:
    """A box that is set up."""
    box.set_up(settings())
    return box


def signed_in(box: Box, name: str = "Anna", password: str = PASSWORD, totp: str = "") -> str:
    permit: str = box.ask("sign-in", name=name, password=password, totp=totp)["permit"]
    return permit


def test_there_is_a_right_for_each_verb_and_no_other(box: Box) -> None:
    for verb in agent.RIGHTS:
        if verb not in ("room", "check"):
            arguments = ASKED[verb] if verb != "put" else {**ASKED[verb], "part": {}}
            try:
                box.ask_as(ROOT, verb, **arguments)
            except SaidError as error:
                assert error.said.key != "setup.not_accepted", verb
    for verb in ("", "shell", "State", "__class__"):
        with pytest.raises(SaidError, match=r"setup\.not_accepted"):
            box.ask_as(ROOT, verb)


@pytest.mark.parametrize(
    "verb",
    ["draft", "put", "request", "authority", "apply", "room", "discard", "undo", "prove", "invite"],
)
@pytest.mark.parametrize("permit", ["", "x", "x" * 5000, "\ud800"])
def test_nothing_is_done_without_a_permit(box: Box, verb: str, permit: str) -> None:
    for _ in range(2):
        with pytest.raises(SaidError, match=REFUSED):
            box.ask(verb, permit=permit, **ASKED.get(verb, {"name": "x"}))
        box.set_up(settings())


def test_before_set_up_a_clerk_may_what_the_wizard_needs(box: Box) -> None:
    permit = box.ask("code", typed=box.code())
    for verb in ("draft", "put", "request", "authority", "state"):
        box.ask(verb, permit=permit, **ASKED[verb])
    for verb in ("history", "undo", "power", "reset", "discard"):
        with pytest.raises(SaidError, match=REFUSED):
            box.ask(verb, permit=permit, **ASKED[verb])


def test_a_clerk_may_nothing_more_once_set_up_is_complete(box: Box) -> None:
    permit = box.ask("code", typed=box.code())
    box.set_up(settings())
    files = {one: one.read_bytes() for one in box.files() if one.name != "permits.json"}
    administrators = ("discard", "undo", "history", "power", "reset")
    for verb in ("draft", "put", "request", "apply", *administrators):
        with pytest.raises(SaidError, match=REFUSED):
            box.ask(verb, permit=permit, **ASKED[verb])
    assert {one: one.read_bytes() for one in files} == files
    # How it went may still be seen by whoever set the box up.
    assert box.ask("state", permit=permit)["settings"]["cluster"]["house"]


def test_a_pass_opens_the_test_room_without_a_permit_and_nothing_else(ready: Box) -> None:
    invited = ready.ask("invite", permit=signed_in(ready), kind="phone")
    given = invited["pass"]
    for language, name in (("de", "Handy"), ("en", "Phone")):
        place = ready.ask("guest", token=given, language=language)
        # Whatever is renewed: the place ends with the pass.
        assert place == {"room": "ratssaal-test", "name": name, "until": invited["until"]}
    with pytest.raises(SaidError, match=r"setup\.not_accepted"):
        ready.ask("guest", token=given, language="../de")
    assert ready.ask("pass", token=given)["kind"] == "phone"
    for wrong in (given[:-1], given.replace("phone", "browser"), ""):
        for verb in ("guest", "pass"):
            with pytest.raises(SaidError, match=r"proof\.pass_over"):
                ready.ask(verb, **{**ASKED[verb], "token": wrong})
    for verb in ("room", "draft", "invite"):
        with pytest.raises(SaidError, match=REFUSED):
            ready.ask(verb, permit=given, **ASKED.get(verb, {"name": "x"}))


def test_whoever_has_no_permit_learns_only_how_far_the_box_is(ready: Box) -> None:
    told = ready.ask("state")
    assert told["complete"] is True
    assert told["settings"] is None
    assert told["certificate"] is None
    assert "Anna" not in json.dumps(told)
    assert "Anna" in json.dumps(ready.ask("state", permit=signed_in(ready)))


def test_administrators_may_all_that_their_pages_need(ready: Box) -> None:
    permit = signed_in(ready)
    revision = ready.ask("draft", permit=permit)["revision"]
    ready.rooms.write_text('{"rooms": 1, "people": 2}')
    ready.bundle.write_bytes(b"packed")
    for verb, arguments in ASKED.items():
        part = {"box": {"reach": "public"}}
        put = {**arguments, "part": part, "revision": revision}
        given = put if verb == "put" else arguments
        if verb == "undo":
            # What was put and applied has to be in force before there is something to bring back.
            assert ready.converge()
        if verb not in (
            "code",
            "sign-in",
            "sign-out",
            "prove",
            "guest",
            "pass",
            *FIRST,
            *ENCRYPTED,
        ):
            ready.ask(verb, permit=permit, **given)


def test_who_changed_something_is_who_signed_in_whatever_the_web_server_says(ready: Box) -> None:
    permit = signed_in(ready)
    revision = ready.ask("draft", permit=permit)["revision"]
    change = {"box": {"reach": "public"}}
    ready.ask("put", permit=permit, step="reach", part=change, revision=revision)
    ready.ask("apply", permit=permit, who="Berta")
    assert ready.converge()
    ready.ask("undo", permit=permit, number=1, who="Berta")
    assert [one["who"] for one in ready.ask("history", permit=permit)][:2] == ["Anna", "Anna"]


def test_a_permit_ends_with_signing_out(ready: Box) -> None:
    permit, other = signed_in(ready), signed_in(ready)
    ready.ask("sign-out", permit=permit)
    with pytest.raises(SaidError, match=REFUSED):
        ready.ask("history", permit=permit)
    assert ready.ask("history", permit=other)
    ready.ask("sign-out", permit=permit)


@pytest.mark.parametrize(
    "person", [{"name": "Berta"}, {"password": hash_password("vier rote hunde")}]
)
def test_a_permit_ends_with_the_password_that_it_was_given_for(
    ready: Box, person: dict[str, str]
) -> None:
    permit = signed_in(ready)
    ready.set_up(settings(**person))
    with pytest.raises(SaidError, match=REFUSED):
        ready.ask("history", permit=permit)


def test_a_permit_ends_after_an_hour_without_use_and_lasts_with_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    known = Permits(tmp_path / "permits.json")
    now = time.time()
    used, left = known.give(Asker("clerk")), known.give(Asker("administrator", "Anna", "x"))
    for minutes in range(0, 180, 50):
        monkeypatch.setattr(time, "time", lambda minutes=minutes: now + minutes * 60)
        assert known.find(used) == Asker("clerk")
    assert known.find(left) == NOBODY
    assert stat.S_IMODE(known.file.stat().st_mode) == 0o600
    assert used not in known.file.read_text()


def test_a_permit_of_a_clock_that_was_ahead_is_none(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    known = Permits(tmp_path / "permits.json")
    now = time.time()
    monkeypatch.setattr(time, "time", lambda: now + 7200)
    token = known.give(Asker("clerk"))
    monkeypatch.setattr(time, "time", lambda: now)
    assert known.find(token) == NOBODY


def test_a_permit_in_a_broken_file_is_none(tmp_path: Path) -> None:
    known = Permits(tmp_path / "permits.json")
    token = known.give(Asker("clerk"))
    known.file.write_text("{")
    assert known.find(token) == NOBODY
    assert known.find(known.give(Asker("clerk"))) == Asker("clerk")


def test_no_more_permits_are_kept_than_a_house_needs(tmp_path: Path) -> None:
    known = Permits(tmp_path / "permits.json")
    tokens = [known.give(Asker("clerk")) for _ in range(permits.MOST + 5)]
    assert len(json.loads(known.file.read_text())) == permits.MOST
    assert known.find(tokens[-1]) == Asker("clerk")


def test_a_wrong_password_and_an_unknown_name_give_the_same_sentence(ready: Box) -> None:
    told = []
    for name, password in (("Anna", "falsch"), ("Berta", PASSWORD), ("", ""), ("Anna", "")):
        with pytest.raises(SaidError) as error:
            signed_in(ready, name, password)
        told.append(error.value.said)
    assert len({json.dumps([one.key, one.values]) for one in told}) == 1


def test_an_unknown_name_costs_as_much_work_as_a_known_one() -> None:
    known = hash_password(PASSWORD)
    assert argon2.extract_parameters(sign_in.NOBODYS) == argon2.extract_parameters(known)
    assert not verify(sign_in.NOBODYS, PASSWORD)

    def seconds(hashed: str) -> float:
        begin = time.process_time()
        verify(hashed, "falsch")
        return time.process_time() - begin

    # Work, not time: it is the same even where another process has the processor.
    assert (
        min(seconds(sign_in.NOBODYS) for _ in range(3)) > min(seconds(known) for _ in range(3)) / 3
    )


def test_digits_of_the_app_are_asked_for_and_good_for_once(box: Box) -> None:
    secret = totp_secret()
    box.set_up(settings(totp=secret))
    digits = pyotp.TOTP(secret).now()
    for wrong in ("", "000000" if digits != "000000" else "000001", digits[:5], "x"):
        with pytest.raises(SaidError, match=r"admin\.sign_in_wrong"):
            signed_in(box, totp=wrong)
    with pytest.raises(SaidError, match=r"admin\.sign_in_wrong"):
        signed_in(box, password="falsch", totp=digits)
    assert signed_in(box, totp=digits)
    with pytest.raises(SaidError, match=r"admin\.sign_in_wrong"):
        signed_in(box, totp=digits)
    assert stat.S_IMODE((box.store.secrets / "totp.json").stat().st_mode) == 0o600


def test_after_ten_wrong_digits_none_are_taken_for_a_while_and_no_stranger_brings_that_about(
    box: Box, monkeypatch: pytest.MonkeyPatch
) -> None:
    secret = totp_secret()
    box.set_up(settings(totp=secret))
    wrong = "000000" if pyotp.TOTP(secret).now() != "000000" else "000001"
    for _ in range(sign_in.WRONG_DIGITS + 1):
        with pytest.raises(SaidError, match=r"admin\.sign_in_wrong"):
            signed_in(box, password="falsch", totp=wrong)
    for _ in range(sign_in.WRONG_DIGITS):
        with pytest.raises(SaidError, match=r"admin\.sign_in_wrong"):
            signed_in(box, totp=wrong)
    with pytest.raises(SaidError, match=r"admin\.digits_wait"):
        signed_in(box, totp=pyotp.TOTP(secret).now())
    with pytest.raises(SaidError, match=r"admin\.sign_in_wrong"):
        signed_in(box, password="falsch", totp=wrong)
    later = time.time() + sign_in.WAIT_SECONDS + 1
    monkeypatch.setattr("firstboot.access.sign_in.time.time", lambda: later)
    assert signed_in(box, totp=pyotp.TOTP(secret).now())


def test_digits_typed_in_two_places_at_once_open_one(
    box: Box, monkeypatch: pytest.MonkeyPatch
) -> None:
    def slowly(path: Path, text: str, *, mode: int) -> bool:
        time.sleep(0.1)
        return write_whole(path, text, mode=mode)

    monkeypatch.setattr("firstboot.access.sign_in.write_whole", slowly)
    secret = totp_secret()
    box.set_up(settings(totp=secret))
    digits = pyotp.TOTP(secret).now()
    opened: list[str] = []

    def attempt() -> None:
        try:
            opened.append(signed_in(box, totp=digits))
        except SaidError:
            return

    at_once(attempt, 4)
    assert len(opened) == 1


def at_once(work: Any, times: int) -> None:
    """Do the same in several threads, as systemd starts an instance for each connection."""
    threads = [threading.Thread(target=work) for _ in range(times)]
    for one in threads:
        one.start()
    for one in threads:
        one.join()


def test_of_two_clerks_who_save_at_once_one_is_told(box: Box) -> None:
    told: list[str] = []
    names = itertools.count()

    def save() -> None:
        part = {"cluster": {"house": {"name": f"Gemeinde {next(names)}"}}}
        try:
            box.ask_as(ROOT, "put", step="house", part=part, revision=0)
        except SaidError as error:
            told.append(error.said.key)

    at_once(save, 6)
    assert told == ["store.somebody_else"] * 5
    assert Draft(box.store).read()["revision"] == 1


def test_of_two_who_apply_at_once_both_get_the_same_generation(box: Box) -> None:
    Draft(box.store).begin(settings())
    numbers: list[int] = []
    at_once(lambda: numbers.append(box.ask_as(ROOT, "apply", who="x")), 5)
    assert numbers == [1] * 5
    assert box.store.numbers() == [1]


def test_a_wrong_code_is_shown_at_the_box_and_a_right_one_is_not(box: Box) -> None:
    assert box.ask("code", typed="wrong") is None
    assert box.commands() == ["restart --no-block ratssaal-console.service"]
    assert box.ask("code", typed=box.code())
    assert len(box.commands()) == 1


def test_a_code_after_set_up_is_good_for_once_and_for_administrators(ready: Box) -> None:
    assert code.read() is None
    assert ready.ask("code", typed="") is None
    shown = code.renew().shown
    permit = ready.ask("code", typed=shown)
    assert ready.ask("history", permit=permit)
    assert ready.ask("code", typed=shown) is None


def test_a_new_password_by_the_code_takes_the_lost_app_along(box: Box) -> None:
    box.set_up(settings(totp=totp_secret()))
    permit = box.ask("code", typed=code.renew().shown)
    people = [{"name": "Anna", "password": hash_password("sieben blaue traktoren")}]
    part = {"cluster": {"administration": {"people": people}}}
    revision = box.ask("draft", permit=permit)["revision"]
    box.ask("put", permit=permit, step="administrators", part=part, revision=revision)
    box.ask("apply", permit=permit, who="Am Gerät")
    assert box.converge()
    assert signed_in(box, password="sieben blaue traktoren")


def test_nothing_is_applied_while_nobody_administers(box: Box) -> None:
    with pytest.raises(SaidError, match=r"setup\.nobody_administers"):
        box.ask_as(ROOT, "apply", who="x")
    assert box.store.numbers() == []
    assert box.commands() == []


def test_bringing_back_is_a_new_generation_and_takes_the_draft_along(ready: Box) -> None:
    permit = signed_in(ready)
    revision = ready.ask("draft", permit=permit)["revision"]
    change = {"box": {"reach": "public"}}
    ready.ask("put", permit=permit, step="reach", part=change, revision=revision)
    with pytest.raises(SaidError, match=r"store\.nothing_to_bring_back"):
        ready.ask("undo", permit=permit, number=1, who="x")
    ready.ask("apply", permit=permit, who="x")
    assert ready.converge()
    revision = ready.ask("draft", permit=permit)["revision"]
    ready.ask("put", permit=permit, step="house", part=HOUSE, revision=revision)
    assert ready.ask("undo", permit=permit, number=1, who="x") == 3
    assert ready.commands()[-1] == "start --no-block ratssaal-converge.service"
    assert ready.store.settings(3) == ready.store.settings(1)
    assert ready.converge()
    assert Draft(ready.store).settings().box.reach == "house"
    for number in (0, -1, 4, 10**9):
        with pytest.raises(SaidError, match=r"store\.no_such_generation"):
            ready.ask("undo", permit=permit, number=number, who="x")


def test_only_restarting_and_switching_off_are_power(ready: Box) -> None:
    for how in ("halt", "", "--force", "reboot now"):
        with pytest.raises(SaidError, match=r"admin\.unknown"):
            ready.ask_as(ROOT, "power", how=how)
    ready.ask_as(ROOT, "power", how="poweroff")
    wanted = "start --no-block --job-mode=replace-irreversibly poweroff.target"
    assert ready.commands()[-1] == wanted


@pytest.mark.parametrize(
    ("typed", "said"),
    [
        ({"typed": "ratssaal"}, "reset.wrong_name"),
        ({"typed": ""}, "reset.wrong_name"),
        ({"password": "falsch"}, "admin.sign_in_wrong"),
        ({"password": ""}, "admin.sign_in_wrong"),
    ],
)
def test_a_reset_wants_the_password_once_more_and_the_boxs_name(
    ready: Box, typed: dict[str, str], said: str
) -> None:
    permit = signed_in(ready)
    with pytest.raises(SaidError, match=re.escape(said)):
        ready.ask("reset", permit=permit, **{**ASKED["reset"], **typed})
    assert "start ratssaal-reset.service" not in ready.commands()
    name = {"typed": " RATSSAAL.local "}
    ready.ask("reset", permit=permit, **{**ASKED["reset"], **name})
    assert ready.commands()[-1] == "start ratssaal-reset.service"


def test_a_box_with_a_name_is_reset_by_that_name(box: Box) -> None:
    named = settings().model_dump(mode="json") | {"box": {"host_name": "sitzung.muster.example"}}
    box.set_up(Settings.model_validate(named))
    permit = signed_in(box)
    with pytest.raises(SaidError, match=r"reset\.wrong_name"):
        box.ask("reset", permit=permit, **ASKED["reset"])
    right = {**ASKED["reset"], "typed": "sitzung.muster.example"}
    box.ask("reset", permit=permit, **right)
    assert box.commands()[-1] == "start ratssaal-reset.service"


def test_whoever_came_by_the_code_resets_the_box_at_the_box(ready: Box) -> None:
    code.renew()
    permit = ready.ask("code", typed=ready.code())
    with pytest.raises(SaidError, match=r"reset\.at_the_box"):
        ready.ask("reset", permit=permit, **ASKED["reset"])
    assert "start ratssaal-reset.service" not in ready.commands()


def test_a_request_keeps_its_key_here_and_takes_the_answer_to_it(box: Box) -> None:
    name = {"box": {"host_name": "sitzung.musterhausen.example", "turn_name": ""}}
    box.ask_as(ROOT, "put", step="domain", part=name, revision=0)
    pem = box.ask_as(ROOT, "request")
    # A second one is for the same key: whichever is signed fits.
    request, again = (
        x509.load_pem_x509_csr(one.encode()) for one in (pem, box.ask_as(ROOT, "request"))
    )
    assert again.public_key() == request.public_key()
    file = box.store.secrets / "request.key"
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    key = load_pem_private_key(file.read_bytes(), None)
    assert key.public_key() == request.public_key()
    names = request.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    assert names.get_values_for_type(x509.DNSName) == [
        "sitzung.musterhausen.example",
        "turn.sitzung.musterhausen.example",
    ]
    upload = {"chain": _encoded(_answer_to(request)), "key": "", "password": ""}
    part = {"box": {"certificate": {"kind": "files", "upload": upload}}}
    box.ask_as(ROOT, "put", step="certificate", part=part, revision=1)
    found = Draft(box.store).settings().box.certificate
    assert found.kind == "files"
    assert found.key
    assert load_pem_private_key(found.key.encode(), None).public_key() == request.public_key()
    assert "PRIVATE" not in json.dumps(box.ask_as(ROOT, "draft"))


def _encoded(content: bytes) -> str:
    return base64.b64encode(content).decode()


def _answer_to(request: x509.CertificateSigningRequest) -> bytes:
    """What a data centre sends back: a chain for the request."""
    authority = ec.generate_private_key(ec.SECP256R1())
    now = datetime.datetime.now(datetime.UTC)
    issuer = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "Rechenzentrum")])
    alternative = request.extensions.get_extension_for_class(x509.SubjectAlternativeName)

    def signed(subject: x509.Name, key: Any, ca: bool) -> bytes:
        builder = (
            x509.CertificateBuilder()
            .subject_name(subject)
            .issuer_name(issuer)
            .public_key(key)
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - datetime.timedelta(days=1))
            .not_valid_after(now + datetime.timedelta(days=90))
            .add_extension(x509.BasicConstraints(ca, None), critical=True)
        )
        if not ca:
            builder = builder.add_extension(alternative.value, critical=False)
        return builder.sign(authority, hashes.SHA256()).public_bytes(Encoding.PEM)

    leaf = signed(request.subject, request.public_key(), False)
    return leaf + signed(issuer, authority.public_key(), True)


@pytest.mark.parametrize(
    "line",
    [
        b"",
        b"{",
        b"null",
        b"[]",
        b"7",
        b'"state"',
        b"{}",
        b'{"verb": null}',
        b'{"verb": "state", "other": 1}',
        b'{"verb": "code"}',
        b'{"verb": "put", "step": 1, "part": [], "revision": "x"}',
        b'{"verb": "put", "step": "", "part": {"box": {"certificate": {"upload": 7}}}}',
        b'{"verb": "put", "step": "x", "part": {"cluster": 7}, "revision": 0}',
        b'{"verb": "undo", "number": "one", "who": "x"}',
        b'{"verb": "draft", "permit": {"a": 1}, "other": 1}',
        b"\xff\xfe",
        b"[" * 100_000,
    ],
)
@pytest.mark.parametrize("known", [None, ROOT])
def test_a_request_that_makes_no_sense_gets_an_answer_without_details(
    box: Box, line: bytes, known: Asker | None, capsys: pytest.CaptureFixture[str]
) -> None:
    answer = agent.reply(line, box.store, known)
    assert set(answer) == {"said"}
    assert answer["said"][0].startswith("setup.not_a")
    assert len(capsys.readouterr().err) < 60


def test_what_is_wrong_with_an_answer_is_named_without_its_value(box: Box) -> None:
    part = {"box": {"network": {"mode": "dhcp", "proxy": "http://user:secret@proxy"}}}
    with pytest.raises(SaidError) as error:
        box.ask_as(ROOT, "put", step="network", part=part, revision=0)
    assert error.value.said.values == {"answer": "box.network.proxy"}


def test_root_is_known_by_the_socket_and_not_by_what_it_says() -> None:
    """The kernel says who is at the other end (unix(7)): here, this process itself."""
    here, there = socket.socketpair()
    with here, there:
        assert agent.peer(here.fileno()) == os.geteuid()
    with Path(os.devnull).open() as file:
        assert agent.peer(file.fileno()) == os.geteuid()


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can become somebody else")
def test_whoever_is_not_root_needs_a_permit() -> None:
    script = (
        "import os, socket; os.seteuid(65534); here, there = socket.socketpair();"
        "os.seteuid(0); from firstboot import agent; print(agent.peer(here.fileno()))"
    )
    ran = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert ran.stdout == "65534\n"
    assert agent.known(65534) == NOBODY


def test_root_the_wizard_and_the_rooms_are_told_apart_by_their_users(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    users = {701: "ratssaal-setup", 702: "ratssaal-meet", 33: "www-data"}

    def named(number: int) -> Any:
        return SimpleNamespace(pw_name=users[number])

    monkeypatch.setattr("firstboot.agent.pwd.getpwuid", named)
    found = [agent.known(number) for number in (0, 701, 702, 33, 4711)]
    assert found == [ROOT, None, ROOMS, NOBODY, NOBODY]


def test_the_rooms_may_check_a_password_and_nothing_else(ready: Box) -> None:
    given = {"name": "anna", "password": PASSWORD, "totp": ""}
    permits_before = (ready.store.secrets / "permits.json").exists()
    proof = proof_of_staff(
        "Anna", ready.store.settings(1).cluster.administration.people[0].password
    )
    assert ready.ask_as(ROOMS, "check", **given) == {"name": "Anna", "proof": proof}
    assert (ready.store.secrets / "permits.json").exists() == permits_before
    with pytest.raises(SaidError, match=r"admin\.sign_in_wrong"):
        ready.ask_as(ROOMS, "check", **{**given, "password": "falsch"})
    for verb, arguments in {**ASKED, "state": {}, "draft": {}, "room": {"name": "x"}}.items():
        with pytest.raises(SaidError, match=REFUSED):
            ready.ask_as(ROOMS, verb, permit=signed_in(ready), **arguments)


def test_nobody_else_may_have_a_password_checked_without_signing_in(ready: Box) -> None:
    given = {"name": "Anna", "password": PASSWORD, "totp": ""}
    for permit in ("", signed_in(ready)):
        with pytest.raises(SaidError, match=REFUSED):
            ready.ask("check", permit=permit, **given)
