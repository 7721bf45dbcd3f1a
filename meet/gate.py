"""Who may open LiveKit's signalling: nginx asks before each connection (auth_request).

LiveKit renews tokens by itself and takes old ones until they run out. Here a token counts only
where the meeting still wants it: the person was let in, and may send all that the token opens.
"""

import re
from collections.abc import Mapping
from urllib.parse import parse_qsl

from meet.livekit import Claims, Tokens, sent
from meet.meeting import Meeting
from meet.names import TEST_ROOM
from meet.policy import Policy
from meet.signed import now

MOST_CHARACTERS = 16000
# A per cent sign that begins no character: readers differ about what follows.
BROKEN = re.compile(r"%(?![0-9A-Fa-f]{2})")
MOMENT = re.compile(r"[0-9]{1,12}")


def token_of(address: str, authorization: str) -> str | None:
    """The one token in a request, as Go's net/url and LiveKit would find it; None: none or several.

    Whatever two readers could read differently is no token: a second one, a semicolon.
    """
    if len(address) > MOST_CHARACTERS or not address.isascii():
        return None
    # As Go reads a request: all behind the first ? is the query, a # as well.
    query = address.partition("?")[2]
    if "#" in address or ";" in query or BROKEN.search(query):
        return None
    pairs = parse_qsl(query, keep_blank_values=True)
    names = [name.casefold() for name, _ in pairs]
    # With `publish` LiveKit makes a second participant, of whom no meeting knows.
    if "publish" in names:
        return None
    found = [value for name, value in pairs if name == "access_token"]
    if names.count("access_token") != len(found):
        return None
    if authorization:
        kind, _, value = authorization.partition(" ")
        if kind != "Bearer":
            return None
        found.append(value)
    return found[0] if len(found) == 1 else None


def checked(tokens: Tokens, address: str, authorization: str) -> Claims | None:
    """What the request's token says; None where it is not one that LiveKit's key has signed."""
    token = token_of(address, authorization)
    if token is None:
        return None
    try:
        return tokens.read(token)
    except ValueError:
        return None


def trial_over(attributes: Mapping[str, str]) -> bool:
    """Whether the time of somebody in the test room is over, as it is where no end was given him.

    The attribute `until` is in seconds since 1970; LiveKit keeps it in tokens that it renews.
    """
    until = attributes.get("until", "")
    return not MOMENT.fullmatch(until) or int(until) <= now()


def in_test_room(claims: Claims) -> bool:
    """Whether the token is for the room in which the box's own people try their cameras, still."""
    found = TEST_ROOM.fullmatch(claims.video.room)
    return bool(found) and _plain(claims) and not trial_over(claims.attributes)


def _plain(claims: Claims) -> bool:
    grant = claims.video
    extra = {name for name, value in (grant.model_extra or {}).items() if value}
    return grant.room_join and not grant.hidden and not grant.can_update_own_metadata and not extra


def passes(claims: Claims, meeting: Meeting, policy: Policy) -> bool:
    """Whether somebody may come (back) into the meeting with this token."""
    person = meeting.people.get(claims.sub)
    if person is None or not _plain(claims):
        return False
    opened = claims.video.sends()
    allowed = frozenset(sent(meeting.sources(claims.sub, policy)))
    if opened is None or not opened <= allowed:
        return False
    if claims.video.can_publish_data and not meeting.data(claims.sub, policy):
        return False
    # Others see the role that the token names.
    return claims.attributes.get("role", "") == person.role
