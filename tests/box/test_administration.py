"""The administrators' page on a running box: who meets, what will change, what support gets."""

import io
import json
import re
import tarfile
from collections.abc import Iterator

import pytest
import yaml
from playwright.sync_api import Browser, Page, expect

from builder.answers import hash_password
from builder.artifacts import Artifacts
from builder.container import Box
from builder.stage import Stage
from builder.toolbox import Toolbox
from tests.box.browser import browser, visit
from tests.box.test_setup import APPLY_MS, axe, look

pytestmark = pytest.mark.box

__all__ = ["axe"]
PASSWORD = "korrekt pferd batterie klammer"
NEW_PASSWORD = "sieben blaue traktoren im nebel"
# Nobody is called like this: whatever of it is found, the box has let out.
CANARY = {
    "name": "Xanthippe Kanarienvogel",
    "mail": "xanthippe@kanarienvogel.example",
    "house": "Gemeinde Kanarienhausen",
    "text": "Kanarienweg 17",
    "address": "203.0.113.77",
    "password": "kanarien pferd batterie klammer",
}


@pytest.fixture
def stage(toolbox: Toolbox) -> Iterator[Stage]:
    with Stage(toolbox) as stage:
        yield stage


@pytest.fixture
def chromium(stage: Stage) -> Iterator[Browser]:
    with browser(stage) as found:
        yield found


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
    given = box.root / "run/answers.yaml"
    given.write_text(yaml.safe_dump(answers, allow_unicode=True))
    box.shell(
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
        page.reload()
        expect(page.locator("#meeting")).to_have_text(
            "Räume, in denen gerade getagt wird: 1. Personen darin: 2."
        )
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
        page.wait_for_url("**/admin/sign-in", timeout=APPLY_MS)
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
            f" '{planted} Code: abcd efgh from 2001:db8::77 02:11:22:33:44:55 ?t={token}'"
        )
        with page.expect_download() as waiting:
            page.get_by_role("button", name="Datei herunterladen").click()
        content = waiting.value.path().read_bytes()
        assert len(content) < 2_000_000
        with tarfile.open(fileobj=io.BytesIO(content)) as archive:
            texts = {}
            for one in archive:
                opened = archive.extractfile(one)
                assert opened
                texts[one.name.removeprefix("ratssaal-support/")] = opened.read().decode()
        assert {"README.txt", "journal.txt", "settings.json", "units.txt"} <= set(texts)
        assert "ratssaal-canary" in texts["journal.txt"] or "echo[" in texts["journal.txt"]
        assert "<hidden>" in texts["journal.txt"]
        secrets = box.shell("cat /var/lib/ratssaal/secrets/stack/keys.yaml").split('"')[1::2]
        forbidden = [*CANARY.values(), *CANARY["name"].split(), *secrets, token, "eyJ", "$argon2"]
        forbidden += ["abcd efgh", "2001:db8::77", "02:11:22:33:44:55", "Kanarienvertretung"]
        for name, text in texts.items():
            for one in forbidden:
                assert one.lower() not in text.lower(), f"{one} is in {name}"
        assert json.loads(texts["settings.json"])["settings"]["meetings"] == "council"
        assert box.shell("ls -A /run/ratssaal-support") == ""
        assert box.shell("systemctl --failed --no-legend --plain") == ""
