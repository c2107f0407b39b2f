"""A user's own YOLOv8 network needs a card beside its ONNX file, and nothing else."""

from pathlib import Path

import numpy as np
import pytest
import yaml
from typer.testing import CliRunner

from models.cards import find_card, load_card, read_card
from models.cli import app
from models.detector import Detector
from models.errors import BadModelCard, UnknownModel
from tests.models.networks import write_yolov8

PICTURE = np.zeros((360, 640, 3), np.uint8)


def test_what_a_yolov8_network_finds_comes_back_in_the_pixels_of_the_picture(tmp_path: Path) -> None:
    # A 640x360 picture fills the middle 180 rows of a 320 px input: half its size, 70 px from the top.
    found = [("person", 0.8, (100, 160, 20, 40)), ("car", 0.6, (200, 150, 40, 20)), ("dog", 0.2, (10, 100, 8, 8))]
    detector = Detector.load(read_card(write_yolov8(tmp_path, "own", 320, found)))
    seen = detector.detect(PICTURE)
    assert [detector.class_names[number] for number in seen.classes] == ["person", "car"]
    assert seen.scores == pytest.approx([0.8, 0.6])
    assert seen.boxes == pytest.approx(np.array([[180, 140, 220, 220], [360, 140, 440, 180]]))


def test_boxes_of_a_yolov8_network_are_suppressed_and_clipped_as_every_other(tmp_path: Path) -> None:
    found = [("car", 0.6, (300, 150, 80, 40)), ("truck", 0.7, (302, 151, 80, 40)), ("person", 0.9, (50, 40, 20, 20))]
    seen = Detector.load(read_card(write_yolov8(tmp_path, "own", 320, found))).detect(PICTURE)
    assert seen.scores == pytest.approx([0.7])
    assert seen.boxes == pytest.approx(np.array([[524, 122, 640, 202]]))


def test_a_detector_answers_for_each_picture_whatever_size_came_before(tmp_path: Path) -> None:
    detector = Detector.load(read_card(write_yolov8(tmp_path, "own", 320, [("car", 0.6, (160, 160, 40, 40))])))
    sizes = [(360, 640), (640, 360), (100, 100), (360, 640)]
    widths = [float(np.ptp(detector.detect(np.zeros((*size, 3), np.uint8)).boxes[0, ::2])) for size in sizes]
    assert widths == pytest.approx([80, 80, 12.5, 80])


def test_a_network_of_other_classes_than_its_card_is_refused(tmp_path: Path) -> None:
    path = write_yolov8(tmp_path, "own", 320, [])
    card = yaml.safe_load(path.read_text("utf-8"))
    path.write_text(yaml.safe_dump(card | {"classes": ["leaf"], "groups": {}}), "utf-8")
    with pytest.raises(BadModelCard, match=r"the card describes shapes .*\(1, 5, None\).*has .*\(1, 84, 3\)"):
        Detector.load(read_card(path))


@pytest.mark.parametrize("absolute", [False, True])
def test_a_card_is_found_by_its_path_beside_the_configuration(tmp_path: Path, *, absolute: bool) -> None:
    path = write_yolov8(tmp_path, "own", 320, [])
    card = find_card(str(path) if absolute else "own.yaml", Path("/elsewhere") if absolute else tmp_path)
    assert (card.name, card.file) == ("own", tmp_path / "own.onnx")


def test_a_shipped_card_is_found_by_its_name(tmp_path: Path) -> None:
    assert find_card("yolov3_tiny", tmp_path) == load_card("yolov3_tiny")


@pytest.mark.parametrize(
    ("name", "error", "message"),
    [
        ("gone.yaml", BadModelCard, "gone.yaml: cannot be read as a model card"),
        ("own", UnknownModel, "no model called"),
    ],
)
def test_a_card_that_is_not_there_is_named(name: str, error: type[Exception], message: str, tmp_path: Path) -> None:
    with pytest.raises(error, match=message):
        find_card(name, tmp_path)


def test_an_own_card_is_checked_like_a_shipped_one(tmp_path: Path) -> None:
    result = CliRunner().invoke(app, ["check", str(write_yolov8(tmp_path, "own", 320, []))])
    assert (result.exit_code, "file is whole" in result.stdout) == (0, True)
