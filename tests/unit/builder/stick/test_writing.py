"""What is written and in which order, and what is left where something goes wrong."""

import errno
import os
import signal
from pathlib import Path

import pytest

from builder.errors import CommandError, DeviceError, StoppedError
from builder.stick.writing import TAIL, Stick
from tests.unit.builder.sticks_of import (
    IMAGE_SIZE,
    MIB,
    STICK_SIZE,
    ZSTD,
    CountingDevice,
    at,
    compressed,
    content,
    holds,
    looks_empty,
)

pytestmark = pytest.mark.unit


def test_the_table_comes_last_and_all_is_flushed(raw: Path, used: Path) -> None:
    order: list[int] = []

    class Watched(CountingDevice):
        def write(self, offset: int, view: memoryview) -> None:
            order.append(offset)
            if offset == 0 and len(order) > 1:
                assert self.flushed == 2, "what was written before is on the stick"
            super().write(offset, view)

    before = used.read_bytes()
    with Watched(used) as device:
        written = Stick(device, content(raw)).write()
        assert device.flushed == 3
    assert order[:2] == [0, STICK_SIZE - TAIL]
    assert order[-1] == 0
    assert 0 not in order[1:-1]
    holds(used.read_bytes(), raw.read_bytes(), before)
    assert b"EFI PART" not in used.read_bytes()[IMAGE_SIZE:]
    assert written.count == content(raw).block_map.mapped


@pytest.mark.parametrize("step", ["Writing", "Reading back"])
def test_ctrl_c_leaves_a_stick_that_looks_empty(
    raw: Path, used: Path, monkeypatch: pytest.MonkeyPatch, nothing_left: None, step: str
) -> None:
    with (
        at(step, lambda: signal.raise_signal(signal.SIGINT), monkeypatch),
        pytest.raises(StoppedError, match="Stopped by Ctrl-C") as caught,
        CountingDevice(used) as device,
    ):
        Stick(device, content(raw)).write()
    assert caught.value.exit_code == 130
    assert "not usable" in caught.value.message
    assert looks_empty(used)


class FailingDevice(CountingDevice):
    """Answers with an error once it is asked for what lies at `byte` or behind."""

    byte, number_of_error, gone = 15 * MIB, errno.ENODEV, True
    when = "write"

    def _fail(self, offset: int, when: str) -> None:
        if when == self.when and self.byte <= offset < STICK_SIZE - TAIL:
            self.at = offset
            raise OSError(self.number_of_error, os.strerror(self.number_of_error))

    def write(self, offset: int, view: memoryview) -> None:
        self._fail(offset, "write")
        super().write(offset, view)

    def read_into(self, offset: int, view: memoryview) -> None:
        self._fail(offset, "read")
        super().read_into(offset, view)

    def present(self) -> bool:
        return not self.gone


@pytest.mark.parametrize("when", ["write", "read"])
@pytest.mark.parametrize(
    ("number", "gone", "words"),
    [
        (errno.ENODEV, True, "pulled out"),
        (errno.ENXIO, True, "pulled out"),
        (errno.ENXIO, False, "pulled out"),
        (errno.EIO, True, "pulled out"),
        (errno.EIO, False, "The stick fails"),
    ],
)
def test_a_pulled_stick_and_a_bad_one_are_told_apart(
    raw: Path, used: Path, nothing_left: None, when: str, number: int, gone: bool, words: str
) -> None:
    with FailingDevice(used) as device:
        device.when, device.number_of_error, device.gone = when, number, gone
        with pytest.raises(DeviceError, match=words) as caught:
            Stick(device, content(raw)).write()
    assert caught.value.exit_code == 1
    assert "at byte" in caught.value.message
    assert "not usable" in caught.value.message
    assert looks_empty(used)


def test_a_short_write_is_a_failure(
    raw: Path, used: Path, monkeypatch: pytest.MonkeyPatch, nothing_left: None
) -> None:
    monkeypatch.setattr("builder.stick.direct.os.pwritev", lambda *_: 100)
    with CountingDevice(used) as device, pytest.raises(DeviceError, match="Short write"):
        Stick(device, content(raw)).write()


def test_a_stick_that_gives_back_something_else_is_found_out(
    raw: Path, used: Path, nothing_left: None
) -> None:
    class Forgetful(CountingDevice):
        def read_into(self, offset: int, view: memoryview) -> None:
            super().read_into(offset, view)
            if offset <= 16 * MIB < offset + len(view):
                view[16 * MIB - offset] ^= 1

    with Forgetful(used) as device, pytest.raises(DeviceError, match="something else") as caught:
        Stick(device, content(raw)).write()
    assert f"{11 * MIB} and {20 * MIB}" in caught.value.message
    assert looks_empty(used)


def test_a_stick_that_loses_its_table_is_found_out(raw: Path, used: Path) -> None:
    class Forgetful(CountingDevice):
        def read_into(self, offset: int, view: memoryview) -> None:
            super().read_into(offset, view)
            view[0] ^= offset == 0

    with Forgetful(used) as device, pytest.raises(DeviceError, match="something else"):
        Stick(device, content(raw)).write()
    assert looks_empty(used)


def test_an_image_that_is_not_what_its_map_says_is_found_out(
    raw: Path, used: Path, nothing_left: None
) -> None:
    with raw.open("r+b") as file:
        file.seek(15 * MIB)
        file.write(b"x")
    with (
        CountingDevice(used) as device,
        pytest.raises(CommandError, match="not what its block map says") as caught,
    ):
        Stick(device, content(raw)).write()
    assert f"{11 * MIB} and {20 * MIB}" in caught.value.message
    assert looks_empty(used)


def test_data_where_the_map_has_a_hole_is_found_out(raw: Path, used: Path) -> None:
    with raw.open("r+b") as file:
        file.seek(20 * MIB)
        file.write(b"x")
    with CountingDevice(used) as device, pytest.raises(CommandError, match="block map"):
        Stick(device, content(raw)).write()


@ZSTD
def test_a_damaged_compressed_image_is_found_out(raw: Path, used: Path, nothing_left: None) -> None:
    file = compressed(raw)
    os.truncate(file, file.stat().st_size // 2)
    with (
        CountingDevice(used) as device,
        pytest.raises(CommandError, match="damaged or ends too early"),
    ):
        Stick(device, content(file)).write()
    assert looks_empty(used)
