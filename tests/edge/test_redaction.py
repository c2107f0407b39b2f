"""`teawatch edge redact`: what tells who somebody is gets covered for good, or there is no copy at all."""

import hashlib
import io
import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import av
import numpy as np
import pytest
from PIL import Image
from typer.testing import CliRunner

from alerts.messages import Box
from alerts.redaction import Redaction, What
from edge.cli import app
from edge.errors import RedactionFailed
from edge.redaction import command
from edge.redaction.covering import redact
from edge.redaction.finding import Finder, parts_of
from edge.redaction.pictures import MOST_PIXELS, read_picture
from models import cards
from models.cards import load_card
from models.detector import Detector

ROOT = Path(__file__).parents[2]
RED, GREEN = (200, 30, 30), (30, 160, 60)


@pytest.fixture(scope="module")
def finder() -> Finder:
    return Finder.load()


def striped(width: int = 320, height: int = 200) -> Image.Image:
    """Red above green, so that it shows when a picture is turned."""
    picture = Image.new("RGB", (width, height), RED)
    picture.paste(GREEN, (0, height // 2, width, height))
    return picture


def saved(picture: Image.Image, kind: str = "PNG", **options: object) -> bytes:
    file = io.BytesIO()
    picture.save(file, kind, **options)  # type: ignore[arg-type]
    return file.getvalue()


def pixels(data: bytes) -> np.ndarray:
    return np.asarray(Image.open(io.BytesIO(data)).convert("RGB")).astype(int)


def share_covered(told: Redaction, area: tuple[float, float, float, float]) -> float:
    """How much of an area (left, top, right, bottom in pixels) is covered."""
    mask = np.zeros((told.frame.height, told.frame.width), bool)
    for place in told.covered:
        mask[place.box.y : place.box.y + place.box.height, place.box.x : place.box.x + place.box.width] = True
    left, top, right, bottom = (round(each) for each in area)
    return float(mask[top:bottom, left:right].mean())


def test_faces_with_and_without_masks_are_covered(shared: Path, finder: Finder) -> None:
    folder = shared / "images" / "mask_det_gray"
    _, told = redact((folder / "images" / "0009.jpg").read_bytes(), (), finder)
    rows = [line.split() for line in (folder / "labels" / "0009.txt").read_text().splitlines()]
    faces = [[float(value) for value in row[1:]] for row in rows]
    assert faces
    for x, y, width, height in faces:
        core = (x - width / 4, y - height / 4, x + width / 4, y + height / 4)
        side = told.frame.width, told.frame.height
        assert share_covered(told, tuple(at * side[n % 2] for n, at in enumerate(core))) > 0.9  # type: ignore[arg-type]
    assert What.FACE in {place.what for place in told.covered}


def test_heads_of_people_too_small_for_a_face_are_covered(vtest: Path, finder: Finder) -> None:
    with av.open(str(vtest)) as container:
        frame = next(container.decode(video=0))
    _, told = redact(saved(Image.fromarray(frame.to_ndarray(format="rgb24"))), (), finder)
    assert sum(place.what is What.HEAD for place in told.covered) >= 3


@pytest.mark.parametrize(
    ("name", "part", "plate"),
    [
        ("test_img.jpg", (1400, 500, 1920, 1000), (350, 247, 464, 354)),
        ("pre.jpg", (0, 0, 320, 320), (154, 206, 183, 215)),
    ],
)
def test_a_number_plate_is_covered_whole(
    shared: Path, finder: Finder, name: str, part: tuple[int, int, int, int], plate: tuple[int, int, int, int]
) -> None:
    with Image.open(shared / "images" / "plates" / name) as picture:
        _, told = redact(saved(picture.crop(part)), (), finder)
    assert share_covered(told, plate) == 1


def test_nothing_of_what_was_covered_is_in_the_copy(finder: Finder) -> None:
    noise = np.random.default_rng(7).integers(0, 255, (240, 320, 3), np.uint8)
    other = noise.copy()
    other[40:160, 60:220] = 255 - other[40:160, 60:220]
    box = (Box(x=60, y=40, width=160, height=120),)
    blind = Finder({})
    (one, _), (two, _) = (redact(saved(Image.fromarray(each)), box, blind) for each in (noise, other))
    assert one == two, "whatever was there, the copy is the same"
    assert pixels(one)[48:152, 68:212].max() <= 12


@pytest.mark.parametrize("box", [Box(x=0, y=50, width=12, height=80), Box(x=50, y=0, width=80, height=12)])
def test_a_narrow_place_at_the_edge_of_the_picture_is_covered(box: Box) -> None:
    copy, told = redact(saved(striped()), (box,), Finder({}))
    assert told.covered[0].box == box
    middle = pixels(copy)[box.y + box.height // 2, box.x + box.width // 2]
    assert middle.max() < min(max(RED), max(GREEN)) // 2


def test_the_same_picture_gives_the_same_copy_and_says_what_made_it(finder: Finder) -> None:
    data = saved(striped())
    (one, told), (two, _) = (redact(data, (Box(x=-5, y=-5, width=25, height=15),), finder) for _ in range(2))
    assert one == two
    assert told.original_sha256 == hashlib.sha256(data).hexdigest()
    assert (told.copy_sha256, told.size_bytes) == (hashlib.sha256(one).hexdigest(), len(one))
    assert told.covered[0].box == Box(x=0, y=0, width=20, height=10), "as far as it lies in the picture"
    assert {what: model.name for what, model in told.models.items()} == {
        What.FACE: "blazeface",
        What.HEAD: "yolov3_tiny",
        What.PLATE: "clp_plate",
    }
    assert told.models[What.FACE].sha256 == load_card("blazeface").sha256


def test_no_metadata_comes_along() -> None:
    exif = Image.Exif()
    exif[0x010E], exif[0x9003] = "the yard of Mrs Li", "2026:04:05 06:07:08"
    data = saved(striped(), "JPEG", exif=exif, comment=b"secret", icc_profile=b"\0" * 128)
    copy, _ = redact(data, (), Finder({}))
    with Image.open(io.BytesIO(copy)) as picture:
        assert not dict(picture.getexif())
        assert not {"comment", "icc_profile", "exif", "xmp"} & set(picture.info)
    assert b"Mrs Li" not in copy


def turned(orientation: int) -> bytes:
    exif = Image.Exif()
    exif[0x0112] = orientation
    return saved(striped().transpose(Image.Transpose.ROTATE_90), "JPEG", exif=exif, quality=95)


DEEP = Image.fromarray((np.linspace(0, 65535, 200 * 320).reshape(200, 320)).astype(np.uint16))


@pytest.mark.parametrize(
    ("data", "top", "bottom"),
    [
        pytest.param(turned(6), RED, GREEN, id="turned by EXIF"),
        pytest.param(saved(striped().convert("CMYK"), "JPEG"), RED, GREEN, id="CMYK"),
        pytest.param(saved(striped().quantize(16)), RED, GREEN, id="a palette"),
        pytest.param(saved(striped(), "WEBP", lossless=True), RED, GREEN, id="WebP"),
        pytest.param(saved(DEEP), (2, 2, 2), (253, 253, 253), id="16 bits"),
        pytest.param(saved(Image.new("RGBA", (320, 200), (9, 9, 9, 0))), (255,) * 3, (255,) * 3, id="transparent"),
    ],
)
def test_pictures_of_any_make_are_read_as_they_are_shown(
    data: bytes, top: tuple[int, ...], bottom: tuple[int, ...]
) -> None:
    copy, told = redact(data, (), Finder({}))
    assert (told.frame.width, told.frame.height) == (320, 200)
    shown = pixels(copy)
    assert np.abs(shown[4, 160] - top).max() < 40
    assert np.abs(shown[195, 160] - bottom).max() < 40


def moving(kind: str) -> bytes:
    return saved(striped(), kind, save_all=True, append_images=[striped().rotate(180)])


def bomb() -> bytes:
    return saved(Image.new("1", (MOST_PIXELS // 5000 + 1, 5000)))


@pytest.mark.parametrize(
    ("make", "reason"),
    [
        pytest.param(lambda: saved(striped(), "JPEG")[:-900], "truncated", id="a truncated JPEG"),
        pytest.param(lambda: saved(DEEP)[:-200], "truncated", id="a truncated PNG"),
        pytest.param(lambda: b"", "JPEG, PNG and WebP can", id="nothing"),
        pytest.param(lambda: b"<svg/>", "JPEG, PNG and WebP can", id="no picture"),
        pytest.param(lambda: saved(striped(), "GIF"), "JPEG, PNG and WebP can", id="another format"),
        pytest.param(lambda: moving("PNG"), "moves", id="a moving PNG"),
        pytest.param(lambda: moving("WEBP"), "moves", id="a moving WebP"),
        pytest.param(bomb, "too many", id="too many pixels"),
        pytest.param(lambda: saved(Image.new("1", (40_000, 2))), "too many", id="too long a side"),
    ],
)
def test_what_cannot_be_read_whole_is_refused(make: Callable[[], bytes], reason: str) -> None:
    with pytest.raises(RedactionFailed, match=reason):
        read_picture(make())


@pytest.mark.parametrize("size", [(1, 1), (3, 900), (900, 3)])
def test_the_smallest_and_thinnest_pictures_are_looked_at(finder: Finder, size: tuple[int, int]) -> None:
    _, told = redact(saved(striped(*size)), (), finder)
    assert (told.frame.width, told.frame.height) == size


def test_every_pixel_is_looked_at_in_every_level() -> None:
    seen = list(parts_of(1920, 1080, 256))
    for side in (960, 480):
        mask = np.zeros((1080, 1920), bool)
        for left, top, right, bottom in seen:
            if right - left == side:
                mask[top:bottom, left:right] = True
        assert mask.all()


@pytest.mark.parametrize("size", [(4000, 3000), (6000, 4000)])
def test_pictures_of_usual_cameras_are_searched_to_the_finest_level(size: tuple[int, int]) -> None:
    seen = {right - left for left, _, right, _ in parts_of(*size, 128)}
    assert min(seen) < 256, "not even half of it would be"


def test_where_the_finest_level_is_left_out_the_report_says_so(finder: Finder, monkeypatch: pytest.MonkeyPatch) -> None:
    data = saved(striped(512, 512))
    monkeypatch.setattr("edge.redaction.finding.MOST_PARTS", 20)
    assert redact(data, (), finder)[1].coarse == (What.FACE,)
    assert "not searched for small ones: faces." in command.summary(redact(data, (), finder)[1])
    monkeypatch.undo()
    assert redact(data, (), finder)[1].coarse == ()


def call(*arguments: str | Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "teawatch", "edge", "redact", *map(str, arguments)],
        cwd=ROOT,
        env=os.environ,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def test_the_command_writes_the_copy_and_reports_in_json(tmp_path: Path) -> None:
    (tmp_path / "in.png").write_bytes(saved(striped()))
    done = call(tmp_path / "in.png", tmp_path / "out.jpg", "--box", "10,20,30,40", "--json")
    assert done.returncode == 0, done.stderr
    told = Redaction.model_validate_json(done.stdout)
    assert told.copy_sha256 == hashlib.sha256((tmp_path / "out.jpg").read_bytes()).hexdigest()
    assert json.loads(done.stdout)["covered"][0] == {
        "what": "by_hand",
        "box": {"x": 10, "y": 20, "width": 30, "height": 40},
    }
    assert sorted(path.name for path in tmp_path.iterdir()) == ["in.png", "out.jpg"]
    again = call(tmp_path / "in.png", tmp_path / "out.jpg")
    assert (again.returncode, again.stderr.count("\n")) == (1, 1)
    assert "is there already" in again.stderr


@pytest.fixture
def one(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Callable[..., tuple[int, str]]:
    """The command in this process, on a picture that is fine."""
    (tmp_path / "in.png").write_bytes(saved(striped()))

    def run(*arguments: str) -> tuple[int, str]:
        done = CliRunner().invoke(app, ["redact", str(tmp_path / "in.png"), str(tmp_path / "out.jpg"), *arguments])
        assert (tmp_path / "out.jpg").exists() is (done.exit_code == 0)
        assert [path.name for path in tmp_path.iterdir() if path.name.startswith(".")] == []
        return done.exit_code, done.stderr

    return run


@pytest.mark.parametrize(
    ("box", "reason"),
    [
        ("1,2,3", "is no box"),
        ("a,b,c,d", "is no box"),
        ("1,2,-3,4", "is no box"),
        ("1.5,2,3,4", "is no box"),
        ("10,10,0,5", "covers nothing"),
        ("320,0,5,5", "covers nothing"),
        ("-9,0,9,9", "covers nothing"),
    ],
)
def test_a_box_that_covers_nothing_makes_no_copy(
    one: Callable[..., tuple[int, str]], monkeypatch: pytest.MonkeyPatch, box: str, reason: str
) -> None:
    monkeypatch.setattr(Finder, "load", lambda: Finder({}))
    code, said = one("--box", "0,0,9,9", "--box", box)
    assert code == 1
    assert reason in said


def test_a_model_that_is_missing_or_another_makes_no_copy(
    one: Callable[..., tuple[int, str]], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    folder = tmp_path / "cards"
    folder.mkdir()
    for path in cards.CARDS.glob("*.yaml"):
        (folder / path.name).write_text(path.read_text().replace("../weights", str(cards.CARDS.parent / "weights")))
    card = folder / "clp_plate.yaml"
    monkeypatch.setattr(cards, "CARDS", folder)
    whole = card.read_text()
    card.write_text(whole.replace("clp_plate_640", "gone"))
    assert "cannot be read" in one()[1]
    card.write_text(whole.replace("clp_plate_640", "blazeface_back_256"))
    assert "wrong model file" in one()[1]


def test_a_model_that_fails_while_it_looks_makes_no_copy(
    one: Callable[..., tuple[int, str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object, **__: object) -> None:
        raise RuntimeError("out of memory")

    monkeypatch.setattr(Detector, "detect", fail)
    code, said = one()
    assert code == 1
    assert "out of memory" in said


def test_without_the_box_parts_it_says_what_to_install(
    one: Callable[..., tuple[int, str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delitem(sys.modules, command.__name__)
    monkeypatch.setitem(sys.modules, "onnxruntime", None)
    for name in [name for name in sys.modules if name.startswith(("edge.redaction", "models.detector"))]:
        monkeypatch.delitem(sys.modules, name)
    code, said = one()
    assert code == 1
    assert "pip install 'teawatch[edge]'" in said
