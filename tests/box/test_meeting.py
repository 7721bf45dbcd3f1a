"""Meetings as people hold them: pages of the browser client, in Chromium, on a box in use."""

import json
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import pytest
from playwright.sync_api import Locator, Page, Route, expect

from builder.artifacts import Artifacts
from builder.machines.shell import wait_for
from builder.machines.stage import Stage
from builder.paths import PROJECT
from tests.box.browser import Keyboard
from tests.box.capture import Packet, capture, known
from tests.box.meeting import NAME, PASSWORD, RELAY, House, opened
from tests.box.people import People
from tests.box.screens import keep_picture, look

pytestmark = pytest.mark.box

TITLE = "Sitzung des Gemeinderats"
JOIN_MS = 20_000
# A picture that moves and is not black: two looks at the same video differ, and there is light.
MOVES = """async () => {
  const canvas = new OffscreenCanvas(64, 36);
  const pen = canvas.getContext("2d", {willReadFrequently: true});
  const look = () => {
    const video = document.querySelector("[data-remote=camera]");
    if (!video || video.readyState < 2) return null;
    pen.drawImage(video, 0, 0, 64, 36);
    return pen.getImageData(0, 0, 64, 36).data;
  };
  const light = pixels => pixels.reduce((sum, one) => sum + one, 0) / pixels.length;
  let before = null;
  for (;;) {
    const now = look();
    const moved = before && now?.some((one, at) => Math.abs(one - before[at]) > 40);
    if (moved && light(now) > 70) return light(now);
    before = before ?? now;
    await new Promise(requestAnimationFrame);
  }
}"""
# How many sharp edges a video shows: half of thirty pictures have no more. Chromium's camera
# draws some 400.
EDGES = """async selector => {
  const canvas = new OffscreenCanvas(320, 180);
  const pen = canvas.getContext("2d", {willReadFrequently: true});
  const counts = [];
  while (counts.length < 30) {
    const video = document.querySelector(selector);
    await new Promise(done => video.requestVideoFrameCallback(done));
    pen.drawImage(video, 0, 0, 320, 180);
    const {data} = pen.getImageData(0, 0, 320, 180);
    let edges = 0;
    for (let at = 5; at < data.length; at += 4) edges += Math.abs(data[at] - data[at - 4]) > 40;
    counts.push(edges);
  }
  return counts.sort((one, other) => one - other)[15];
}"""
# A machine without graphics that carries the meeting as well may be too slow to blur: here it
# never asks.
NEVER_TOO_SLOW = """(() => {
  const real = globalThis.setInterval;
  globalThis.setInterval = (...what) =>
    new Error().stack.includes("/assets/picture.js") ? 0 : real(...what);
})()"""
# The policy of another page, as the browser got it.
POLICY = "path => fetch(path).then(page => page.headers.get('content-security-policy'))"
# The sound that the page plays, looked at where it comes in: Chromium's microphone beeps.
SOUNDS = """async () => {
  const context = new AudioContext();
  for (;;) {
    for (const player of document.querySelectorAll("audio")) {
      if (!player.srcObject || player.heard) continue;
      player.heard = context.createAnalyser();
      context.createMediaStreamSource(player.srcObject).connect(player.heard);
    }
    for (const player of document.querySelectorAll("audio")) {
      if (!player.heard) continue;
      const samples = new Float32Array(player.heard.fftSize);
      player.heard.getFloatTimeDomainData(samples);
      const loudest = Math.max(...samples.map(Math.abs));
      if (loudest > 0.01) return loudest;
    }
    await new Promise(requestAnimationFrame);
  }
}"""

Texts = Callable[..., str]


def texts(language: str) -> Texts:
    """The page's own sentences by their keys, so that a test reads like the page."""
    file = PROJECT / f"meet/client/src/texts/{language}.json"
    content = json.loads(file.read_text())

    def one(key: str, **values: object) -> str:
        found: Any = content
        for part in key.split("."):
            found = found[part]
        return re.sub(r"{{(\w+)}}", lambda match: str(values[match[1]]), str(found))

    return one


@pytest.fixture
def house(stage: Stage, artifacts: Artifacts) -> Iterator[House]:
    """A town hall in which Anna may book."""
    with opened(stage, artifacts) as found:
        yield found


@pytest.fixture
def nobody_else(house: House) -> Iterator[None]:
    """All packets of the test go to the box, or to the stage that it is on."""
    with capture(house.stage) as heard:
        yield
        own = known(house.stage, house.box)
    assert Packet(house.stage.gateway, house.box.address, "udp", 443) in heard.packets
    strangers = heard.strangers(own, (NAME, RELAY))
    assert not strangers, "\n".join(strangers)


def book(
    page: Page, t: Texts, title: str = TITLE, *, encrypted: bool = False, chat: bool = True
) -> dict[str, str]:
    """Sign in and book a room by keyboard alone; the links by role, and the code."""
    keys = Keyboard(page)
    page.goto(f"https://{NAME}/rooms/")
    keys.type("input[autocomplete=username]", "Anna")
    keys.type("input[autocomplete=current-password]", PASSWORD)
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name=t("book.title"))).to_be_visible()
    keys.go_to(page.get_by_label(t("book.name"), exact=True))
    page.keyboard.insert_text(title)
    if encrypted or not chat:
        keys.reach("summary")
        page.keyboard.press("Enter")
    if not chat:
        keys.go_to(page.get_by_label(t("rules.chat"), exact=True))
        page.keyboard.press("Space")
    if encrypted:
        keys.go_to(page.get_by_label(t("rules.encryption")))
        page.keyboard.press("Space")
    keys.push(t("book.go"))
    room = page.locator("[data-room]").first
    expect(room.get_by_role("heading")).to_have_text(title)
    links = {}
    for role in ("participant", "viewer", "moderator"):
        keys.push(t(f"rooms.copy.{role}"))
        expect(room.get_by_role("status")).to_have_text(t(f"rooms.copied.{role}"))
        links[role] = str(page.evaluate("() => navigator.clipboard.readText()"))
    if not encrypted:
        links["code"] = room.locator(".code").inner_text()
    return links


@dataclass(frozen=True)
class Hands:
    """What somebody has pages do: by a mouse, or by a keyboard alone."""

    keyboard: bool

    def press(self, button: Locator) -> None:
        """Press a button or a link."""
        if self.keyboard:
            Keyboard(button.page).go_to(button)
            button.page.keyboard.press("Enter")
        else:
            button.click()

    def tick(self, box: Locator) -> None:
        """Tick a box that is not ticked yet."""
        if self.keyboard:
            Keyboard(box.page).go_to(box)
            box.page.keyboard.press("Space")
            expect(box).to_be_checked()
        else:
            box.check()

    def write(self, field: Locator, text: str) -> None:
        """Write `text` in place of what is in a field."""
        if self.keyboard:
            Keyboard(field.page).go_to(field)
            field.page.keyboard.press("Control+a")
            field.page.keyboard.insert_text(text)
        else:
            field.fill(text)


MOUSE = Hands(keyboard=False)


def enter(
    page: Page, t: Texts, link: str, name: str, *, devices: bool = True, hands: Hands = MOUSE
) -> None:
    """Follow a link and ask to come in."""
    # From elsewhere: a link that differs behind the # alone would not load the page anew.
    page.goto("about:blank")
    page.goto(link)
    hands.write(page.get_by_label(t("entry.name")), name)
    if devices:
        for one in ("microphone", "camera"):
            hands.tick(page.get_by_role("checkbox", name=t(f"entry.{one}"), exact=True))
    hands.press(page.get_by_role("button", name=t("entry.go"), exact=True))


def open_people(page: Page) -> None:
    """The list of people, by its shortcut."""
    page.keyboard.press("p")
    expect(page.locator(".panel")).to_be_visible()


def admit(page: Page, t: Texts, name: str, hands: Hands = MOUSE) -> None:
    hands.press(page.get_by_role("button", name=t("lobby.admitName", name=name), exact=True))


def meet(anna: Page, berta: Page, t: Texts, links: dict[str, str]) -> None:
    """Anna comes in, Berta by the lobby, both with camera; Anna has the list of people open."""
    enter(anna, t, links["moderator"], "Anna")
    anna.locator("[data-own=camera]").wait_for(timeout=JOIN_MS)
    enter(berta, t, links["participant"], "Berta")
    open_people(anna)
    admit(anna, t, "Berta")
    berta.locator("[data-own=camera]").wait_for(timeout=JOIN_MS)


def bar(page: Page, name: str) -> Any:
    """A button of the bar."""
    return page.locator(".bar").get_by_role("button", name=name, exact=True)


def act(page: Page, t: Texts, name: str, key: str, hands: Hands = MOUSE) -> None:
    """What a moderator does with one person of the list."""
    person = page.locator("li.person").filter(has_text=name)
    if person.locator("details").get_attribute("open") is None:
        hands.press(person.locator("summary"))
    hands.press(person.get_by_role("button", name=t(key), exact=True))


@pytest.mark.parametrize("language", ["de", pytest.param("en", marks=pytest.mark.slow)])
def test_a_meeting_from_the_booking_to_the_end(
    house: House, people: People, axe: str, language: str
) -> None:
    """Lobby, picture and sound, chat, live text, hand, mute, remove, lock, end; axe in all.

    In German nobody has a mouse.
    """
    t, hands = texts(language), Hands(keyboard=language == "de")
    anna, berta, carl = (people.come(language) for _ in range(3))

    def see(page: Page, name: str) -> None:
        look(page, axe, f"meeting-{name}-{language}")
        page.set_viewport_size({"width": 1280, "height": 900})

    anna.goto(f"https://{NAME}/rooms/")
    expect(anna.get_by_label(t("staff.password"))).to_be_visible()
    see(anna, "sign-in")
    links = book(anna, t)
    see(anna, "rooms")
    # Whatever is too long stays as it was typed, and a sentence says what to do.
    long = anna.get_by_text(t("book.titleLong", most=80))
    hands.write(anna.get_by_label(t("book.name"), exact=True), "Rat " * 125)
    hands.press(anna.get_by_role("button", name=t("book.go"), exact=True))
    expect(long).to_be_visible()
    see(anna, "title-long")
    hands.write(anna.get_by_label(t("book.name"), exact=True), "Rat " * 20)
    expect(long).to_have_count(0)
    expect(anna.locator("[data-room]")).to_have_count(1)
    enter(anna, t, links["moderator"], "Anna Beispiel", hands=hands)
    anna.locator("[data-own=camera]").wait_for(timeout=JOIN_MS)

    berta.goto(links["participant"])
    expect(berta.get_by_role("heading", level=1)).to_have_text(TITLE)
    hands.press(berta.get_by_role("button", name=t("entry.go"), exact=True))
    expect(berta.get_by_text(t("entry.nameMissing"))).to_be_visible()
    long = berta.get_by_text(t("entry.nameLong", most=80))
    for name in ("x" * 500, "👋" * 81):
        hands.write(berta.get_by_label(t("entry.name")), name)
        expect(berta.get_by_label(t("entry.name"))).to_have_value(name)
        expect(long).to_be_visible()
        hands.press(berta.get_by_role("button", name=t("entry.go"), exact=True))
        expect(berta.get_by_label(t("entry.name"))).to_have_attribute("aria-invalid", "true")
    see(berta, "name-long")
    hands.write(berta.get_by_label(t("entry.name")), "👋" * 80)
    expect(long).to_have_count(0)
    hands.press(berta.get_by_role("button", name=t("check.start"), exact=True))
    expect(berta.get_by_label(t("check.picture"))).to_be_visible()
    berta.wait_for_function("() => document.querySelector('meter')?.value > 0.3")
    see(berta, "entry")
    enter(berta, t, links["participant"], "Berta Bürgerin", hands=hands)
    expect(berta.get_by_role("heading", level=2)).to_have_text(t("waiting.title"))
    # Each state begins at its title.
    expect(berta.get_by_role("heading", level=1)).to_be_focused()
    see(berta, "waiting")
    open_people(anna)
    expect(anna.get_by_text(t("said.waits", name="Berta Bürgerin"))).to_be_visible()
    see(anna, "lobby")
    admit(anna, t, "Berta Bürgerin", hands)
    berta.locator("[data-own=camera]").wait_for(timeout=JOIN_MS)
    expect(berta.get_by_role("heading", level=1)).to_be_focused()
    for page in (anna, berta):
        assert page.evaluate(MOVES) > 0
        assert page.evaluate(SOUNDS) > 0
    see(anna, "people")
    see(berta, "room")

    hands.press(bar(berta, t("bar.chat")))
    hands.write(berta.get_by_label(t("chat.write")), "Guten Abend <b>allerseits</b> 👋")
    berta.keyboard.press("Enter")
    expect(anna.get_by_text(re.compile("Guten Abend"))).to_be_visible()
    anna.keyboard.press("n")
    expect(anna.locator(".message__text")).to_have_text("Guten Abend <b>allerseits</b> 👋")
    see(anna, "chat")
    long = berta.get_by_text(t("chat.long", most=2000))
    hands.write(berta.get_by_label(t("chat.write")), "y" * 2001)
    berta.keyboard.press("Enter")
    expect(long).to_be_visible()
    see(berta, "chat-long")
    berta.keyboard.press("Backspace")
    expect(long).to_have_count(0)
    berta.keyboard.press("Enter")
    expect(anna.get_by_text("y" * 2000)).to_be_visible()
    hands.press(bar(berta, t("bar.text")))
    hands.press(bar(anna, t("bar.text")))
    hands.write(berta.get_by_label(t("text.write")), "")
    berta.keyboard.type("Ich tip")
    # Each letter as it is typed: the line is there before it is finished.
    expect(anna.locator(".message--typed .message__text")).to_have_text("Ich tip")
    see(anna, "text")
    berta.keyboard.press("Enter")
    expect(anna.locator(".message:not(.message--typed) .message__text")).to_have_text("Ich tip")

    hands.press(bar(berta, t("bar.handUp")))
    expect(anna.get_by_text(t("said.hand", name="Berta Bürgerin"))).to_be_visible()
    hands.press(bar(anna, t("bar.people", number=2)))
    expect(anna.locator(".hands li")).to_contain_text(["Berta Bürgerin"])
    see(anna, "hand")
    hands.press(anna.get_by_role("button", name=t("people.lowerName", name="Berta Bürgerin")))
    expect(bar(berta, t("bar.handUp"))).to_be_visible()
    act(anna, t, "Berta Bürgerin", "moderate.forbid.microphone", hands)
    expect(bar(berta, t("bar.mute"))).to_have_count(0)
    expect(bar(berta, t("bar.unmute"))).to_have_count(0)
    expect(berta.get_by_text(t("said.mayNot.microphone"))).to_be_visible()
    see(anna, "moderate")
    act(anna, t, "Berta Bürgerin", "moderate.allow.microphone", hands)
    expect(bar(berta, t("bar.unmute"))).to_be_visible()

    anna.keyboard.press("Escape")
    anna.keyboard.press("a")
    expect(anna.locator(".tile--large [data-remote=camera]")).to_be_visible()
    see(anna, "speaker")
    for dialog, title in (("bar.help", "keys.title"), ("bar.devices", "bar.devices")):
        hands.press(bar(anna, t(dialog)))
        expect(anna.get_by_role("dialog", name=t(title))).to_be_visible()
        see(anna, dialog.removeprefix("bar."))
        anna.keyboard.press("Escape")
        expect(bar(anna, t(dialog))).to_be_focused()

    hands.press(bar(anna, t("bar.people", number=2)))
    act(anna, t, "Berta Bürgerin", "moderate.remove", hands)
    hands.press(
        anna.get_by_role("dialog").get_by_role("button", name=t("moderate.remove"), exact=True)
    )
    expect(berta.get_by_role("heading", level=1)).to_have_text(t("over.removed.title"))
    expect(berta.get_by_role("heading", level=1)).to_be_focused()
    see(berta, "removed")
    hands.press(anna.get_by_role("button", name=t("people.lock"), exact=True))
    expect(anna.get_by_role("button", name=t("people.unlock"), exact=True)).to_be_visible()
    carl.goto(links["participant"])
    expect(carl.get_by_role("heading", level=2)).to_have_text(t("closed.locked.title"))
    see(carl, "locked")
    hands.press(anna.get_by_role("button", name=t("people.unlock"), exact=True))
    expect(anna.get_by_role("button", name=t("people.lock"), exact=True)).to_be_visible()
    enter(carl, t, links["participant"], "Carl", hands=hands)
    admit(anna, t, "Carl", hands)
    carl.locator("[data-own=camera]").wait_for(timeout=JOIN_MS)
    hands.press(bar(anna, t("bar.leave")))
    see(anna, "leave")
    hands.press(anna.get_by_role("button", name=t("leave.end"), exact=True))
    for page in (anna, carl):
        expect(page.get_by_role("heading", level=1)).to_have_text(t("over.ended.title"))
    see(carl, "ended")


def test_ways_in_that_lead_nowhere_say_what_to_do(house: House, people: People, axe: str) -> None:
    t = texts("de")
    anna, guest = people.come(), people.come(phone=True)
    links = book(anna, t)
    # A line that breaks off leaves no blank page, and loading it anew is enough.
    guest.route("**/*.js", lambda asked: asked.abort())
    guest.goto(f"https://{NAME}/m/#i=nonsense")
    expect(guest.get_by_text("noch nicht ganz geladen")).to_be_visible()
    look(guest, axe, "meeting-not-loaded")
    guest.unroute("**/*.js")
    # A browser that lacks what came in 2022, and with it the scripts that it cannot read.
    old = people.come(phone=True)
    old.add_init_script("delete AbortSignal.timeout")
    old.route("**/visit.js", lambda asked: asked.abort())
    old.goto(f"https://{NAME}/m/#i=nonsense")
    for words in ("Dieser Browser ist zu alt", "This browser is too old"):
        expect(old.get_by_role("heading", name=words)).to_be_visible()
    expect(old.get_by_text("noch nicht ganz geladen")).to_be_hidden()
    look(old, axe, "meeting-too-old-for-scripts")
    # One that reads them, and has no sound and pictures.
    old = people.come(phone=True)
    old.add_init_script("delete globalThis.RTCPeerConnection")
    old.goto(f"https://{NAME}/m/#i=nonsense")
    expect(old.get_by_role("alert")).to_contain_text(t("old.other"))
    look(old, axe, "meeting-too-old-de")
    guest.reload()
    expect(guest.get_by_role("alert")).to_contain_text(t("problem.wrong_invitation"))
    look(guest, axe, "meeting-wrong-link-de")
    guest.goto(f"https://{NAME}/m/")
    field = guest.get_by_label(t("start.code"))
    field.fill("12 34")
    guest.keyboard.press("Enter")
    expect(guest.get_by_text(t("start.digits"))).to_be_visible()
    wrong = f"{(int(links['code'].replace(' ', '')) + 1) % 10**9:09}"
    field.fill(wrong)
    guest.keyboard.press("Enter")
    expect(guest.get_by_text(t("problem.wrong_code"))).to_be_visible()
    look(guest, axe, "meeting-code-de")
    field.fill(links["code"])
    guest.keyboard.press("Enter")
    expect(guest.get_by_role("heading", level=1)).to_have_text(TITLE)
    # In Easy German, and with the camera refused by the browser.
    guest.context.clear_permissions()
    guest.evaluate(
        "() => { navigator.mediaDevices.getUserMedia = () =>"
        " Promise.reject(new DOMException('', 'NotAllowedError')); }"
    )
    guest.get_by_role("button", name=t("check.start"), exact=True).click()
    expect(guest.get_by_text(t("fault.camera.refused.title"))).to_be_visible()
    look(guest, axe, "meeting-refused-camera-de")
    guest.get_by_role("button", name=t("language.de-simple"), exact=True).click()
    expect(guest.get_by_role("button", name=texts("de-easy")("entry.go"))).to_be_visible()
    expect(guest.get_by_text(texts("de-easy")("fault.camera.refused.title"))).to_be_visible()
    look(guest, axe, "meeting-entry-easy")


@pytest.mark.usefixtures("nobody_else")
def test_only_the_link_opens_an_encrypted_meeting(house: House, people: People, axe: str) -> None:
    """The key never leaves the browsers; without it, or with another, there is no picture."""
    t = texts("de")
    anna, berta, without = people.come(), people.come(), people.come()
    sent: list[str] = []

    def note(route: Route) -> None:
        sent.append(f"{route.request.url} {route.request.post_data or ''}")
        route.continue_()

    anna.context.route("**/*", note)
    links = book(anna, t, encrypted=True, chat=False)
    key = links["participant"].split("&k=")[1]
    assert len(key) == 43
    meet(anna, berta, t, links)
    for page in (anna, berta):
        page.evaluate(MOVES)
        assert page.evaluate(SOUNDS) > 0
    look(berta, axe, "meeting-encrypted-de")
    # Without a chat its key opens nothing either.
    expect(bar(anna, t("bar.chat"))).to_have_count(0)
    anna.keyboard.press("n")
    expect(anna.locator(".panel").get_by_role("heading", level=2)).to_have_text(
        t("people.title", number=2)
    )
    assert sent
    assert not [one for one in sent if key in one]
    without.goto(links["participant"].split("&k=")[0])
    expect(without.get_by_role("alert")).to_contain_text(t("entry.noKey.title"))
    look(without, axe, "meeting-no-key-de")
    # The whole link into the same window, as its words say: the page is not loaded anew.
    without.goto(links["participant"])
    expect(without.get_by_label(t("entry.name"))).to_be_visible()


def test_a_seat_outlasts_a_page_and_belongs_to_one_window(house: House, people: People) -> None:
    """A shared screen reaches the other; who loads the page anew does not wait again."""
    t = texts("de")
    anna, berta, carl = people.come(), people.come(), people.come(phone=True)
    links = book(anna, t)
    meet(anna, berta, t, links)
    # Only moderators share in a council, and nobody else is shown the button.
    expect(bar(berta, t("bar.share"))).to_have_count(0)
    bar(anna, t("bar.share")).click()
    berta.locator(".tile--large [data-remote=screen_share]").wait_for(timeout=JOIN_MS)
    keep_picture(berta, "meeting-screen-de-desktop")
    bar(anna, t("bar.shareStop")).click()
    expect(berta.locator("[data-remote=screen_share]")).to_have_count(0)
    # Pinned is large, whoever speaks.
    berta.get_by_role("button", name=t("tile.pin", name="Anna"), exact=True).click()
    expect(berta.locator(".tile--large")).to_have_attribute("data-person", "Anna")

    # On a phone people and chat stand behind "More".
    enter(carl, t, links["participant"], "Carl", devices=False)
    admit(anna, t, "Carl")
    for name, title in (
        (t("bar.people", number=3), t("people.title", number=3)),
        (t("bar.chat"), t("chat.title")),
    ):
        expect(bar(carl, name)).to_be_hidden(timeout=JOIN_MS)
        bar(carl, t("bar.more")).click()
        bar(carl, name).click()
        expect(carl.locator(".panel").get_by_role("heading", name=title)).to_be_visible()
        # What happens is said above the panel, and covers nothing of it.
        bar(anna, t("bar.handUp")).click()
        expect(carl.get_by_text(t("said.hand", name="Anna")).last).to_be_visible()
        carl.get_by_role("button", name=t("close"), exact=True).click(trial=True)
        # Others may hear of him later than from him: what he writes waits for that.
        if name == t("bar.chat"):
            carl.get_by_label(t("chat.write")).fill("Guten Abend")
            carl.keyboard.press("Enter")
            expect(
                berta.get_by_text(t("said.wrote", name="Carl", text="Guten Abend"))
            ).to_be_visible()
        bar(anna, t("bar.handDown")).click()
        carl.keyboard.press("Escape")
        expect(bar(carl, t("bar.more"))).to_be_focused()

    # A box that is busy for a moment takes nobody's seat. The page that was left may have asked for
    # a place of its own accord: only what the new one asks is refused.
    berta.reload()
    berta.get_by_label(t("entry.name")).fill("Berta")
    berta.route("**/api/place", lambda asked: asked.fulfill(status=503), times=1)
    berta.get_by_role("button", name=t("entry.go"), exact=True).click()
    expect(berta.get_by_text(t("problem.unreachable"))).to_be_visible()
    berta.get_by_role("button", name=t("entry.go"), exact=True).click()
    berta.locator("[data-remote=camera]").wait_for(timeout=JOIN_MS)
    with berta.expect_popup() as opened_window:
        berta.evaluate("() => { window.open(location.href); }")
    second = opened_window.value
    second.get_by_label(t("entry.name")).fill("Berta")
    second.get_by_role("button", name=t("entry.go"), exact=True).click()
    second.locator("[data-remote=camera]").wait_for(timeout=JOIN_MS)
    expect(berta.get_by_role("heading", level=1)).to_have_text(t("over.elsewhere.title"))


def test_live_text_without_chat_comes_letter_by_letter(house: House, people: People) -> None:
    """The box passes on what LiveKit takes from nobody there."""
    t = texts("de")
    anna, berta = people.come(), people.come()
    links = book(anna, t, chat=False)
    enter(anna, t, links["moderator"], "Anna", devices=False)
    expect(bar(anna, t("bar.text"))).to_be_visible(timeout=JOIN_MS)
    expect(bar(anna, t("bar.chat"))).to_have_count(0)
    enter(berta, t, links["participant"], "Berta", devices=False)
    open_people(anna)
    admit(anna, t, "Berta")
    bar(berta, t("bar.text")).click(timeout=JOIN_MS)
    bar(anna, t("bar.text")).click()
    berta.get_by_label(t("text.write")).focus()
    berta.keyboard.type("Ich tippe schnell")
    expect(anna.locator(".message--typed .message__text")).to_have_text("Ich tippe schnell")
    expect(anna.locator(".message__name")).to_contain_text("Berta")
    berta.keyboard.press("Enter")
    expect(anna.locator(".message:not(.message--typed) .message__text")).to_have_count(1)
    anna.get_by_label(t("text.write")).focus()
    anna.keyboard.type("Ich auch")
    expect(berta.locator(".message--typed .message__text")).to_have_text("Ich auch")
    # Each line is there once with whoever wrote it, too.
    for page in (anna, berta):
        expect(page.locator(".message__text")).to_have_text(["Ich tippe schnell", "Ich auch"])


# Too long for every run: with --all.
@pytest.mark.slow
@pytest.mark.usefixtures("nobody_else")
def test_others_see_a_blurred_background_and_nothing_comes_from_elsewhere(
    house: House, people: People
) -> None:
    """Switched on at the check, off in the meeting; Chromium's camera shows no person."""
    t = texts("de")
    anna, berta = people.come(), people.come()
    berta.add_init_script(NEVER_TOO_SLOW)
    links = book(anna, t)
    enter(anna, t, links["moderator"], "Anna")
    anna.locator("[data-own=camera]").wait_for(timeout=JOIN_MS)
    berta.goto(links["participant"])
    berta.get_by_role("button", name=t("check.start"), exact=True).click()
    own = ".check__picture video"
    # Chromium plays what is seen alone.
    berta.locator(own).scroll_into_view_if_needed()
    sharp = berta.evaluate(EDGES, own)
    assert sharp > 100
    with berta.expect_response(re.compile(r"_simd_wasm_bin\.wasm$")) as asked:
        berta.get_by_label(t("blur.switch"), exact=True).check()
    assert asked.value.ok
    assert "script-src 'self' 'wasm-unsafe-eval';" in berta.evaluate(POLICY, "/m/")
    assert "unsafe" not in berta.evaluate(POLICY, "/rooms/")

    enter(berta, t, links["participant"], "Berta")
    open_people(anna)
    admit(anna, t, "Berta")
    anna.locator("[data-remote=camera]").wait_for(timeout=JOIN_MS)
    assert anna.evaluate(MOVES) > 0
    assert anna.evaluate(EDGES, "[data-remote=camera]") < sharp / 3
    keep_picture(anna, "meeting-blurred-de-desktop")

    bar(berta, t("bar.devices")).click()
    berta.get_by_role("dialog").get_by_label(t("blur.switch"), exact=True).uncheck()
    wait_for(
        lambda: anna.evaluate(EDGES, "[data-remote=camera]") > sharp / 3,
        JOIN_MS / 1000,
        "others to see the whole picture again",
    )
