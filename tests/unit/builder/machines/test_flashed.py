"""A virtual machine's stick is what `flash` leaves on one that was in use before."""

from pathlib import Path

import pytest

from builder.artifacts import Artifacts
from builder.machines import flashed
from tests.unit.builder.sticks_of import DATA, IMAGE_SIZE, MIB, NAME, STICK_SIZE

pytestmark = pytest.mark.unit


def test_a_stick_has_image_and_seed_and_in_holes_what_was_there_before(
    raw: Path, tmp_path: Path, nothing_left: None
) -> None:
    stick, seed = tmp_path / "stick", tmp_path / "seed.img"
    seed.write_bytes(b"s" * 4 * MIB)
    flashed.write(stick, STICK_SIZE, Artifacts(raw.parent, NAME), seed)
    found, image = stick.read_bytes(), raw.read_bytes()
    assert len(found) == STICK_SIZE
    assert found[512:520] == b"EFI PART"
    for start, end in DATA:
        assert found[start:end] == image[start:end]
    assert not any(image[30 * MIB : 40 * MIB])
    assert found[30 * MIB : 40 * MIB] == found[30 * MIB : 31 * MIB] * 10
    assert any(found[30 * MIB : 31 * MIB])
    place = found.index(b"s" * 4 * MIB, IMAGE_SIZE)
    assert place % MIB == 0
    # The second table is at the end of the stick.
    assert found[-512:].startswith(b"EFI PART")
