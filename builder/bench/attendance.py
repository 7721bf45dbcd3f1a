"""What reached a crowd in a meeting, as figures: whoever and whatever never came is missing."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from builder.bench.spent import Spent

# As in a meeting: six speak with their cameras on, one shows a screen, the others' microphones are
# open in silent rooms, where Opus sends a packet every 400 ms (DTX, RFC 7587). Those six are the
# latest speakers all the time.
SPEAKERS = 6
VOICE = 50.0
SILENCE = 2.5
CAMERA_FRAMES = {"large": 25.0, "small": 15.0}
SCREEN_FRAMES = 5.0


def rates(number: int, people: int) -> dict[str, float]:
    """What person `number` sends in a second: packets of sound, pictures of each kind."""
    cameras = CAMERA_FRAMES if number < SPEAKERS else {}
    screen = {"screen": SCREEN_FRAMES} if number == people - 1 else {}
    return {"sound": VOICE if number < SPEAKERS else SILENCE, **cameras, **screen}


def looked_at(number: int) -> int:
    """Whose camera person `number` sees large: that of the one who speaks, who sees another's."""
    return 1 if number == 0 else 0


@dataclass(frozen=True)
class Attendance:
    """What reached a crowd of `people`.

    joined: who came in. sound, pictures: share of what should have come to all, 0 to 1; who never
    came misses all, and of who never came all miss everything. first: milliseconds from the loaded
    page of the link, or from the token, to the first picture, of each person, in order; infinite
    for whoever never had one. Where people came one after the other, they are those of the visitors
    who came before each but the first (tests/load/visit.go). place: those until he had LiveKit's
    address and a token, for the one in the middle of those who saw a picture. tracks: streams that
    came; silent: those of sound that never did. kept: share of what the crowd meant to send that it
    did send. layers: whole pictures of the cameras that came, by size. failed: what went wrong, in
    words. overflowed: packets that the crowd's own sockets had no room for.
    """

    people: int
    joined: int
    sound: float
    pictures: float
    first: tuple[float, ...]
    tracks: int
    kept: float
    spent: Spent
    layers: Mapping[str, int] = field(default_factory=dict)
    failed: tuple[str, ...] = ()
    place: float = 0.0
    silent: int = 0
    overflowed: int = 0

    @property
    def absent(self) -> int:
        """How many people never came."""
        return self.people - self.joined

    @property
    def blind(self) -> int:
        """How many people never saw a picture, whether they came or not."""
        return sum(map(math.isinf, self.first))

    @property
    def median(self) -> float:
        """Milliseconds to the first picture for the one in the middle."""
        return self.first[len(self.first) // 2]

    @property
    def worst(self) -> float:
        """Milliseconds to the first picture for the last one."""
        return self.first[-1]


def attendance(report: Mapping[str, Any], spent: Spent) -> Attendance:
    """The figures of a report of tests/load, whose people are those of the wish, in order.

    What should come is what was sent while all were counted. Where somebody sent less than he
    should, it is what he should have sent: who was thrown out is missed. A stream begins at any
    moment, so that one packet less than rate times seconds may be all of it.
    """
    sent: Sequence[Mapping[str, int]] = [one["sent"] for one in report["people"]]
    people, seconds = len(sent), report["seconds"]
    meant = [rates(number, people) for number in range(people)]

    def due(number: int, kind: str) -> float:
        rate = meant[number].get(kind, 0.0)
        return max(float(sent[number][kind]), rate * seconds - 1) if rate else 0.0

    sounds = pictures = 0.0
    for number in range(people):
        for other in (one for one in range(people) if one != number):
            sounds += due(other, "sound")
            pictures += due(other, "large" if looked_at(number) == other else "small")
            pictures += due(other, "screen")
    wanted = sum(sum(one.values()) for one in meant) * seconds
    comers = report["visits"] or report["people"]
    first = [one["first"] for one in comers]
    places = sorted(float(one["place"]) for one in comers if one["first"] is not None)
    return Attendance(
        people=people,
        joined=sum(one["came"] for one in report["people"]),
        sound=_share(sum(one["got"]["sound"] for one in report["people"]), sounds),
        pictures=_share(sum(one["got"]["pictures"] for one in report["people"]), pictures),
        first=tuple(sorted(math.inf if one is None else float(one) for one in first)),
        tracks=report["tracks"],
        kept=_share(sum(sum(one.values()) for one in sent), wanted),
        spent=spent,
        layers={"large": report["large"], "small": report["small"]},
        failed=tuple(report["failed"] or ()),
        silent=people * (people - 1) - report["sounds"],
        overflowed=report["overflowed"],
        place=places[len(places) // 2] if places else math.inf,
    )


def _share(part: float, whole: float) -> float:
    return min(1.0, part / whole) if whole else 0.0
