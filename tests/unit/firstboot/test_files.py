"""Writing files so that there is the old one or the new one, never half of either."""

import os
import stat
from pathlib import Path

import pytest

from firstboot.files import write_whole

pytestmark = pytest.mark.unit


def test_a_new_file_is_written_and_the_writer_says_so(tmp_path: Path) -> None:
    assert write_whole(tmp_path / "name", "Größe\n")
    assert (tmp_path / "name").read_bytes() == "Größe\n".encode()
    assert [path.name for path in tmp_path.iterdir()] == ["name"]


def test_the_same_text_again_changes_nothing(tmp_path: Path) -> None:
    path = tmp_path / "name"
    write_whole(path, "text\n")
    before = path.stat()
    assert not write_whole(path, "text\n")
    after = path.stat()
    assert (after.st_ino, after.st_mtime_ns) == (before.st_ino, before.st_mtime_ns)


def test_another_text_replaces_the_file_and_never_writes_into_it(tmp_path: Path) -> None:
    path = tmp_path / "name"
    write_whole(path, "old\n")
    with path.open() as reader:
        assert write_whole(path, "new\n")
        assert reader.read() == "old\n"
    assert path.read_text() == "new\n"
    assert [one.name for one in tmp_path.iterdir()] == ["name"]


@pytest.mark.parametrize("mode", [0o600, 0o640, 0o644])
def test_a_file_has_its_mode_whatever_the_mask(tmp_path: Path, mode: int) -> None:
    before = os.umask(0o077)
    try:
        write_whole(tmp_path / "name", "text\n", mode=mode)
    finally:
        os.umask(before)
    assert stat.S_IMODE((tmp_path / "name").stat().st_mode) == mode


def test_a_file_is_readable_by_all_where_nothing_else_is_said(tmp_path: Path) -> None:
    write_whole(tmp_path / "name", "text\n")
    assert stat.S_IMODE((tmp_path / "name").stat().st_mode) == 0o644


def test_a_secret_that_was_opened_to_all_is_closed_again(tmp_path: Path) -> None:
    path = tmp_path / "secret"
    write_whole(path, "text\n", mode=0o600)
    path.chmod(0o644)
    write_whole(path, "text\n", mode=0o600)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


@pytest.mark.skipif(os.geteuid() != 0, reason="only root may give files away")
def test_a_file_belongs_to_root_and_the_group_that_is_named(tmp_path: Path) -> None:
    path = tmp_path / "name"
    write_whole(path, "text\n", group=33)
    assert (path.stat().st_uid, path.stat().st_gid) == (0, 33)


def test_an_error_leaves_the_old_file_and_nothing_else(tmp_path: Path) -> None:
    path = tmp_path / "name"
    write_whole(path, "old\n")
    with pytest.raises(UnicodeEncodeError):
        write_whole(path, "new \ud800\n")
    assert path.read_text() == "old\n"
    assert [one.name for one in tmp_path.iterdir()] == ["name"]


def test_an_error_with_the_first_file_leaves_none(tmp_path: Path) -> None:
    with pytest.raises(UnicodeEncodeError):
        write_whole(tmp_path / "name", "new \ud800\n")
    assert list(tmp_path.iterdir()) == []


def test_a_folder_in_the_way_is_an_error_and_stays(tmp_path: Path) -> None:
    (tmp_path / "name").mkdir()
    with pytest.raises(OSError, match="name"):
        write_whole(tmp_path / "name", "text\n")
    assert [one.name for one in tmp_path.iterdir()] == ["name"]


def test_a_file_that_a_bad_disk_turned_into_noise_is_written_anew(tmp_path: Path) -> None:
    path = tmp_path / "name"
    path.write_bytes(b"\xff\xfe\x00")
    assert write_whole(path, "text\n")
    assert path.read_text() == "text\n"


def test_a_missing_folder_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        write_whole(tmp_path / "no/name", "text\n")
