"""The browser client's sentences: alike in both languages, one for each word of the service."""

import json
import re
from collections.abc import Iterator
from typing import Any

import pytest

from builder.paths import PROJECT
from meet.api import ENDPOINTS
from meet.errors import STATUS
from meet.names import NAME_MOST

pytestmark = pytest.mark.unit

FOLDER = PROJECT / "meet/client/src/texts"


def flat(content: dict[str, Any], before: str = "") -> Iterator[tuple[str, str]]:
    """Every sentence with the path of its key."""
    for key, value in content.items():
        if isinstance(value, dict):
            yield from flat(value, f"{before}{key}.")
        else:
            yield before + key, value


def texts(language: str) -> dict[str, str]:
    return dict(flat(json.loads((FOLDER / f"{language}.json").read_text())))


def values(text: str) -> set[str]:
    """The names of the values that a sentence takes."""
    return set(re.findall(r"{{(\w+)}}", text))


@pytest.mark.parametrize("language", ["en", "de-easy"])
def test_sentences_take_the_same_values_as_in_german(language: str) -> None:
    german, other = texts("de"), texts(language)
    assert other
    if language == "en":
        assert list(other) == list(german)
    for key, text in other.items():
        assert text.strip(), key
        # Easy German may leave a value out; it never takes one that nobody gives.
        assert values(text) <= values(german[key]), key
        if language == "en":
            assert values(text) == values(german[key]), key


@pytest.mark.parametrize(
    "part", ["start", "closed", "entry", "check", "blur", "fault", "waiting", "over", "old"]
)
def test_the_whole_way_in_is_there_in_easy_german(part: str) -> None:
    german = {key for key in texts("de") if key.startswith(f"{part}.")}
    assert german
    assert german <= set(texts("de-easy"))


def test_what_stands_in_the_way_in_is_said_in_easy_german() -> None:
    way_in = ("/api/code", "/api/look", "/api/enter", "/api/wait", "/api/place")
    # Any call may meet these.
    words = {"unreachable", "unknown", "store", "media", "busy"}
    for one in ENDPOINTS:
        words |= set(one.errors) if one.path in way_in else set()
    easy = texts("de-easy")
    assert {"wrong_invitation", "wrong_code", "full", "locked", "slow"} <= words
    assert {f"problem.{one}" for one in words} <= set(easy)
    for key, text in easy.items():
        # Verbs are not cut by hyphens.
        assert not re.search(r"[a-zäöü]-[a-zäöü]", text), key


def test_each_refusal_of_the_rooms_service_has_a_sentence() -> None:
    assert STATUS
    for key in STATUS:
        for language in ("de", "en"):
            assert f"problem.{key}" in texts(language), key


def test_pages_and_service_mean_the_same_by_too_long() -> None:
    page = (PROJECT / "meet/client/src/parts/long.ts").read_text()
    assert f"LONGEST_NAME = {NAME_MOST};" in page
    for language in ("de", "en", "de-easy"):
        assert f" {NAME_MOST} " in texts(language)["problem.name_long"]


def test_no_field_cuts_off_what_people_type() -> None:
    for page in (PROJECT / "meet/client/src").rglob("*.tsx"):
        assert "maxLength" not in page.read_text(), page


def test_the_oldest_browsers_are_those_that_the_pages_are_built_for() -> None:
    client = PROJECT / "meet/client"
    built = (client / "vite.config.js").read_text()
    oldest = dict(re.findall(r'"(chrome|edge|firefox|safari)(\d+)"', built))
    assert set(oldest) == {"chrome", "edge", "firefox", "safari"}
    assert oldest["chrome"] == oldest["edge"], "they are named together"
    said = [texts(language)["old.text"] for language in ("de", "en", "de-easy")]
    # For those in which none of these sentences can be drawn, in both languages.
    german, english = re.findall(
        r'<div lang="(?:de|en)">(.*?)</div>', (client / "src/parts/old.html").read_text(), re.DOTALL
    )
    for text in (*said, german, english):
        numbers = re.findall(r"\b\d+\b", re.sub("<[^>]*>", "", text))
        assert numbers == [oldest["chrome"], oldest["firefox"], oldest["safari"]], text
