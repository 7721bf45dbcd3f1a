"""Block maps as bmap-tools write them, and damaged ones."""

from pathlib import Path

import pytest

from builder import block_map
from builder.block_map import BlockMap, Range
from builder.errors import CommandError
from tests.unit.builder import sticks_of
from tests.unit.builder.sticks_of import MIB

pytestmark = pytest.mark.unit

RECORDED = Path(__file__).with_name("recorded.bmap")


def test_a_map_as_the_tool_writes_it_is_read() -> None:
    found = block_map.read(RECORDED)
    assert found.size == MIB - 512
    assert [(one.start, one.end) for one in found.ranges] == [
        (0, 3 * 4096),
        (50 * 4096, 51 * 4096),
        (255 * 4096, MIB - 512),
    ]
    assert found.mapped == 4 * 4096 + 4096 - 512


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ('version="2.0"', 'version="3.0"', "format"),
        ("sha256 </Ch", "sha1 </Ch", "SHA-256"),
        (" 0-2 <", " 0-3 <", "own sum"),
        ("</bmap>", "", "no element found|unclosed|mismatched"),
        ("<bmap", "<!DOCTYPE a [<!ENTITY b 'c'>]><bmap", "EntitiesForbidden|own sum"),
    ],
)
def test_a_damaged_map_is_refused(tmp_path: Path, old: str, new: str, words: str) -> None:
    text = RECORDED.read_text()
    assert old in text
    (tmp_path / "map").write_text(text.replace(old, new))
    with pytest.raises(CommandError, match=words):
        block_map.read(tmp_path / "map")


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (" 0-2 <", " 2-0 <"),
        (" 0-2 <", " 0-60 <"),
        (" 0-2 <", " all <"),
        (" 50 <", " 1050 <"),
        ('chksum="', 'chksum="x'),
        ("> 4096 <", "> 4000 <"),
        ("<ImageSize>", "<Size>"),
        ("<BlockMap>", "<BlockMap><!--"),
    ],
)
def test_a_map_that_was_signed_but_makes_no_sense_is_refused(
    tmp_path: Path, old: str, new: str
) -> None:
    text = RECORDED.read_text()
    own = next(line.split()[1] for line in text.splitlines() if "<BmapFileChecksum>" in line)
    changed = text.replace(own, "0" * 64).replace(old, new)
    changed = changed.replace("</ImageSize>", "</Size>") if "<Size>" in new else changed
    changed = changed.replace("</BlockMap>", "--></BlockMap>") if "<!--" in new else changed
    (tmp_path / "map").write_text(sticks_of.with_own_sum(changed))
    with pytest.raises(CommandError):
        block_map.read(tmp_path / "map")


def test_the_beginning_of_each_hole_is_written_as_zeros() -> None:
    data = Range(8 * MIB, 9 * MIB, "")
    found = BlockMap(20 * MIB, (data, Range(10 * MIB, 11 * MIB, ""))).with_margins(4 * MIB)
    places = [(one.start // MIB, one.end // MIB) for one in found.ranges]
    assert places == [(0, 4), (8, 9), (9, 10), (10, 11), (11, 15)]
    whole = BlockMap(MIB, (Range(0, MIB, "x"),))
    assert whole.with_margins(MIB) == whole


def test_pieces_are_whole_ranges_and_never_cross_the_cut() -> None:
    one = Range(0, 10, "")
    pieces = list(BlockMap(10, (one,)).pieces(4, 5))
    assert [(piece.start, piece.length) for piece in pieces] == [(0, 4), (4, 1), (5, 4), (9, 1)]
    assert [piece.last for piece in pieces] == [False, False, False, True]
