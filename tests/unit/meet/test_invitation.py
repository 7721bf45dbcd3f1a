"""Calendar files: what RFC 5545 asks for."""

import datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from meet.errors import RefusedError
from meet.invitation import FOLD_BYTES, calendar, escaped, folded
from meet.rooms import Room

pytestmark = pytest.mark.unit

MADE = datetime.datetime(2026, 3, 1, 9, 0, tzinfo=datetime.UTC)
BERLIN = datetime.timezone(datetime.timedelta(hours=2))
LINK = "https://a.example/m/#i=" + "x" * 300


def room(title: str = "Rat", **times: datetime.datetime) -> Room:
    content = {"id": "abcdefghij", "tenant": "a.example", "title": title, "code": "123456789"}
    return Room.model_validate({**content, **times})


def unfolded(text: str) -> list[str]:
    assert text.endswith("\r\n")
    return text.replace("\r\n ", "").removesuffix("\r\n").split("\r\n")


def test_a_file_names_time_title_link_and_code() -> None:
    opens = datetime.datetime(2026, 5, 4, 18, 30, tzinfo=BERLIN)
    closes = opens + datetime.timedelta(hours=2)
    text = calendar(
        room("Rat; öffentlich, 1. Teil", opens=opens, closes=closes), LINK, "a.example", MADE
    )
    lines = unfolded(text)
    assert lines[0] == "BEGIN:VCALENDAR"
    assert lines[-1] == "END:VCALENDAR"
    assert "DTSTART:20260504T163000Z" in lines
    assert "DTEND:20260504T183000Z" in lines
    assert "DTSTAMP:20260301T090000Z" in lines
    assert "UID:abcdefghij@a.example" in lines
    assert "SUMMARY:Rat\\; öffentlich\\, 1. Teil" in lines
    assert f"URL:{LINK}" in lines
    (words,) = (one for one in lines if one.startswith("DESCRIPTION:"))
    assert LINK in words
    assert "123 456 789" in words
    assert len({one.partition(":")[0] for one in lines}) == len(lines) - 2


def test_without_a_beginning_there_is_no_file_and_without_an_end_an_hour() -> None:
    with pytest.raises(RefusedError, match="no_time"):
        calendar(room(), LINK, "a.example", MADE)
    lines = unfolded(calendar(room(opens=MADE), LINK, "a.example", MADE))
    assert "DTEND:20260301T100000Z" in lines


@given(st.text(max_size=300))
def test_lines_are_folded_within_75_bytes_and_between_characters(text: str) -> None:
    line = "SUMMARY:" + "".join(
        one for one in text if one not in "\r\n" and not "\ud800" <= one <= "\udfff"
    )
    parts = folded(line).split("\r\n")
    assert all(len(one.encode()) <= FOLD_BYTES for one in parts)
    assert folded(line).replace("\r\n ", "") == line


@given(st.text(max_size=80))
def test_no_title_begins_a_line_of_its_own(text: str) -> None:
    assert not set(escaped(text)) & set("\r\n\u2028\u2029\x85\x0b\x0c")
