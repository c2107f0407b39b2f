"""One object, one box: also where the network calls a van a car and a truck at once."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.detections import Detections
from models.evaluation import intersection_over_union
from models.suppression import grouping, suppress

NAMES = ("person", "car", "truck", "boat")
VEHICLES = grouping(NAMES, {"vehicle": ("car", "truck")})
VAN, SHIFTED, FAR = (100, 100, 200, 180), (104, 102, 204, 182), (400, 100, 500, 180)


def detections(*rows: tuple[str, float, tuple[int, int, int, int]]) -> Detections:
    return Detections(
        np.array([box for _, _, box in rows], np.float32).reshape(-1, 4),
        np.array([score for _, score, _ in rows], np.float32),
        np.array([NAMES.index(name) for name, _, _ in rows], np.int64),
    )


def kept(found: Detections) -> list[tuple[str, float]]:
    return [(NAMES[kind], round(float(score), 3)) for kind, score in zip(found.classes, found.scores, strict=True)]


@pytest.mark.parametrize(
    ("rows", "expected"),
    [
        ([("car", 0.6, VAN), ("truck", 0.7, SHIFTED)], [("truck", 0.7)]),
        ([("car", 0.6, VAN), ("truck", 0.7, FAR)], [("truck", 0.7), ("car", 0.6)]),
        ([("car", 0.6, VAN), ("person", 0.5, SHIFTED)], [("car", 0.6), ("person", 0.5)]),
        ([("car", 0.6, VAN), ("boat", 0.9, VAN)], [("boat", 0.9), ("car", 0.6)]),
        ([("person", 0.3, VAN), ("person", 0.8, SHIFTED)], [("person", 0.8)]),
        ([], []),
    ],
    ids=["van twice", "two vehicles", "person before a car", "boat is no vehicle here", "same class", "nothing"],
)
def test_one_box_stays_per_object_strongest_first(
    rows: list[tuple[str, float, tuple[int, int, int, int]]], expected: list[tuple[str, float]]
) -> None:
    assert kept(suppress(detections(*rows), VEHICLES, 0.45)) == expected


COORDINATE = st.integers(0, 3840)
ROW = st.tuples(
    st.sampled_from(NAMES),
    st.integers(1, 999).map(lambda permille: permille / 1000),
    st.tuples(COORDINATE, COORDINATE, st.integers(1, 900), st.integers(1, 900)).map(
        lambda box: (box[0], box[1], box[0] + box[2], box[1] + box[3])
    ),
)


@given(st.lists(ROW, max_size=25), st.sampled_from([0.3, 0.45, 0.7]))
def test_no_two_kept_boxes_of_a_group_overlap_and_every_dropped_one_has_a_stronger_rival(
    rows: list[tuple[str, float, tuple[int, int, int, int]]], threshold: float
) -> None:
    found = detections(*rows)
    left = suppress(found, VEHICLES, threshold)
    assert (np.diff(left.scores) <= 0).all()
    overlaps = intersection_over_union(left.boxes, left.boxes)
    same = VEHICLES[left.classes][:, None] == VEHICLES[left.classes][None, :]
    np.fill_diagonal(same, val=False)
    assert (overlaps[same] <= threshold + 1e-4).all()
    rivals = intersection_over_union(found.boxes, left.boxes)
    rivals[VEHICLES[found.classes][:, None] != VEHICLES[left.classes][None, :]] = 0
    rivals[found.scores[:, None] > left.scores[None, :]] = 0
    if len(found):
        assert (rivals.max(axis=1) >= threshold - 1e-4).all()
