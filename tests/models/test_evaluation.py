"""Average precision is what COCO means by it, and the shipped model reaches what its card says."""

import shutil
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.cards import load_card
from models.detections import Detections
from models.detector import Detector
from models.errors import BadLabels
from models.evaluation import average_precision, evaluate, intersection_over_union, matched
from models.labels import read_labelled


@pytest.mark.parametrize(
    ("hits", "positives", "expected"),
    [
        ([True, True], 2, 1.0),
        ([False, False], 2, 0.0),
        ([], 2, 0.0),
        ([True], 2, 51 / 101),
        ([False, True], 1, 0.5),
        ([True, False, True], 2, (51 + 50 * 2 / 3) / 101),
    ],
    ids=["perfect", "all wrong", "nothing found", "half found", "one false before", "one false between"],
)
def test_average_precision_of_small_cases_done_by_hand(hits: list[bool], positives: int, expected: float) -> None:
    scores = [0.9 - place / 10 for place in range(len(hits))]
    assert average_precision(scores, hits, positives) == pytest.approx(expected)


@given(st.lists(st.tuples(st.floats(0, 1), st.booleans()), max_size=30), st.integers(0, 10))
def test_average_precision_is_a_share_and_does_not_depend_on_the_order_of_distinct_scores(
    found: list[tuple[float, bool]], missed: int
) -> None:
    distinct = list(dict(found).items())
    positives = sum(hit for _, hit in distinct) + missed
    scores, hits = [score for score, _ in distinct], [hit for _, hit in distinct]
    value = average_precision(scores, hits, positives)
    assert 0 <= value <= 1
    assert average_precision(scores[::-1], hits[::-1], positives) == value


def test_each_object_is_hit_once_by_the_strongest_detection_of_its_class() -> None:
    box, off = [0, 0, 10, 10], [0, 0, 10, 4]
    found = Detections(
        np.array([box, box, box, off], np.float32),
        np.array([0.5, 0.9, 0.8, 0.95], np.float32),
        np.array([1, 1, 2, 1], np.int64),
    )
    assert matched(found, np.array([box], np.float32), np.array([1])).tolist() == [False, True, False, False]


def test_no_objects_means_no_hits_and_no_detections_mean_no_hits() -> None:
    nothing = np.empty((0, 4), np.float32)
    one = Detections(np.array([[0, 0, 1, 1]], np.float32), np.array([0.5], np.float32), np.array([0]))
    assert matched(one, nothing, np.empty(0, np.int64)).tolist() == [False]
    assert matched(Detections.none(), one.boxes, one.classes).tolist() == []


def test_overlap_of_boxes_done_by_hand() -> None:
    boxes = np.array([[0, 0, 10, 10], [0, 0, 0, 0]], np.float32)
    others = np.array([[5, 0, 15, 10], [20, 20, 30, 30]], np.float32)
    assert intersection_over_union(boxes, others) == pytest.approx(np.array([[1 / 3, 0], [0, 0]]))


@pytest.fixture(scope="module")
def coco128(shared: Path) -> Path:
    return shared / "images" / "coco128val"


def test_the_shipped_model_reaches_the_ap50_on_its_card(coco128: Path) -> None:
    card = load_card("yolov3_tiny")
    done: list[int] = []
    result = evaluate(Detector.load(card), read_labelled(coco128, card.classes), done.append)
    assert result.ap50 >= 0.44
    assert result.ap50 * 1000 == pytest.approx(card.measured[0].ap50_permille, abs=3)
    assert (result.pictures, result.objects) == (128, 898)
    assert done == list(range(1, 129))


def folder_of(tmp_path: Path, coco128: Path, **changes: str) -> Path:
    """One real picture with its labels, and some files replaced."""
    for part, suffix in (("images", "jpg"), ("labels", "txt")):
        (tmp_path / part).mkdir()
        shutil.copyfile(coco128 / part / f"000000000139.{suffix}", tmp_path / part / f"one.{suffix}")
    shutil.copyfile(coco128 / "config.yaml", tmp_path / "config.yaml")
    for name, text in changes.items():
        path = {"config": tmp_path / "config.yaml", "labels": tmp_path / "labels" / "one.txt"}[name]
        path.write_text(text)
    return tmp_path


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"config": "names: {0: person, 1: dragon}"}, "config.yaml: the model does not know dragon"),
        ({"config": "path: ."}, "config.yaml: cannot be read; it must give `names`, from class number to name"),
        ({"config": "[:"}, "config.yaml: cannot be read; it must give `names`, from class number to name"),
        ({"labels": "0 0.5 0.5 0.1"}, "one.txt, line 1: expected a known class number and four shares"),
        ({"labels": "\n99 0.5 0.5 0.1 0.1"}, "one.txt, line 2: expected a known class number and four shares"),
    ],
)
def test_a_folder_of_labels_that_is_wrong_is_named_in_one_line(
    changes: dict[str, str], message: str, tmp_path: Path, coco128: Path
) -> None:
    folder = folder_of(tmp_path, coco128, **changes)
    with pytest.raises(BadLabels) as caught:
        read_labelled(folder, load_card("yolov3_tiny").classes)
    assert str(caught.value).endswith(message)


def test_class_numbers_of_the_folder_are_translated_by_name(tmp_path: Path, coco128: Path) -> None:
    folder = folder_of(tmp_path, coco128, config="names: [car, person]", labels="1 0.5 0.5 0.2 0.4\n")
    (example,) = read_labelled(folder, ("person", "cat", "car"))
    assert example.classes.tolist() == [0]
    assert example.shares == pytest.approx(np.array([[0.4, 0.3, 0.6, 0.7]]))


def test_pictures_without_any_object_cannot_be_measured_on(tmp_path: Path, coco128: Path) -> None:
    folder = folder_of(tmp_path, coco128, labels="")
    card = load_card("yolov3_tiny")
    with pytest.raises(BadLabels, match="nothing is labelled"):
        evaluate(Detector.load(card), read_labelled(folder, card.classes))


def test_a_picture_that_cannot_be_read_is_named(tmp_path: Path, coco128: Path) -> None:
    folder = folder_of(tmp_path, coco128)
    (folder / "images" / "one.jpg").write_text("no picture")
    card = load_card("yolov3_tiny")
    with pytest.raises(BadLabels, match=r"one\.jpg: not a picture that can be read"):
        evaluate(Detector.load(card), read_labelled(folder, card.classes))
