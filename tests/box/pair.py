"""A meeting of two on the product's own pages: one comes with Chromium, the other with Firefox."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

from playwright.sync_api import Page

from builder.machines.stage import Stage
from tests.box.browser import browser, visit
from tests.box.firefox import Firefox, firefox
from tests.box.meeting import NAME, House
from tests.box.test_meeting import JOIN_MS, MOVES, enter, texts

MEDIA_MS = 20_000
# Firefox' own switch, and in Chromium every connection of a page is told the same.
RELAY_ONLY = {"media.peerconnection.ice.relay_only": True}
RELAY_ONLY_SCRIPT = """
const Usual = globalThis.RTCPeerConnection;
const told = (given) => ({...given, iceTransportPolicy: "relay"});
globalThis.RTCPeerConnection = class extends Usual {
  constructor(given, ...more) { super(told(given), ...more); }
  setConfiguration(given) { super.setConfiguration(told(given)); }
};
"""
# The sound that comes in, recorded and looked at: Firefox plays nothing without a loudspeaker.
HEARD = """async () => {
  for (;;) {
    const stream = document.querySelector("audio")?.srcObject;
    if (!stream) { await new Promise(requestAnimationFrame); continue; }
    const recorder = new MediaRecorder(stream);
    const parts = [];
    recorder.ondataavailable = ({data}) => parts.push(data);
    const stopped = new Promise(done => { recorder.onstop = done; });
    recorder.start();
    setTimeout(() => recorder.stop(), 1500);
    await stopped;
    const recorded = await new Blob(parts).arrayBuffer();
    const sound = await new OfflineAudioContext(1, 48000, 48000).decodeAudioData(recorded);
    const loudest = sound.getChannelData(0).reduce((most, one) => Math.max(most, Math.abs(one)), 0);
    if (loudest > 0.01) return loudest;
  }
}"""
_IN_TIME = """() => Promise.race([
  (%s)(),
  new Promise((_, failed) => setTimeout(() => failed(new Error("%s")), %d)),
])"""


class Pair(NamedTuple):
    """The two of them, each before an empty page."""

    chromium: Page
    firefox: Firefox


def authority(house: House) -> Path:
    """The file with the box's own authority."""
    return Path(house.authority)


@contextmanager
def pair(
    house: House, chromium: Stage, other: Stage, *, relay_only: bool = False
) -> Iterator[Pair]:
    """A Chromium at `chromium`, a Firefox at `other`; both take the box's certificate for good."""
    folder = "/var/lib/ratssaal/tls"
    served = [house.box.shell(f"cat {folder}/fullchain.pem")]
    if house.box.shell(f"ls {folder}").count("named"):
        served.append(house.box.shell(f"cat {folder}/named/fullchain.pem"))
    preferences = RELAY_ONLY if relay_only else {}
    with (
        browser(chromium, served) as found,
        firefox(other, authority(house), preferences=preferences) as second,
    ):
        page = visit(found).new_page()
        if relay_only:
            page.add_init_script(RELAY_ONLY_SCRIPT)
        yield Pair(page, second)


def links(room: dict[str, Any]) -> dict[str, str]:
    """The links of a room by role, by the box's public name."""
    invitations: dict[str, str] = room["invitations"]
    return {role: f"https://{NAME}/m/#i={one}" for role, one in invitations.items()}


def enter_with_firefox(page: Firefox, where: str, name: str) -> None:
    """Follow a link and come in with microphone and camera."""
    page.goto(where)
    page.type("input[autocomplete=name]", name)
    for place in ("first", "last"):
        page.click(f"fieldset .kern-form-check:{place}-child input")
    page.click("form button[type=submit]")


def meet(two: Pair, way_in: dict[str, str]) -> None:
    """Both follow their links, and each sees the other move and hears the other."""
    enter(two.chromium, texts("de"), way_in["moderator"], "Anna")
    two.chromium.locator("[data-own=camera]").wait_for(timeout=JOIN_MS)
    enter_with_firefox(two.firefox, way_in["participant"], "Berta")
    two.firefox.until("document.querySelector('[data-own=camera]')")
    for what, function in (("picture", MOVES), ("sound", HEARD)):
        # In time, since neither browser ends a function of a page by itself.
        in_time = _IN_TIME % (function, f"no {what} of the other", MEDIA_MS)
        assert two.chromium.evaluate(in_time) > 0
        assert two.firefox.call(in_time) > 0
