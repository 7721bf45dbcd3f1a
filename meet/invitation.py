"""An invitation as a calendar file (iCalendar, RFC 5545), for any calendar program."""

import datetime

from meet.errors import RefusedError
from meet.rooms import Room

FOLD_BYTES = 75  # RFC 5545, section 3.1
LENGTH = datetime.timedelta(hours=1)


def escaped(text: str) -> str:
    """`text` as a value of type TEXT (RFC 5545, section 3.3.11)."""
    for one in ("\\", ";", ","):
        text = text.replace(one, "\\" + one)
    return "\\n".join(text.splitlines())


def folded(line: str) -> str:
    """`line` in pieces of at most 75 bytes, never within a character (RFC 5545, section 3.1)."""
    pieces, piece = [], b""
    for character in line:
        coded = character.encode()
        if len(piece) + len(coded) > FOLD_BYTES:
            pieces.append(piece)
            piece = b" "
        piece += coded
    return b"\r\n".join((*pieces, piece)).decode()


def _moment(moment: datetime.datetime) -> str:
    return moment.astimezone(datetime.UTC).strftime("%Y%m%dT%H%M%SZ")


def calendar(room: Room, link: str, host: str, made: datetime.datetime) -> str:
    """The file for `room`, with `link` to come in by. RefusedError where it has no beginning.

    Times are in UTC, so that no calendar has to guess a time zone.
    """
    if room.opens is None:
        raise RefusedError("no_time")
    code = " ".join(room.code[at : at + 3] for at in (0, 3, 6))
    lines = [
        "BEGIN:VCALENDAR",
        "VERSION:2.0",
        "PRODID:-//Ratssaal//Ratssaal//DE",
        "METHOD:PUBLISH",
        "BEGIN:VEVENT",
        f"UID:{room.id}@{host}",
        f"DTSTAMP:{_moment(made)}",
        f"DTSTART:{_moment(room.opens)}",
        f"DTEND:{_moment(room.closes or room.opens + LENGTH)}",
        f"SUMMARY:{escaped(room.title)}",
        f"DESCRIPTION:{escaped(f'{link}{chr(10)}{chr(10)}https://{host}/  {code}')}",
        f"LOCATION:https://{host}/",
        f"URL:{link}",
        "END:VEVENT",
        "END:VCALENDAR",
    ]
    return "".join(folded(line) + "\r\n" for line in lines)
