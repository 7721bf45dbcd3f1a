"""The pages around a meeting in every state, in German and English: axe, words and pictures."""

import datetime
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from tests.box.company import links
from tests.box.meeting import NAME, PASSWORD, House
from tests.box.people import People
from tests.box.screens import look
from tests.box.test_meeting import JOIN_MS, TITLE, bar, book, enter, house, texts

# The fixture: a box in use, on the stage that the browsers are on.
__all__ = ["house"]

# Too long for every run: with --all.
pytestmark = [pytest.mark.box, pytest.mark.slow]

# What a browser says of devices that it cannot use (Media Capture and Streams, 10.2).
FAULTS = {"refused": "NotAllowedError", "none": "NotFoundError", "busy": "NotReadableError"}
WITHOUT = """name => {
  navigator.mediaDevices.getUserMedia = () => Promise.reject(new DOMException("", name));
}"""


class Seen:
    """Looks at a page in German, has it show English, looks again, and has it show German."""

    def __init__(self, axe: str) -> None:
        self._axe = axe

    def __call__(self, page: Page, name: str) -> None:
        look(page, self._axe, f"meeting-{name}-de")
        page.get_by_role("button", name="English", exact=True).click()
        expect(page.locator("html")).to_have_attribute("lang", "en")
        look(page, self._axe, f"meeting-{name}-en")
        page.get_by_role("button", name="Deutsch", exact=True).click()
        expect(page.locator("html")).to_have_attribute("lang", "de")


@pytest.fixture
def see(axe: str) -> Seen:
    return Seen(axe)


def follow(page: Page, room: dict[str, Any]) -> None:
    """Follow the link of those who take part."""
    page.goto("about:blank")
    page.goto(links(room)["participant"])


def in_hours(hours: float) -> str:
    """A moment from now on, as the rooms service takes it."""
    now = datetime.datetime.now(datetime.UTC)
    return (now + datetime.timedelta(hours=hours)).isoformat()


def shows(page: Page, words: str, level: int = 1) -> None:
    """Wait for a page by its title, or by what stands below it."""
    expect(page.get_by_role("heading", level=level)).to_have_text(words)


def test_ways_in_that_are_shut(house: House, people: People, see: Seen) -> None:
    t, guest = texts("de"), people.come()
    house.sign_in()
    soon = house.book(times={"closes": in_hours(4 / 3600)})
    follow(guest, house.book(times={"opens": in_hours(24), "closes": in_hours(26)}))
    shows(guest, t("closed.early.title"), 2)
    see(guest, "early")
    full = house.book(max_people=2)
    for name in ("Anna", "Bernd"):
        house.join(house.enter(full, "moderator", name), sends=False)
    follow(guest, full)
    shows(guest, t("closed.full.title"), 2)
    see(guest, "full")
    ended = house.book()
    house.post("meeting/end", seat=house.enter(ended, "moderator", "Anna")["seat"])
    follow(guest, ended)
    shows(guest, t("closed.ended.title"), 2)
    see(guest, "closed-ended")
    follow(guest, soon)
    shows(guest, t("closed.over.title"), 2)
    see(guest, "over")
    guest.goto(f"https://{NAME}/m/#i=nonsense")
    see(guest, "wrong-link")
    guest.goto("about:blank")
    guest.goto(f"https://{NAME}/m/")
    see(guest, "start")
    guest.get_by_label(t("start.code")).fill("123 456 789")
    guest.keyboard.press("Enter")
    expect(guest.get_by_text(t("problem.wrong_code"))).to_be_visible()
    see(guest, "wrong-code")


def test_entry_and_farewell(house: House, people: People, see: Seen) -> None:
    t, guest, other = texts("de"), people.come(), people.come()
    house.sign_in()
    room = house.book(notice="Diese Sitzung wird aufgezeichnet.")
    follow(guest, room)
    expect(guest.get_by_label(t("entry.name"))).to_be_visible()
    see(guest, "notice")
    guest.get_by_label(t("entry.name")).fill("Bernd")
    guest.get_by_role("button", name=t("entry.go"), exact=True).click()
    expect(guest.get_by_text(t("entry.noticeMissing"))).to_be_visible()
    see(guest, "notice-missing")
    for fault, name in FAULTS.items():
        follow(guest, room)
        guest.evaluate(WITHOUT, name)
        guest.get_by_role("button", name=t("check.start"), exact=True).click()
        for device in ("camera", "microphone"):
            expect(guest.get_by_text(t(f"fault.{device}.{fault}.title"))).to_be_visible()
        see(guest, f"devices-{fault}")

    room = house.book()
    anna = house.enter(room, "moderator", "Anna")
    enter(guest, t, links(room)["participant"], "Bernd", devices=False)
    shows(guest, t("waiting.title"), 2)
    see(guest, "waits")
    with house.stream("lobby", anna["seat"]) as queue:
        ids = [one["id"] for one in next(queue)["waiting"]]
    house.post("lobby/decline", {"ids": ids}, seat=anna["seat"])
    shows(guest, t("over.declined.title"))
    see(guest, "declined")
    enter(guest, t, links(room)["moderator"], "Bernd", devices=False)
    bar(guest, t("bar.leave")).click(timeout=JOIN_MS)
    guest.get_by_role("dialog").get_by_role("button", name=t("leave.alone"), exact=True).click()
    shows(guest, t("over.left.title"))
    see(guest, "left")
    # The same seat in another window.
    enter(guest, t, links(room)["moderator"], "Bernd", devices=False)
    expect(bar(guest, t("bar.leave"))).to_be_visible(timeout=JOIN_MS)
    with guest.expect_popup() as opened_window:
        guest.evaluate("() => { window.open(location.href); }")
    second = opened_window.value
    second.get_by_label(t("entry.name")).fill("Bernd")
    second.get_by_role("button", name=t("entry.go"), exact=True).click()
    shows(guest, t("over.elsewhere.title"))
    see(guest, "elsewhere")
    # Ended by somebody else.
    enter(other, t, links(room)["moderator"], "Clara", devices=False)
    expect(bar(other, t("bar.leave"))).to_be_visible(timeout=JOIN_MS)
    house.post("meeting/end", seat=anna["seat"])
    shows(other, t("over.ended.title"))
    see(other, "ended")


def test_what_staff_see(house: House, people: People, see: Seen, axe: str) -> None:
    t, anna, later = texts("de"), people.come(), people.come()
    anna.goto(f"https://{NAME}/rooms/")
    expect(anna.get_by_label(t("staff.password"))).to_be_visible()
    see(anna, "staff-sign-in")
    anna.get_by_label(t("staff.name"), exact=True).fill("Anna")
    anna.get_by_label(t("staff.password"), exact=True).fill("falsch falsch falsch")
    anna.keyboard.press("Enter")
    expect(anna.get_by_role("alert")).to_contain_text(t("problem.sign_in_wrong"))
    see(anna, "staff-sign-in-wrong")
    book(anna, t, encrypted=True)
    see(anna, "staff-encrypted")
    anna.locator("summary").first.click()
    see(anna, "staff-rules")
    anna.get_by_role("button", name=t("book.go"), exact=True).click()
    see(anna, "staff-nameless")
    anna.get_by_role("button", name=t("rooms.cancelName", title=TITLE), exact=True).click()
    expect(anna.get_by_role("dialog")).to_be_visible()
    look(anna, axe, "meeting-staff-delete-de")
    # Booked in another browser, which alone has the key.
    later.goto(f"https://{NAME}/rooms/")
    later.get_by_label(t("staff.name"), exact=True).fill("Anna")
    later.get_by_label(t("staff.password"), exact=True).fill(PASSWORD)
    later.keyboard.press("Enter")
    expect(later.get_by_text(t("rooms.noKey.title"))).to_be_visible()
    see(later, "staff-no-key")
