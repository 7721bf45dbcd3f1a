"""Every page in every state: axe finds nothing, no word is foreign, pictures are kept of all."""

import json
import time
from dataclasses import asdict

import jwt
import pytest
from playwright.sync_api import Browser, FilePayload, Page, Route, expect

from builder.artifacts import Artifacts
from builder.machines.container import Box
from builder.machines.stage import Stage
from firstboot.install.state import FILE, State
from firstboot.texts import Said
from tests.box.browser import visit
from tests.box.clerk import (
    ANSWERS,
    APPLY_MS,
    answer,
    apply_changes,
    code_on_screen,
    go_on,
    shows,
    sign_in,
    unfold,
)
from tests.box.meeting import Hall, met
from tests.box.screens import judge, look
from tests.box.test_answers import change, written

pytestmark = pytest.mark.box

STEPS = list(ANSWERS)
# What each step does not take.
WRONG = {
    "network": {"mode": "static", "address": "192.0.2.300"},
    "house": {"name": ""},
    "domain": {"host_name": "rathaus"},
    "certificate": {"kind": "files"},
    "administrators": {"name1": "Anna Beispiel", "password1": "rathaus"},
}
# Root's side says that the box runs from a stick, as no container does, and could be installed.
STICK = """folder=/run/systemd/system/ratssaal-agent@.service.d
mkdir -p $folder
cat >$folder/stick.conf <<'END'
[Service]
ExecStart=
ExecStart=/usr/bin/python3 /run/stick.py
END
cat >/run/stick.py <<'END'
from firstboot import agent
from firstboot.install import offer
from firstboot.install.disks import Disk
disks = [
    Disk("/dev/sda", 2 * 10**12, "Platte Nord", content=("ARCHIV (vfat)",)),
    Disk("/dev/sdb", 5 * 10**11, "Platte Ost", version="0.1.0", kept=True),
    Disk("/dev/sdc", 10**9, "Platte Klein"),
]
shown = [offer._shown(one) for one in disks]
offer.offer = lambda: {"stick": True, "disks": shown, "said": None}
agent.main()
END
systemctl daemon-reload
"""
NO_STICK = "rm -r /run/systemd/system/ratssaal-agent@.service.d; systemctl daemon-reload"
# A language in the sessions that are open.
TRANSLATED = """cd /var/lib/ratssaal-setup
sed 's/"language": "[a-z]*"/"language": "%s"/g' sessions.json >/run/sessions.json
cat /run/sessions.json >sessions.json
"""
KEY = "-".join(["cbdefghi", *["jklnrtuv"] * 6, "vutrnlkj"])
# A fault that no check of ours can foresee: the web server refuses what stands beside ours.
FAULT = "/etc/nginx/ratssaal/http.d/zz.conf"
DISK = "Platte Nord"
# Until a small box that copies a disk meanwhile has drawn a page.
SLOW_SECONDS = 8.0
# Nobody can be asked for a certificate here.
RIGHT = {**ANSWERS, "certificate": {"kind": "own"}}


def tell(box: Box, state: State) -> None:
    """Have the box say how far its installation is."""
    box.run("tee", str(FILE), stdin=json.dumps(asdict(state)))


def slowly(route: Route) -> None:
    """Hold a request up."""
    time.sleep(SLOW_SECONDS)
    route.continue_()


@pytest.mark.parametrize("language", ["de", pytest.param("en", marks=pytest.mark.slow)])
def test_every_page_of_the_wizard(
    stage: Stage, artifacts: Artifacts, chromium: Browser, language: str, axe: str
) -> None:
    with Box(stage, artifacts) as box:
        page = visit(chromium, language=language).new_page()

        def seen(name: str) -> None:
            look(page, axe, f"setup-{name}-{language}")

        page.goto(f"https://{box.address}/setup/")
        seen("language")
        page.goto(f"https://{box.address}/setup/nothing/here")
        seen("not-found")
        page.goto(f"https://{box.address}/setup/")
        page.check(f"#{language}")
        go_on(page)
        seen("code")
        for _ in range(3):
            page.fill("#code", "aaaa bbbb")
            go_on(page)
        seen("code-wrong")
        box.shell(STICK)
        page.fill("#code", code_on_screen(box))
        go_on(page)
        seen("install")
        page.check("[value='anew /dev/sda']")
        go_on(page)
        seen("install-refused")
        # A page for which the box takes its time is drawn anew all the same.
        tell(box, State("copying", 0, DISK))
        page.goto(f"https://{box.address}/setup/install")
        page.route("**/setup/install", slowly)
        tell(box, State("failed", 0, DISK, said=Said("install.unwritten", {"disk": DISK})))
        expect(page.get_by_role("alert")).to_be_visible(timeout=APPLY_MS)
        page.unroute("**/setup/install")
        # Held up: it would draw itself anew.
        page.route("**/assets/reload.js", lambda route: route.abort())
        for name, state in (
            ("preparing", State("copying", 0, DISK)),
            ("copying", State("copying", 40, DISK)),
            ("done", State("done", 100, DISK)),
            ("failed", State("failed", 0, DISK, said=Said("install.broken", {"disk": DISK}))),
        ):
            tell(box, state)
            page.goto(f"https://{box.address}/setup/install")
            seen(f"install-{name}")
        box.shell(f"rm {FILE}")
        page.goto(f"https://{box.address}/setup/summary")
        seen("summary-empty")
        box.shell(NO_STICK)
        for name in STEPS:
            page.goto(f"https://{box.address}/setup/{name}")
            unfold(page)
            seen(name)
            if name in WRONG:
                answer(page, WRONG[name])
                go_on(page)
                seen(f"{name}-error")
                page.goto(f"https://{box.address}/setup/{name}")
            answer(page, RIGHT[name])
            if name == "domain":
                with page.expect_navigation():
                    page.locator("button[name=then]").click()
                seen("domain-findings")
            go_on(page)
            page.goto(f"https://{box.address}/setup/{name}")
            unfold(page)
            seen(f"{name}-filled")
        page.goto(f"https://{box.address}/setup/summary")
        seen("summary")
        # Somebody else is faster at the same step.
        other = page.context.new_page()
        for one in (page, other):
            one.goto(f"https://{box.address}/setup/house")
        for one, house in ((other, "Gemeinde Eins"), (page, "Gemeinde Zwei")):
            answer(one, {"name": house})
            go_on(one)
        expect(page.locator("dd")).to_have_text("Gemeinde Zwei")
        seen("house-somebody-else")
        if language == "de":
            # With --all all of this is seen in English, too.
            box.shell(TRANSLATED % "en")
            for name in (*STEPS, "summary"):
                page.goto(f"https://{box.address}/setup/{name}")
                unfold(page)
                assert page.locator("html").get_attribute("lang") == "en"
                judge(page, axe, f"{name} in English")


def test_every_page_from_the_summary_on(
    stage: Stage, artifacts: Artifacts, chromium: Browser, axe: str
) -> None:
    """What people see while the box sets itself up and afterwards, in German."""
    with Box(stage, artifacts) as box:
        page = visit(chromium).new_page()

        def seen(name: str) -> None:
            look(page, axe, f"{name}-de")

        page.goto(f"https://{box.address}/setup/")
        go_on(page)
        page.fill("#code", code_on_screen(box))
        go_on(page)
        for name in STEPS:
            answer(page, RIGHT[name])
            go_on(page)
        forged = visit(chromium).new_page()
        forged.goto(f"https://{box.address}/setup/")
        forged.context.clear_cookies()
        go_on(forged)
        look(forged, axe, "setup-forged-de")
        # On an encrypted disk its key comes first.
        box.shell(f"umask 077; echo {KEY} >/var/lib/ratssaal/secrets/recovery-key")
        page.get_by_role("button", name="Jetzt einrichten").click()
        shows(page, "Wiederherstellungsschlüssel")
        seen("setup-recovery")
        page.fill("#group", "cbdefghi")
        go_on(page)
        seen("setup-recovery-wrong")
        page.fill("#group", "vutrnlkj")
        # Held up while it runs, so that the picture is of that moment.
        page.get_by_role("button", name="Ich habe ihn aufgeschrieben").click()
        box.shell(
            "timeout 60 sh -c 'until grep -q running /run/ratssaal/progress.json; do sleep 0.02;"
            " done'; systemctl kill --signal=STOP ratssaal-converge.service"
        )
        shows(page, "Das Gerät richtet sich ein")
        page.wait_for_selector("[data-stage].stage--running")
        seen("setup-progress")
        box.shell("systemctl kill --signal=CONT ratssaal-converge.service")
        shows(page, "Ihr Gerät ist bereit", APPLY_MS)
        seen("setup-ready")
        page.goto(f"https://{box.address}/admin/sign-in")
        seen("admin-sign-in")
        page.fill("#name", "Anna Beispiel")
        page.fill("#password", "falsch falsch falsch")
        go_on(page)
        seen("admin-sign-in-wrong")
        for why in ("closed", "over"):
            page.goto(f"https://{box.address}/admin/sign-in?{why}")
            seen(f"admin-sign-in-{why}")
        sign_in(page, box.address)
        seen("admin-overview")
        page.goto(f"https://{box.address}/admin/settings/house")
        answer(page, {"name": "Stadt Beispielstadt"})
        seen("admin-house")
        go_on(page)
        seen("admin-summary")
        page.get_by_role("button", name="Änderungen übernehmen").click()
        shows(page, "Ihr Gerät ist bereit", APPLY_MS)
        seen("admin-progress-done")
        page.goto(f"https://{box.address}/admin/")
        seen("admin-overview-history")
        page.goto(f"https://{box.address}/admin/settings/nothing")
        seen("admin-not-found")
        page.goto(f"https://{box.address}/")
        seen("front")
        page.goto(f"https://{box.address}/nothing")
        seen("web-not-found")
        page.goto(f"https://{box.address}/admin/settings/house")
        unfold(page)
        photo = FilePayload(name="wappen.png", mimeType="image/png", buffer=bytes(2_000_000))
        page.set_input_files("#logo", files=photo)
        go_on(page)
        seen("web-too-large")


def test_every_page_of_administrators(
    stage: Stage, artifacts: Artifacts, chromium: Browser, axe: str
) -> None:
    """On the way to a change that fails, back, and out of the door, in German."""
    with (
        Box(stage, artifacts, credentials=written(stage, {"kind": "own"})) as box,
        met(stage, box) as hall,
    ):
        page = visit(chromium).new_page()

        def seen(name: str) -> None:
            look(page, axe, f"{name}-de")

        change(box, {"cluster": {"house": {"name": "Stadt Beispielstadt"}}})
        sign_in(page, box.address, "Anna")
        set_rules(page, box, axe)
        meet_by_rules(hall)
        page.goto(f"https://{box.address}/admin/settings/administrators")
        answer(page, {"networks": "192.0.2.0/24"})
        go_on(page)
        seen("admin-administrators-locked-out")
        page.goto(f"https://{box.address}/admin/settings/domain")
        answer(page, {"host_name": "neu.musterhausen.example"})
        go_on(page)
        page.goto(f"https://{box.address}/admin/")
        seen("admin-overview-open-changes")
        page.goto(f"https://{box.address}/admin/settings/summary")
        # Held up: it would draw itself anew.
        page.route("**/preview/events", lambda route: route.abort())
        page.get_by_role("button", name="Geänderte Dateien ansehen").click()
        shows(page, "Das wird sich ändern")
        seen("admin-preview-running")
        page.unroute("**/preview/events")
        page.reload()
        files = page.locator("summary .path")
        expect(files.first).to_be_visible(timeout=APPLY_MS)
        files.first.click()
        seen("admin-preview")
        box.shell(f"echo 'broken' >{FAULT}")
        page.get_by_role("button", name="Änderungen übernehmen").click()
        shows(page, "Das hat nicht geklappt", APPLY_MS)
        seen("admin-progress-failed")
        box.shell(f"rm {FAULT}")
        # An earlier state in which nobody here might administer.
        box.shell(
            """sed -i 's|"networks": \\[\\]|"networks": ["192.0.2.0/24"]|'"""
            " /var/lib/ratssaal/settings/000001.json"
        )
        page.goto(f"https://{box.address}/admin/")
        seen("admin-overview-failed")
        page.get_by_role("button", name="Diesen Stand zurückholen").last.click()
        expect(page.get_by_text("Sie selbst sind gerade unter")).to_be_visible()
        seen("admin-undo-locked-out")
        for button, name in (("Neu starten", "restart"), ("Ausschalten", "power-off")):
            page.goto(f"https://{box.address}/admin/")
            page.get_by_role("button", name=button).click()
            shows(page, f"Jetzt {button.lower()}?")
            seen(f"admin-{name}")
        # Somebody at the box has asked for a new code.
        box.run("systemctl", "start", "ratssaal-new-code.service")
        stranger = visit(chromium).new_page()
        stranger.goto(f"https://{box.address}/admin/sign-in")
        look(stranger, axe, "admin-sign-in-or-code-de")
        stranger.goto(f"https://{box.address}/setup/code")
        expect(stranger.get_by_role("progressbar")).to_have_count(0)  # no step of the wizard
        look(stranger, axe, "admin-code-de")
        box.shell("systemctl stop ratssaal-setup.socket ratssaal-setup.service")
        page.goto(f"https://{box.address}/admin/")
        seen("web-no-answer")


# Other than the preset of the box has them, one of them laxer.
RULES = {
    "lobby": "no",
    "share": "everyone",
    "camera": "moderators",
    "chat": "no",
    "live_text": "no",
}


def set_rules(page: Page, box: Box, axe: str) -> None:
    """Set single rules by the administrators' page, which is looked at in both languages."""
    place = f"https://{box.address}/admin/settings/rules"
    box.shell(TRANSLATED % "en")
    page.goto(place)
    shows(page, "Single rules")
    look(page, axe, "admin-rules-en")
    box.shell(TRANSLATED % "de")
    page.goto(place)
    shows(page, "Regeln im Einzelnen")
    look(page, axe, "admin-rules-de")
    for name, value in RULES.items():
        page.select_option(f"#{name}", value)
    page.fill("#max_people", "1")
    go_on(page)
    expect(page.locator("#max_people-error")).to_contain_text("von 2 bis 300")
    look(page, axe, "admin-rules-error-de")
    page.fill("#max_people", "12")
    apply_changes(page)
    page.goto(f"https://{box.address}/admin/settings/meetings")
    expect(page.get_by_text("Eigens festgelegt ist")).to_be_visible()
    look(page, axe, "admin-meetings-own-rules-de")


def meet_by_rules(hall: Hall) -> None:
    """Who takes part waits for nobody, and can neither show a camera nor write, whatever he says.

    A room is stricter than that, and never laxer.
    """
    hall.sign_in()
    looser = {"title": "Rat", "policy": {"chat": True}}
    assert hall.post("rooms", looser, page=True, status=403)["rule"] == "chat"
    room = hall.book(share="asked")
    assert room["policy"]["max_people"] == 12
    entry = hall.enter(room, "participant", "Bernd")
    assert entry["state"] == "admitted"
    _, secret = hall.keys()
    claims = jwt.decode(entry["place"]["token"], secret, algorithms=["HS256"])
    assert claims["video"]["canPublishSources"] == ["microphone"]
    assert claims["video"]["canPublishData"] is False
    assert hall.rtc(entry["place"]["token"]) == 200
    for more in ({"canPublishSources": ["microphone", "camera"]}, {"canPublishData": True}):
        changed = {**claims, "video": {**claims["video"], **more}}
        assert hall.rtc(jwt.encode(changed, secret, algorithm="HS256")) == 403, more
    free = hall.enter(hall.book(), "participant", "Clara")["place"]["token"]
    video = jwt.decode(free, secret, algorithms=["HS256"])["video"]
    assert video["canPublishSources"] == ["microphone", "screen_share", "screen_share_audio"]
