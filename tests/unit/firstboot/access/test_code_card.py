"""The code card's file: one form alone, the same for the builder and the box."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from builder.paths import PROJECT
from firstboot.access import code_card
from firstboot.texts import LANGUAGES, SaidError

pytestmark = pytest.mark.unit

HASH = f"$argon2id$v=19$m=65536,t=3,p=2${'c' * 22}${'a' * 43}"
SCHEMA = json.loads((PROJECT / "firstboot/code-card.schema.json").read_text())


def taken(content: bytes) -> bool:
    try:
        code_card.read(content)
    except SaidError as error:
        for language in LANGUAGES:
            assert HASH not in error.said.text(language)
        return False
    return True


def test_the_published_schema_is_that_of_the_model() -> None:
    assert code_card.schema() == SCHEMA, (
        "python3 -m firstboot.access.code_card > code-card.schema.json"
    )


def test_a_card_is_read() -> None:
    card = code_card.read(json.dumps({"version": 1, "hash": HASH}).encode())
    assert card.hash == HASH


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"{",
        b"[]",
        b"null",
        b"\xff\xfe",
        b"[" * 4096,
        b'{"version": 1, "hash": "' + b"a" * 5000 + b'"}',
        json.dumps({"version": 1, "hash": HASH}).encode() + b" " * 4096,
    ],
)
def test_what_is_no_card_is_refused(content: bytes) -> None:
    assert not taken(content)


TEMPTING: st.SearchStrategy[Any] = st.sampled_from(
    [
        *(HASH, HASH + "\n", " " + HASH, HASH[:-1], HASH + "a", HASH.upper()),
        HASH.replace("t=3", "t=1"),
        HASH.replace("m=65536", "m=8"),
        HASH.replace("m=65536", "m=4294967295"),
        HASH.replace("argon2id", "argon2i"),
        *(1, 2, 1.0, True, "1", None, [], {}, [HASH]),
    ]
)


@given(
    st.fixed_dictionaries({}, optional={"version": TEMPTING, "hash": TEMPTING, "shown": TEMPTING})
    | st.fixed_dictionaries({"version": st.just(1), "hash": st.from_regex(code_card.HASH)})
)
def test_schema_and_model_agree(content: dict[str, Any]) -> None:
    # JSON Schema takes 1.0 and Python's True for the number 1, the box does not.
    strict = type(content.get("version")) is int
    # ECMA 262, which JSON Schema refers to, takes $ for the end alone.
    ends = not str(content.get("hash", "")).endswith("\n")
    agreed = Draft202012Validator(SCHEMA).is_valid(content) and strict and ends
    assert taken(json.dumps(content).encode()) == agreed


@given(st.binary(max_size=100) | st.text(alphabet='{}[]":,version1hash', max_size=60))
def test_no_file_breaks_the_reading(content: bytes | str) -> None:
    assert not taken(content.encode() if isinstance(content, str) else content)
