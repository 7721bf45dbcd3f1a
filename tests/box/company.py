"""A meeting on the product's own pages: one comes with Firefox, the others with Chromium."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

from playwright.sync_api import Page

from builder.machines.stage import Stage
from tests.box.browser import browser, visit
from tests.box.firefox import Firefox, firefox
from tests.box.meeting import NAME, House
from tests.box.test_meeting import JOIN_MS, enter, texts

MEDIA_MS = 40_000
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
# What is given: how many others there are. Each one's picture moves and is not black: two looks at
# the same video differ, and there is light.
MOVE = """async () => {
  const canvas = new OffscreenCanvas(64, 36);
  const pen = canvas.getContext("2d", {willReadFrequently: true});
  const look = video => {
    pen.drawImage(video, 0, 0, 64, 36);
    return pen.getImageData(0, 0, 64, 36).data;
  };
  const light = pixels => pixels.reduce((sum, one) => sum + one, 0) / pixels.length;
  const before = new Map(), moved = new Set();
  for (;;) {
    const videos = [...document.querySelectorAll("[data-remote=camera]")];
    for (const video of videos.filter(one => one.readyState >= 2)) {
      const now = look(video);
      if (!before.has(video)) before.set(video, now);
      const differs = now.some((one, at) => Math.abs(one - before.get(video)[at]) > 40);
      if (differs && light(now) > 70) moved.add(video);
    }
    if (videos.filter(one => moved.has(one)).length === %d) return moved.size;
    await new Promise(requestAnimationFrame);
  }
}"""
# The sound of each that comes in, recorded and looked at: Firefox plays nothing without a
# loudspeaker.
HEARD = """async () => {
  const heard = new Set();
  const hear = async stream => {
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
    if (loudest > 0.01) heard.add(stream);
  };
  for (;;) {
    const streams = [...document.querySelectorAll("audio")].map(one => one.srcObject);
    const silent = streams.filter(one => one && !heard.has(one));
    const loud = streams.filter(one => heard.has(one));
    if (loud.length === %d && silent.length === 0) return heard.size;
    await Promise.all([new Promise(requestAnimationFrame), ...silent.map(hear)]);
  }
}"""
_IN_TIME = """() => Promise.race([
  (%s)(),
  new Promise((_, failed) => setTimeout(() => failed(new Error("%s")), %d)),
])"""


class Company(NamedTuple):
    """Those who are to meet, each before an empty page."""

    chromium: tuple[Page, ...]
    firefox: Firefox


def authority(house: House) -> Path:
    """The file with the box's own authority."""
    return Path(house.authority)


@contextmanager
def company(
    house: House, chromium: Stage, other: Stage, *, several: bool = False, relay_only: bool = False
) -> Iterator[Company]:
    """A Chromium at `chromium`, or two where `several`, and a Firefox at `other`.

    All take the box's certificate for good.
    """
    folder = "/var/lib/ratssaal/tls"
    served = [house.box.shell(f"cat {folder}/fullchain.pem")]
    if house.box.shell(f"ls {folder}").count("named"):
        served.append(house.box.shell(f"cat {folder}/named/fullchain.pem"))
    preferences = RELAY_ONLY if relay_only else {}
    with (
        browser(chromium, served) as found,
        firefox(other, authority(house), preferences=preferences) as second,
    ):
        pages = tuple(visit(found).new_page() for _ in range(2 if several else 1))
        if relay_only:
            for page in pages:
                page.add_init_script(RELAY_ONLY_SCRIPT)
        yield Company(pages, second)


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


def meet(those: Company, way_in: dict[str, str]) -> None:
    """All follow their links; each sees each of the others move and hears them."""
    t, (anna, *more) = texts("de"), those.chromium
    enter(anna, t, way_in["moderator"], "Anna")
    anna.locator("[data-own=camera]").wait_for(timeout=JOIN_MS)
    enter_with_firefox(those.firefox, way_in["participant"], "Berta")
    those.firefox.until("document.querySelector('[data-own=camera]')")
    for page in more:
        enter(page, t, way_in["participant"], "Carla")
        page.locator("[data-own=camera]").wait_for(timeout=JOIN_MS)
    others = len(those.chromium)
    for what, function in (("picture", MOVE), ("sound", HEARD)):
        # In time, since neither browser ends a function of a page by itself.
        in_time = _IN_TIME % (function % others, f"no {what} of somebody", MEDIA_MS)
        for page in those.chromium:
            assert page.evaluate(in_time) >= others
        assert those.firefox.call(in_time) >= others
