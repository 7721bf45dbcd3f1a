"""One guest of a call: a real LiveKit client that shows a moving picture and counts what it sees.

Run as a program of its own, inside the network where guests are: `python -m builder.guest`. Reads a
JSON object from standard input (url, token, frames, seconds) and prints one with what was received.
Tokens come that way since arguments can be read by everybody on the machine.
"""

import asyncio
import json
import sys
import time
from typing import Any

import numpy
from livekit import rtc

WIDTH, HEIGHT, RATE = 320, 240, 10
# Brightness from 0 to 255: a picture darker than this is called black.
BLACK = 24.0
# Mean difference of two pictures, on the same scale, from which on something moved.
MOVED = 1.0


class Seen:
    """What was received from one other guest."""

    def __init__(self) -> None:
        self.frames = 0
        self.moving = 0
        self.bright = 0
        self._last: numpy.ndarray[Any, Any] | None = None

    def look(self, frame: rtc.VideoFrame) -> None:
        """Count `frame`, and whether it is lit and differs from the one before."""
        picture = frame.convert(rtc.VideoBufferType.RGBA)
        pixels = numpy.frombuffer(picture.data, dtype=numpy.uint8)
        pixels = pixels.reshape(picture.height, picture.width, 4)[::4, ::4, :3].astype(numpy.int16)
        self.frames += 1
        self.bright += float(pixels.mean()) > BLACK
        if self._last is not None and self._last.shape == pixels.shape:
            self.moving += float(numpy.abs(pixels - self._last).mean()) > MOVED
        self._last = pixels


def picture(number: int) -> rtc.VideoFrame:
    """Frame `number` of the moving picture: a light bar that wanders over grey."""
    pixels = numpy.full((HEIGHT, WIDTH, 4), 96, dtype=numpy.uint8)
    left = (number * 12) % WIDTH
    pixels[:, left : left + 60, :3] = 230
    return rtc.VideoFrame(WIDTH, HEIGHT, rtc.VideoBufferType.RGBA, pixels.tobytes())


async def _show(source: rtc.VideoSource) -> None:
    number = 0
    while True:
        source.capture_frame(picture(number))
        number += 1
        await asyncio.sleep(1 / RATE)


async def attend(url: str, token: str, frames: int, seconds: float) -> dict[str, Any]:
    """Join, show a picture, stay until `frames` moving ones came from somebody or time is up."""
    seen: dict[str, Seen] = {}
    watchers: list[asyncio.Task[None]] = []
    enough = asyncio.Event()
    begun = time.monotonic()
    first = 0.0

    async def watch(track: rtc.Track, name: str) -> None:
        nonlocal first
        counts = seen.setdefault(name, Seen())
        async for event in rtc.VideoStream(track):
            first = first or time.monotonic() - begun
            counts.look(event.frame)
            if counts.moving >= frames and counts.bright >= frames:
                enough.set()

    room = rtc.Room()

    @room.on("track_subscribed")
    def _subscribed(track: rtc.Track, _: Any, participant: rtc.RemoteParticipant) -> None:
        if track.kind == rtc.TrackKind.KIND_VIDEO:
            watchers.append(asyncio.create_task(watch(track, participant.identity)))

    await asyncio.wait_for(room.connect(url, token), seconds)
    connected = time.monotonic() - begun
    source = rtc.VideoSource(WIDTH, HEIGHT)
    track = rtc.LocalVideoTrack.create_video_track("camera", source)
    options = rtc.TrackPublishOptions(source=rtc.TrackSource.SOURCE_CAMERA, simulcast=False)
    await room.local_participant.publish_track(track, options)
    showing = asyncio.create_task(_show(source))
    try:
        await asyncio.wait_for(enough.wait(), seconds - connected)
        # The others may not have seen enough of this guest yet.
        await asyncio.sleep(2)
    except TimeoutError:
        pass
    for task in (showing, *watchers):
        task.cancel()
    await room.disconnect()
    return {
        "connected_after_seconds": round(connected, 2),
        "first_picture_after_seconds": round(first, 2),
        "seen": {
            name: {"frames": one.frames, "moving": one.moving, "bright": one.bright}
            for name, one in seen.items()
        },
    }


def main() -> None:
    """Attend as standard input says; print what was seen, or the error, as JSON."""
    wish = json.load(sys.stdin)
    try:
        result = asyncio.run(
            attend(wish["url"], wish["token"], wish["frames"], float(wish["seconds"]))
        )
    except (rtc.ConnectError, TimeoutError, OSError) as error:
        result = {"error": f"{type(error).__name__}: {error}", "seen": {}}
    print(json.dumps(result))  # noqa: T201


if __name__ == "__main__":
    main()
