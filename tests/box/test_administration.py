"""The administrators' page on a running box: who meets, what will change, what support gets."""

import io
import json
import re
import tarfile

import pyotp
import pytest
import yaml
from playwright.sync_api import Browser, FilePayload, Page, expect

from builder.answers import hash_password
from builder.artifacts import Artifacts
from builder.machines.container import Box
from builder.machines.shell import wait_for
from builder.machines.stage import Stage
from tests.box.browser import visit
from tests.box.clerk import APPLY_MS
from tests.box.screens import look

pytestmark = pytest.mark.box

PASSWORD = "korrekt pferd batterie klammer"
NEW_PASSWORD = "sieben blaue traktoren im nebel"
# Nobody is called like this: whatever of it is found, the box has let out.
CANARY = {
    "name": "Xanthippe Kanarienvogel",
    "mail": "xanthippe@kanarienvogel.example",
    "house": "Gemeinde Kanarienhausen",
    "text": "Kanarienweg 17",
    "address": "203.0.113.77",
}
CANARY_PASSWORD = "kanarien pferd batterie klammer"


def set_up(box: Box) -> None:
    """Set the box up by an answers file, as a district does."""
    person = {"name": CANARY["name"], "mail": CANARY["mail"]}
    answers = {
        "cluster": {
            "house": {"name": CANARY["house"]},
            "texts": {"imprint": CANARY["text"]},
            "administration": {
                "people": [{**person, "password": hash_password(PASSWORD)}],
                "alone_because": "Kanarienvertretung fehlt",
            },
        }
    }
    written = yaml.safe_dump(answers, allow_unicode=True)
    box.shell(
        f"cat >/run/answers.yaml <<'ANSWERS'\n{written}ANSWERS\n"
        "cd /usr/lib/ratssaal; python3 - <<'END'\n"
        "from pathlib import Path\n"
        "from firstboot import agent\n"
        "from firstboot.store import Draft, Store\n"
        "from firstboot.unattended import read\n"
        "store = Store()\n"
        "Draft(store).begin(read(Path('/run/answers.yaml').read_bytes()))\n"
        "agent.apply(store, 'Antwortdatei')\n"
        "END\n"
        "rm /run/answers.yaml; systemctl start ratssaal-converge.service"
    )


def signed_in(box: Box, chromium: Browser, password: str = PASSWORD) -> Page:
    page = visit(chromium).new_page()
    page.goto(f"https://{box.address}/admin/sign-in")
    page.fill("#name", CANARY["name"])
    page.fill("#password", password)
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", level=1)).to_have_text("Übersicht")
    return page


def press(page: Page, name: str) -> None:
    with page.expect_navigation():
        page.get_by_role("button", name=name, exact=True).first.click()


def applied(page: Page) -> None:
    expect(page.get_by_role("heading", level=1)).to_have_text(
        "Ihr Gerät ist bereit", timeout=APPLY_MS
    )


# Too long for every run: with --all.
@pytest.mark.slow
def test_rooms_preview_undo_and_support_on_a_running_box(
    stage: Stage, artifacts: Artifacts, chromium: Browser, axe: str
) -> None:
    with Box(stage, artifacts) as box:
        set_up(box)
        page = signed_in(box, chromium)
        expect(page.locator("#meeting")).to_have_text("Gerade tagt niemand.")
        look(page, axe, "admin-de")

        # Two guests in the test room are counted, and nobody is named.
        guests = [page.context.new_page() for _ in range(2)]
        for one in guests:
            one.goto(f"https://{box.address}/test/")
            one.click("#join")
            one.wait_for_selector("[data-own=video]")

        def told() -> str:
            page.reload()
            return page.locator("#meeting").inner_text()

        # The test room tries a second way for a moment, by a guest of its own.
        wait_for(lambda: "Personen darin: 2." in told(), 60, "Two guests were never counted.")
        press(page, "Neu starten")
        expect(page.get_by_text("Personen darin: 2.")).to_be_visible()
        look(page, axe, "admin-restart-de")
        for one in guests:
            one.close()

        # A new domain: the web server's and the stack's files are named before anything changes.
        before = box.shell("cat /etc/nginx/ratssaal/door.d/stack.map")
        page.goto(f"https://{box.address}/admin/settings/domain")
        page.fill("#host_name", "sitzung.kanarienhausen.example")
        press(page, "Weiter")
        look(page, axe, "admin-summary-de")
        press(page, "Geänderte Dateien ansehen")
        expect(page.get_by_role("heading", level=1)).to_have_text("Das wird sich ändern")
        look(page, axe, "admin-preview-running-de")
        files = page.locator("summary .path")
        expect(files.first).to_be_visible(timeout=60_000)
        named = files.all_text_contents()
        assert "/etc/nginx/ratssaal/door.d/stack.map" in named, named
        assert "/etc/ratssaal.json" in named
        page.locator("summary").first.click()
        look(page, axe, "admin-preview-de")
        assert PASSWORD not in page.content()
        assert "$argon2" not in page.content()
        assert box.shell("cat /etc/nginx/ratssaal/door.d/stack.map") == before
        press(page, "Änderungen übernehmen")
        applied(page)

        # A new password stays, whatever is brought back.
        page.goto(f"https://{box.address}/admin/settings/administrators")
        page.fill("#password1", NEW_PASSWORD)
        press(page, "Weiter")
        press(page, "Änderungen übernehmen")
        # It ends the sessions of its owner, this one too.
        heading = page.get_by_role("heading", level=1)
        expect(heading).to_have_text("Anmelden", timeout=APPLY_MS)
        box.run("systemctl", "start", "ratssaal-converge.service")
        page = signed_in(box, chromium, NEW_PASSWORD)
        page.get_by_role("button", name=re.compile("Diesen Stand zurückholen")).last.click()
        expect(page.get_by_role("heading", level=1)).to_have_text("Diesen Stand zurückholen?")
        look(page, axe, "admin-undo-de")
        press(page, "Diesen Stand zurückholen")
        applied(page)
        assert "ratssaal.local" in box.shell("cat /etc/nginx/ratssaal/door.d/stack.map")
        page = signed_in(box, chromium, NEW_PASSWORD)
        look(page, axe, "admin-history-de")

        # What support gets: nothing of people, however it came into settings and journal.
        planted = " ".join(CANARY.values())
        token = "eyJhbGciOiJIUzI1NiJ9.eyJrYW5hcmllIjoxfQ.a2FuYXJpZW52b2dlbA"
        box.shell(
            "systemd-run --quiet --wait --unit=ratssaal-canary.service /bin/echo"
            f" '{planted} Code: abcd efgh from 2001:db8::77 02:11:22:33:44:55 ?t={token}"
            f" Passwort: {CANARY_PASSWORD}'"
        )
        with page.expect_download() as waiting:
            page.get_by_role("button", name="Datei herunterladen").click()
        content = waiting.value.path().read_bytes()
        assert len(content) < 2_000_000
        with tarfile.open(fileobj=io.BytesIO(content)) as archive:
            texts = {}
            for entry in archive:
                opened = archive.extractfile(entry)
                assert opened
                texts[entry.name.removeprefix("ratssaal-support/")] = opened.read().decode()
        assert {"README.txt", "journal.txt", "settings.json", "units.txt"} <= set(texts)
        assert "ratssaal-canary" in texts["journal.txt"] or "echo[" in texts["journal.txt"]
        assert "<hidden>" in texts["journal.txt"]
        secrets = box.shell("cat /var/lib/ratssaal/secrets/stack/keys.yaml").split('"')[1::2]
        forbidden = [
            CANARY_PASSWORD,
            *CANARY.values(),
            *CANARY["name"].split(),
            *secrets,
            token,
            "eyJ",
            "$argon2",
        ]
        forbidden += ["abcd efgh", "2001:db8::77", "02:11:22:33:44:55", "Kanarienvertretung"]
        for name, text in texts.items():
            for word in forbidden:
                assert word.lower() not in text.lower(), f"{word} is in {name}"
        assert json.loads(texts["settings.json"])["settings"]["meetings"] == "council"
        assert box.shell("ls -A /run/ratssaal-support") == ""
        assert box.shell("systemctl --failed --no-legend --plain") == ""


# Asks for a page so many times at once; status and words of each answer.
AT_ONCE = """many => Promise.all([...Array(many)].map(async () => {
  const answer = await fetch("/admin/sign-in", {cache: "no-store"});
  return [answer.status, await answer.text()];
}))"""
# Sends so many letters; status and words of the answer.
SENT = """async many => {
  const answer = await fetch("/setup/", {method: "POST", body: "x".repeat(many)});
  return [answer.status, await answer.text()];
}"""
SVG = """<svg xmlns="http://www.w3.org/2000/svg" width="64" height="64" onload="alert(1)">
<script>document.documentElement.setAttribute("data-ran", "yes")</script>
<path d="M4 4h56v30c0 18-28 26-28 26S4 52 4 34z" fill="#ffd700" stroke="#7a0019"/></svg>"""


# In the place of the boot chain, which containers do not have.
ESP = """mkdir -p /boot
mount -t tmpfs -o mode=0700 tmpfs /boot
folder=/run/systemd/system/ratssaal-reset.service.d
mkdir -p $folder
cat >$folder/test.conf <<'END'
[Unit]
SuccessAction=none
END
systemctl daemon-reload
"""
KEY = "-".join(["cbdefghi", *["jklnrtuv"] * 6, "vutrnlkj"])


def test_recovery_key_and_reset_are_for_who_proves_to_be_the_administrator_once_more(
    stage: Stage, artifacts: Artifacts, chromium: Browser, axe: str
) -> None:
    with Box(stage, artifacts) as box:
        set_up(box)
        page = signed_in(box, chromium)
        expect(page.get_by_text("Der Datenträger ist nicht verschlüsselt")).to_be_visible()
        box.shell(f"umask 077; echo {KEY} >/var/lib/ratssaal/secrets/recovery-key")
        page.reload()
        page.get_by_role("link", name="Wiederherstellungsschlüssel ansehen").click()
        expect(page.locator(".groups")).to_have_count(0)
        page.fill("#password", PASSWORD)
        press(page, "Schlüssel zeigen")
        expect(page.locator(".groups li")).to_have_text(KEY.split("-"))
        look(page, axe, "admin-recovery-de")
        page.fill("#group", "vutrnlkj")
        press(page, "Ich habe ihn aufgeschrieben")
        log = box.shell("journalctl --boot --no-pager --all")
        assert not any(group in log for group in KEY.split("-"))

        # Without an ESP nothing can be left there, and nothing is lost.
        def reset(password: str, name: str) -> None:
            page.goto(f"https://{box.address}/admin/reset")
            page.fill("#password", password)
            page.fill("#typed", name)
            press(page, "Ja, alles löschen")

        reset(PASSWORD, "ratssaal.local")
        expect(page.get_by_role("alert")).to_contain_text("es ist nichts gelöscht")
        box.shell(ESP)
        for password, name in ((PASSWORD, "rathaus"), ("falsch und lang", "ratssaal.local")):
            reset(password, name)
            expect(page.get_by_role("alert")).to_be_visible()
            assert box.shell("ls /boot") == ""
        look(page, axe, "admin-reset-de")
        reset(PASSWORD, "ratssaal.local")
        expect(page.get_by_text("startet jetzt neu und löscht alles")).to_be_visible()
        assert box.shell("ls /boot").strip() == "ratssaal-reset"


# Too long for every run: with --all.
@pytest.mark.slow
def test_picture_colour_app_and_pages_of_the_web_server(
    stage: Stage, artifacts: Artifacts, chromium: Browser, axe: str
) -> None:
    with Box(stage, artifacts) as box:
        set_up(box)
        page = signed_in(box, chromium)

        # A colour on which white cannot be read; one on which it can; a picture with a program.
        page.goto(f"https://{box.address}/admin/settings/house")
        page.locator("summary").click()
        page.fill("#colour", "#ffd700")
        press(page, "Weiter")
        expect(page.locator("#colour-error")).to_contain_text("zu hell")
        look(page, axe, "admin-house-light-de")
        page.fill("#colour", "#7a0019")
        picture: FilePayload = {
            "name": "wappen.svg",
            "mimeType": "image/svg+xml",
            "buffer": SVG.encode(),
        }
        page.set_input_files("#logo", files=[picture])
        press(page, "Weiter")

        # One-time codes: the app takes the secret of the page.
        page.goto(f"https://{box.address}/admin/settings/administrators")
        page.locator("summary", has_text="Einmalcodes").click()
        secret = page.locator("[name=app1_secret]").input_value()
        look(page, axe, "admin-administrators-de")
        page.fill("#networks", "192.0.2.0/24")
        page.fill("#app1", pyotp.TOTP(secret).now())
        press(page, "Weiter")
        expect(page.locator("#networks-error")).to_contain_text("Sie selbst sind gerade unter")
        look(page, axe, "admin-administrators-locked-out-de")
        page.fill("#networks", "")
        page.fill("#app1", pyotp.TOTP(secret).now())
        press(page, "Weiter")
        look(page, axe, "admin-summary-house-de")
        page.goto(f"https://{box.address}/admin/")
        expect(page.get_by_text("Angefangene Änderungen")).to_be_visible()
        look(page, axe, "admin-open-changes-de")
        page.get_by_role("link", name="Ansehen und übernehmen").click()
        press(page, "Änderungen übernehmen")
        applied(page)
        look(page, axe, "admin-coloured-de")

        page.goto(f"https://{box.address}/")
        look(page, axe, "start-page-de")
        shown = page.locator(".house-picture").evaluate("e => getComputedStyle(e).display")
        assert shown == "block"
        opened = page.goto(f"https://{box.address}/house/logo.svg")
        assert opened
        assert opened.headers["content-security-policy"].startswith("sandbox;")
        assert page.evaluate("() => document.documentElement.getAttribute('data-ran')") is None

        page.goto(f"https://{box.address}/no-such-page")
        expect(page.get_by_role("alert")).to_contain_text("Diese Seite gibt es nicht")
        look(page, axe, "error-404-de")
        # At once, from a page that may ask: one after another they might be slow enough.
        page.goto(f"https://{box.address}/")
        answers = page.evaluate(AT_ONCE, 14)
        assert {status for status, _ in answers} == {200, 429}
        refused = [words for status, words in answers if status == 429]
        assert all("Das waren zu viele Versuche auf einmal" in one for one in refused)
        # More than fits into the web server's memory goes by its own folder.
        assert page.evaluate(SENT, 200_000)[0] == 403
        status, words = page.evaluate(SENT, 1_100_000)
        assert status == 413
        assert "Diese Datei ist zu groß" in words
        box.shell("systemctl stop ratssaal-setup.socket ratssaal-setup.service")
        page.goto(f"https://{box.address}/admin/")
        expect(page.get_by_role("alert")).to_contain_text("Das Gerät hat nicht geantwortet")
        look(page, axe, "error-502-de")
