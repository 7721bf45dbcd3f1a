"""LiveKit on this box: its tokens, and its administration over Twirp.

Its own Python library would bring a protobuf newer than Debian's. Twirp takes JSON as well, so that
a token and a POST are all that is needed.
"""

import base64
import time
from collections.abc import Mapping
from typing import Any

import httpx
import jwt
from pydantic import BaseModel, ConfigDict, Field

from meet.errors import RefusedError
from meet.names import Role, Source

ADDRESS = "http://127.0.0.1:7880"
TOKEN_SECONDS = 600
# Whoever comes in asks for his room four times within an instant. LiveKit is not killed and back so
# soon (RestartSec), and counts the people of a room no more often itself.
FRESH_SECONDS = 0.25
SKEW_SECONDS = 10

# What LiveKit calls the sources: in tokens small, in its administration large. A shared screen has
# its sound with it.
SENT: dict[Source, tuple[str, ...]] = {
    "microphone": ("microphone",),
    "camera": ("camera",),
    "screen": ("screen_share", "screen_share_audio"),
}


class Track(BaseModel):
    """Something that somebody sends."""

    sid: str
    source: str = "UNKNOWN"
    muted: bool = False


class Participant(BaseModel):
    """Somebody in a room, as LiveKit knows him."""

    identity: str
    state: str = "JOINING"
    tracks: list[Track] = []
    attributes: dict[str, str] = {}


class Grant(BaseModel):
    """The part `video` of LiveKit's tokens. What a token leaves open, LiveKit allows."""

    model_config = ConfigDict(extra="allow")

    room: str = ""
    room_join: bool = Field(False, alias="roomJoin")
    can_publish: bool = Field(True, alias="canPublish")
    can_subscribe: bool = Field(True, alias="canSubscribe")
    can_publish_data: bool = Field(True, alias="canPublishData")
    # None or empty: all.
    can_publish_sources: list[str] | None = Field(None, alias="canPublishSources")
    can_update_own_metadata: bool = Field(False, alias="canUpdateOwnMetadata")
    hidden: bool = False

    def sends(self) -> frozenset[str] | None:
        """The sources that it opens; None for all of them, named or not."""
        if not self.can_publish:
            return frozenset()
        return frozenset(self.can_publish_sources) if self.can_publish_sources else None


class Claims(BaseModel):
    """A token of LiveKit's that has been checked."""

    sub: str
    attributes: dict[str, str] = {}
    video: Grant


def sent(sources: tuple[Source, ...]) -> list[str]:
    """What LiveKit calls `sources` in its tokens."""
    return [name for one in sources for name in SENT[one]]


class Tokens:
    """Makes and reads tokens with the key that this box and its LiveKit share."""

    def __init__(self, key: str, secret: str) -> None:
        self._key = key
        self._secret = secret

    def place(
        self, room: str, identity: str, name: str, role: Role, sources: tuple[Source, ...],
        data: bool, hand: str = "",
    ) -> str:  # fmt: skip
        """A token with which `identity` joins `room`, for ten minutes."""
        grant = {
            "room": room,
            "roomJoin": True,
            # An empty list would mean all sources.
            "canPublish": bool(sources),
            "canPublishSources": sent(sources),
            "canPublishData": data,
            "canSubscribe": True,
            "canUpdateOwnMetadata": False,
            "hidden": False,
        }
        attributes = {"role": role, "hand": hand}
        return self._sign(sub=identity, name=name, attributes=attributes, video=grant)

    def administration(self, room: str) -> str:
        """A token for LiveKit's administration of `room`."""
        video = {"room": room, "roomAdmin": True, "roomCreate": True, "roomList": True}
        return self._sign(video=video)

    def _sign(self, **claims: Any) -> str:
        begun = int(time.time())
        times = {"iss": self._key, "nbf": begun - SKEW_SECONDS, "exp": begun + TOKEN_SECONDS}
        return jwt.encode({**times, **claims}, self._secret, algorithm="HS256")

    def read(self, token: str) -> Claims:
        """What LiveKit would read. Raises ValueError for what it would refuse, and some more."""
        try:
            content = jwt.decode(
                token, self._secret, algorithms=["HS256"], issuer=self._key,
                options={"require": ["exp", "iss", "sub"], "verify_aud": False},
                leeway=SKEW_SECONDS,
            )  # fmt: skip
        except jwt.InvalidTokenError as error:
            raise ValueError(type(error).__name__) from None
        return Claims.model_validate(content)


class LiveKit:
    """The administration of rooms. Raises RefusedError("media") where LiveKit is away."""

    def __init__(self, tokens: Tokens, address: str = ADDRESS) -> None:
        self._tokens = tokens
        self._client = httpx.AsyncClient(base_url=address, timeout=5.0, trust_env=False)
        # Rooms that run: how many people are in them, and when that was asked.
        self._counted: dict[str, tuple[int, float]] = {}

    async def close(self) -> None:
        """End all connections."""
        await self._client.aclose()

    async def _call(self, method: str, room: str, content: Mapping[str, Any]) -> dict[str, Any]:
        headers = {"Authorization": f"Bearer {self._tokens.administration(room)}"}
        path = f"/twirp/livekit.RoomService/{method}"
        try:
            answer = await self._client.post(path, json=content, headers=headers)
            found: dict[str, Any] = answer.json()
        except (httpx.HTTPError, ValueError) as error:
            raise RefusedError("media") from error
        if answer.status_code == 200:
            return found
        if found.get("code") == "not_found":
            raise RefusedError("no_such_person")
        raise RefusedError("media")

    async def rooms(self, *names: str) -> dict[str, int]:
        """How many people are in the rooms that run, by name; of `names`, or of all."""
        content = {"names": list(names)} if names else {}
        found = await self._call("ListRooms", names[0] if names else "", content)
        return {one["name"]: int(one.get("num_participants", 0)) for one in found.get("rooms", ())}

    async def count(self, room: str) -> int | None:
        """How many people are in `room`, or were FRESH_SECONDS ago; None where it does not run."""
        since = time.monotonic() - FRESH_SECONDS
        self._counted = {name: one for name, one in self._counted.items() if one[1] > since}
        if room in self._counted:
            return self._counted[room][0]
        found = (await self.rooms(room)).get(room)
        if found is not None:
            self._counted[room] = found, since + FRESH_SECONDS
        return found

    async def open(self, room: str, most: int) -> bool:
        """Make `room` for at most `most` people; False where it runs already.

        One that runs is left alone: its timeout counts from when it was made, and would close it.
        """
        if await self.count(room) is not None:
            return False
        content = {
            "name": room, "max_participants": most, "empty_timeout": 60, "departure_timeout": 20
        }  # fmt: skip
        await self._call("CreateRoom", room, content)
        return True

    async def close_room(self, room: str) -> None:
        """End `room` for all who are in it."""
        await self._gone_is_fine("DeleteRoom", room, {"room": room})
        self._counted.pop(room, None)

    async def people(self, room: str) -> list[Participant]:
        """Everybody in `room`; nobody where it does not run."""
        try:
            found = await self._call("ListParticipants", room, {"room": room})
        except RefusedError as error:
            if error.key == "no_such_person":
                return []
            raise
        return [Participant.model_validate(one) for one in found.get("participants", ())]

    async def remove(self, room: str, identity: str) -> None:
        """Put somebody out of `room`. That he stays out is the gate's work."""
        await self._gone_is_fine("RemoveParticipant", room, {"room": room, "identity": identity})

    async def mute(self, room: str, identity: str, track: str) -> None:
        """Mute one track; its sender may undo that."""
        content = {"room": room, "identity": identity, "track_sid": track, "muted": True}
        await self._gone_is_fine("MutePublishedTrack", room, content)

    async def permit(
        self, room: str, identity: str, role: Role, sources: tuple[Source, ...], data: bool
    ) -> None:
        """Let somebody send `sources` and nothing else; what runs and is not among them ends."""
        permission = {
            "can_subscribe": True,
            "can_publish": bool(sources),
            "can_publish_sources": [one.upper() for one in sent(sources)],
            "can_publish_data": data,
            "can_update_metadata": False,
            "hidden": False,
        }
        content = {
            "room": room, "identity": identity, "permission": permission,
            "attributes": {"role": role},
        }  # fmt: skip
        await self._gone_is_fine("UpdateParticipant", room, content)

    async def hand(self, room: str, identity: str, since: str) -> None:
        """Show a raised hand, `since` in milliseconds since 1970; empty: lowered."""
        content = {"room": room, "identity": identity, "attributes": {"hand": since}}
        await self._call("UpdateParticipant", room, content)

    async def say(self, room: str, topic: str, text: str) -> None:
        """Send `text` to everybody in `room`, as from nobody who is there."""
        data = base64.b64encode(text.encode()).decode()
        content = {"room": room, "data": data, "kind": "RELIABLE", "topic": topic}
        await self._call("SendData", room, content)

    async def _gone_is_fine(self, method: str, room: str, content: Mapping[str, Any]) -> None:
        try:
            await self._call(method, room, content)
        except RefusedError as error:
            if error.key != "no_such_person":
                raise
