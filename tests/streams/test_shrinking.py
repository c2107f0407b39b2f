"""The small picture made without the large one is the large one made small."""

from dataclasses import replace

import av
import cv2
import numpy as np
import pytest

from streams.images import DecodedFrame, Image
from streams.shrinking import shrunk
from tests.streams.reels import make_packet

BT601, BT709, SMPTE240, BT2020 = 5, 1, 7, 9
LIMITED, FULL = 1, 2
SMALL = (80, 45)


def film(pixels: str, colours: int = BT601, light: int = LIMITED) -> av.VideoFrame:
    """A smooth picture of every colour."""
    coarse = np.random.default_rng(5).integers(0, 256, (5, 8, 3), np.uint8)
    picture = cv2.resize(coarse, (320, 180), interpolation=cv2.INTER_CUBIC).astype(np.uint8, copy=False)
    content = av.VideoFrame.from_ndarray(picture, format="bgr24").reformat(format=pixels)
    content.colorspace, content.color_range = colours, light
    return content


@pytest.mark.parametrize("pixels", ["yuv420p", "yuvj420p", "yuv422p", "yuv444p"])
@pytest.mark.parametrize("colours", [BT601, BT709, BT2020])
@pytest.mark.parametrize("light", [LIMITED, FULL])
def test_the_short_way_gives_the_same_picture(pixels: str, colours: int, light: int) -> None:
    content = film(pixels, colours, light)
    small = shrunk(content, *SMALL)
    whole = cv2.resize(Image(content, make_packet(0)).frame().picture, SMALL, interpolation=cv2.INTER_LINEAR)
    assert small is not None
    assert (small.shape, small.dtype) == ((45, 80, 3), np.uint8)
    assert np.abs(small.astype(int) - whole).mean() < 2.5


@pytest.mark.parametrize(
    ("pixels", "colours"), [("nv12", BT601), ("yuv420p10le", BT601), ("gray", BT601), ("yuv420p", SMPTE240)]
)
def test_other_formats_take_the_way_over_the_whole_picture(pixels: str, colours: int) -> None:
    content = film(pixels, colours)
    frame = Image(content, make_packet(0)).frame()
    assert shrunk(content, *SMALL) is None
    assert np.array_equal(frame.shrunk(*SMALL), cv2.resize(frame.picture, SMALL, interpolation=cv2.INTER_LINEAR))


@pytest.mark.parametrize("quarters", [0, 1, 2, 3])
def test_a_camera_hung_on_its_side_is_upright_in_small_too(quarters: int) -> None:
    packet = make_packet(0)
    packet = replace(packet, coding=replace(packet.coding, quarters=quarters))
    frame = Image(film("yuv420p"), packet).frame()
    width, height = frame.size_px
    small = frame.shrunk(width // 4, height // 4)
    assert frame.picture.shape == (height, width, 3)
    assert small.shape == (height // 4, width // 4, 3)
    assert np.abs(small.astype(int) - cv2.resize(frame.picture, small.shape[1::-1])).mean() < 2.5


def test_the_whole_picture_is_made_once_and_only_when_asked_for() -> None:
    frame = Image(film("yuv420p"), make_packet(0)).frame()
    frame.shrunk(*SMALL)
    assert isinstance(frame, DecodedFrame)
    assert "picture" not in vars(frame)
    assert frame.picture is frame.picture
