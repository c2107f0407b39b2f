"""Heads decode what their papers say, and nothing below the threshold."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from models.heads import decode_yolov3, decode_yolov8, decode_yolox

CLASSES = 3
COLUMNS = 5 + CLASSES
ANCHORS = [np.array([[80, 60], [100, 200]], np.float32), np.array([[10, 20], [30, 40]], np.float32)]


def empty_yolov3() -> list[np.ndarray]:
    """Two scales of a 64 px input, 2x2 and 4x4 cells, two anchors each; every logit so low that nothing is seen."""
    return [np.full((1, 2 * COLUMNS, cells, cells), -20, np.float32) for cells in (2, 4)]


def logit(share: float) -> float:
    return float(np.log(share / (1 - share)))


def test_a_yolov3_cell_becomes_a_box_around_its_centre_of_the_size_of_its_anchor() -> None:
    outputs = empty_yolov3()
    column = outputs[1].reshape(2, COLUMNS, 4, 4)[1, :, 2, 3]  # fine scale, second anchor, row 2, column 3
    column[:] = [logit(0.25), logit(0.5), np.log(2), 0, logit(0.9), -20, logit(0.8), -20]
    found = decode_yolov3(outputs, ANCHORS, 64, 0.25)
    centre_x, centre_y = (3 + 0.25) * 16, (2 + 0.5) * 16
    assert found.boxes == pytest.approx(np.array([[centre_x - 30, centre_y - 20, centre_x + 30, centre_y + 20]]))
    assert found.scores == pytest.approx([0.72])
    assert found.classes.tolist() == [1]


def test_a_yolov3_box_is_given_once_for_each_class_above_the_threshold() -> None:
    outputs = empty_yolov3()
    outputs[0].reshape(2, COLUMNS, 2, 2)[0, :, 0, 0] = [0, 0, 0, 0, 20, logit(0.6), logit(0.2), logit(0.9)]
    found = decode_yolov3(outputs, ANCHORS, 64, 0.5)
    assert found.classes.tolist() == [0, 2]
    assert found.scores == pytest.approx([0.6, 0.9])
    assert (found.boxes[0] == found.boxes[1]).all()


def test_an_empty_scene_gives_no_detections() -> None:
    assert len(decode_yolov3(empty_yolov3(), ANCHORS, 64, 0.01)) == 0
    assert len(decode_yolox(np.zeros((1, 20, COLUMNS), np.float32), 32, (8, 16), 0.01)) == 0


@pytest.mark.parametrize(
    ("row", "box"),
    [
        (6, [2 * 8 + 4 - 8, 1 * 8 + 2 - 4, 2 * 8 + 4 + 8, 1 * 8 + 2 + 4]),
        (16 + 3, [1 * 16 + 8 - 16, 1 * 16 + 4 - 8, 1 * 16 + 8 + 16, 1 * 16 + 4 + 8]),
    ],
    ids=["stride 8, column 2, row 1", "stride 16, column 1, row 1"],
)
def test_a_yolox_row_becomes_a_box_in_cells_of_its_stride(row: int, box: list[float]) -> None:
    output = np.zeros((1, 20, COLUMNS), np.float32)
    output[0, row] = [0.5, 0.25, np.log(2), 0, 0.9, 0.1, 0, 0.5]
    found = decode_yolox(output, 32, (8, 16), 0.25)
    assert found.boxes == pytest.approx(np.array([box], np.float32))
    assert found.scores == pytest.approx([0.45])
    assert found.classes.tolist() == [2]


def test_a_yolox_output_of_another_input_size_is_refused_with_both_numbers() -> None:
    with pytest.raises(ValueError, match=r"expected 20 rows for strides .*, got 21"):
        decode_yolox(np.zeros((1, 21, COLUMNS), np.float32), 32, (8, 16), 0.5)


def test_a_yolov8_column_becomes_its_box_once_for_each_class_above_the_threshold() -> None:
    output = np.zeros((1, 4 + CLASSES, 21), np.float32)
    output[0, :, 17] = [30, 20, 12, 8, 0.4, 0.1, 0.9]
    output[0, :, 3] = [8, 8, 4, 4, 0, 0.25, 0.2]
    found = decode_yolov8(output, 0.25)
    assert found.boxes.tolist() == [[24, 16, 36, 24], [24, 16, 36, 24]]
    assert found.scores == pytest.approx([0.4, 0.9])
    assert found.classes.tolist() == [0, 2]
    assert (found.boxes.dtype, found.scores.dtype, found.classes.dtype) == (np.float32, np.float32, np.int64)


def test_a_yolov8_scene_without_anything_gives_no_detections() -> None:
    assert len(decode_yolov8(np.zeros((1, 4 + CLASSES, 21), np.float32), 0.01)) == 0


@given(hnp.arrays(np.float32, (1, 4 + CLASSES, 21), elements=st.floats(0, 1, width=32)), st.floats(0.01, 0.9))
def test_a_higher_threshold_keeps_exactly_the_stronger_detections_of_a_yolov8_head(
    output: np.ndarray, threshold: float
) -> None:
    everything = decode_yolov8(output, 0.005)
    kept = decode_yolov8(output, threshold)
    expected = everything.where(everything.scores > threshold)
    assert kept.boxes.tolist() == expected.boxes.tolist()
    assert kept.scores.tolist() == expected.scores.tolist()
    assert kept.classes.tolist() == expected.classes.tolist()


LOGITS = st.floats(-1e4, 1e4, width=32)


@given(hnp.arrays(np.float32, (1, 2 * COLUMNS, 2, 2), elements=LOGITS), st.floats(0.01, 0.99))
def test_whatever_a_yolov3_network_says_boxes_are_finite_and_scores_above_the_threshold(
    output: np.ndarray, threshold: float
) -> None:
    found = decode_yolov3([output], ANCHORS[:1], 64, threshold)
    assert np.isfinite(found.boxes).all()
    assert (found.boxes[:, 2:] >= found.boxes[:, :2]).all()
    assert ((found.scores >= np.float32(threshold)) & (found.scores <= 1)).all()
    assert set(found.classes.tolist()) <= set(range(CLASSES))


@given(hnp.arrays(np.float32, (1, 20, COLUMNS), elements=st.floats(0, 1, width=32)), st.floats(0.01, 0.9))
def test_a_higher_threshold_keeps_exactly_the_stronger_detections(output: np.ndarray, threshold: float) -> None:
    everything = decode_yolox(output, 32, (8, 16), 0.005)
    kept = decode_yolox(output, 32, (8, 16), threshold)
    expected = everything.where(everything.scores > threshold)
    assert kept.boxes == pytest.approx(expected.boxes)
    assert kept.scores.tolist() == expected.scores.tolist()
