"""Every sentence exists in both languages and takes the same values there."""

import datetime
import string
from pathlib import Path

import pytest

from firstboot import texts

pytestmark = pytest.mark.unit

TOPICS = sorted(path.stem for path in (texts.FOLDER / "de").glob("*.yaml"))


def values(text: str) -> set[str]:
    """The names of the values that `text` takes."""
    return {name for _, name, _, _ in string.Formatter().parse(text) if name}


def test_both_languages_have_the_same_topics() -> None:
    assert TOPICS
    assert sorted(path.stem for path in (texts.FOLDER / "en").glob("*.yaml")) == TOPICS


@pytest.mark.parametrize("topic", TOPICS)
def test_both_languages_have_the_same_keys_and_values(topic: str) -> None:
    german, english = texts.topic("de", topic), texts.topic("en", topic)
    assert list(german) == list(english)
    for key, text in german.items():
        assert text.strip()
        assert english[key].strip()
        assert values(text) == values(english[key]), key


def test_a_day_that_came_as_text_is_written_as_the_language_does() -> None:
    for day in ("2026-03-31", datetime.date(2026, 3, 31)):
        values = {"name": "rathaus.example", "end": day}
        assert "am 31.03.2026 abgelaufen" in texts.say("de", "certificate.expired", **values)
        assert "ended on 2026-03-31" in texts.say("en", "certificate.expired", **values)


def test_no_code_holds_a_topic_that_does_not_exist() -> None:
    for file in Path(texts.FOLDER.parent).rglob("*.py"):
        for line in file.read_text().splitlines():
            if 'SaidError("' in line or 'Said("' in line:
                key = line.split("Said")[1].split('("')[1].split('"')[0]
                topic, _, rest = key.partition(".")
                assert rest in texts.topic("de", topic), f"{file.name}: {key}"
