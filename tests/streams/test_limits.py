"""Pictures above a camera's limit are refused by name, at the start and in mid-stream; sizes are read, not believed."""

import io
from pathlib import Path

import cv2
import numpy as np
import pytest

from streams.errors import PictureTooLarge
from streams.frames import MAX_PIXELS, Camera, Pace
from streams.player import State
from streams.sizes import jpeg_size
from tests.streams.reels import encode
from tests.streams.watching import decode, watch_to_the_end


def film(tmp_path: Path, *parts: bytes) -> Path:
    path = tmp_path / "film.ts"
    path.write_bytes(b"".join(parts))
    return path


def camera(path: Path, max_pixels: int = MAX_PIXELS) -> Camera:
    return Camera(id="cam-1", url=str(path), pace=Pace.FAST, max_pixels=max_pixels)


def test_eight_k_is_above_the_limit_and_four_k_is_not() -> None:
    assert 3840 * 2160 <= 4096 * 2160 <= MAX_PIXELS < 7680 * 4320


@pytest.mark.parametrize("codec", ["libx264", "libx265"])
def test_too_large_pictures_are_refused_with_size_limit_and_advice(tmp_path: Path, codec: str) -> None:
    path = film(tmp_path, encode(codec, frames=5, size=(320, 240)))
    watcher = watch_to_the_end(camera(path, 320 * 240 - 1))
    assert watcher.packets == []
    assert isinstance(watcher.player.failure, PictureTooLarge)
    assert watcher.reasons[State.FAILED] == (
        f"camera cam-1: {path} sends pictures of 320x240, more than the limit of 76799 pixels; "
        "use the camera's sub stream, or raise max_pixels"
    )


@pytest.mark.parametrize("codec", ["libx264", "libx265"])
def test_a_change_of_size_in_mid_stream_is_a_new_coding_and_is_measured(tmp_path: Path, codec: str) -> None:
    parts = [encode(codec, frames=20, gop=10, size=size) for size in [(320, 240), (192, 144)]]
    watcher = watch_to_the_end(camera(film(tmp_path, *parts)))
    sizes = [(packet.coding.width, packet.coding.height) for packet in watcher.packets]
    assert sorted(set(sizes)) == [(192, 144), (320, 240)]
    assert watcher.packets[sizes.index((192, 144))].is_key
    for image in decode(watcher.packets):
        assert (image.content.width, image.content.height) == (image.packet.coding.width, image.packet.coding.height)

    path = film(tmp_path, *reversed(parts))
    refused = watch_to_the_end(camera(path, 200 * 200))
    assert isinstance(refused.player.failure, PictureTooLarge)
    assert "320x240" in str(refused.player.failure)
    assert {packet.coding.width for packet in refused.packets} == {192}


@pytest.mark.parametrize("quality", [10, 95])
@pytest.mark.parametrize("progressive", [0, 1])
def test_the_size_of_a_jpeg_stands_in_its_header(quality: int, progressive: int) -> None:
    picture = np.random.default_rng(1).integers(0, 255, (30, 50, 3), np.uint8)
    options = [cv2.IMWRITE_JPEG_QUALITY, quality, cv2.IMWRITE_JPEG_PROGRESSIVE, progressive]
    data = cv2.imencode(".jpg", picture, options)[1].tobytes()
    assert jpeg_size(data) == (50, 30)
    whole = io.BytesIO(data)
    for length in (0, 1, 4, 20):
        whole.seek(0)
        assert jpeg_size(whole.read(length)) is None
