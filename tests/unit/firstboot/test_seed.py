"""What was brought to the box: found by its name, never more of it than is allowed."""

import subprocess
from pathlib import Path

import pytest

from firstboot import seed
from firstboot.texts import SaidError

pytestmark = pytest.mark.unit

ORDER = seed.PARTITIONS


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where systemd puts credentials; there is no stick."""
    monkeypatch.setattr(seed, "PARTITIONS", (tmp_path / "no-stick",))
    monkeypatch.setenv("CREDENTIALS_DIRECTORY", str(tmp_path))
    return tmp_path


def test_without_systemd_and_stick_nothing_was_brought(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert seed.read() == {}
    monkeypatch.delenv("CREDENTIALS_DIRECTORY")
    assert seed.read() == {}


def test_credentials_are_found_by_their_names(folder: Path) -> None:
    (folder / "ratssaal.answers").write_bytes(b"a: 1")
    (folder / "ratssaal.other").write_bytes(b"x")
    assert seed.read() == {seed.ANSWERS: b"a: 1"}
    (folder / "ratssaal.code-card").write_bytes(b"{}")
    assert seed.read() == {seed.ANSWERS: b"a: 1", seed.CODE_CARD: b"{}"}


def test_of_a_file_without_end_no_more_is_read_than_shows_that_it_is_too_large(
    folder: Path,
) -> None:
    with (folder / "ratssaal.answers").open("wb") as file:
        file.truncate(2**40)
    assert len(seed.read()[seed.ANSWERS]) == seed.LIMIT_BYTES + 1


def test_a_folder_where_a_file_should_be_is_said(folder: Path) -> None:
    (folder / "ratssaal.answers").mkdir()
    with pytest.raises(SaidError) as error:
        seed.read()
    assert error.value.said.key == "seed.unreadable"


def test_a_stick_that_cannot_be_mounted_is_said(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (folder / "stick").write_bytes(b"no file system")
    monkeypatch.setattr(seed, "PARTITIONS", (folder / "stick",))
    with pytest.raises(SaidError) as error:
        seed.read()
    assert isinstance(error.value.__cause__, subprocess.CalledProcessError)


def test_what_a_stick_brings_goes_before_what_an_installation_has_brought(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Corrected answers, on a box whose own are no good."""
    files = {
        "brought": {seed.ANSWERS: b"a: 1", seed.NETWORK: b"{}"},
        "stick": {seed.ANSWERS: b"a: 2"},
    }
    monkeypatch.setattr(seed, "_from_partition", lambda partition: files.get(partition.name, {}))
    monkeypatch.setattr(seed, "PARTITIONS", ORDER)
    assert seed.read() == {seed.ANSWERS: b"a: 2", seed.NETWORK: b"{}"}
