"""The detector sees what stands in the street, and refuses a file that is not its card's."""

import hashlib
import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import yaml

from models.cards import CARDS, ModelCard, card_names, load_card, read_card
from models.detector import Detector
from models.errors import BadModelCard, ModelFileMissing, UnknownModel, WrongModelFile
from models.evaluation import evaluate, intersection_over_union
from models.labels import read_labelled
from streams.frames import Camera, Pace, Picture
from streams.source import open_source

VAN = (651, 42, 651 + 73, 42 + 57)
CAR = (731, 51, 731 + 35, 51 + 42)


@pytest.fixture(scope="module")
def detector() -> Detector:
    return Detector.load(load_card("yolov3_tiny"))


@pytest.fixture(scope="module")
def street(vtest: Path) -> list[Picture]:
    """Every 40th frame of the street: 20 pictures over 80 s."""
    with open_source(Camera(id="street", url=str(vtest), pace=Pace.FAST)) as source:
        return [frame.picture for frame in source if frame.index % 40 == 0]


def seen(detector: Detector, picture: Picture, classes: set[str], place: tuple[int, ...]) -> int:
    """How many detections of these classes lie on the place (overlap of at least 0.4)."""
    found = detector.detect(picture)
    wanted = np.isin(found.classes, [detector.class_names.index(name) for name in classes])
    overlaps = intersection_over_union(found.boxes[wanted], np.array([place], np.float32))
    return int((overlaps >= 0.4).sum())


@pytest.mark.parametrize(("place", "at_least"), [(VAN, 20), (CAR, 19)], ids=["van", "car"])
def test_a_parked_vehicle_is_seen_once_in_nearly_every_frame(
    place: tuple[int, ...], at_least: int, detector: Detector, street: list[Picture]
) -> None:
    counts = [seen(detector, picture, {"car", "truck", "bus"}, place) for picture in street]
    assert sum(count > 0 for count in counts) >= at_least
    assert max(counts) == 1


def test_people_on_the_road_are_seen(detector: Detector, street: list[Picture]) -> None:
    person = detector.class_names.index("person")
    assert np.mean([(detector.detect(picture).classes == person).sum() for picture in street]) > 2


def test_detections_lie_in_the_picture_strongest_first_in_the_promised_types(
    detector: Detector, street: list[Picture]
) -> None:
    picture = np.ascontiguousarray(street[0][:, 300:])
    found = detector.detect(picture, score_threshold=0.05)
    height, width = picture.shape[:2]
    assert len(found) > 5
    assert (found.boxes.dtype, found.scores.dtype, found.classes.dtype) == (np.float32, np.float32, np.int64)
    assert (found.boxes >= 0).all()
    assert (found.boxes <= [width, height, width, height]).all()
    assert (found.boxes[:, 2:] > found.boxes[:, :2]).all()
    assert (np.diff(found.scores) <= 0).all()


@pytest.mark.parametrize("shape", [(1, 1), (2, 4000), (3000, 5), (2160, 3840)])
def test_a_picture_of_any_shape_can_be_asked_about(shape: tuple[int, int], detector: Detector) -> None:
    assert len(detector.detect(np.full((*shape, 3), 114, np.uint8))) == 0


@pytest.mark.parametrize("threshold", [0.25, 0.6])
def test_the_threshold_asked_for_is_the_one_that_holds(
    threshold: float, detector: Detector, street: list[Picture]
) -> None:
    found = detector.detect(street[0], score_threshold=threshold)
    assert len(found) > 0
    assert found.scores.min() > threshold


YOLOX_NANO = {
    "name": "yolox_nano",
    "summary": "Read from the shared folder by this test, never shipped.",
    "sha256": "e8af074932d4ed7e232278e3055cefcdea3edf178874a3694ae292649fb464dd",
    "origin": {"source": "test", "licence": "unclear", "notes": "not shipped"},
    "input": {"size_px": 416, "channels": "bgr", "scale": 1.0, "pad": 114, "centred": False},
    "head": {"kind": "yolox", "strides": (8, 16, 32)},
    "score_threshold": 0.3,
    "overlap_threshold": 0.45,
}


def test_a_yolox_network_reaches_its_known_ap50_through_nothing_but_a_card(shared: Path) -> None:
    classes = load_card("yolov3_tiny").classes
    file = shared / "models" / "yolox_nano_coco_416.onnx"
    card = ModelCard.model_validate({**YOLOX_NANO, "file": file, "classes": classes})
    result = evaluate(Detector.load(card), read_labelled(shared / "images" / "coco128val", classes))
    assert result.ap50 == pytest.approx(0.50, abs=0.01)


def test_a_model_file_that_was_changed_is_refused_with_both_hashes(tmp_path: Path) -> None:
    card = load_card("yolov3_tiny")
    content = bytearray(card.file.read_bytes())
    content[len(content) // 2] ^= 1
    changed = tmp_path / "changed.onnx"
    changed.write_bytes(content)
    with pytest.raises(WrongModelFile) as caught:
        Detector.load(card.model_copy(update={"file": changed}))
    assert caught.value.expected == card.sha256 != caught.value.actual
    message = str(caught.value)
    assert "\n" not in message
    assert all(part in message for part in (str(changed), caught.value.expected, caught.value.actual))


def test_an_absent_model_file_is_named(tmp_path: Path) -> None:
    card = load_card("yolov3_tiny").model_copy(update={"file": tmp_path / "gone.onnx"})
    with pytest.raises(ModelFileMissing, match=r"gone\.onnx: model file cannot be read \(no such file"):
        Detector.load(card)


def test_a_file_that_is_no_network_is_refused_even_with_the_right_hash(tmp_path: Path) -> None:
    file = tmp_path / "text.onnx"
    file.write_text("no network")
    digest = hashlib.sha256(file.read_bytes()).hexdigest()
    card = load_card("yolov3_tiny").model_copy(update={"file": file, "sha256": digest})
    with pytest.raises(BadModelCard, match="not a network ONNX Runtime can run"):
        Detector.load(card)


def test_a_card_for_another_network_is_refused_at_load_and_not_at_the_first_frame() -> None:
    card = load_card("yolov3_tiny")
    with pytest.raises(BadModelCard, match="the card describes shapes"):
        Detector.load(card.model_copy(update={"classes": card.classes[:20], "groups": {}}))


THERE_IS = "blazeface, clp_plate, yolov3_tiny"


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("yolov3_tyni", f"no model called 'yolov3_tyni'; did you mean yolov3_tiny? (there is: {THERE_IS})"),
        ("../secret", f"no model called '../secret' (there is: {THERE_IS})"),
    ],
)
def test_an_unknown_model_is_refused_and_the_nearest_one_named(name: str, message: str) -> None:
    with pytest.raises(UnknownModel) as caught:
        load_card(name)
    assert str(caught.value) == message


def shipped() -> dict[str, object]:
    content = yaml.safe_load((CARDS / "yolov3_tiny.yaml").read_text("utf-8"))
    assert isinstance(content, dict)
    return content


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda card: card.update(colour="red"), "colour: Extra inputs are not permitted"),
        (lambda card: card.pop("sha256"), "sha256: Field required"),
        (lambda card: card.update(score_threshold=2), "score_threshold: Input should be less than 1"),
        (lambda card: card["head"].update(kind="ssd"), "head: Input tag 'ssd' found"),
        (lambda card: card.update(groups={"vehicle": ["carr"]}), "groups: vehicle names carr, not among the classes"),
        (lambda card: card["classes"].append("car"), "classes: a name appears twice"),
    ],
)
def test_a_card_that_contradicts_itself_is_refused_in_one_line(
    change: Callable[[dict[str, object]], object], message: str, tmp_path: Path
) -> None:
    card = shipped()
    change(card)
    path = tmp_path / "card.yaml"
    path.write_text(yaml.safe_dump(card))
    with pytest.raises(BadModelCard) as caught:
        read_card(path)
    assert message in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("content", [b"[:", b"\xff\xfe\x00", b"- a list"])
def test_a_card_that_is_not_yaml_is_refused_in_one_line(content: bytes, tmp_path: Path) -> None:
    path = tmp_path / "card.yaml"
    path.write_bytes(content)
    with pytest.raises(BadModelCard) as caught:
        read_card(path)
    assert str(caught.value).startswith(f"{path}: ")
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("name", card_names())
def test_every_shipped_card_has_its_file_and_its_licence_text_beside_it(name: str) -> None:
    card = load_card(name)
    assert card.name == name
    assert card.file.is_file()
    assert card.sha256 in card.file.with_suffix(".txt").read_text("utf-8")
    assert card.measured


def test_a_card_copied_elsewhere_finds_its_file_beside_itself(tmp_path: Path) -> None:
    card = shipped() | {"file": "here.onnx"}
    (tmp_path / "card.yaml").write_text(yaml.safe_dump(card))
    shutil.copyfile(load_card("yolov3_tiny").file, tmp_path / "here.onnx")
    assert read_card(tmp_path / "card.yaml").file == tmp_path / "here.onnx"
