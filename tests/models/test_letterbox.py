"""A picture of any shape fits into the square and its boxes come back to where they were."""

from typing import Literal

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.letterbox import Canvas, place

SIZE = st.integers(1, 8000)
INPUT = st.sampled_from([96, 320, 416, 640])


@st.composite
def boxes_in_a_picture(draw: st.DrawFn) -> tuple[int, int, np.ndarray]:
    width, height = draw(SIZE), draw(SIZE)
    shares = draw(st.lists(st.tuples(*(st.floats(0, 1),) * 4), max_size=5))
    return width, height, np.array(shares, np.float32).reshape(-1, 4) * np.array([width, height] * 2, np.float32)


@given(boxes_in_a_picture(), INPUT, st.booleans())
def test_boxes_come_back_from_the_input_to_within_a_hundredth_of_the_picture_size(
    picture: tuple[int, int, np.ndarray], input_px: int, centred: bool
) -> None:
    width, height, boxes = picture
    placement = place(width, height, input_px, centred=centred)
    moved = np.array([placement.left_px, placement.top_px] * 2, np.float32)
    back = placement.to_picture(boxes * np.float32(placement.scale) + moved)
    assert np.abs(back - boxes).max(initial=0) <= max(width, height) * 1e-4 + 1e-3


@given(SIZE, SIZE, INPUT, st.booleans())
def test_the_picture_lies_inside_the_square_and_touches_two_opposite_sides(
    width: int, height: int, input_px: int, centred: bool
) -> None:
    placement = place(width, height, input_px, centred=centred)
    assert min(placement.left_px, placement.top_px) >= 0
    assert placement.left_px + placement.width_px <= input_px
    assert placement.top_px + placement.height_px <= input_px
    assert input_px in (placement.width_px, placement.height_px)


def reference(picture: np.ndarray, input_px: int, *, channels: str, centred: bool) -> np.ndarray:
    """The same input by way of OpenCV's own conversion, with nothing kept between pictures."""
    placement = place(picture.shape[1], picture.shape[0], input_px, centred=centred)
    square = np.full((input_px, input_px, 3), 114, np.uint8)
    rows = slice(placement.top_px, placement.top_px + placement.height_px)
    columns = slice(placement.left_px, placement.left_px + placement.width_px)
    square[rows, columns] = cv2.resize(picture, (placement.width_px, placement.height_px))
    return cv2.dnn.blobFromImage(square, 1 / 255, swapRB=channels == "rgb")


@given(st.lists(st.tuples(st.integers(1, 300), st.integers(1, 300)), min_size=1, max_size=4), st.booleans())
@pytest.mark.parametrize("channels", ["rgb", "bgr"])
def test_the_input_is_bit_for_bit_what_opencv_makes_whatever_pictures_came_before(
    channels: Literal["rgb", "bgr"], sizes: list[tuple[int, int]], centred: bool
) -> None:
    canvas = Canvas(96, channels=channels, scale=1 / 255, pad=114, centred=centred)
    for seed, (width, height) in enumerate(sizes):
        picture = np.random.default_rng(seed).integers(0, 256, (height, width, 3)).astype(np.uint8)
        assert canvas.fit(picture) == place(width, height, 96, centred=centred)
        assert np.array_equal(canvas.tensor, reference(picture, 96, channels=channels, centred=centred))


@pytest.mark.parametrize(
    ("centred", "picture_rows", "grey_rows"),
    [(False, slice(0, 312), slice(312, 416)), (True, slice(52, 364), slice(0, 52))],
    ids=["corner", "centred"],
)
def test_a_768x576_picture_fills_416x312_and_the_rest_is_grey(
    centred: bool, picture_rows: slice, grey_rows: slice
) -> None:
    canvas = Canvas(416, channels="bgr", scale=1.0, pad=114, centred=centred)
    placement = canvas.fit(np.full((576, 768, 3), 200, np.uint8))
    assert canvas.tensor.shape == (1, 3, 416, 416)
    assert (canvas.tensor[:, :, picture_rows] == 200).all()
    assert (canvas.tensor[:, :, grey_rows] == 114).all()
    assert placement.scale == pytest.approx(416 / 768)


def test_the_picture_itself_is_left_alone() -> None:
    picture = np.arange(48 * 64 * 3, dtype=np.uint8).reshape(48, 64, 3)
    before = picture.copy()
    Canvas(96, channels="rgb", scale=1.0, pad=0, centred=True).fit(picture)
    assert (picture == before).all()
