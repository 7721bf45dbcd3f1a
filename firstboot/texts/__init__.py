"""What the box says to people, in German and English: `texts.say("de", "key", name="…")`.

Each topic has a file of its own for each language, `de/TOPIC.yaml` and `en/TOPIC.yaml`: keys with
values in the notation of str.format. Code never holds a sentence for people; errors that people see
are a `Said`, a key and its values. These go through JSON, where a day is text such as 2026-03-31,
and a moment 2026-03-31T09:30:00+00:00; `{end:%d.%m.%Y}` writes it as the language does, and by the
box's own clock.
"""

import datetime
import string
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

FOLDER = Path(__file__).parent
LANGUAGES = ("de", "en")


@dataclass(frozen=True)
class Said:
    """A sentence in no language yet: `TOPIC.key` and the values in it, perhaps sentences too."""

    key: str
    values: dict[str, object] = field(default_factory=dict)

    def text(self, language: str) -> str:
        """The sentence in `language`."""
        values = {
            name: one.text(language) if isinstance(one, Said) else one
            for name, one in self.values.items()
        }
        return say(language, self.key, **values)


class SaidError(Exception):
    """A mistake of a person, with the sentence that tells them what to do."""

    def __init__(self, key: str, **values: object) -> None:
        super().__init__(key)
        self.said = Said(key, values)


class _Words(string.Formatter):
    """As str.format, which knows nothing of days and moments that are text."""

    def format_field(self, value: object, format_spec: str) -> str:
        if isinstance(value, str) and format_spec.startswith("%"):
            moment = datetime.datetime.fromisoformat(value)
            return (moment.astimezone() if moment.tzinfo else moment).strftime(format_spec)
        return str(super().format_field(value, format_spec))


@cache
def topic(language: str, name: str) -> dict[str, str]:
    """All texts of one topic in one language."""
    # Read by many programs of the start, of which few have something to say.
    import yaml

    loaded: dict[str, str] = yaml.safe_load((FOLDER / language / f"{name}.yaml").read_text())
    return loaded


def say(language: str, key: str, **values: object) -> str:
    """The text `TOPIC.key` in `language`. Raises KeyError where there is none."""
    name, _, rest = key.partition(".")
    return _Words().format(topic(language, name)[rest], **values)
