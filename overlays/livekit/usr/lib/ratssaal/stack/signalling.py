"""LiveKit's signalling as far as a visitor needs it who sends no picture: join, and take an offer.

Sources: livekit_rtc.proto of LiveKit's protocol, RFC 8839 for ICE in SDP. Protobuf by hand: JSON is
spoken by LiveKit only after a guest's first message, and the place of the relay is said before.
"""

import asyncio
import json
import ssl
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import aioice
import wsproto
import wsproto.events

WEB_SECONDS = 5.0
# SignalResponse and SignalRequest, JoinResponse, ICEServer, the descriptions.
JOIN, OFFER, TRICKLE, ANSWER = 1, 3, 4, 2
ICE_SERVERS, URLS, USERNAME, CREDENTIAL = 5, 1, 2, 3
TYPE, SDP, CANDIDATE = 1, 2, 1


class Failed(Exception):
    """Why a way does not work: `name`, `timeout`, `refused`, `certificate`, `other`, `dead`, …"""


def fields(message: bytes) -> Iterator[tuple[int, bytes]]:
    """The fields of a protobuf message that have a length; numbers are passed over."""
    place = 0

    def number() -> int:
        nonlocal place
        value = shift = 0
        while True:
            byte = message[place]
            place += 1
            value |= (byte & 127) << shift
            if byte < 128:
                return value
            shift += 7

    while place < len(message):
        key = number()
        kind = key & 7
        if kind == 0:
            number()
        elif kind == 2:
            length = number()
            yield key >> 3, message[place : place + length]
            place += length
        else:
            place += 8 if kind == 1 else 4


def field(key: int, content: bytes) -> bytes:
    """One field of a protobuf message, with its length."""
    length, encoded = len(content), bytearray([key << 3 | 2])
    while length > 127:
        encoded.append(length & 127 | 128)
        length >>= 7
    return bytes([*encoded, length]) + content


@dataclass
class Signalling:
    """A WebSocket to LiveKit; protobuf, since JSON is spoken only after the first message."""

    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter
    spoken: wsproto.WSConnection

    async def messages(self) -> AsyncIterator[bytes]:
        """What LiveKit says, message by message. Raises Failed where it does not let in."""
        whole = b""
        while True:
            for event in self.spoken.events():
                if isinstance(event, wsproto.events.BytesMessage):
                    whole += event.data
                    if event.message_finished:
                        yield whole
                        whole = b""
                elif isinstance(event, wsproto.events.Ping):
                    self.writer.write(self.spoken.send(event.response()))
                elif isinstance(event, wsproto.events.RejectConnection):
                    raise Failed("other" if event.status_code == 404 else "dead")
                elif isinstance(event, wsproto.events.CloseConnection):
                    raise Failed("dead")
            if not (data := await self.reader.read(65536)):
                raise Failed("dead")
            try:
                self.spoken.receive_data(data)
            except wsproto.utilities.RemoteProtocolError as error:
                raise Failed("other") from error

    def send(self, message: bytes) -> None:
        """Say something to LiveKit."""
        self.writer.write(self.spoken.send(wsproto.events.BytesMessage(message)))


async def dial(name: str, port: int, trust: ssl.SSLContext | None) -> Any:
    """Connect to `name`. Raises Failed with what stands in the way."""
    try:
        async with asyncio.timeout(WEB_SECONDS):
            return await asyncio.open_connection(name, port, ssl=trust)
    except TimeoutError as error:
        raise Failed("timeout") from error
    except ssl.SSLCertVerificationError as error:
        raise Failed("certificate") from error
    except ConnectionRefusedError as error:
        raise Failed("refused") from error
    except (ssl.SSLError, ConnectionError) as error:
        raise Failed("other") from error
    except OSError as error:
        # socket.gaierror among them: a name that leads nowhere.
        raise Failed("name" if error.errno is None or error.errno < 0 else "timeout") from error


@asynccontextmanager
async def enter(
    token: str, host: str, port: int, trust: ssl.SSLContext | None = None
) -> AsyncIterator[Signalling]:
    """A place in the room, for as long as the block lasts; without `trust` inside the box itself.

    Raises Failed with what stands in the way. Inside there is no way, only a service.
    """
    try:
        reader, writer = await dial(host, port, trust)
    except Failed as error:
        raise error if trust else Failed("dead") from error
    try:
        spoken = wsproto.WSConnection(wsproto.ConnectionType.CLIENT)
        target = "/rtc?protocol=9&auto_subscribe=0&sdk=python"
        headers = [(b"Authorization", f"Bearer {token}".encode())]
        asked = wsproto.events.Request(host=host, target=target, extra_headers=headers)
        writer.write(spoken.send(asked))
        yield Signalling(reader, writer, spoken)
    finally:
        writer.transport.abort()


@dataclass
class Offer:
    """What LiveKit offers: its side of ICE, where it is, and the relays that it names."""

    description: str
    candidate: aioice.Candidate
    relays: list[tuple[str, str, str]]  # name, user, password

    def value(self, name: str) -> str:
        """An attribute of the description (RFC 8839)."""
        lines = self.description.splitlines()
        return next(one.split(":", 1)[1] for one in lines if one.startswith(f"a={name}:"))


async def offer(talk: Signalling) -> Offer:
    """Wait for all of it. Raises Failed."""
    description, candidate, relays = "", None, []
    async for message in talk.messages():
        for kind, content in fields(message):
            if kind == JOIN:
                for key, raw in fields(content):
                    if key == ICE_SERVERS:
                        server = dict(fields(raw))
                        scheme, _, rest = server[URLS].decode().partition(":")
                        if scheme == "turns":
                            name = rest.partition("?")[0].rpartition(":")[0]
                            said = (server[USERNAME].decode(), server[CREDENTIAL].decode())
                            relays.append((name, *said))
            elif kind == OFFER:
                description = dict(fields(content))[SDP].decode()
            elif kind == TRICKLE:
                raw = json.loads(dict(fields(content)).get(CANDIDATE, b"{}"))
                text = raw.get("candidate", "").removeprefix("candidate:")
                if " udp " in text.lower():
                    candidate = aioice.Candidate.from_sdp(text)
        if description and candidate:
            return Offer(description, candidate, relays)
    raise Failed("dead")


def answer(offered: Offer, ice: aioice.Connection) -> bytes:
    """Accept what was offered; no DTLS follows, so that the fingerprint is nobody's."""
    lines = ["v=0", "o=- 1 1 IN IP4 0.0.0.0", "s=-", "t=0 0"]
    for part in offered.description.replace("\r\n", "\n").split("\nm=")[1:]:
        kind, *attributes = part.splitlines()
        mid = next(one for one in attributes if one.startswith("a=mid:"))
        lines += [f"m={kind}", "c=IN IP4 0.0.0.0", mid, "a=setup:active", "a=inactive"]
        lines += [f"a=ice-ufrag:{ice.local_username}", f"a=ice-pwd:{ice.local_password}"]
        lines += [f"a=fingerprint:sha-256 {':'.join(['00'] * 32)}", "a=sctp-port:5000"]
    said = field(TYPE, b"answer") + field(SDP, ("\r\n".join(lines) + "\r\n").encode())
    return field(ANSWER, said)
