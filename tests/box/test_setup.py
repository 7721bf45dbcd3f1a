"""From power-on to a call: the wizard in a real browser, on a box that nobody has set up."""

import json
from contextlib import nullcontext

import pytest
from playwright.sync_api import Browser, Page, expect

from builder.artifacts import Artifacts
from builder.machines.container import Box
from builder.machines.shell import wait_for
from builder.machines.stage import Stage
from tests.box.authority import issuer, pebble
from tests.box.browser import Keyboard, visit
from tests.box.clerk import APPLY_MS, NAME, code_on_screen, set_up, shows, sign_in, walk
from tests.box.proxy import URL, proxy_only
from tests.box.screens import look
from tests.box.test_answers import ask, written

pytestmark = pytest.mark.box


def meet(page: Page, address: str) -> None:
    """Join the test room in two windows by keyboard; each decodes the other's moving picture."""
    first = page
    second = page.context.new_page()
    for one in (first, second):
        one.goto(f"https://{address}/test/")
        Keyboard(one).push("Eintreten")
        one.wait_for_selector("[data-own=video]")
    for one in (first, second):
        one.wait_for_selector("[data-remote=video]")
        # Moving: the picture's own clock goes on, and frames are decoded meanwhile.
        one.wait_for_function(
            "() => document.querySelector('[data-remote=video]')"
            ".getVideoPlaybackQuality().totalVideoFrames > 20"
        )
    second.close()


@pytest.mark.parametrize(
    "behind_proxy",
    # The second is too long for every run: with --all.
    [
        pytest.param(False, id="open"),
        pytest.param(True, id="proxy only", marks=pytest.mark.slow),
    ],
)
def test_the_whole_wizard_by_keyboard_to_a_call_on_the_domain(
    stage: Stage, artifacts: Artifacts, chromium: Browser, behind_proxy: bool
) -> None:
    """In German, with a certificate from an ACME server that checks the name as a real one does."""
    with (
        pebble(stage) as authority,
        proxy_only(stage) if behind_proxy else nullcontext() as proxy,
        Box(stage, artifacts) as box,
    ):
        stage.name(NAME, box.address)
        stage.name(f"turn.{NAME}", box.address)
        page = visit(chromium).new_page()
        keys = Keyboard(page)
        given = f"{authority.directory}\n{authority.root.pem()}"
        way = {"name": NAME, "directory": given, "proxy": URL if proxy else ""}
        walk(keys, box.address, code_on_screen(box), **way)
        keys.press("Jetzt einrichten")
        shows(page, "Ihr Gerät ist bereit", APPLY_MS)
        assert json.loads(box.shell("cat /run/ratssaal/progress.json"))["notes"] == []
        if proxy:
            assert "CONNECT acme.example:14000" in proxy.asked()
        assert "Pebble" in issuer(stage, box.address, NAME)
        assert "Pebble" in issuer(stage, box.address, f"turn.{NAME}")
        # By its address and inside the house the box goes on vouching for itself.
        assert "Pebble" not in issuer(stage, box.address, "ratssaal.local")
        sign_in(page, NAME, "anna beispiel")
        sheet = page.evaluate(
            "async () => { const answer = await fetch('/admin/sheet.pdf');"
            " return [answer.status, (await answer.text()).slice(0, 5)]; }"
        )
        assert sheet == [200, "%PDF-"]
        meet(page, NAME)
        # Nothing changes the second time, and there is nothing to bring into force.
        assert box.shell("systemctl --failed --no-legend --plain") == ""
        box.shell("systemctl start ratssaal-converge.service")
        result = "systemctl show --property Result --value ratssaal-converge.service"
        assert box.shell(result).strip() == "success"


def test_the_wizard_is_closed_for_good_after_set_up(
    stage: Stage, artifacts: Artifacts, chromium: Browser
) -> None:
    with Box(stage, artifacts) as box:
        code = code_on_screen(box)
        page = visit(chromium).new_page()
        walk(Keyboard(page), box.address, code)
        set_up(page)
        # Neither the code nor the clerk's own open page leads into the wizard again.
        page.goto(f"https://{box.address}/setup/network")
        expect(page).to_have_url(f"https://{box.address}/admin/sign-in")
        stranger = visit(chromium).new_page()
        stranger.goto(f"https://{box.address}/setup/code")
        expect(stranger).to_have_url(f"https://{box.address}/admin/sign-in")
        assert box.run("test", "-e", "/var/lib/ratssaal/secrets/code.json", check=False).returncode
        # Power off and on: still closed, and what was set up is still in force.
        box.stop()
        box.start()
        stranger.goto(f"https://{box.address}/setup/")
        expect(stranger).to_have_url(f"https://{box.address}/admin/sign-in")


def test_what_no_answer_can_be_at_fault_for_is_said_so_and_set_up_can_be_tried_again(
    stage: Stage, artifacts: Artifacts, chromium: Browser, axe: str
) -> None:
    with Box(stage, artifacts) as box:
        page = visit(chromium).new_page()
        walk(Keyboard(page), box.address, code_on_screen(box))
        # A fault that no check of ours can foresee: the web server refuses what stands beside ours.
        box.shell("echo 'broken' >/etc/nginx/ratssaal/http.d/zz.conf")
        page.get_by_role("button", name="Jetzt einrichten").click()
        shows(page, "Das hat nicht geklappt", APPLY_MS)
        # Nothing that was answered ends in the web server's files: no step is blamed.
        expect(
            page.get_by_text("An den geänderten Angaben liegt das vermutlich nicht")
        ).to_be_visible()
        expect(page.get_by_role("link", name="Zum Schritt")).to_have_count(0)
        look(page, axe, "setup-failed-de")
        assert not box.shell("ls /var/lib/ratssaal/settings").count("applied.json")
        box.shell("rm /etc/nginx/ratssaal/http.d/zz.conf")
        page.get_by_role("link", name="Angaben prüfen").click()
        set_up(page)


def test_of_two_changed_answers_the_one_that_a_service_refuses_is_named_and_both_are_taken_back(
    stage: Stage, artifacts: Artifacts, chromium: Browser
) -> None:
    """LiveKit does not start with one name for the relay; who reaches the box is nothing to it."""
    other = "relais.musterhausen.example"
    with Box(stage, artifacts, credentials=written(stage, {"kind": "own"})) as box:
        page = visit(chromium).new_page()
        sign_in(page, box.address, "Anna")
        folder = "/etc/systemd/system/livekit.service.d"
        refusal = f"ExecStartPre=/bin/sh -c '! grep -q {other} /etc/livekit/livekit.yaml'"
        box.shell(f"mkdir -p {folder}")
        box.run("tee", f"{folder}/zz.conf", stdin=f"[Service]\n{refusal}\n")
        box.run("systemctl", "daemon-reload")
        part = {"box": {"reach": "datacentre", "turn_name": other}}
        ask(box, "put", step="domain", part=part, revision=ask(box, "draft")["revision"])
        assert ask(box, "apply", who="Anna") == 2
        assert box.run("systemctl", "start", "ratssaal-converge.service", check=False).returncode
        assert ask(box, "history")[0]["what"] == ["box.reach", "box.turn_name"]
        page.goto(f"https://{box.address}/admin/progress")
        shows(page, "Das hat nicht geklappt")
        expect(page.get_by_text("vermutlich hier – Name im Internet.")).to_be_visible()
        expect(page.get_by_text("Der vorige Stand gilt wieder")).to_be_visible()
        (step,) = page.get_by_role("link", name="Zum Schritt").all()
        step.click()
        expect(page).to_have_url(f"https://{box.address}/admin/settings/domain")
        applied = json.loads(box.shell("cat /var/lib/ratssaal/settings/applied.json"))
        assert applied["generation"] == 1
        assert other not in box.shell("cat /etc/ratssaal.json /etc/livekit/livekit.yaml")
        # Well again, by what the box itself goes by; what has failed is the change alone.
        look = ("systemctl", "start", "ratssaal-health-again.service")
        wait_for(lambda: not box.run(*look, check=False).returncode, 20, "It is not well again.")
        assert json.loads(box.shell("cat /run/ratssaal/public/state.json"))["ready"] is True
        failed = box.shell("systemctl --failed --no-legend --plain").split()
        assert failed[:1] == ["ratssaal-converge.service"]
        assert box.shell("systemctl --failed --no-legend --plain").count("\n") == 1
