"""The state of a meeting, and what the gate makes of it."""

from typing import Any

import pytest

from meet.gate import checked, in_test_room, passes, token_of, trial_over
from meet.livekit import Claims, Tokens
from meet.meeting import MOST_PEOPLE, Meeting
from meet.names import new_identity
from meet.policy import PRESETS, Rules
from meet.signed import SEAT_SECONDS, Seat, now

pytestmark = pytest.mark.unit

COUNCIL = PRESETS["council"]
ROOM = "abcdefghij"
TOKENS = Tokens("key", "s" * 64)
ANNA, BERND = new_identity(), new_identity()


def held() -> Meeting:
    """A meeting with Anna, who moderates, and Bernd."""
    begun = Meeting().begun(Rules(), now())
    return begun.entered(ANNA, "moderator", now()).entered(BERND, "participant", now())


def seat(identity: str, iat: int | None = None) -> Seat:
    made = now() if iat is None else iat
    return Seat(
        room=ROOM, tenant="a.example", identity=identity, role="participant", name="B", iat=made,
        exp=made + SEAT_SECONDS,
    )  # fmt: skip


def place(meeting: Meeting, who: str) -> str:
    return TOKENS.place(
        ROOM, who, "B", meeting.people[who].role, meeting.sources(who, COUNCIL),
        meeting.data(who, COUNCIL),
    )  # fmt: skip


def may(token: str, meeting: Meeting) -> bool:
    claims = checked(TOKENS, f"/rtc?access_token={token}", "")
    return claims is not None and passes(claims, meeting, COUNCIL)


def test_seats_are_good_until_one_leaves_is_removed_or_all_is_ended() -> None:
    meeting = held()
    assert meeting.why_not(seat(BERND)) is None
    assert meeting.left(BERND).why_not(seat(BERND)) == "removed"
    assert meeting.removed(BERND).why_not(seat(BERND)) == "removed"
    ended = meeting.finished(now())
    assert [ended.why_not(seat(one)) for one in (ANNA, BERND)] == ["ended", "ended"]
    again = ended.begun(Rules(), now() + 5).entered(ANNA, "moderator", now() + 5)
    assert again.why_not(seat(BERND)) == "ended"
    assert (again.over, again.locked) == (False, False)


def test_a_deserted_meeting_is_ended_for_seats_and_not_for_those_who_wait() -> None:
    deserted = held().shut(True).deserted(now())
    assert deserted.why_not(seat(BERND)) == "ended"
    assert (deserted.locked, deserted.over, deserted.ended) == (False, False, 0)
    again = deserted.begun(Rules(), now() + 5)
    assert again.why_not(seat(BERND)) == "ended"


def test_after_a_removal_a_guard_stands_at_the_door_until_the_next_meeting() -> None:
    meeting = held().removed(BERND)
    assert (held().guarded, meeting.guarded) == (False, True)
    assert not meeting.finished(now()).guarded


def test_a_state_survives_being_written_down() -> None:
    meeting = held().taken(BERND, "microphone").shut(True).refused([new_identity()])
    assert Meeting.model_validate_json(meeting.model_dump_json()) == meeting
    assert "Anna" not in meeting.model_dump_json()


def test_no_more_people_are_kept_than_fit() -> None:
    meeting = Meeting(people={new_identity(): held().people[ANNA] for _ in range(MOST_PEOPLE)})
    last = new_identity()
    full = meeting.entered(last, "participant", now())
    assert len(full.people) == MOST_PEOPLE
    assert last in full.people
    old = held().people[ANNA].model_copy(update={"since": now() - SEAT_SECONDS - 1})
    assert list(Meeting(people={ANNA: old}).entered(BERND, "viewer", now()).people) == [BERND]


def test_what_was_taken_is_given_back_by_a_moderator_alone() -> None:
    taken = held().taken(BERND, "microphone")
    assert taken.sources(BERND, COUNCIL) == ("camera",)
    assert taken.given(BERND, "microphone").sources(BERND, COUNCIL) == ("microphone", "camera")
    # The share is the moderators' in a council: no allowing changes that.
    assert "screen" not in held().given(BERND, "screen").sources(BERND, COUNCIL)


def test_what_is_taken_from_all_is_taken_from_those_who_come_later_too() -> None:
    silent, later = held().silent("microphone"), new_identity()
    meeting = silent.entered(later, "participant", now())
    for one in (BERND, later):
        assert meeting.sources(one, COUNCIL) == ("camera",)
        # A short time as a moderator does not undo it.
        again = meeting.with_role(one, "moderator").with_role(one, "participant")
        assert again.sources(one, COUNCIL) == ("camera",)
    assert "microphone" in meeting.sources(ANNA, COUNCIL)
    assert "microphone" in meeting.given(later, "microphone").sources(later, COUNCIL)
    freed = meeting.freed("microphone").entered(new_identity(), "participant", now())
    assert {freed.sources(one, COUNCIL) for one in freed.people if one != ANNA} == {
        ("microphone", "camera")
    }
    assert not silent.finished(now()).silenced


def test_a_place_passes_the_gate_and_stops_doing_so_with_each_right_that_goes() -> None:
    meeting = held()
    anna, bernd = place(meeting, ANNA), place(meeting, BERND)
    assert may(anna, meeting)
    assert may(bernd, meeting)
    assert not may(bernd, meeting.removed(BERND))
    assert not may(bernd, meeting.left(BERND))
    assert not may(bernd, meeting.finished(now()))
    assert not may(bernd, meeting.taken(BERND, "camera"))
    assert not may(anna, meeting.with_role(ANNA, "participant"))
    assert not may(anna, meeting.with_role(ANNA, "viewer"))
    assert may(bernd, meeting.shut(True))
    assert not may(bernd, Meeting())
    muted = meeting.taken(BERND, "microphone").taken(BERND, "camera")
    assert may(place(muted, BERND), muted)


def claims(**video: Any) -> Claims:
    grant = {"room": ROOM, "roomJoin": True, "canPublish": False, "canPublishData": False}
    attributes = {"role": "participant"}
    return Claims.model_validate(
        {"sub": BERND, "attributes": attributes, "video": {**grant, **video}}
    )


@pytest.mark.parametrize(
    "video",
    [
        {"canPublish": True},
        {"canPublish": True, "canPublishSources": []},
        {"canPublish": True, "canPublishSources": ["camera", "screen_share"]},
        {"canPublish": True, "canPublishSources": ["unknown"]},
        {"hidden": True},
        {"canUpdateOwnMetadata": True},
        {"roomAdmin": True},
        {"roomRecord": True},
        {"ingressAdmin": True},
        {"recorder": True},
        {"somethingNew": True},
        {"roomJoin": False},
    ],
)
def test_a_token_that_opens_more_than_the_policy_does_not_pass(video: dict[str, Any]) -> None:
    assert passes(claims(), held(), COUNCIL)
    assert not passes(claims(**video), held(), COUNCIL)


def test_one_token_and_no_second_reading_of_it() -> None:
    assert token_of("/rtc?access_token=a", "") == "a"
    assert token_of("/rtc?x=1&access_token=a%2Eb", "") == "a.b"
    assert token_of("/rtc", "Bearer a") == "a"
    for address, authorization in (
        ("/rtc", ""),
        ("/rtc?access_token=a&access_token=b", ""),
        ("/rtc?access_token=a&ACCESS_TOKEN=b", ""),
        ("/rtc?access_token=a&access%5Ftoken=b", ""),
        ("/rtc?x=1;access_token=a", ""),
        ("/rtc?access_token=a", "Bearer b"),
        ("/rtc?access_token=a", "Basic b"),
        ("/rtc?access_token=" + "a" * 20_000, ""),
        ("/rtc?ACCESS_TOKEN=a", ""),
        ("/rtc?ACCESS_TOKEN=a#&access_token=b", ""),
        ("/rtc?access_token=a#", ""),
        ("/rtc?access_token=a&publish=x", ""),
        ("/rtc?access_token=a&publi%73h=x", ""),
        ("/rtc?access_token=a%%%%", ""),
        ("/rtc?access_token=\u00e4", ""),
    ):
        assert token_of(address, authorization) is None, address


def trial(until: str | None = None, **video: Any) -> Claims:
    """A token for the test room, as LiveKit renews it: its times are of no account."""
    attributes = {"until": str(now() + 60) if until is None else until}
    grant = {"room": "ratssaal-test", "roomJoin": True, **video}
    return Claims.model_validate({"sub": BERND, "attributes": attributes, "video": grant})


def test_the_test_room_is_open_to_its_tokens_alone() -> None:
    for room, opens in (
        ("ratssaal-test", True), ("ratssaal-test-1a", True), ("ratssaal-tests", False),
        ("ratssaal-test-", False), (ROOM, False), ("", False),
    ):  # fmt: skip
        assert in_test_room(trial(room=room)) is opens, room
    assert not in_test_room(trial(roomAdmin=True))
    assert not in_test_room(trial(hidden=True))


def test_a_place_in_the_test_room_ends_however_often_it_was_renewed() -> None:
    assert in_test_room(trial(str(now() + 1800)))
    for until in (str(now()), str(now() - 1), "0", "", "-1", "1e12", "9" * 5000, "\u0663" * 11):
        assert trial_over({"until": until}), until
        assert not in_test_room(trial(until)), until
    assert trial_over({})
    assert not in_test_room(claims(room="ratssaal-test"))


def test_livekit_s_key_alone_signs_its_tokens() -> None:
    other = Tokens("key", "t" * 64).place(ROOM, BERND, "B", "participant", (), False)
    assert checked(TOKENS, f"/rtc?access_token={other}", "") is None
    assert checked(TOKENS, "/rtc?access_token=eyJ.eyJ.", "") is None
    stranger = Tokens("other", "s" * 64).place(ROOM, BERND, "B", "participant", (), False)
    assert checked(TOKENS, f"/rtc?access_token={stranger}", "") is None
