"""Builder, box and store mean the same by the same settings, whatever these are."""

import json
import tempfile
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import HealthCheck, given
from hypothesis import settings as examples
from pydantic import ValidationError

from builder import answers
from firstboot import unattended
from firstboot.settings import Settings
from firstboot.store import Store
from firstboot.texts import SaidError
from tests.unit.firstboot.test_settings import any_json, damaged, raw_settings

pytestmark = pytest.mark.unit

FUZZ = examples(suppress_health_check=[HealthCheck.too_slow])


def problems(text: str) -> list[str]:
    """What the builder finds in an answers file, save that nobody is named who administers."""
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "answers.yaml"
        file.write_text(text)
        lines = answers.check(file).lines()
    return [one for one in lines if not one.endswith(answers.NOT_WITHOUT)]


@FUZZ
@given(raw_settings)
def test_settings_in_order_pass_the_builder_and_come_out_of_a_file_as_they_went_in(
    raw: dict[str, Any],
) -> None:
    # Escaped: PyYAML loses line ends like U+0085 between others when it writes them as they are.
    text = yaml.safe_dump(raw)
    assert problems(text) == []
    assert unattended.read(text.encode()) == Settings.model_validate(raw)


@FUZZ
@given(raw_settings)
def test_settings_come_out_of_the_store_as_they_went_in(raw: dict[str, Any]) -> None:
    settings = Settings.model_validate(raw)
    with tempfile.TemporaryDirectory() as folder:
        secrets = Path(folder) / "secrets"
        secrets.mkdir()
        store = Store(Path(folder) / "settings", secrets)
        number = store.add(settings, "Anna")
        assert store.settings(number) == settings
        public = json.dumps(store.generation(number).public)
        assert "SECRET" not in public


@FUZZ
@given(damaged() | any_json)
def test_what_builder_and_box_say_of_damaged_settings_is_the_same(raw: Any) -> None:
    text = yaml.safe_dump(raw, allow_unicode=True)
    try:
        Settings.model_validate_json(json.dumps(raw), strict=True)
        strict = True
    except ValidationError:
        strict = False
    try:
        unattended.read(text.encode())
        taken = True
    except SaidError:
        taken = False
    found = problems(text)
    # What the box refuses the builder refuses, too; what it takes only leniently may go either way.
    assert taken or found, text
    if strict and taken and not spaced(raw):
        assert found == [], text


def spaced(raw: Any) -> bool:
    """Whether a text in `raw` has blanks around it, which the box strips before it looks."""
    if isinstance(raw, dict):
        return any(spaced(one) for one in raw.values())
    if isinstance(raw, list):
        return any(spaced(one) for one in raw)
    return isinstance(raw, str) and raw != raw.strip()
