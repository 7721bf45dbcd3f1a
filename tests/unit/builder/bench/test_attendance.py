"""What reached a crowd: whoever and whatever never came counts as missing."""

import math
from typing import Any

import pytest

from builder.bench import attendance
from builder.bench.attendance import Attendance, looked_at, rates
from builder.bench.spent import Spent

pytestmark = pytest.mark.unit

SECONDS = 10.0
PEOPLE = 10


def sent_by(number: int) -> dict[str, int]:
    kinds = rates(number, PEOPLE)
    return {
        kind: int(kinds.get(kind, 0) * SECONDS) for kind in ("sound", "small", "large", "screen")
    }


def reached(number: int, absent: frozenset[int] = frozenset()) -> dict[str, int]:
    """What comes to somebody if nothing is lost, of all but those who are absent."""
    others = [one for one in range(PEOPLE) if one != number and one not in absent]
    pictures = sum(
        sent_by(one)["large" if looked_at(number) == one else "small"] + sent_by(one)["screen"]
        for one in others
    )
    return {"sound": sum(sent_by(one)["sound"] for one in others), "pictures": pictures}


def report(absent: frozenset[int] = frozenset()) -> dict[str, Any]:
    """A meeting in which nothing is lost, but in which `absent` never arrive."""
    nothing = {"came": False, "place": 0, "first": None, "sent": dict.fromkeys(sent_by(0), 0)}
    nothing["got"] = {"sound": 0, "pictures": 0}
    people = [
        nothing
        if one in absent
        else {
            "came": True, "place": 10 * one, "first": 100 + one, "sent": sent_by(one),
            "got": reached(one, absent),
        }
        for one in range(PEOPLE)
    ]  # fmt: skip
    return {
        "people": people, "visits": None, "failed": None, "seconds": SECONDS, "cpu": 1.0,
        "tracks": 9, "sounds": (PEOPLE - len(absent)) * (PEOPLE - len(absent) - 1),
        "small": 1, "large": 2, "overflowed": 0,
    }  # fmt: skip


def counted(found: dict[str, Any]) -> Attendance:
    return attendance.attendance(found, Spent())


def test_all_that_was_sent_came() -> None:
    came = counted(report())
    assert (came.people, came.joined, came.absent, came.blind) == (PEOPLE, PEOPLE, 0, 0)
    assert (came.sound, came.pictures, came.kept, came.silent) == (1, 1, 1, 0)
    assert (came.median, came.worst, came.place) == (105, 109, 50)


def test_six_speak_with_two_sizes_and_one_of_all_shows_a_screen() -> None:
    sending = [rates(number, 80) for number in range(80)]
    assert [number for number in range(80) if "large" in sending[number]] == [0, 1, 2, 3, 4, 5]
    assert all("small" in one for one in sending[:6])
    assert [number for number in range(80) if "screen" in sending[number]] == [79]
    assert [one["sound"] for one in sending] == [50.0] * 6 + [2.5] * 74


def test_nobody_looks_at_himself() -> None:
    assert all(looked_at(number) != number for number in range(80))


@pytest.mark.parametrize(
    "absent",
    [
        pytest.param(0, id="a speaker"),
        pytest.param(7, id="a listener"),
        pytest.param(PEOPLE - 1, id="who shows a screen"),
    ],
)
def test_who_never_came_misses_all_and_is_missed_by_all(absent: int) -> None:
    came = counted(report(frozenset({absent})))
    assert (came.absent, came.blind, came.silent) == (1, 1, 2 * (PEOPLE - 1))
    whole = {
        what: sum(reached(number)[what] for number in range(PEOPLE))
        for what in ("sound", "pictures")
    }
    there = [one for one in range(PEOPLE) if one != absent]
    got = {
        what: sum(reached(one, frozenset({absent}))[what] for one in there)
        for what in ("sound", "pictures")
    }
    # One packet less of each stream may be all of it: a stream begins at any moment.
    assert came.sound == pytest.approx(got["sound"] / whole["sound"], abs=0.003)
    assert came.pictures == pytest.approx(got["pictures"] / whole["pictures"], abs=0.003)
    assert came.sound < 1 - 1 / PEOPLE


def test_the_slowest_is_who_never_saw_a_picture() -> None:
    found = report()
    found["people"][3]["first"] = None
    came = counted(found)
    assert (came.absent, came.blind, came.worst) == (0, 1, math.inf)
    assert came.median == 106
    for one in found["people"]:
        one["first"] = None
    assert counted(found).median == math.inf


def test_where_visitors_came_their_times_count() -> None:
    found = report()
    found["visits"] = [{"place": 7, "first": 50 + one} for one in range(PEOPLE - 1)]
    came = counted(found)
    assert (came.place, came.median, came.worst) == (7, 50 + (PEOPLE - 1) // 2, 48 + PEOPLE)
    found["visits"][2]["first"] = None
    assert (counted(found).blind, counted(found).worst) == (1, math.inf)


def test_half_who_never_came_leave_no_median() -> None:
    assert counted(report(frozenset(range(5)))).median == math.inf
    assert counted(report(frozenset(range(4)))).median == 109


def test_who_was_thrown_out_is_missed_though_he_sent_nothing_more() -> None:
    found = report()
    found["people"][0]["sent"] = dict.fromkeys(sent_by(0), 0)
    for number in range(1, PEOPLE):
        found["people"][number]["got"] = reached(number, frozenset({0}))
    came = counted(found)
    assert came.absent == 0
    assert came.sound < 0.9
    assert came.pictures < 0.9
    assert came.kept < 1


def test_what_came_is_compared_with_what_was_sent() -> None:
    found = report()
    # A stream may hold one packet less than its rate times the seconds; all of it came.
    for one in found["people"]:
        one["sent"]["sound"] -= 1
        one["got"]["sound"] -= PEOPLE - 1
    assert counted(found).sound == 1
    # And one packet more, which did not come.
    for one in found["people"]:
        one["sent"]["sound"] += 2
    due = sum((PEOPLE - 1) * one["sent"]["sound"] for one in found["people"])
    assert counted(found).sound == pytest.approx(1 - 2 * PEOPLE * (PEOPLE - 1) / due)


def test_one_packet_of_sound_that_is_lost_shows() -> None:
    found = report()
    found["people"][4]["got"]["sound"] -= 1
    assert 0 < 1 - counted(found).sound < 0.001


def test_a_crowd_of_which_nobody_came_has_lost_everything() -> None:
    came = counted(report(frozenset(range(PEOPLE))))
    assert (came.joined, came.absent, came.blind) == (0, PEOPLE, PEOPLE)
    assert (came.sound, came.pictures, came.kept) == (0, 0, 0)
    assert (came.median, came.worst, came.place) == (math.inf, math.inf, math.inf)
