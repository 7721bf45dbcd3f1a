"""How a guest judges what it sees: frames alone are no call, a moving and lit picture is."""

import numpy
import pytest
from livekit import rtc

from builder.guest import HEIGHT, WIDTH, Seen, picture

pytestmark = pytest.mark.unit


def received(frame: rtc.VideoFrame) -> rtc.VideoFrame:
    """`frame` in the format in which it arrives over the network."""
    return frame.convert(rtc.VideoBufferType.I420)


def plain(brightness: int, width: int = WIDTH, height: int = HEIGHT) -> rtc.VideoFrame:
    pixels = numpy.full((height, width, 4), brightness, dtype=numpy.uint8)
    frame = rtc.VideoFrame(width, height, rtc.VideoBufferType.RGBA, pixels.tobytes())
    return received(frame)


def test_the_picture_that_guests_show_moves_and_is_lit() -> None:
    seen = Seen()
    for number in range(60):
        seen.look(received(picture(number)))
    assert (seen.frames, seen.moving, seen.bright) == (60, 59, 60)


@pytest.mark.parametrize(("brightness", "bright"), [(0, 0), (10, 0), (128, 20)])
def test_a_standing_picture_does_not_move_and_a_dark_one_is_not_lit(
    brightness: int, bright: int
) -> None:
    seen = Seen()
    for _ in range(20):
        seen.look(plain(brightness))
    assert (seen.frames, seen.moving, seen.bright) == (20, 0, bright)


def test_another_size_is_no_movement() -> None:
    seen = Seen()
    seen.look(plain(128))
    seen.look(plain(128, 64, 48))
    assert (seen.frames, seen.moving) == (2, 0)
