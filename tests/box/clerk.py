"""What a clerk does before a box: reads its code, answers the wizard's steps, signs in."""

import re

from playwright.sync_api import Page, expect

from builder.machines.container import Box
from tests.box.browser import Keyboard

NAME = "sitzung.musterhausen.example"
PASSWORD = "korrekt pferd batterie klammer"
APPLY_MS = 120_000
# The steps in their order, and what stands above them.
HEADINGS = {
    "network": "Netzwerk",
    "house": "Ihr Haus",
    "reach": "Wer erreicht das Gerät?",
    "domain": "Name im Internet",
    "certificate": "Zertifikat",
    "administrators": "Verwaltung",
    "meetings": "Wer darf tagen?",
    "texts": "Rechtliche Texte",
    "cluster": "Allein oder mit anderen",
    "summary": "Zusammenfassung",
}
# Answers to all steps; hardly one is what stands in the form by itself.
ANSWERS = {
    "network": {"time_servers": "zeit.musterhausen.example"},
    "house": {"name": "Gemeinde Musterhausen", "colour": "#336699"},
    "reach": {"reach": "datacentre"},
    "domain": {"host_name": NAME},
    "certificate": {"kind": "acme", "contact": "it@musterhausen.example"},
    "administrators": {
        "name1": "Anna Beispiel",
        "mail1": "anna@musterhausen.example",
        "password1": PASSWORD,
        "alone_because": "Die zweite Stelle ist nicht besetzt.",
    },
    "meetings": {"preset": "school"},
    "texts": {"imprint": "Rathausplatz 1"},
    "cluster": {"cluster": "alone"},
}


def code_on_screen(box: Box) -> str:
    """The set-up code, as a clerk reads it from the box's own screen."""
    screen = box.shell(
        "PYTHONPATH=/usr/lib/ratssaal python3 -m firstboot.screen.console /dev/stdout"
    )
    found = re.search(r"Code\S*\s+([a-x]{4} [a-x]{4})", screen)
    assert found, screen
    return found[1]


def shows(page: Page, heading: str, timeout: float = 30_000) -> None:
    """Wait until the page's heading is `heading`."""
    expect(page.get_by_role("heading", level=1)).to_have_text(heading, timeout=timeout)


def open_with_code(page: Page, address: str, code: str, language: str = "de") -> None:
    """Choose the language and type the code; it leads to the first step that is not done."""
    page.goto(f"https://{address}/setup/")
    page.check(f"#{language}")
    go_on(page)
    page.fill("#code", code)
    go_on(page)


def go_on(page: Page) -> None:
    """Send the form that is open, and wait for the page it leads to."""
    with page.expect_navigation():
        page.locator("main button[type=submit]").first.click()


def unfold(page: Page) -> None:
    """Open all that is folded away."""
    folded = page.locator("details:not([open]) > summary")
    while folded.count():
        folded.first.click()


def answer(page: Page, typed: dict[str, str]) -> None:
    """Fill in a step's form, each field by its name, and send nothing."""
    unfold(page)
    for name, value in typed.items():
        field = page.locator(f"[name={name}]")
        if field.first.get_attribute("type") == "radio":
            page.check(f"[name={name}][value={value}]")
        else:
            field.fill(value)


def walk(
    keys: Keyboard,
    address: str,
    code: str,
    *,
    name: str = "",
    directory: str = "",
    proxy: str = "",
) -> None:
    """All steps to the summary by keyboard alone; with `directory` a certificate by ACME."""
    page = keys.page
    page.goto(f"https://{address}/")
    keys.choose("language", "de")
    keys.press("Weiter · Continue")
    keys.type("#code", code)
    keys.press("Weiter")
    shows(page, "Netzwerk")
    if proxy:
        keys.reach("summary")
        page.keyboard.press("Enter")
        keys.type("#proxy", proxy)
    keys.press("Weiter")
    keys.type("#name", "Gemeinde Musterhausen")
    keys.press("Weiter")
    keys.choose("reach", "public" if name else "house")
    keys.press("Weiter")
    keys.type("#host_name", name)
    keys.press("Weiter")
    shows(page, "Zertifikat")
    keys.choose("kind", "acme" if directory else "own")
    if directory:
        url, _, root = directory.partition("\n")
        keys.reach("summary")
        page.keyboard.press("Enter")
        keys.type("#directory", url)
        keys.type("#authority", root)
    keys.press("Weiter")
    keys.type("#name1", "Anna Beispiel")
    keys.type("#password1", PASSWORD)
    keys.type("#alone_because", "Die zweite Stelle ist gerade nicht besetzt.")
    keys.press("Weiter")
    keys.choose("preset", "council")
    keys.press("Weiter")
    shows(page, "Rechtliche Texte")
    keys.press("Weiter")
    shows(page, "Allein oder mit anderen")
    keys.press("Weiter")
    shows(page, "Zusammenfassung")


def set_up(page: Page) -> None:
    """Press the button on the summary, and wait until the box is ready."""
    page.get_by_role("button", name="Jetzt einrichten").click()
    shows(page, "Ihr Gerät ist bereit", APPLY_MS)


def apply_changes(page: Page) -> None:
    """Send an administrator's form, bring what has changed into force, and wait for that."""
    go_on(page)
    shows(page, "Zusammenfassung")
    page.get_by_role("button", name="Änderungen übernehmen").click()
    shows(page, "Ihr Gerät ist bereit", APPLY_MS)


def sign_in(page: Page, host: str, name: str = "Anna Beispiel") -> None:
    """Sign in as an administrator by keyboard alone, up to the overview."""
    keys = Keyboard(page)
    page.goto(f"https://{host}/admin/sign-in")
    keys.type("#name", name)
    keys.type("#password", PASSWORD)
    page.keyboard.press("Enter")
    shows(page, "Übersicht")
