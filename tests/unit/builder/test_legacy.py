"""What a BIOS shows: the program fits, and nothing else of an image changes."""

from pathlib import Path

import pytest

from builder import legacy

pytestmark = pytest.mark.unit


def test_the_program_fits_and_finds_its_words() -> None:
    assert len(legacy.PROGRAM) <= legacy.ROOM_BYTES
    assert legacy.CODE.count(b"\xbe") == 1
    address = legacy.CODE.partition(b"\xbe")[2][:2]
    assert int.from_bytes(address, "little") == 0x7C00 + len(legacy.CODE)
    assert all(len(one) < 80 and one.isascii() for one in legacy.SENTENCES)


def test_nothing_else_of_an_image_changes(tmp_path: Path) -> None:
    image = tmp_path / "image.raw"
    image.write_bytes(b"x" * 4096)
    legacy.mark(image)
    content = image.read_bytes()
    assert content.startswith(legacy.PROGRAM)
    assert content[len(legacy.PROGRAM) :] == b"x" * (4096 - len(legacy.PROGRAM))
