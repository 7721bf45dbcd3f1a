"""Certificates over the time of a box: proven by DNS, late, near their end, and no good at all."""

import base64
import datetime
import json
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import BestAvailableEncryption
from cryptography.x509.oid import ExtendedKeyUsageOID

from builder import call
from builder.artifacts import Artifacts
from builder.machines.container import Box
from builder.machines.shell import wait_for
from builder.machines.stage import Stage
from firstboot.certificates.acme import SET_UP_SECONDS
from firstboot.certificates.request import make_request
from tests.box.authority import DIRECTORY, TestAuthority, issuer, pebble
from tests.box.clerk import code_on_screen
from tests.box.front_door import behind
from tests.box.nameserver import name_server
from tests.box.rules import rules
from tests.box.test_answers import (
    NAME,
    PASSWORD,
    ask,
    bring_into_force,
    by_acme,
    change,
    root,
    written,
)
from tests.unit.firstboot import issuing
from tests.unit.firstboot.issuing import Made, make, pfx

__all__ = ["root"]

pytestmark = pytest.mark.box

TURN = f"turn.{NAME}"
ZONE = "musterhausen.example"
RENEW = "ratssaal-certificate-renew.service"
DIRECTORY_PORT = 14000
# Answers given to a box that runs already.
APPLY = """
import sys
from firstboot import agent, unattended
from firstboot.store import Draft, Store
Draft(Store()).begin(unattended.read(sys.stdin.buffer.read()))
agent.apply(Store(), "test")
"""
VISITOR = Path(__file__).parent / "visitor.py"


def names_served(stage: Stage, box: Box, name: str) -> str:
    """For which names the certificate is that is served under `name`."""
    door = f"openssl s_client -connect {box.address}:443 -servername {name} </dev/null 2>/dev/null"
    script = f"{door} | openssl x509 -noout -ext subjectAltName"
    return stage.run(stage.toolbox.command(["sh", "-c", script]))


def screen(box: Box) -> str:
    return box.shell("PYTHONPATH=/usr/lib/ratssaal python3 -m firstboot.screen.console /dev/stdout")


def notes(box: Box) -> list[str]:
    """What was said when settings came into force last."""
    return [key for key, _ in json.loads(box.shell("cat /run/ratssaal/progress.json"))["notes"]]


def journal(box: Box) -> str:
    return box.shell(f"journalctl --no-pager -o cat -u ratssaal-converge -u {RENEW}")


def visit(stage: Stage, *words: str, stdin: object = None) -> Any:
    """What a person sees who has a browser without pictures and scripts."""
    given = json.dumps(stdin)
    return json.loads(stage.run([sys.executable, VISITOR, *words], stdin=given))


def overview(stage: Stage, box: Box) -> str:
    """The administrators' page."""
    said: str = visit(stage, "overview", box.address, "Anna", PASSWORD)
    return said


def test_a_proof_by_the_name_server_needs_no_open_door(
    stage: Stage, artifacts: Artifacts, root: TestAuthority
) -> None:
    """RFC 2136 with a TSIG key, against Knot; port 80 is shut, and the name leads nowhere."""
    with (
        name_server(stage, ZONE) as dns,
        pebble(stage, root, dns.address),
        Box(stage, artifacts, credentials=written(stage, {"kind": "own"})) as box,
    ):
        box.shell("nft insert rule inet ratssaal input tcp dport 80 reject with tcp reset")
        assert not stage.listens(box.address, 80)
        assert stage.listens(box.address, 443)
        key = {"server": dns.address, "key_name": dns.key, "secret": dns.secret}
        wrong = {**key, "secret": base64.b64encode(bytes(64)).decode()}
        change(box, {"box": {"certificate": {**by_acme(root), "dns": wrong}}})
        assert notes(box) == ["acme.dns_proof"], journal(box)
        change(box, {"box": {"certificate": {**by_acme(root), "dns": key}}})
        assert notes(box) == [], journal(box)
        for name in (NAME, TURN):
            assert "Pebble" in issuer(stage, box.address, name)
        assert not stage.listens(box.address, 80)
        everything = box.shell("journalctl --no-pager; cat /var/lib/ratssaal/settings/*")
        assert dns.secret not in everything


# Whoever asks the authority hears nothing, not even that nobody is there.
LOST = f"""
table inet lost {{
    chain input {{
        type filter hook input priority filter;
        tcp dport {DIRECTORY_PORT} drop
    }}
}}
"""


# Too long for every run: with --all.
@pytest.mark.slow
def test_a_call_inside_the_house_does_not_wait_for_an_authority_whose_packets_are_lost(
    stage: Stage, artifacts: Artifacts, root: TestAuthority
) -> None:
    """A minute at most; the certificate is fetched meanwhile, once that is possible."""
    with pebble(stage, root), Box(stage, artifacts) as box:
        for name in (NAME, TURN):
            stage.name(name, box.address)
        given = written(stage, by_acme(root))["ratssaal.answers"].read_text()
        with rules(stage, LOST):
            begun = time.monotonic()
            box.run("env", "PYTHONPATH=/usr/lib/ratssaal", "python3", "-c", APPLY, stdin=given)
            bring_into_force(box)
            took = time.monotonic() - begun
            assert notes(box) == ["acme.not_yet"]
            assert box.run("systemctl", "is-active", RENEW, check=False).stdout == "activating\n"
            assert call.hold(box, stage).held()
        assert took < SET_UP_SECONDS + 60
        wait_for(lambda: "Pebble" in issuer(stage, box.address, NAME), 120, "No certificate came.")


def test_the_relays_certificate_comes_by_itself_once_its_name_is_there(
    stage: Stage, artifacts: Artifacts, root: TestAuthority
) -> None:
    with pebble(stage, root), Box(stage, artifacts) as box:
        stage.name(NAME, box.address)
        box.stop()
        box.credentials = written(stage, by_acme(root))
        box.start()
        assert f"DNS:{NAME}" in names_served(stage, box, NAME)
        assert "Pebble" not in issuer(stage, box.address, TURN)
        assert TURN in overview(stage, box)
        # Meanwhile web and relay share the first name. The second is nobody's in particular.
        assert behind(stage, box.address, NAME, "http/1.1") == "web"
        assert behind(stage, box.address, NAME) == "turn"
        assert behind(stage, box.address, TURN) == "web"
        # The box asks itself as a guest does, and finds both.
        told = {one["way"]: one["works"] for one in ask(box, "prove")}
        assert told == {"web": True, "udp": True, "relay": True}
        stage.name(TURN, box.address)
        renewed = box.run("systemctl", "start", RENEW, check=False)
        assert renewed.returncode == 0, journal(box)
        for name in (NAME, TURN):
            assert "Pebble" in issuer(stage, box.address, name)
            assert f"DNS:{TURN}" in names_served(stage, box, name)
        assert behind(stage, box.address, NAME) == "web"
        assert behind(stage, box.address, TURN) == "turn"
        assert box.shell("systemctl --failed --no-legend --plain") == ""
        applied = json.loads(box.shell("cat /var/lib/ratssaal/settings/applied.json"))
        assert (applied["generation"], applied["named"], applied["named_turn"]) == (1, True, True)


def by_files(authority: TestAuthority, days: float, *names: str) -> dict[str, Any]:
    chain, key = authority.pair(*(names or (NAME, TURN)), days=days)
    return {"kind": "files", "chain": chain, "key": key}


def test_three_weeks_before_the_end_page_screen_and_health_say_so(
    stage: Stage, artifacts: Artifacts, root: TestAuthority
) -> None:
    with Box(stage, artifacts, credentials=written(stage, by_files(root, 20.5))) as box:
        box.run("systemctl", "start", "ratssaal-health-again.service")
        (line,) = [one for one in screen(box).splitlines() if "Zertifikat endet am" in one]
        assert "certificate ends" in line
        page = overview(stage, box)
        assert "verbleibende Tage: 20" in page
        assert "laden Sie es unter „Zertifikat“ hoch" in page
        journal = box.shell("journalctl --no-pager -o cat -u 'ratssaal-health*'")
        assert journal.count("days left: 20") == 1
        # A box whose certificate ends soon is a well box.
        assert json.loads(box.shell("cat /run/ratssaal/public/state.json"))["ready"] is True
        # The same names, another certificate: it is served, and there is nothing to say any more.
        change(box, {"box": {"certificate": by_files(root, 80)}})
        box.run("systemctl", "start", "ratssaal-health-again.service")
        assert "Zertifikat endet" not in screen(box)
        assert "gilt noch 79 Tage" in overview(stage, box)


def test_why_no_certificate_came_is_kept_and_shown(
    stage: Stage, artifacts: Artifacts, root: TestAuthority
) -> None:
    """The authority is not there: what is served stays, and the page says when and why."""
    with Box(stage, artifacts, credentials=written(stage, by_files(root, 19.5))) as box:
        before = names_served(stage, box, NAME)
        change(box, {"box": {"certificate": by_acme(root)}})
        assert box.run("systemctl", "start", RENEW, check=False).returncode
        page = overview(stage, box)
        assert "Zuletzt versucht am" in page
        assert "Die Zertifizierungsstelle ist nicht erreichbar" in page
        assert "verbleibende Tage: 19" in page
        assert names_served(stage, box, NAME) == before
        assert DIRECTORY not in page


# Too long for every run: with --all.
@pytest.mark.slow
def test_a_certificate_that_is_no_good_never_takes_the_place_of_one_that_is(
    stage: Stage, artifacts: Artifacts, root: TestAuthority
) -> None:
    """The rehearsal: a handshake and the web server's own check, before the link moves."""
    with Box(stage, artifacts, credentials=written(stage, by_files(root, 80))) as box:
        place = "readlink /var/lib/ratssaal/tls/named"
        before = box.shell(place)
        good = by_files(root, 80)
        for bad, reason in (
            (by_files(root, -1), "rehearsal.expired"),
            (by_files(root, 80, "other.example"), "rehearsal.other_name"),
            ({**good, "key": by_files(root, 80)["key"]}, "rehearsal.pair"),
            ({**good, "chain": good["chain"] + root.pem() + root.pem() * 2}, None),
        ):
            change(box, {"box": {"certificate": bad}})
            assert notes(box) == ([reason] if reason else [])
            assert (box.shell(place) == before) is bool(reason)
            assert f"DNS:{NAME}" in names_served(stage, box, NAME)
            assert "ACME" in issuer(stage, box.address, NAME)
        # The web server's own word: what it is asked with is a file of the image, and it says no.
        folder = box.shell("mktemp -d").strip()
        script = (
            "from pathlib import Path; from firstboot.certificates import rehearsal;"
            f" rehearsal.check_by_web_server(Path('{folder}'))"
        )
        python = ["env", "PYTHONPATH=/usr/lib/ratssaal", "python3", "-c", script]
        refused = box.run(*python, check=False)
        assert "rehearsal.web_server" in refused.stderr
        box.shell(f"cp /var/lib/ratssaal/tls/named/*.pem {folder}")
        box.run(*python)
        assert box.shell("stat -c %U /var/lib/nginx/body").strip() == "www-data"


@pytest.fixture
def kinds(monkeypatch: pytest.MonkeyPatch) -> dict[str, tuple[dict[str, bytes | str], str]]:
    """Certificates that are no good: what is uploaded, and how the answer begins."""
    now = datetime.datetime.now(datetime.UTC)
    monkeypatch.setattr(issuing, "NOW", now)
    root = make("Wurzel", ca=True, days=3000)
    middle = make("Zwischenstelle", root, ca=True, days=1000)
    others = make("Andere Stelle", make("Andere Wurzel", ca=True, days=3000), ca=True, days=1000)
    above = middle.pem + root.pem

    def server(**differences: Any) -> Made:
        return make(NAME, middle, **{"names": (NAME, TURN), **differences})

    good, old = server(), server(days=-1)
    early, other = server(begin=5), server(names=("other.example",))
    client = server(uses=(ExtendedKeyUsageOID.CLIENT_AUTH,))
    weak = server(key=rsa.generate_private_key(65537, 1024))
    rsa_middle = make(
        "Alte Stelle", root, ca=True, days=1000, key=rsa.generate_private_key(65537, 2048)
    )
    sealed = good.sealed(BestAvailableEncryption(b"geheim"))
    alone = make(NAME, names=(NAME, TURN))
    request = make_request([NAME], good.key, "", "")  # type: ignore[arg-type]
    sha1 = issuing.outdated(rsa_middle)

    def case(chain: bytes, key: bytes | None, said: str, password: str = "") -> Any:
        files: dict[str, bytes | str] = {"chain": chain, "password": password}
        return (files if key is None else {**files, "key": key}), said

    return {
        "wrong key": case(good.pem + above, other.key_pem, "Der private Schlüssel gehört nicht"),
        "no key": case(good.pem + above, None, f"Zum Zertifikat „{NAME}“ fehlt der private"),
        "no chain": case(good.pem, good.key_pem, f"Es fehlt ein Zertifikat: „{NAME}“ wurde von"),
        "other chain": case(
            good.pem + others.pem, good.key_pem, "In der Datei liegt die Kette einer anderen"
        ),
        "expired": case(old.pem + above, old.key_pem, f"Das Zertifikat „{NAME}“ ist am"),
        "early": case(early.pem + above, early.key_pem, f"Das Zertifikat „{NAME}“ gilt erst ab"),
        "name": case(other.pem + above, other.key_pem, "Das Zertifikat gilt nicht für den Namen"),
        "sealed": case(good.pem + above, sealed, "Der private Schlüssel ist mit einem Passwort"),
        "password": case(
            good.pem + above, sealed, "Der private Schlüssel lässt sich mit diesem", "falsch"
        ),
        "pfx": case(pfx(good, "geheim", middle), None, "Die Datei (PKCS#12, meist .pfx", "falsch"),
        "nothing": case(b"Guten Tag", None, "In der Datei ist kein Zertifikat."),
        "cut": case(good.pem[:-40], good.key_pem, "Die Datei ist beschädigt: Ein Abschnitt"),
        "weak key": case(weak.pem + above, weak.key_pem, "Der Schlüssel des Zertifikats"),
        "weak hash": case(
            sha1.pem + rsa_middle.pem + root.pem, sha1.key_pem, "Das Zertifikat „alt“ ist mit einem"
        ),
        "client": case(client.pem + above, client.key_pem, f"Das Zertifikat „{NAME}“ ist nicht"),
        "key alone": case(good.key_pem, None, "In der Datei ist nur ein privater Schlüssel"),
        "request": case(request.encode(), good.key_pem, "In der Datei ist nur die Anfrage"),
        "alone": case(alone.pem, alone.key_pem, f"Das Zertifikat „{NAME}“ hat keine Stelle"),
        "authority": case(above, middle.key_pem, "„Zwischenstelle“ ist das Zertifikat einer"),
    }


def test_each_bad_certificate_is_answered_with_its_own_sentence(
    stage: Stage, artifacts: Artifacts, kinds: dict[str, tuple[dict[str, bytes | str], str]]
) -> None:
    """Through the real pages, and the draft stays as it was; what is good is taken in any order."""
    root = make("Wurzel", ca=True, days=3000)
    middle = make("Zwischenstelle", root, ca=True, days=1000)
    good = make(NAME, middle, names=(NAME, TURN))
    half = make(NAME, middle, names=(NAME,))
    taken: list[dict[str, bytes | str]] = [
        {"chain": root.pem + good.pem + middle.pem, "key": good.key_pem},
        {"chain": good.key_pem + middle.pem + good.pem + root.pem},
        {"chain": pfx(good, "geheim", middle, root), "password": "geheim"},
        {"chain": half.pem + middle.pem + root.pem, "key": half.key_pem},
    ]
    with Box(stage, artifacts) as box:
        cases = [carried(files) for files, _ in kinds.values()]
        visit(stage, "upload", box.address, code_on_screen(box), NAME, stdin=[])
        before = ask(box, "draft")
        assert before["settings"]["box"]["host_name"] == NAME
        code = code_on_screen(box)
        answers = visit(stage, "upload", box.address, code, "", stdin=cases)
        said = {}
        for name, answer in zip(kinds, answers, strict=True):
            assert (answer["status"], answer["place"]) == (422, "/setup/certificate"), name
            (said[name],) = [one for one in answer["said"] if one.startswith("danger: ")]
            assert kinds[name][1] in said[name], (name, said[name])
        assert len(set(said.values())) == len(kinds)
        assert ask(box, "draft") == before
        answers = visit(
            stage, "upload", box.address, code, "", stdin=[carried(one) for one in taken]
        )
        places = [(one["status"], one["place"]) for one in answers]
        assert places == [(200, "/setup/administrators")] * 3 + [(200, "/setup/certificate")]
        assert any(f"gilt nicht für {TURN}" in one for one in answers[-1]["said"])
        assert ask(box, "draft")["settings"]["box"]["certificate"]["kind"] == "files"


def carried(files: Mapping[str, bytes | str]) -> dict[str, str]:
    """Files as they go through JSON."""
    return {
        name: base64.b64encode(one).decode() if isinstance(one, bytes) else one
        for name, one in files.items()
    }
