"""The rows of a crowd in a meeting: what falls short, and whose fault it is."""

import math
from dataclasses import replace
from pathlib import Path

import pytest

from builder.bench import meeting
from builder.bench.attendance import Attendance
from builder.bench.figure import Figure
from builder.bench.spent import Spent

pytestmark = pytest.mark.unit

AT_EASE = Spent(
    server={"livekit": 0.5, "nginx": 0.1}, memory={"livekit": 100, "nginx": 20}, may=2, crowd=0.4,
    busy=0.6, machine=2,
)  # fmt: skip
FULL = replace(AT_EASE, server={"livekit": 1.0}, crowd=0.9, busy=0.97)
WHOLE = Attendance(
    people=10, joined=10, sound=1.0, pictures=1.0, first=(100.0,) * 10, tracks=100, kept=1.0,
    spent=AT_EASE, layers={"large": 5, "small": 7},
)  # fmt: skip
POOR = replace(WHOLE, sound=0.9, pictures=0.9)


def rows(ours: Attendance, floor: Attendance) -> dict[str, Figure]:
    found = list(meeting.meeting_figures([ours] * 2, [floor] * 2, 0.001))
    assert all(one.name.endswith(f", {ours.people} people") for one in found)
    return {one.name.partition(",")[0]: one for one in found}


def test_a_meeting_in_which_all_came_meets_every_goal() -> None:
    found = rows(WHOLE, WHOLE)
    assert not [name for name, one in found.items() if not one.met or one.limit]
    assert list(found) == [
        "never came", "without a picture", "pictures missing", "sound lost", "first picture",
        "last one's", "first picture where all come at once", "processor a track", "memory",
        "crowd's processor beside the server's", "machine busy",
    ]  # fmt: skip


def test_processors_and_memory_are_those_of_server_crowd_and_machine() -> None:
    found = rows(WHOLE, replace(WHOLE, spent=replace(FULL, memory={"livekit": 90})))
    assert found["processor a track"].value == pytest.approx(5.0)
    assert "10.000 alone" in found["processor a track"].detail
    assert found["memory"].value == 120
    assert found["memory"].detail == "livekit 100, nginx 20; 90 alone"
    assert found["crowd's processor beside the server's"].value == pytest.approx(0.4 / 0.6)
    busy = found["machine busy"]
    assert busy.value == 0.6
    assert busy.detail.startswith(
        "server 0.60 of its 2 processors, crowd 0.40, others 0.20 of the machine's 2; alone 0.97:"
    )


def test_who_never_came_is_a_goal_missed() -> None:
    first = (100.0,) * 9 + (math.inf,)
    found = rows(replace(WHOLE, joined=9, first=first, failed=("429 Too Many",)), WHOLE)
    assert (found["never came"].value, found["never came"].met) == (1, False)
    assert "429 Too Many" in found["never came"].detail
    assert (found["without a picture"].value, found["without a picture"].met) == (1, False)
    assert not found["last one's"].met
    assert found["first picture"].met


@pytest.mark.parametrize(
    ("mine", "theirs", "alone_met", "whose"),
    [
        (FULL, FULL, True, "server"),
        (FULL, FULL, False, "machine"),
        (FULL, AT_EASE, False, "server"),
        (AT_EASE, FULL, False, "server"),
        (AT_EASE, AT_EASE, False, "server"),
    ],
)
def test_the_machine_is_the_limit_only_where_alone_fails_on_a_full_machine_too(
    mine: Spent, theirs: Spent, alone_met: bool, whose: str
) -> None:
    floor = replace(WHOLE if alone_met else POOR, spent=theirs)
    found = rows(replace(POOR, spent=mine), floor)
    for name in ("pictures missing", "sound lost"):
        assert not found[name].met
        assert found[name].limit == whose
        assert f"the {whose} is the limit: {mine.busy:.2f}" in found[name].detail


def test_who_misses_far_more_than_alone_cannot_blame_the_machine() -> None:
    worse = replace(POOR, sound=0.8, pictures=0.88, spent=FULL)
    found = rows(worse, replace(POOR, spent=FULL))
    assert found["sound lost"].limit == "server"
    assert found["pictures missing"].limit == "machine"


def test_a_server_that_has_its_processors_cannot_blame_the_machine() -> None:
    """Four of four are busy, of which it has had the two that the goal allows it."""
    large = replace(FULL, server={"livekit": 2.0}, crowd=1.9, busy=0.99, machine=4)
    assert not meeting.full(large)
    assert meeting.full(replace(large, server={"livekit": 1.0}, crowd=2.9))
    floor = replace(POOR, spent=large)
    assert rows(replace(POOR, spent=large), floor)["sound lost"].limit == "server"


def test_slower_than_alone_is_never_the_machine_s_fault() -> None:
    """It is a ratio: LiveKit alone had the same machine."""
    ours = replace(WHOLE, first=(200.0,) * 10, spent=FULL)
    found = rows(ours, replace(WHOLE, spent=FULL))
    assert found["first picture"].value == 2
    assert found["first picture"].limit == "server"


def test_without_a_first_picture_alone_there_is_nothing_to_compare_with() -> None:
    blind = replace(POOR, first=(100.0,) * 9 + (math.inf,), spent=FULL)
    found = rows(replace(WHOLE, spent=FULL), blind)
    assert math.isnan(found["last one's"].value)
    assert (found["last one's"].met, found["last one's"].limit) == (False, "machine")
    assert found["first picture"].met


def test_a_crowd_that_costs_more_than_the_server_falls_short_and_is_nobody_s_fault() -> None:
    dear = rows(replace(WHOLE, spent=replace(AT_EASE, crowd=0.7)), WHOLE)
    row = dear["crowd's processor beside the server's"]
    assert (row.met, row.limit) == (False, None)


def test_where_nothing_came_no_track_has_a_price() -> None:
    nothing = replace(WHOLE, joined=0, sound=0, pictures=0, first=(math.inf,) * 10, tracks=0)
    found = rows(nothing, WHOLE)
    assert math.isnan(found["processor a track"].value)
    assert not found["processor a track"].met
    assert found["first picture"].value == math.inf


def test_the_best_round_counts_for_times_and_the_worst_for_who_never_came() -> None:
    slow = replace(WHOLE, joined=8, first=(300.0,) * 8 + (math.inf,) * 2, place=80.0)
    quick = replace(WHOLE, first=(110.0,) * 10, place=40.0)
    # What came while all were in a hurry has no part in these.
    rush = replace(WHOLE, first=(50.0,) * 10, place=5.0)
    found = {
        one.name.partition(",")[0]: one
        for one in meeting.meeting_figures([rush, quick, slow], [rush, slow, WHOLE], 0.001)
    }
    assert (found["never came"].value, found["never came"].met) == (2, False)
    assert (found["without a picture"].value, found["without a picture"].met) == (2, False)
    assert found["first picture"].value == pytest.approx(1.1)
    assert found["last one's"].value == pytest.approx(1.1)
    assert "110 ms beside 100 ms alone, the best of 2; 40 ms to" in found["first picture"].detail


def test_sockets_hold_what_those_of_a_box_do_and_no_less_than_before(tmp_path: Path) -> None:
    said, files = tmp_path / "60.conf", tmp_path / "core"
    said.write_text("# net.core.other = 9\nnet.core.rmem_max = 500\nnet.core.wmem_max = 500\n")
    files.mkdir()
    (files / "rmem_max").write_text("100\n")
    (files / "wmem_max").write_text("900\n")
    inside: list[list[str]] = []

    def read() -> list[str]:
        return [(files / name).read_text() for name in ("rmem_max", "wmem_max")]

    def fail() -> None:
        with meeting.limits_of_a_box(files, said):
            inside.append(read())
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        fail()
    assert inside == [["500\n", "900\n"]]
    assert read() == ["100\n", "900\n"]


def test_the_box_says_how_much_its_sockets_hold() -> None:
    assert "net.core.rmem_max = 16777216" in meeting.LIMITS.read_text().splitlines()


def test_memory_is_in_pages_as_on_a_box_and_afterwards_as_before(tmp_path: Path) -> None:
    said, file = tmp_path / "60.conf", tmp_path / "enabled"
    said.write_text("# A note.\nw- /sys/kernel/mm/transparent_hugepage/enabled - - - - always\n")
    file.write_text("always [madvise] never\n")
    inside: list[str] = []

    def fail() -> None:
        with meeting.pages_of_a_box(file, said):
            inside.append(file.read_text())
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        fail()
    assert inside == ["always"]
    assert file.read_text() == "madvise"


def test_a_kernel_without_huge_pages_stays_as_it_is(tmp_path: Path) -> None:
    with meeting.pages_of_a_box(tmp_path / "enabled"):
        assert not (tmp_path / "enabled").exists()
