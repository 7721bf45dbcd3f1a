"""Where things are, as the environment says it."""

from collections.abc import Callable
from pathlib import Path

import pytest

from builder.keys import keys_folder
from builder.paths import PROJECT, build_folder, cache_folder

pytestmark = pytest.mark.unit

FOLDERS = [
    pytest.param("RATSSAAL_CACHE", cache_folder, id="cache"),
    pytest.param("RATSSAAL_BUILD", build_folder, id="build"),
    pytest.param("RATSSAAL_KEYS", keys_folder, id="keys"),
]


@pytest.mark.parametrize(("variable", "folder"), FOLDERS)
def test_a_named_folder_is_used(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, variable: str, folder: Callable[[], Path]
) -> None:
    monkeypatch.setenv(variable, str(tmp_path / "mine"))
    assert folder() == tmp_path / "mine"


@pytest.mark.parametrize(("variable", "folder"), FOLDERS)
def test_a_folder_named_from_here_stays_the_same_in_every_program_that_is_started(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, variable: str, folder: Callable[[], Path]
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv(variable, "mine")
    assert folder() == tmp_path / "mine"


@pytest.mark.parametrize("value", ["", None])
def test_without_names_the_usual_folders_are_used(
    monkeypatch: pytest.MonkeyPatch, value: str | None
) -> None:
    for variable in ("RATSSAAL_CACHE", "RATSSAAL_BUILD"):
        if value is None:
            monkeypatch.delenv(variable)
        else:
            monkeypatch.setenv(variable, value)
    assert cache_folder() == Path("/var/cache/ratssaal")
    assert build_folder() == PROJECT / "build"
