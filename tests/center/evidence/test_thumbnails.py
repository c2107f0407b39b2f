"""Small copies: made once, of what may be seen, from what can be read, and never at the price of the machine."""

import io
import struct
import zlib
from pathlib import Path

import pytest
from PIL import Image

from alerts.blobs import BlobStore
from alerts.errors import BlobMissing
from center.errors import NotAPicture
from center.evidence.thumbnails import HEIGHT_PX, MOST_PIXELS, WIDTH_PX, Thumbnails, shrink
from tests.center.stage import NOW, Box, Web, make_alert, make_artefact


def draw(kind: str = "JPEG", size: tuple[int, int] = (1280, 720), mode: str = "RGB") -> bytes:
    """A picture with a little of everything in it."""
    picture = Image.effect_mandelbrot(size, (-2, -1.5, 1, 1.5), 30).convert(mode)
    made = io.BytesIO()
    exif = Image.Exif()
    exif[0x010F] = "a camera's maker"
    picture.save(made, kind, exif=exif)
    return made.getvalue()


def bomb(width: int, height: int) -> bytes:
    """A PNG of a few bytes that claims to be so large."""

    def chunk(name: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))

    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(b"")) + chunk(b"IEND", b"")


@pytest.mark.parametrize(
    ("kind", "mode"), [("JPEG", "RGB"), ("JPEG", "L"), ("PNG", "RGBA"), ("PNG", "P"), ("WEBP", "RGB")]
)
def test_a_picture_becomes_a_small_webp_without_the_cameras_metadata(kind: str, mode: str) -> None:
    original = draw(kind, mode=mode)
    small = shrink(original)
    with Image.open(io.BytesIO(small)) as picture:
        assert (picture.format, picture.size) == ("WEBP", (WIDTH_PX, WIDTH_PX * 720 // 1280))
        assert not picture.getexif()
    assert len(small) < len(original) / 2


def test_a_small_picture_stays_as_it_is_and_a_tall_one_fits() -> None:
    for size, fits in (((40, 30), (40, 30)), ((300, 3000), (40, HEIGHT_PX))):
        with Image.open(io.BytesIO(shrink(draw(size=size)))) as picture:
            assert picture.size == fits


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"no picture at all",
        draw()[:2000],
        draw("PNG")[:3000],
        b"<svg xmlns='http://www.w3.org/2000/svg'/>",
        b"GIF89a" + bytes(20),
        bomb(30_000, 30_000),
        bomb(MOST_PIXELS, 2),
        bomb(2**31 - 1, 2**31 - 1),
    ],
    ids=["nothing", "words", "half a jpeg", "half a png", "svg", "gif", "bomb", "wide bomb", "absurd bomb"],
)
def test_what_is_broken_or_a_bomb_is_no_picture(data: bytes) -> None:
    with pytest.raises(NotAPicture):
        shrink(data)


@pytest.fixture
def shelf(tmp_path: Path) -> tuple[BlobStore, Thumbnails]:
    store = BlobStore(tmp_path / "evidence")
    return store, Thumbnails(tmp_path / "thumbnails", store.read)


def test_it_is_made_once_and_outlives_its_original_only_until_it_is_removed(
    shelf: tuple[BlobStore, Thumbnails],
) -> None:
    store, thumbnails = shelf
    sha256 = store.put(draw())
    first = thumbnails.of(sha256)
    store.remove(sha256)
    assert thumbnails.of(sha256) == first, "nothing was read or made the second time"
    thumbnails.remove(sha256)
    with pytest.raises(BlobMissing):
        thumbnails.of(sha256)
    thumbnails.remove(sha256)


def test_a_folder_that_takes_nothing_shows_pictures_all_the_same(
    shelf: tuple[BlobStore, Thumbnails], tmp_path: Path
) -> None:
    (tmp_path / "thumbnails").write_text("a file where the folder should be")
    store, thumbnails = shelf
    assert thumbnails.of(store.put(draw())).startswith(b"RIFF")


def test_what_is_no_hash_is_no_path(shelf: tuple[BlobStore, Thumbnails]) -> None:
    with pytest.raises(ValueError, match="SHA-256"):
        shelf[1].of("../../etc/passwd")


def bring(web: Web, box: Box, data: bytes, role: str = "picture") -> str:
    artefact = make_artefact(data, role)
    web.stage.hear(box.write(make_alert(evidence=(artefact,))).raw)
    assert web.bring(box, data).status_code == 201
    return f"/api/v1/evidence/{artefact.sha256}/thumbnail"


def test_a_list_shows_small_copies_to_those_who_may_look_and_registers_the_look_once(web: Web, web_box: Box) -> None:
    data = draw()
    address = bring(web, web_box, data)
    assert web.client.get(address).status_code == 401
    web.sign_in("technician")
    assert web.client.get(address).status_code == 403
    web.sign_in("officer-a")
    answers = [web.client.get(address) for _ in range(3)]
    assert {answer.headers["content-type"] for answer in answers} == {"image/webp"}
    assert {answer.headers["cache-control"] for answer in answers} == {"no-store"}
    assert len(answers[0].content) < len(data) / 2
    (look,) = web.stage.looks(make_artefact(data).sha256)
    assert (look.who, look.reason, look.at) == ("officer-a", "list", NOW)


def test_a_broken_picture_gives_a_drawing_in_its_place(web: Web, web_box: Box) -> None:
    address = bring(web, web_box, b"\xff\xd8 no picture, whatever it says")
    web.sign_in()
    answer = web.client.get(address)
    assert (answer.status_code, answer.headers["content-type"]) == (200, "image/svg+xml")


def test_a_picture_that_has_not_come_has_no_small_copy(web: Web, web_box: Box) -> None:
    web.sign_in()
    assert web.client.get(f"/api/v1/evidence/{'a' * 64}/thumbnail").status_code == 404
