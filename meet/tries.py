"""How often somebody may do something that is dear, beside what the web server slows down.

Guess codes and passwords and make rooms without an account, by address; write, by seat.
"""

import ipaddress
import time
from collections import OrderedDict
from collections.abc import Callable

from meet.errors import RefusedError

WINDOW_SECONDS = 60.0
MOST_ADDRESSES = 10_000


def network(address: str) -> str:
    """Who counts as one: an IPv4 address, or the /64 that one IPv6 subscriber has at least."""
    try:
        found = ipaddress.ip_address(address)
    except ValueError:
        return "unknown"
    if found.version == 4:
        return str(found)
    return str(ipaddress.ip_network((int(found), 64), strict=False).network_address)


class Tries:
    """Tries of the last `window` seconds, in memory alone: addresses are kept nowhere.

    Whoever tries is given by `key`: an address, or a seat's identity.
    """

    def __init__(
        self, most: int, of_all: int, window: float = WINDOW_SECONDS,
        who: Callable[[str], str] = network,
    ) -> None:  # fmt: skip
        """who: who counts as one, by his key."""
        self._who = who
        self._most = most
        self._of_all = of_all
        self._window = window
        self._counted: OrderedDict[str, list[float]] = OrderedDict()
        self._together: list[float] = []

    def allow(self, key: str) -> None:
        """RefusedError("slow") where too many were counted, of this one or of all."""
        since = time.monotonic() - self._window
        self._together = [one for one in self._together if one > since]
        own = [one for one in self._counted.get(self._who(key), ()) if one > since]
        if len(own) >= self._most or len(self._together) >= self._of_all:
            raise RefusedError("slow")

    def count(self, key: str) -> None:
        """Count a try, such as a wrong guess."""
        now = time.monotonic()
        known = self._counted.setdefault(self._who(key), [])
        known[:] = [one for one in known if one > now - self._window] + [now]
        self._counted.move_to_end(self._who(key))
        while len(self._counted) > MOST_ADDRESSES:
            self._counted.popitem(last=False)
        self._together.append(now)
