import cv2
import numpy as np
import pytest

from edge.boxes import Box, Point
from edge.evidence import ZONE_COLOUR, Annotation, Label, annotate, seal_picture


def work(**changes: object) -> Annotation:
    fields: dict = {
        "picture_sha256": "a" * 64,
        "incident": "i-1",
        "camera": "cam-1",
        "title": "cam-1 zone rule  standing time 20.4 s (limit 20.0 s)",
        "zone": (Point(0.1, 0.1), Point(0.9, 0.1), Point(0.9, 0.9), Point(0.1, 0.9)),
        "labels": (Label("car 0.87", Box(0.4, 0.4, 0.6, 0.6)),),
    }
    return Annotation(**fields | changes)


def decoded(jpeg: bytes) -> np.ndarray:
    picture = cv2.imdecode(np.frombuffer(jpeg, np.uint8), cv2.IMREAD_COLOR)
    assert picture is not None
    return picture


@pytest.mark.parametrize("size", [(576, 768), (1080, 1920), (240, 320)])
def test_the_copy_has_the_same_size_and_shows_zone_box_and_title(size: tuple[int, int]) -> None:
    height, width = size
    sealed = seal_picture(np.full((height, width, 3), 128, np.uint8))
    copy = decoded(annotate(sealed, work()))
    assert copy.shape == (height, width, 3)
    changed = np.abs(copy.astype(int) - decoded(sealed)).max(axis=2) > 25
    assert changed[round(0.4 * height), round(0.42 * width) : round(0.58 * width)].mean() > 0.8  # the box's upper edge
    assert changed[round(0.1 * height), round(0.2 * width) : round(0.8 * width)].mean() > 0.8  # the zone's outline
    assert changed[-3, : width // 2].mean() > 0.8  # the title's strip
    outside = changed[round(0.03 * height), :]
    assert not outside.any()


def test_a_long_title_stays_inside_the_picture() -> None:
    sealed = seal_picture(np.full((240, 320, 3), 128, np.uint8))
    copy = decoded(annotate(sealed, work(title="long " * 30, labels=())))
    assert copy[-2:, :-4].min() < 60  # the strip
    assert copy[-8:, -1].max() < 200  # no ink at the picture's edge


def test_what_latin_letters_cannot_show_is_replaced() -> None:
    sealed = seal_picture(np.full((240, 320, 3), 128, np.uint8))
    assert decoded(annotate(sealed, work(title="茶园"))).shape == (240, 320, 3)


def test_a_damaged_picture_is_refused() -> None:
    with pytest.raises(ValueError, match="no JPEG"):
        annotate(b"nothing", work())


def test_the_zone_is_drawn_in_its_colour() -> None:
    sealed = seal_picture(np.full((576, 768, 3), 0, np.uint8))
    copy = decoded(annotate(sealed, work(labels=(), title="x")))
    edge = copy[round(0.1 * 575), 200:600].astype(int).mean(axis=0)
    assert np.abs(edge - np.array(ZONE_COLOUR)).max() < 60
