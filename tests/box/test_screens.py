"""Every page in every state: axe finds nothing, no word is foreign, pictures are kept of all."""

import pytest
from playwright.sync_api import Browser, FilePayload

from builder.artifacts import Artifacts
from builder.machines.container import Box
from builder.machines.stage import Stage
from tests.box.browser import visit
from tests.box.clerk import (
    ANSWERS,
    APPLY_MS,
    answer,
    code_on_screen,
    go_on,
    shows,
    sign_in,
    unfold,
)
from tests.box.screens import look

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
# Nobody can be asked for a certificate here.
RIGHT = {**ANSWERS, "certificate": {"kind": "own"}}


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
        page.fill("#code", code_on_screen(box))
        go_on(page)
        page.goto(f"https://{box.address}/setup/summary")
        seen("summary-empty")
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
        # Held up while it runs, so that the picture is of that moment.
        page.get_by_role("button", name="Jetzt einrichten").click()
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
