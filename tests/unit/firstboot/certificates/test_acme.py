"""How certbot is called, and what its complaints mean to a clerk."""

import os
import re
import stat
import subprocess
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from builder.machines.shell import wait_for
from firstboot import converge
from firstboot.certificates import acme, named
from firstboot.certificates.acme import CAUSES, command, explain
from firstboot.certificates.expiry import keep_attempt, last_attempt
from firstboot.settings import Box, Settings
from firstboot.store import Applied, Store
from firstboot.texts import LANGUAGES, Said, SaidError, topic
from tests.unit.firstboot.certificates.test_named import pair

pytestmark = pytest.mark.unit

NAMES = ["sitzung.example", "turn.sitzung.example"]
SECRET = "c2VjcmV0c2VjcmV0c2VjcmV0"
DNS = {"server": "192.0.2.53", "port": 5353, "key_name": "box.key", "secret": SECRET}
PEM = "-----BEGIN CERTIFICATE-----\nOWNROOT\n-----END CERTIFICATE-----\n"
AUTHORITY = "https://ca.example/directory"


def settings(network: dict[str, Any] | None = None, **certificate: Any) -> Box:
    return Box.model_validate(
        {
            "host_name": NAMES[0],
            "network": network or {},
            "certificate": {"kind": "acme", "directory": AUTHORITY, **certificate},
        }
    )


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where certbot would keep its things."""
    roots = tmp_path / "public.crt"
    roots.write_text("PUBLIC ROOTS")
    monkeypatch.setattr(acme, "CERTBOT", tmp_path / "certbot")
    monkeypatch.setattr(keep_attempt, "__defaults__", (tmp_path / "certbot/attempt.json",))
    monkeypatch.setattr(acme, "PUBLIC_ROOTS", roots)
    # Takes long on a host with much to write.
    monkeypatch.setattr(os, "sync", lambda: None)
    (tmp_path / "certbot").mkdir()
    return tmp_path / "certbot"


def option(words: list[str], name: str) -> list[str]:
    return [words[n + 1] for n, word in enumerate(words) if word == name]


def test_the_proof_is_by_the_web_server_where_nothing_else_is_wanted() -> None:
    words = command(settings(contact="it@musterhausen.de"), NAMES)
    assert words[:2] == ["certbot", "certonly"]
    assert option(words, "--server") == [AUTHORITY]
    assert option(words, "--domain") == NAMES
    assert option(words, "--authenticator") == ["webroot"]
    assert option(words, "--email") == ["it@musterhausen.de"]
    assert {"--non-interactive", "--agree-tos", "--keep-until-expiring"} <= set(words)


def test_without_a_contact_none_is_given() -> None:
    words = command(settings(), NAMES)
    assert "--email" not in words
    assert "--register-unsafely-without-email" in words


def test_the_proof_is_by_the_name_server_where_there_is_a_key_for_it() -> None:
    words = command(settings(dns=DNS), NAMES)
    assert option(words, "--authenticator") == ["dns-rfc2136"]
    assert "webroot" not in words


def test_secrets_are_in_a_file_for_root_alone_and_never_in_a_command_line(folder: Path) -> None:
    box = settings(dns=DNS, authority=PEM)
    words = command(box, NAMES, folder)
    assert SECRET not in " ".join(words)
    acme._write_dns_key(box)
    (file,) = option(words, "--dns-rfc2136-credentials")
    assert Path(file).read_text() == (
        "dns_rfc2136_server = 192.0.2.53\ndns_rfc2136_port = 5353\ndns_rfc2136_name = box.key\n"
        f"dns_rfc2136_secret = {SECRET}\ndns_rfc2136_algorithm = HMAC-SHA512\n"
    )
    assert stat.S_IMODE(Path(file).stat().st_mode) == 0o600
    assert SECRET not in "".join(acme._environment(box).values())


def test_no_answer_becomes_an_option(folder: Path) -> None:
    box = settings(dns=DNS, contact="it@musterhausen.de")
    words = command(box, NAMES, folder)
    answered = [*NAMES, AUTHORITY, "it@musterhausen.de"]
    assert not any(one.startswith("-") for one in answered)
    for one in answered:
        assert words[words.index(one) - 1].startswith("--")


def test_the_environment_is_certbots_own() -> None:
    found = acme._environment(settings())
    assert set(found) == {"PATH", "LANG", "HOME"}


def test_an_authority_and_a_proxy_of_ones_own_are_trusted_beside_the_public_ones() -> None:
    network = {"proxy": "http://proxy.example:3128", "proxy_authority": PEM}
    found = acme._environment(settings(network, authority=PEM.replace("OWN", "OTHER")))
    bundle = Path(found["REQUESTS_CA_BUNDLE"]).read_text()
    for root in ("PUBLIC ROOTS", "OWNROOT", "OTHERROOT"):
        assert root in bundle
    assert found["https_proxy"] == found["http_proxy"] == "http://proxy.example:3128"


@pytest.mark.parametrize("language", LANGUAGES)
def test_each_cause_has_a_sentence(language: str) -> None:
    for pattern, key in (*CAUSES, ("", "unknown")):
        assert re.compile(pattern)
        assert topic(language, "acme")[key]


@pytest.mark.parametrize("key", sorted(topic("de", "acme")))
def test_each_sentence_has_a_cause(key: str) -> None:
    assert key in {*(one for _, one in CAUSES), "unknown", "not_yet"}


FAILED = (
    "Certbot failed to authenticate some domains (authenticator: webroot). The Certificate"
    " Authority reported these problems:\n  Domain: sitzung.example\n  Type:   {}\n  Detail: {}\n"
)


@pytest.mark.parametrize(
    ("output", "key"),
    [
        (
            FAILED.format("dns", "DNS problem: NXDOMAIN looking up A for sitzung.example"),
            "name_not_found",
        ),
        (
            FAILED.format(
                "connection",
                'Get "http://sitzung.example/": dial tcp: lookup sitzung.example: no such host',
            ),
            "name_not_found",
        ),
        (
            FAILED.format("connection", "192.0.2.1: Fetching http://…: Connection refused"),
            "cannot_reach_box",
        ),
        (
            FAILED.format(
                "connection", "192.0.2.1: Timeout during connect (likely firewall problem)"
            ),
            "cannot_reach_box",
        ),
        (
            FAILED.format("unauthorized", "192.0.2.1: Invalid response from http://…: 404"),
            "wrong_answer",
        ),
        (FAILED.format("caa", "CAA record for sitzung.example prevents issuance"), "caa"),
        (
            "An unexpected error occurred:\nThere were too many requests of a given type :: Error"
            " creating new order :: too many certificates already issued for: example",
            "too_many",
        ),
        (
            "An unexpected error occurred:\nThe server will not issue certificates for the"
            " identifier :: Error creating new order :: Cannot issue for “sitzung.example”",
            "rejected",
        ),
        (
            "requests.exceptions.SSLError: HTTPSConnectionPool(host='ca.example', port=443): Max"
            " retries exceeded with url: /dir (Caused by SSLError(SSLCertVerificationError(1,"
            " '[SSL: CERTIFICATE_VERIFY_FAILED] certificate verify failed')))",
            "directory_not_trusted",
        ),
        (
            "requests.exceptions.SSLError: HTTPSConnectionPool(host='ca.example', port=443): Max"
            " retries exceeded with url: /dir (Caused by SSLError(SSLCertVerificationError(1,"
            " '[SSL: CERTIFICATE_VERIFY_FAILED] certificate verify failed: certificate is not yet"
            " valid (_ssl.c:1029)')))",
            "clock",
        ),
        (
            "requests.exceptions.ProxyError: HTTPSConnectionPool(host='ca.example', port=443): Max"
            " retries exceeded with url: /dir (Caused by ProxyError('Unable to connect to proxy',"
            " OSError('Tunnel connection failed: 403 Forbidden')))",
            "proxy",
        ),
        (
            "requests.exceptions.ConnectionError: HTTPSConnectionPool(host='ca.example', port=443):"
            ' Max retries exceeded with url: /dir (Caused by NameResolutionError("Failed to'
            " resolve 'ca.example' ([Errno -3] Temporary failure in name resolution)\"))",
            "directory_unreachable",
        ),
        (
            "requests.exceptions.ConnectionError: [Errno 111] Connection refused",
            "directory_unreachable",
        ),
        (
            "requests.exceptions.ReadTimeout: Read timed out. (read timeout=45)",
            "directory_unreachable",
        ),
        ("Something that nobody has seen yet", "unknown"),
        ("", "unknown"),
    ],
)
def test_what_certbot_prints_becomes_a_sentence(output: str, key: str) -> None:
    said = explain(output)
    assert said.key == f"acme.{key}"
    assert explain(output.upper()).key == said.key
    for language in LANGUAGES:
        text = said.text(language)
        assert text.endswith(".")
        assert "sitzung.example" not in text


def certbot(folder: Path, monkeypatch: pytest.MonkeyPatch, script: str) -> Path:
    """A program in certbot's place, which notes how it was called."""
    programs = folder.parent / "programs"
    programs.mkdir()
    file = programs / "certbot"
    file.write_text(f'#!/bin/sh\necho "$@" >>{programs}/calls\n{script}\n')
    file.chmod(0o755)
    monkeypatch.setenv("PATH", f"{programs}:{os.environ['PATH']}")
    return programs / "calls"


def test_a_relay_without_a_name_keeps_nobody_from_a_certificate(
    folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    calls = certbot(folder, monkeypatch, f'echo "{FAILED.format("dns", "DNS problem")}"; exit 1')
    with pytest.raises(SaidError, match=r"acme\.name_not_found"):
        acme.obtain(settings(dns=DNS))
    first, second = calls.read_text().splitlines()
    assert first.endswith("--domain sitzung.example --domain turn.sitzung.example")
    assert second.endswith("--domain sitzung.example")
    assert "turn" not in second
    assert SECRET not in first + second
    printed = capsys.readouterr()
    assert "DNS problem" in printed.err
    assert SECRET not in printed.err + printed.out


@pytest.mark.parametrize(("days", "calls_made"), [(30, 1), (3, 2)])
def test_a_certificate_for_both_names_is_not_given_up_for_one_of_them_before_its_end(
    folder: Path, monkeypatch: pytest.MonkeyPatch, days: int, calls_made: int
) -> None:
    served = folder.parent / "tls"
    served.mkdir()
    monkeypatch.setattr(named.install, "__defaults__", (served,))
    monkeypatch.setattr(named.read, "__defaults__", (served,))
    named.install(*pair(*NAMES, days=days), NAMES[0])
    calls = certbot(folder, monkeypatch, 'test "$#" -gt 99')
    with pytest.raises(SaidError):
        acme.obtain(settings())
    assert len(calls.read_text().splitlines()) == calls_made


@pytest.mark.parametrize("lost", ["renewal/named.conf", "archive/named/privkey1.pem"])
@pytest.mark.parametrize("how", ["gone", "empty"])
def test_what_a_power_cut_left_of_a_certificate_is_in_nobodys_way(
    folder: Path, lost: str, how: str
) -> None:
    for one in ("live/named", "archive/named", "archive/other", "renewal"):
        (folder / one).mkdir(parents=True)
    for one in ("cert", "chain", "fullchain", "privkey"):
        (folder / f"archive/named/{one}1.pem").write_text("x")
        (folder / f"live/named/{one}.pem").symlink_to(f"../../archive/named/{one}1.pem")
    (folder / "renewal/named.conf").write_text("x")
    acme._clear_remains()
    assert (folder / "live/named/cert.pem").exists(), "a whole one stays"
    if how == "gone":
        (folder / lost).unlink()
    else:
        (folder / lost).write_text("")
    acme._clear_remains()
    assert {one.name for one in folder.rglob("*")} == {"live", "archive", "renewal", "other"}


def test_files_that_are_not_there_are_a_reason_and_no_fault(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    certbot(folder, monkeypatch, "exit 0")
    with pytest.raises(SaidError, match=r"acme\.unknown"):
        acme.obtain(settings())
    kept = last_attempt(folder / "attempt.json")
    assert kept
    assert kept.said == Said("acme.unknown")


def test_a_pair_that_does_not_fit_is_not_put_in_place(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    place = folder / "live/named"
    make = f"mkdir -p {place}; echo no >{place}/fullchain.pem; echo no >{place}/privkey.pem"
    certbot(folder, monkeypatch, make)
    served = folder.parent / "tls"
    served.mkdir()
    monkeypatch.setattr(named.install, "__defaults__", (served,))
    with pytest.raises(SaidError, match=r"rehearsal\.pair"):
        acme.obtain(settings())
    assert list(served.iterdir()) == []
    kept = last_attempt(folder / "attempt.json")
    assert kept
    assert kept.said == Said("rehearsal.pair")


def test_an_authority_that_takes_too_long_is_not_waited_for(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    certbot(folder, monkeypatch, "exec sleep 60")
    monkeypatch.setattr(acme, "LIMIT_SECONDS", 0.2)
    with pytest.raises(SaidError, match=r"acme\.directory_unreachable"):
        acme.obtain(settings())


def test_both_tries_share_the_time_that_there_is(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    calls = certbot(folder, monkeypatch, 'case "$*" in *turn*) exit 1;; esac; exec sleep 60')
    with pytest.raises(SaidError, match=r"acme\.not_yet"):
        acme.obtain(settings(), 2.0)
    assert len(calls.read_text().splitlines()) == 2
    kept = last_attempt(folder / "attempt.json")
    assert kept
    assert kept.said == Said("acme.not_yet")


@pytest.fixture
def store(tmp_path: Path) -> Store:
    """Settings in force by which certbot is asked for NAMES."""
    made = Store(tmp_path / "settings", tmp_path / "secrets")
    made.secrets.mkdir()
    made.set_applied(Applied(made.add(Settings(box=settings()), "Anna"), "1", named=False))
    return made


@pytest.fixture
def worker() -> Iterator[ThreadPoolExecutor]:
    """Whoever else is at work at the same time."""
    with ThreadPoolExecutor(2) as pool:
        yield pool


@pytest.fixture
def calls(folder: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """What certbot was called with; it gets what it is asked for, and complains of company."""
    live, busy = folder / "live/named", folder / "busy"
    script = f"""mkdir {busy} || exit 1
        mkdir -p {live}; for name; do :; done
        echo $name >{live}/fullchain.pem; echo key >{live}/privkey.pem
        sleep 0.2; rmdir {busy}"""
    return certbot(folder, monkeypatch, script)


@pytest.fixture
def installed(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, str]]:
    """The certificates that were put in place, as certbot wrote them, and for which name."""
    done: list[tuple[str, str]] = []
    monkeypatch.setattr(
        named, "install", lambda chain, key, name: done.append((chain.strip(), name))
    )
    return done


def waits(folder: Path) -> bool:
    """Whether somebody stands in the queue (proc_locks(5))."""
    inode = (folder / "ratssaal.lock").stat().st_ino
    lines = Path("/proc/locks").read_text().splitlines()
    return any("->" in one and f":{inode} " in one for one in lines)


def test_the_timer_and_a_change_wait_for_one_another(
    store: Store, worker: ThreadPoolExecutor, calls: Path, installed: list[tuple[str, str]]
) -> None:
    wanted = Settings(box=settings())
    both: list[Future[object]] = [
        worker.submit(acme.renew, store),
        worker.submit(converge._certificate, wanted),
    ]
    assert [one.result(30) for one in both] == [True, None]
    assert len(calls.read_text().splitlines()) == 2
    assert len(installed) == 2


def test_whoever_had_to_wait_goes_by_what_is_in_force_then(
    folder: Path,
    store: Store,
    worker: ThreadPoolExecutor,
    calls: Path,
    installed: list[tuple[str, str]],
) -> None:
    other = settings().model_copy(update={"host_name": "rat.example"})
    with acme.alone():
        timer = worker.submit(acme.renew, store)
        wait_for(lambda: waits(folder), 20, "The timer does not wait.")
        assert not calls.exists()
        store.set_applied(Applied(store.add(Settings(box=other), "Anna"), "1", named=False))
    assert timer.result(30)
    assert installed == [(other.turn_name, "rat.example")]


def test_settings_on_their_way_are_left_to_whoever_brings_them_into_force(
    store: Store, calls: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    started: list[list[str]] = []

    def run(command: list[str], **_: object) -> subprocess.CompletedProcess[str]:
        started.append(command)
        return subprocess.CompletedProcess(command, 0)

    monkeypatch.setattr(acme, "Store", lambda: store)
    monkeypatch.setattr("firstboot.certificates.acme.subprocess.run", run)
    store.add(Settings(box=settings().model_copy(update={"host_name": "rat.example"})), "Anna")
    assert acme.main() == 0
    assert not calls.exists()
    assert started == [["systemctl", "start", "ratssaal-converge.service"]]


def test_a_certificate_of_ones_own_is_not_put_in_place_between_two_others(
    folder: Path, worker: ThreadPoolExecutor, installed: list[tuple[str, str]]
) -> None:
    key = PEM.replace("CERTIFICATE", "PRIVATE KEY")
    given = {"kind": "files", "chain": PEM, "key": key}
    wanted = Settings.model_validate({"box": {"host_name": NAMES[0], "certificate": given}})
    with acme.alone():
        change = worker.submit(converge._certificate, wanted)
        wait_for(lambda: waits(folder), 20, "The change does not wait.")
        assert installed == []
    assert change.result(30) is None
    assert [name for _, name in installed] == [NAMES[0]]


def test_where_nothing_is_wanted_from_an_authority_nobody_is_asked(
    store: Store, calls: Path
) -> None:
    store.set_applied(Applied(store.add(Settings(), "Anna"), "1", named=False))
    assert acme.renew(store) is False
    assert not calls.exists()
