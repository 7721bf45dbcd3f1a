"""Several people at one wizard: two clerks, whoever guesses, and whoever forges."""

import json
import subprocess
import sys
import time
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from builder.artifacts import Artifacts
from builder.machines.container import Box
from builder.machines.stage import BRIDGE, PREFIX, Stage
from tests.box.browser import Keyboard, visit
from tests.box.clerk import (
    APPLY_MS,
    answer,
    code_on_screen,
    go_on,
    open_with_code,
    set_up,
    shows,
    sign_in,
    walk,
)

pytestmark = pytest.mark.box

GUESSER = Path(__file__).parent / "guesser.py"
CHANGED = "Inzwischen hat jemand anderes etwas geändert"


def test_two_clerks_at_once(stage: Stage, artifacts: Artifacts, chromium: Browser) -> None:
    with Box(stage, artifacts) as box:
        code = code_on_screen(box)
        one, other = visit(chromium).new_page(), visit(chromium).new_page()
        walk(Keyboard(one), box.address, code)
        open_with_code(other, box.address, code)
        shows(other, "Zusammenfassung")
        # The same step: the later one is told, sees what is there now, and has lost nothing.
        for page in (one, other):
            page.goto(f"https://{box.address}/setup/house")
        answer(one, {"name": "Gemeinde Eins"})
        go_on(one)
        answer(other, {"name": "Gemeinde Zwei"})
        go_on(other)
        expect(other.get_by_role("alert")).to_contain_text(CHANGED)
        expect(other.locator("#name")).to_have_value("Gemeinde Eins")
        expect(other.locator("dd")).to_have_text("Gemeinde Zwei")
        # Different steps: nobody is in the other's way.
        one.goto(f"https://{box.address}/setup/meetings")
        other.goto(f"https://{box.address}/setup/texts")
        answer(one, {"preset": "open"})
        go_on(one)
        answer(other, {"imprint": "Rathausplatz 2"})
        go_on(other)
        shows(other, "Allein oder mit anderen")
        # Both press the button at the same moment, as good as two people can.
        for page in (one, other):
            page.goto(f"https://{box.address}/setup/summary")
        third = visit(chromium).new_page()
        open_with_code(third, box.address, code)
        third.goto(f"https://{box.address}/setup/house")
        for page in (one, other):
            page.evaluate(
                "() => { setTimeout(() => document.querySelector('main form').submit()) }"
            )
        for page in (one, other):
            shows(page, "Ihr Gerät ist bereit", APPLY_MS)
        files = box.shell("ls /var/lib/ratssaal/settings").split()
        assert files == ["000001.json", "applied.json"]
        found = json.loads(box.shell("cat /var/lib/ratssaal/settings/000001.json"))["settings"]
        assert found["cluster"]["house"]["name"] == "Gemeinde Eins"
        assert found["cluster"]["meetings"]["preset"] == "open"
        assert found["cluster"]["texts"]["imprint"] == "Rathausplatz 2"
        # Whoever was in the middle of a step is told, and changes nothing any more.
        answer(third, {"name": "Gemeinde Drei"})
        go_on(third)
        expect(third).to_have_url(f"https://{box.address}/admin/sign-in?closed")
        expect(third.get_by_text("Die Einrichtung ist inzwischen abgeschlossen")).to_be_visible()
        assert box.shell("ls /var/lib/ratssaal/settings").split() == files
        assert box.run("test", "-e", "/var/lib/ratssaal/secrets/draft.json", check=False).returncode


# Too long for every run: with --all.
@pytest.mark.slow
def test_wrong_codes_are_slowed_counted_and_shown(
    stage: Stage, artifacts: Artifacts, chromium: Browser
) -> None:
    """Several at once from several addresses: one a second in all, and the clerk still gets in."""
    with Box(stage, artifacts) as box:
        page = visit(chromium).new_page()
        page.goto(f"https://{box.address}/setup/")
        go_on(page)
        page.fill("#code", "aaaa bbbb")
        go_on(page)
        expect(page.locator("#code-error")).to_be_visible()
        assert wrong(box) == 1
        guessers = [guess(stage, box, f"{PREFIX}.{number}") for number in (11, 12, 13, 14)]
        refused = 0
        began, before = time.monotonic(), wrong(box)
        for one in guessers:
            # Each has had codes refused by the box, and tries refused by the web server.
            refused += lines_until(one, 403)
            refused += lines_until(one, 429)
        tried, seconds = wrong(box) - before, time.monotonic() - began
        assert refused
        assert 4 <= tried <= seconds + 1, f"{tried} codes tried in {seconds:.1f} s"
        began = time.monotonic()
        page.fill("#code", code_on_screen(box))
        go_on(page)
        shows(page, "Netzwerk")
        waited = time.monotonic() - began
        for one in guessers:
            assert one.poll() is None, "Nobody has stopped guessing meanwhile."
            one.kill()
            one.wait()
        # At most two tries of each address stand before the clerk's, and one is being looked at.
        most = (2 * len(guessers) + 3) * seconds / tried
        assert waited < most, f"The right code took {waited:.1f} s, more than {most:.1f} s."
        print(f"\n{tried} codes tried in {seconds:.1f} s; the right one took {waited:.1f} s")
        screen = box.shell(
            "PYTHONPATH=/usr/lib/ratssaal python3 -m firstboot.screen.console /dev/stdout"
        )
        assert str(wrong(box)) in screen


def wrong(box: Box) -> int:
    """How many wrong codes the box has counted."""
    found: int = json.loads(box.shell("cat /var/lib/ratssaal/secrets/code.json"))["wrong"]
    return found


def guess(stage: Stage, box: Box, source: str) -> subprocess.Popen[bytes]:
    """Somebody who guesses from an address of their own."""
    stage.run(["ip", "address", "add", f"{source}/24", "dev", BRIDGE])
    command = [sys.executable, "-u", str(GUESSER), box.address, source]
    return stage.start(command, stdout=subprocess.PIPE)


def lines_until(guesser: subprocess.Popen[bytes], status: int) -> int:
    """Read what came back until a try has ended with `status`; how many lines that were."""
    assert guesser.stdout
    for number, line in enumerate(guesser.stdout, 1):
        found, _, words = line.decode().strip().partition(" ")
        if words != "True":
            guesser.terminate()
            said = line.decode() + guesser.stdout.read().decode()
            raise AssertionError(f"A page without its sentence, or a fault: {said}")
        if int(found) == status:
            return number
    raise AssertionError(f"The guesser ended before it met {status}.")


def test_a_form_on_another_site_does_nothing(
    stage: Stage, artifacts: Artifacts, chromium: Browser
) -> None:
    """In the browser of somebody who is signed in; it sends what it sends to another site."""
    with Box(stage, artifacts) as box:
        page = visit(chromium).new_page()
        walk(Keyboard(page), box.address, code_on_screen(box))
        mark = page.locator("main input[name=form]").input_value()
        forge(page, box, "/setup/apply", mark)
        assert box.shell("ls /var/lib/ratssaal/settings") == ""
        page.goto(f"https://{box.address}/")
        shows(page, "Zusammenfassung")
        set_up(page)
        sign_in(page, box.address)
        mark = page.locator("main input[name=form]").first.input_value()
        for path in ("/admin/undo", "/admin/power", "/admin/discard", "/admin/sign-out"):
            forge(page, box, path, mark)
        # Nobody is signed out by it, nor by a link there.
        page.route(
            "http://link.example/",
            lambda route: route.fulfill(
                content_type="text/html", body=f"<a href='https://{box.address}/admin/'>x</a>"
            ),
        )
        page.goto("http://link.example/")
        page.click("a")
        shows(page, "Übersicht")
        assert "reboot" not in box.shell("systemctl list-jobs --no-legend")
        files = box.shell("ls /var/lib/ratssaal/settings").split()
        assert files == ["000001.json", "applied.json"]


def forge(page: Page, box: Box, path: str, mark: str) -> None:
    """Open a page of another site that sends a form to the box by itself, the mark known to it."""
    form = (
        f"<form method=post action='https://{box.address}{path}'>"
        f"<input name=form value='{mark}'><input name=number value=1>"
        "<input name=how value=reboot></form><script>document.forms[0].submit()</script>"
    )
    page.route(
        "http://evil.example/", lambda route: route.fulfill(content_type="text/html", body=form)
    )
    with page.expect_response(f"https://{box.address}{path}") as answered:
        page.goto("http://evil.example/", wait_until="commit")
    assert answered.value.status == 403
    expect(page.get_by_text("Es ist nichts geschehen")).to_be_visible()
