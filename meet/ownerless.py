"""Rooms that somebody makes without an account: few, short, and over once nobody is in them.

Nobody can be asked to take such a room back, so each ends by itself.
"""

import datetime
import time
from collections.abc import Mapping

from meet.errors import RefusedError
from meet.policy import Policy, Rules

# From its making to the end of its links, and as long again for a meeting that begins late.
LONGEST = datetime.timedelta(hours=4)
# Of the places for bookings, so that those with an account always find one.
MOST = 1000
EMPTY_SECONDS = 1800.0

Times = tuple[datetime.datetime, datetime.datetime]


def times(
    opens: datetime.datetime | None, closes: datetime.datetime | None, now: datetime.datetime
) -> Times:
    """From when to when the room is open. RefusedError where it would end later than allowed."""
    begins, latest = opens or now, now + LONGEST
    ends = closes or latest
    if ends > latest or begins >= ends:
        raise RefusedError("times_without_account")
    return begins, ends


def rules(wanted: Rules, house: Policy) -> Rules:
    """`wanted`, and no meeting that lasts longer than the room may be open."""
    most = int(LONGEST.total_seconds()) // 60
    own = house.with_rules(wanted).max_minutes
    return wanted if own <= most else wanted.model_copy(update={"max_minutes": most})


class Empty:
    """Since when nobody has been in which room: in memory, so that it counts anew after a start."""

    def __init__(self) -> None:
        self._since: dict[str, float] = {}

    def over(self, rooms: Mapping[str, int], people: Mapping[str, int]) -> list[str]:
        """Those of `rooms` that have been empty for half an hour.

        `rooms`: when each opens, seconds since 1970; `people`: how many are in each that runs.
        """
        now = time.monotonic()
        ahead = {room for room, opens in rooms.items() if opens > time.time()}
        empty = [one for one in rooms if not people.get(one) and one not in ahead]
        self._since = {one: self._since.get(one, now) for one in empty}
        return [one for one in empty if now - self._since[one] >= EMPTY_SECONDS]
