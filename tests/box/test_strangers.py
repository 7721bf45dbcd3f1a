"""No packet goes to anybody but the box: not from its pages, from a meeting or from itself."""

import pytest
from playwright.sync_api import expect

from builder.artifacts import Artifacts
from builder.machines.container import Box
from builder.machines.stage import Stage
from tests.box.browser import Keyboard, browser, visit
from tests.box.capture import Packet, Question, capture, known
from tests.box.clerk import code_on_screen, set_up, sign_in, walk
from tests.box.company import company, links, meet
from tests.box.meeting import NAME, RELAY, House
from tests.box.test_meeting import JOIN_MS, bar, texts
from tests.box.test_proof import try_ways

pytestmark = pytest.mark.box

NAMES = (NAME, RELAY)
PAGES = ("", "m/", "rooms/", "test/", "setup/", "admin/sign-in")
ENTER = "\ue007"  # WebDriver, section 17.4.2


def test_first_start_and_wizard_ask_nobody_else(stage: Stage, artifacts: Artifacts) -> None:
    with capture(stage) as heard, Box(stage, artifacts) as box:
        address = box.address
        for name in NAMES:
            stage.name(name, address)
        with browser(stage) as chromium:
            page = visit(chromium).new_page()
            walk(Keyboard(page), address, code_on_screen(box), name=NAME)
            set_up(page)
        own = known(stage, box)
    assert Packet(stage.gateway, address, "tcp", 443) in heard.packets
    strangers = heard.strangers(own, NAMES)
    assert not strangers, "\n".join(strangers)


def test_pages_and_a_whole_meeting_ask_nobody_else(open_house: House) -> None:
    stage, box, t = open_house.stage, open_house.box, texts("de")
    address = box.address
    with capture(stage) as heard, company(open_house, stage, stage) as those:
        (page,), firefox = those
        for place in PAGES:
            page.goto(f"https://{NAME}/{place}")
            firefox.goto(f"https://{NAME}/{place}")
        sign_in(page, NAME, "Anna")
        page.goto(f"https://{NAME}/test/")
        found = try_ways(page)
        assert {"direct": "works", "relay": "works"}.items() <= found.items(), found
        way_in = links(open_house.book())
        page.goto(way_in["participant"])
        page.get_by_role("button", name=t("check.start"), exact=True).click()
        expect(page.get_by_label(t("check.picture"))).to_be_visible()

        meet(those, way_in)
        bar(page, t("bar.chat")).click()
        page.get_by_label(t("chat.write")).fill("Guten Abend")
        page.keyboard.press("Enter")
        firefox.evaluate(
            "[...document.querySelectorAll('.bar button')]"
            f".find(one => one.textContent.includes('{t('bar.chat')}')).click()"
        )
        firefox.until("document.querySelector('.message__text')?.textContent === 'Guten Abend'")
        firefox.type(".panel__write textarea", f"Willkommen{ENTER}")
        expect(page.locator(".message__text").last).to_have_text("Willkommen")
        bar(page, t("bar.share")).click()
        page.locator("[data-own=screen_share]").wait_for(timeout=JOIN_MS)
        firefox.until(
            "document.querySelector('.tile--large [data-remote=screen_share]')?.readyState >= 2"
        )
        own = known(stage, box)
    assert Packet(stage.gateway, address, "udp", 443) in heard.packets
    assert Question(NAME, 1) in heard.questions
    strangers = heard.strangers(own, NAMES)
    assert not strangers, "\n".join(strangers)
