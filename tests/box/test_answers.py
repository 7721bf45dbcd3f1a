"""Boxes set up by an answers file, without a click, and what becomes of their certificates."""

import json
from pathlib import Path
from typing import Any

import pytest
import yaml
from cryptography import x509
from playwright.sync_api import Browser, FilePayload

from builder import answers, call
from builder.artifacts import Artifacts
from builder.machines.container import Box
from builder.machines.shell import wait_for
from builder.machines.stage import Stage
from tests.box.authority import DIRECTORY, TestAuthority, issuer, make_authority, pebble
from tests.box.browser import visit
from tests.box.clerk import APPLY_MS, answer, apply_changes, shows, sign_in, unfold

pytestmark = pytest.mark.box

NAME = "sitzung.musterhausen.example"
OTHER = "rat.beispielstadt.example"
PASSWORD = "korrekt pferd batterie klammer"


@pytest.fixture(scope="module")
def root() -> TestAuthority:
    """Who vouches for the ACME server's own address."""
    return make_authority("Root of the ACME server's own address")


def written(stage: Stage, certificate: dict[str, Any], **box: Any) -> dict[str, Path]:
    """An answers file, checked as the engineer checks it, as a credential for a box."""
    content = {
        "box": {"reach": "public", "host_name": NAME, "certificate": certificate, **box},
        "cluster": {
            "house": {"name": "Gemeinde Musterhausen"},
            "administration": {
                "people": [{"name": "Anna", "password": answers.hash_password(PASSWORD)}],
                "alone_because": "Ein kleines Haus",
            },
        },
    }
    file = stage.folder / "answers.yaml"
    file.write_text(yaml.safe_dump(content))
    assert answers.check(file).problems == ()
    return {"ratssaal.answers": file}


def by_acme(root: TestAuthority) -> dict[str, Any]:
    return {"kind": "acme", "directory": DIRECTORY, "authority": root.pem()}


def ask(box: Box, verb: str, **arguments: object) -> Any:
    """One request to root's side, as the administrators' page makes it."""
    program = (
        "import socket,sys; s=socket.socket(socket.AF_UNIX); s.connect('/run/ratssaal-agent.sock');"
        " s.sendall(sys.stdin.buffer.read()); print(s.makefile().readline())"
    )
    line = json.dumps({"verb": verb, **arguments}) + "\n"
    answer = json.loads(box.run("python3", "-c", program, stdin=line).stdout)
    assert "ok" in answer, answer
    return answer["ok"]


def bring_into_force(box: Box) -> None:
    """Wait until what was asked for is in force, or was given up."""
    box.run("systemctl", "start", "ratssaal-converge.service")


def change(box: Box, part: dict[str, Any]) -> None:
    """Change settings as an administrator does on the page."""
    draft = ask(box, "draft")
    ask(box, "put", step="test", part=part, revision=draft["revision"])
    ask(box, "apply", who="Anna")
    bring_into_force(box)


def test_an_answers_file_leads_to_a_working_call_without_a_click(
    stage: Stage, artifacts: Artifacts, root: TestAuthority
) -> None:
    with pebble(stage, root), Box(stage, artifacts) as box:
        # Once without answers, to learn the address to which the name is then to lead.
        for name in (NAME, f"turn.{NAME}"):
            stage.name(name, box.address)
        box.stop()
        box.credentials = written(stage, by_acme(root))
        box.start()
        assert box.shell("systemctl --failed --no-legend --plain") == ""
        assert "Pebble" in issuer(stage, box.address, NAME)
        assert call.hold(box, stage).held()
        applied = json.loads(box.shell("cat /var/lib/ratssaal/settings/applied.json"))
        assert applied["generation"] == 1
        assert applied["named"] is True
        everything = box.shell("journalctl --no-pager; cat /var/lib/ratssaal/settings/*")
        assert "argon2" not in everything


def test_a_wrong_answers_file_changes_nothing_and_is_named_on_the_screen(
    stage: Stage, artifacts: Artifacts
) -> None:
    file = stage.folder / "answers.yaml"
    file.write_text("box: {host_name: 'not a name'}\n")
    with Box(stage, artifacts, credentials={"ratssaal.answers": file}) as box:
        failed = box.shell("systemctl --failed --no-legend --plain")
        assert failed.split()[0] == "ratssaal-answers.service"
        assert not json.loads(json.dumps(ask(box, "state")))["complete"]
        screen = box.shell(
            "PYTHONPATH=/usr/lib/ratssaal python3 -m firstboot.screen.console /dev/stdout"
        )
        assert "box.host_name" in screen
        assert "not a name" not in screen


def test_the_certificate_comes_by_itself_once_authority_and_name_are_there(
    stage: Stage, artifacts: Artifacts, root: TestAuthority
) -> None:
    """The authority down, then the name missing: the box serves its own and goes on asking.

    Inside the house people meet meanwhile, and by the name as soon as it is there.
    """
    with Box(stage, artifacts, credentials=written(stage, by_acme(root))) as box:
        assert "Pebble" not in issuer(stage, box.address, NAME)
        assert call.hold(box, stage).held()
        timer = "systemctl is-active ratssaal-certificate-renew.timer"
        assert box.shell(timer).strip() == "active"
        notes = json.loads(box.shell("cat /run/ratssaal/progress.json"))["notes"]
        assert notes[0][0] == "acme.directory_unreachable"
        with pebble(stage, root):
            renew = box.run("systemctl", "start", "ratssaal-certificate-renew", check=False)
            assert renew.returncode != 0
            assert "does not find the box's name" in box.shell(
                "journalctl --no-pager -o cat -u ratssaal-certificate-renew"
            )
            stage.name(NAME, box.address)
            # The relay's own name is still missing: that must not keep the first from its own.
            box.run("systemctl", "start", "ratssaal-certificate-renew")
            assert "Pebble" in issuer(stage, box.address, NAME)
            assert call.hold(box, stage).held()
            assert box.shell(timer).strip() == "active"
            assert box.shell("systemctl --failed --no-legend --plain") == ""


def test_a_failed_renewal_leaves_the_certificate_and_a_due_one_is_renewed(
    stage: Stage, artifacts: Artifacts, root: TestAuthority
) -> None:
    with Box(stage, artifacts, credentials=written(stage, by_acme(root))) as box:
        stage.name(NAME, box.address)
        stage.name(f"turn.{NAME}", box.address)
        with pebble(stage, root):
            box.run("systemctl", "start", "ratssaal-certificate-renew")
            first = serial(stage, box)
            # Nothing is due: nothing is asked for.
            box.run("systemctl", "start", "ratssaal-certificate-renew")
            assert serial(stage, box) == first
            # From here on certbot believes that less than a lifetime is due time.
            box.shell(
                "sed -i '1i renew_before_expiry = 4000 days'"
                " /var/lib/ratssaal/certbot/renewal/named.conf"
            )
            box.run("systemctl", "start", "ratssaal-certificate-renew")
            wait_for(lambda: serial(stage, box) != first, 20, "The new one is not served.")
            second = serial(stage, box)
        assert box.run("systemctl", "start", "ratssaal-certificate-renew", check=False).returncode
        assert serial(stage, box) == second
        assert box.shell("systemctl is-active nginx.service").strip() == "active"


def serial(stage: Stage, box: Box, name: str = NAME) -> str:
    """The number of the certificate that is served under `name`."""
    script = (
        f"openssl s_client -connect {box.address}:443 -servername {name} </dev/null 2>/dev/null"
    )
    return stage.run(stage.toolbox.command(["sh", "-c", f"{script} | openssl x509 -noout -serial"]))


def test_a_domain_is_changed_and_brought_back(
    stage: Stage, artifacts: Artifacts, chromium: Browser, root: TestAuthority
) -> None:
    """On the administrators' page."""
    with (
        pebble(stage, root),
        Box(stage, artifacts, credentials=written(stage, {"kind": "own"})) as box,
    ):
        for name in (NAME, OTHER):
            stage.name(name, box.address)
            stage.name(f"turn.{name}", box.address)
        change(box, {"box": {"certificate": by_acme(root)}})
        assert "Pebble" in issuer(stage, box.address, NAME)
        page = visit(chromium).new_page()
        sign_in(page, box.address, "Anna")
        page.goto(f"https://{box.address}/admin/settings/domain")
        answer(page, {"host_name": OTHER})
        apply_changes(page)
        assert "Pebble" in issuer(stage, box.address, OTHER)
        assert "Pebble" not in issuer(stage, box.address, NAME)
        assert call.hold(box, stage).held()
        page.goto(f"https://{box.address}/admin/")
        page.get_by_role("button", name="Diesen Stand zurückholen").first.click()
        shows(page, "Diesen Stand zurückholen?")
        page.get_by_role("button", name="Diesen Stand zurückholen").click()
        shows(page, "Ihr Gerät ist bereit", APPLY_MS)
        assert "Pebble" in issuer(stage, box.address, NAME)
        history = ask(box, "history")
        assert [one["number"] for one in history] == [4, 3, 2, 1]
        assert history[1]["what"] == ["box.host_name", "box.turn_name"]


def test_a_request_is_signed_elsewhere_and_its_key_never_leaves_the_box(
    stage: Stage, artifacts: Artifacts, chromium: Browser
) -> None:
    """The request from the administrators' page, and what the data centre sends back into it."""
    centre = make_authority("Rechenzentrum")
    with Box(stage, artifacts, credentials=written(stage, {"kind": "own"})) as box:
        page = visit(chromium).new_page()
        sign_in(page, box.address, "Anna")
        page.goto(f"https://{box.address}/admin/settings/certificate")
        unfold(page)
        with page.expect_download() as waiting:
            page.get_by_role("link", name="Antrag für das Rechenzentrum").click()
        pem = waiting.value.path().read_bytes()
        assert b"PRIVATE" not in pem
        chain = centre.sign(x509.load_pem_x509_csr(pem)) + centre.pem()
        page.check("[name=kind][value=files]")
        sent = FilePayload(name="kette.pem", mimeType="text/plain", buffer=chain.encode())
        page.set_input_files("#chain", files=sent)
        apply_changes(page)
        assert "Rechenzentrum" in issuer(stage, box.address, NAME)


def test_a_second_converge_changes_nothing_and_a_preview_says_what_would(
    stage: Stage, artifacts: Artifacts
) -> None:
    with Box(stage, artifacts, credentials=written(stage, {"kind": "own"})) as box:
        script = (
            "from firstboot import converge; from firstboot.store import Store;"
            " print(converge.play(Store().settings(1), True).stdout)"
        )
        run = ["env", "PYTHONPATH=/usr/lib/ratssaal", "python3", "-c", script]
        assert "changed=0" in box.run(*run).stdout
        draft = ask(box, "draft")
        part = {"box": {"host_name": OTHER, "turn_name": ""}}
        ask(box, "put", step="domain", part=part, revision=draft["revision"])
        box.run("systemctl", "start", "ratssaal-preview.service")
        files = {one["path"]: one["diff"] for one in ask(box, "previewed")["files"]}
        assert f'+    "host_name": "{OTHER}"' in files["/etc/ratssaal.json"]
        assert OTHER not in box.shell("cat /etc/ratssaal.json")


def test_each_start_finds_nothing_to_do_and_another_image_converges_again(
    stage: Stage, artifacts: Artifacts
) -> None:
    with Box(stage, artifacts, credentials=written(stage, {"kind": "own"})) as box:
        box.stop()
        box.start()
        # Written as soon as there is something to bring into force, and gone with each start.
        began = ("test", "-e", "/run/ratssaal/progress.json")
        assert box.run(*began, check=False).returncode == 1
        file = "/var/lib/ratssaal/settings/applied.json"
        box.shell(f'sed -i \'s/"image": "[^"]*"/"image": "0.0.1"/\' {file}')
        box.stop()
        box.start()
        assert box.run(*began, check=False).returncode == 0
        assert json.loads(box.shell(f"cat {file}"))["image"] != "0.0.1"
