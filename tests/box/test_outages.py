"""Parts of a box that die in the middle of a meeting, which goes on, and is as it was."""

from typing import NamedTuple

import pytest
from playwright.sync_api import Page, expect

from builder.machines.shell import wait_for
from tests.box.meeting import NAME, House
from tests.box.people import People
from tests.box.test_meeting import (
    JOIN_MS,
    MOVES,
    Texts,
    act,
    admit,
    bar,
    book,
    enter,
    house,
    meet,
    texts,
)

# The fixture: a box in use, on the stage that the browsers are on.
__all__ = ["house"]

pytestmark = pytest.mark.box

# The longest time without a new picture since it was asked for last, in milliseconds.
WATCH = """() => {
  let last = performance.now(), shown = "";
  globalThis.longest = 0;
  setInterval(() => {
    const video = document.querySelector("[data-remote=camera]");
    const frames = video?.getVideoPlaybackQuality().totalVideoFrames;
    const now = performance.now();
    if (video && `${video.srcObject?.id} ${frames}` !== shown) {
      shown = `${video.srcObject?.id} ${frames}`;
      last = now;
    }
    globalThis.longest = Math.max(globalThis.longest, now - last);
  }, 50);
}"""
# Remembers that the page has said that the line is cut, however soon it is mended.
WATCH_LINE = """() => {
  globalThis.lineSaid = new Promise((done, failed) => {
    setTimeout(() => failed(new Error("The page never said that the line is cut.")), 30000);
    new MutationObserver((_, watch) => {
      if (document.querySelector(".room__line")) { watch.disconnect(); done(true); }
    }).observe(document.body, {childList: true, subtree: true});
  });
}"""
LONGEST = "() => { const one = globalThis.longest; globalThis.longest = 0; return one; }"


class Part(NamedTuple):
    """A service of the box, and how long people may be without a picture when it is killed."""

    unit: str
    seconds: float


MEDIA = "livekit.service"
# Who sees whom is between browsers and LiveKit; of all others a meeting needs nothing meanwhile.
PARTS = (
    Part("ratssaal-meet.service", 2.0),
    Part("etcd.service", 2.0),
    Part("nginx.service", 2.0),
    Part(MEDIA, 5.0),
)


def kill(house: House, unit: str) -> None:
    """Kill all of a service, and see it started again."""
    count = f"systemctl show --property NRestarts --value {unit}"
    before = int(house.box.shell(count))
    house.box.shell(f"systemctl kill --signal=KILL {unit}")
    wait_for(lambda: int(house.box.shell(count)) > before, 30, f"{unit} is not started again.")


def is_whole(anna: Page, berta: Page, late: Page, t: Texts, link: str, turn: int) -> None:
    """Both see each other and can write; nobody comes past the lock, and by the lobby people do."""
    for page in (anna, berta):
        expect(page.locator(".room__line")).to_have_count(0)
        page.evaluate(MOVES)
    expect(bar(anna, t("bar.people", number=2))).to_be_visible()
    # What was forbidden stays so, and what was raised, and nobody comes past the lock.
    expect(bar(berta, t("bar.unmute"))).to_have_count(0)
    expect(anna.locator(".hands li")).to_contain_text(["Berta"])
    late.goto("about:blank")
    late.goto(link)
    expect(late.get_by_role("heading", level=2)).to_have_text(t("closed.locked.title"))
    anna.get_by_role("button", name=t("people.unlock"), exact=True).click()
    enter(late, t, link, f"Carl {turn}", devices=False)
    admit(anna, t, f"Carl {turn}")
    expect(bar(late, t("bar.leave"))).to_be_visible(timeout=JOIN_MS)
    anna.get_by_role("button", name=t("people.lock"), exact=True).click()
    bar(late, t("bar.chat")).click()
    late.get_by_label(t("chat.write")).fill(f"Guten Abend {turn}")
    late.keyboard.press("Enter")
    expect(berta.locator(".message__text").last).to_have_text(f"Guten Abend {turn}")
    bar(late, t("bar.leave")).click()
    expect(bar(anna, t("bar.people", number=2))).to_be_visible()


# Too long for every run: with --all.
@pytest.mark.slow
def test_a_meeting_outlasts_each_part_of_the_box_that_dies(house: House, people: People) -> None:
    """Nobody does anything: no page is loaded anew, no button is pressed."""
    t, shell = texts("de"), house.box.shell
    anna, berta, late = (people.come() for _ in range(3))
    links = book(anna, t)
    meet(anna, berta, t, links)
    act(anna, t, "Berta", "moderate.forbid.microphone")
    bar(berta, t("bar.handUp")).click()
    bar(berta, t("bar.chat")).click()
    anna.get_by_role("button", name=t("people.lock"), exact=True).click()
    is_whole(anna, berta, late, t, links["participant"], 0)
    for page in (anna, berta):
        page.evaluate(WATCH)
    for turn, part in enumerate(PARTS, 1):
        for page in (anna, berta):
            page.evaluate(LONGEST)
        kill(house, part.unit)
        anna.wait_for_timeout(part.seconds * 1000)
        is_whole(anna, berta, late, t, links["participant"], turn)
        longest = [page.evaluate(LONGEST) / 1000 for page in (anna, berta)]
        print(f"{part.unit}: {longest[0]:.1f} s and {longest[1]:.1f} s without a picture")
        assert max(longest) < part.seconds, part.unit

    # It neither dies nor answers: people are told, and need do nothing once it does again.
    for page in (anna, berta):
        page.evaluate(WATCH_LINE)
    shell(f"systemctl kill --signal=STOP {MEDIA}")
    for page in (anna, berta):
        page.evaluate("() => globalThis.lineSaid")
    shell(f"systemctl kill --signal=CONT {MEDIA}")
    is_whole(anna, berta, late, t, links["participant"], len(PARTS) + 1)
    anna.goto(f"https://{NAME}/rooms/")
    expect(anna.locator("[data-room]")).to_have_count(1)
    assert shell("systemctl --failed --no-legend --plain") == ""
