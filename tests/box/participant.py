"""A participant for tests: a real LiveKit client that does what lines on standard input say.

One JSON object a line (`do` and arguments), one JSON answer a line. Run inside a stage: `python -m
tests.box.participant`. Hand-made on purpose: it tries what our own page would never do.
"""

import asyncio
import contextlib
import json
import sys
from collections import Counter
from typing import Any

import numpy
from livekit import rtc

from builder.guest import HEIGHT, RATE, WIDTH, Seen, picture

SOUND_RATE = 48_000
PIECE = SOUND_RATE // 50
# Of 32767: what is louder than this was sent by somebody, and is not noise of the codec.
LOUD = 500.0


def tone(number: int) -> rtc.AudioFrame:
    """Piece `number` (20 ms) of a steady tone of 440 Hz."""
    at = numpy.arange(number * PIECE, (number + 1) * PIECE)
    samples = (8000 * numpy.sin(2 * numpy.pi * 440 * at / SOUND_RATE)).astype(numpy.int16)
    return rtc.AudioFrame(samples.tobytes(), SOUND_RATE, 1, PIECE)


class Participant:
    """One client and what it has received so far."""

    def __init__(self) -> None:
        self.room = rtc.Room()
        self.seen: dict[str, Seen] = {}
        self.heard: Counter[str] = Counter()
        self.texts: list[list[str]] = []
        self.ended = ""
        self.tasks: list[asyncio.Task[None]] = []
        self.room.on("track_subscribed", self._subscribed)
        self.room.on("data_received", self._data)
        self.room.on("disconnected", self._disconnected)

    def _subscribed(self, track: Any, _: Any, participant: Any) -> None:
        watch = self._watch if track.kind == rtc.TrackKind.KIND_VIDEO else self._listen
        self.tasks.append(asyncio.create_task(watch(track, participant.identity)))

    def _data(self, packet: Any) -> None:
        sender = packet.participant.identity if packet.participant else ""
        self.texts.append([sender, packet.topic or "", packet.data.decode()])

    def _disconnected(self, reason: Any) -> None:
        self.ended = str(reason)

    async def _watch(self, track: Any, who: str) -> None:
        counts = self.seen.setdefault(who, Seen())
        async for event in rtc.VideoStream(track):
            counts.look(event.frame)

    async def _listen(self, track: Any, who: str) -> None:
        async for event in rtc.AudioStream(track):
            samples = numpy.frombuffer(event.frame.data, dtype=numpy.int16).astype(numpy.float64)
            self.heard[who] += float(numpy.sqrt((samples**2).mean())) > LOUD

    async def join(self, url: str, token: str) -> dict[str, Any]:
        """Come in."""
        try:
            await asyncio.wait_for(self.room.connect(url, token), 20)
        except (rtc.ConnectError, TimeoutError) as error:
            return {"error": str(error)}
        return {"identity": self.room.local_participant.identity}

    async def show(self) -> dict[str, Any]:
        """Send a moving picture."""
        source = rtc.VideoSource(WIDTH, HEIGHT)

        async def go_on() -> None:
            number = 0
            while True:
                source.capture_frame(picture(number))
                number += 1
                await asyncio.sleep(1 / RATE)

        self.tasks.append(asyncio.create_task(go_on()))
        track = rtc.LocalVideoTrack.create_video_track("camera", source)
        return await self._publish(track, rtc.TrackSource.SOURCE_CAMERA)

    async def speak(self) -> dict[str, Any]:
        """Send a tone."""
        source = rtc.AudioSource(SOUND_RATE, 1)

        async def go_on() -> None:
            number = 0
            while True:
                await source.capture_frame(tone(number))
                number += 1

        self.tasks.append(asyncio.create_task(go_on()))
        track = rtc.LocalAudioTrack.create_audio_track("microphone", source)
        return await self._publish(track, rtc.TrackSource.SOURCE_MICROPHONE)

    async def _publish(self, track: Any, source: int) -> dict[str, Any]:
        options = rtc.TrackPublishOptions(source=source, simulcast=False)  # type: ignore[arg-type]
        try:
            me = self.room.local_participant
            published = await asyncio.wait_for(me.publish_track(track, options), 8)
        except (rtc.participant.PublishTrackError, TimeoutError) as error:
            return {"error": str(error) or type(error).__name__}
        return {"track": published.sid}

    async def unmute(self) -> dict[str, Any]:
        """Undo every mute of one's own tracks, as a client may."""
        for one in self.room.local_participant.track_publications.values():
            if one.track:
                one.track.unmute()
        return {}

    async def write(self, topic: str, text: str) -> dict[str, Any]:
        """Send a text to all."""
        await self.room.local_participant.publish_data(text, topic=topic)
        return {}

    async def rename(self, name: str) -> dict[str, Any]:
        """Try to take another name and another role."""
        me = self.room.local_participant
        with contextlib.suppress(Exception):
            await asyncio.wait_for(me.set_name(name), 5)
        with contextlib.suppress(Exception):
            await asyncio.wait_for(me.set_attributes({"role": "moderator"}), 5)
        return {}

    async def look(self) -> dict[str, Any]:
        """All that was received so far, and who is there."""
        others = self.room.remote_participants.values()
        return {
            "seen": {who: min(one.moving, one.bright) for who, one in self.seen.items()},
            "heard": dict(self.heard),
            "texts": self.texts,
            "ended": self.ended,
            "connected": self.room.isconnected(),
            "people": {one.identity: [one.name, dict(one.attributes)] for one in others},
            "muted": {
                one.identity: [pub.muted for pub in one.track_publications.values()]
                for one in others
            },
            "own": len(self.room.local_participant.track_publications),
        }

    async def leave(self) -> dict[str, Any]:
        """Go."""
        for task in self.tasks:
            task.cancel()
        await self.room.disconnect()
        return {}


async def _main() -> None:
    participant = Participant()
    loop = asyncio.get_running_loop()
    while line := await loop.run_in_executor(None, sys.stdin.readline):
        asked = json.loads(line)
        answer = await getattr(participant, asked.pop("do"))(**asked)
        print(json.dumps(answer), flush=True)


if __name__ == "__main__":
    asyncio.run(_main())
