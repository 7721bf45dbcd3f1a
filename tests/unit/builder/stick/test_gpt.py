"""The table with a partition more, as the UEFI specification wants it."""

import uuid
import zlib

import pytest

from builder.disk import BASIC_DATA
from builder.errors import DeviceError
from builder.stick import gpt
from builder.stick.gpt import ENTRY, HEADER
from builder.stick.writing import HEAD
from tests.unit.builder import sticks_of
from tests.unit.builder.sticks_of import IMAGE_SIZE, MIB, STICK_SIZE

pytestmark = pytest.mark.unit


def test_a_partition_is_added_at_the_end_and_both_tables_are_whole() -> None:
    head = sticks_of.table(IMAGE_SIZE)[0].ljust(HEAD, b"\0")
    made = gpt.with_partition(head, STICK_SIZE, 8 * MIB, BASIC_DATA, "seed")
    assert made.start == STICK_SIZE - 9 * MIB
    sectors = STICK_SIZE // 512
    assert made.tail_start == (sectors - 33) * 512
    entries = made.head[1024 : 1024 + 128 * 128]
    assert made.tail[: 128 * 128] == entries
    for own, other, header in (
        (1, sectors - 1, made.head[512:]),
        (sectors - 1, 1, made.tail[-512:]),
    ):
        fields = list(HEADER.unpack_from(header))
        crc, fields[3] = fields[3], 0
        assert crc == zlib.crc32(HEADER.pack(*fields))
        assert fields[13] == zlib.crc32(entries)
        assert (fields[5], fields[6], fields[8]) == (own, other, sectors - 34)
    found = [ENTRY.unpack_from(entries, n * 128) for n in range(4)]
    assert found[2][0] == uuid.UUID(BASIC_DATA).bytes_le
    assert (found[2][2] * 512, (found[2][3] + 1) * 512) == (made.start, made.start + 8 * MIB)
    assert found[2][5].decode("utf-16-le").rstrip("\0") == "seed"
    assert found[3][0] == bytes(16)
    assert made.head[:446] == head[:446]
    assert made.head[446 + 12 : 446 + 16] == (sectors - 1).to_bytes(4, "little")


def test_a_partition_that_does_not_fit_and_a_missing_table_are_refused() -> None:
    head = sticks_of.table(IMAGE_SIZE)[0].ljust(HEAD, b"\0")
    with pytest.raises(DeviceError, match="no room"):
        gpt.with_partition(head, IMAGE_SIZE + 7 * MIB, 8 * MIB, BASIC_DATA, "seed")
    for damaged in (bytes(HEAD), head[:2000] + b"x" + head[2001:]):
        with pytest.raises(ValueError, match="no GUID"):
            gpt.with_partition(damaged, STICK_SIZE, MIB, BASIC_DATA, "seed")
