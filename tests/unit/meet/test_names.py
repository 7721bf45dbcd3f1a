"""Names: random ones, and those that people type."""

import re

import pytest

from meet.errors import RefusedError
from meet.names import TEST_ROOM, new_code, new_identity, new_room, shown

pytestmark = pytest.mark.unit


def test_random_names_have_their_forms_and_never_that_of_the_test_room() -> None:
    for _ in range(50):
        assert re.fullmatch(r"[a-z2-7]{10}", new_room())
        assert re.fullmatch(r"p[a-z2-7]{16}", new_identity())
        assert re.fullmatch(r"[0-9]{9}", new_code())
        assert not TEST_ROOM.fullmatch(new_room())


@pytest.mark.parametrize(
    ("typed", "name"),
    [
        ("Anna", "Anna"),
        ("  Anna \t Berg\n", "Anna Berg"),
        ("Familie 👩‍👩‍👧", "Familie 👩‍👩‍👧"),
        ("<b>Anna</b> & Co", "<b>Anna</b> & Co"),
        ("A\u202eanna", "Aanna"),
        ("Bu\u0308rger", "B\u00fcrger"),
        ("x" * 80, "x" * 80),
    ],
)
def test_a_name_is_shown_as_typed_without_what_nobody_sees(typed: str, name: str) -> None:
    assert shown(typed) == name


@pytest.mark.parametrize("typed", ["", "   ", "\u200b\u200b", "\u202e", "\u200d", "\x00"])
def test_a_name_that_nobody_sees_is_none(typed: str) -> None:
    with pytest.raises(RefusedError, match=r"^name$"):
        shown(typed)


@pytest.mark.parametrize("typed", ["x" * 81, "x" * 500, "👍" * 81, "x" * 10**6])
def test_a_long_name_is_said_to_be_long(typed: str) -> None:
    with pytest.raises(RefusedError, match="name_long") as error:
        shown(typed)
    assert error.value.values == {"most": 80}
