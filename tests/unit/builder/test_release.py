"""Images as they are given away: found, checked and read, raw or compressed."""

import subprocess
import zlib
from pathlib import Path

import pytest

from builder import release, source
from builder.artifacts import SUMS
from builder.errors import CommandError, MissingError
from builder.stick.direct import Ahead, buffer
from tests.unit.builder import sticks_of
from tests.unit.builder.sticks_of import DATA, ZSTD

pytestmark = pytest.mark.unit


def test_an_image_is_found_by_folder_raw_or_compressed_file(tmp_path: Path, raw: Path) -> None:
    for place in (raw, raw.parent):
        assert release.find(place).file == raw
    packed = raw.with_name(f"{raw.name}.zst")
    packed.touch()
    assert release.find(packed).file == packed
    assert release.find(raw.parent).file == raw
    raw.unlink()
    assert release.find(raw.parent).file == packed
    assert release.find(packed).block_map == raw.with_name(f"{raw.name}.bmap")


def test_what_is_no_image_of_ours_is_refused(tmp_path: Path, raw: Path) -> None:
    (tmp_path / "debian.iso").touch()
    (tmp_path / "holiday").mkdir()
    for place in (tmp_path / "debian.iso", tmp_path / "holiday", raw.parent / SUMS):
        with pytest.raises(MissingError, match="not an image made by"):
            release.find(place)
    with pytest.raises(MissingError, match="no image at"):
        release.find(tmp_path / "nothing")


@pytest.mark.parametrize("ending", [".raw.bmap", SUMS])
def test_an_image_without_map_or_sums_is_refused(raw: Path, ending: str) -> None:
    missing = next(one for one in raw.parent.iterdir() if one.name.endswith(ending))
    missing.unlink()
    with pytest.raises(MissingError, match=f"{missing.name} is missing"):
        release.find(raw)


@pytest.mark.parametrize("ending", [".raw", ".raw.bmap"])
def test_a_changed_file_is_named(raw: Path, ending: str) -> None:
    changed = raw.with_name(f"{sticks_of.NAME}{ending}")
    with changed.open("r+b") as file:
        file.write(b"x")
    with pytest.raises(CommandError, match=f"{changed.name} is not what SHA256SUMS says"):
        release.find(raw).check()


def test_a_file_of_which_the_sums_say_nothing_is_refused(raw: Path) -> None:
    (raw.parent / SUMS).write_text("x\n")
    with pytest.raises(CommandError, match="says nothing of it"):
        release.find(raw).check()


@ZSTD
def test_raw_and_compressed_read_the_same(raw: Path, nothing_left: None) -> None:
    subprocess.run(["zstd", "--quiet", raw], check=True)
    for file in (raw, raw.with_name(f"{raw.name}.zst")):
        with source.open_source(file) as opened:
            for start, end in DATA:
                view = buffer(end - start)
                opened.read_into(start, view)
                assert zlib.crc32(view) == zlib.crc32(raw.read_bytes()[start:end])


def test_a_file_that_ends_too_early_is_named(tmp_path: Path) -> None:
    (tmp_path / "short.raw").write_bytes(bytes(100))
    with (
        source.open_source(tmp_path / "short.raw") as opened,
        pytest.raises(CommandError, match="ends too early"),
    ):
        opened.read_into(50, buffer(100))


def test_what_goes_wrong_while_reading_ahead_comes_out(nothing_left: None) -> None:
    def fill(job: int, view: memoryview) -> None:
        if job == 4:
            raise ValueError(job)
        view[0] = job

    seen: list[int] = []
    with pytest.raises(ValueError, match="4"), Ahead(range(9), fill, 512) as ready:
        seen += [view[0] for _, view in ready]
    assert seen == [0, 1, 2, 3] or seen == []


def test_who_leaves_early_leaves_no_thread(nothing_left: None) -> None:
    with Ahead(iter(int, 1), lambda *_: None, 512) as ready:
        next(ready)
