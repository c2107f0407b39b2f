"""Real footage as small grey pictures, and what can happen to a camera's view."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from fractions import Fraction
from functools import cache
from pathlib import Path

import av
import cv2
import numpy as np
from numpy.typing import NDArray

Luma = NDArray[np.uint8]
Change = Callable[[Luma, int], Luma]
"""What becomes of the n-th picture."""

SIZE = (480, 270)
FILMS: Mapping[str, int] = {
    "car-detection.mp4": 4,
    "furg_house6_fire.mp4": 10,
    "one-by-one-person-detection.mp4": 14,
    "vtest.avi": 8,
}
"""Every how many frames of each film are looked at: about 95 of each."""


@cache
def film(path: Path) -> tuple[Luma, ...]:
    """The sampled frames, as the box would shrink them."""
    with av.open(path) as container:
        stream = container.streams.video[0]
        stream.thread_count = 2
        return tuple(
            _small(frame.reformat(format="gray").to_ndarray())
            for number, frame in enumerate(container.decode(stream))
            if number % FILMS[path.name] == 0
        )


def _small(picture: NDArray[np.generic]) -> Luma:
    return cv2.resize(picture.astype(np.uint8), SIZE, interpolation=cv2.INTER_AREA).astype(np.uint8)


def _clip(picture: NDArray[np.generic]) -> Luma:
    return np.clip(picture, 0, 255).astype(np.uint8)


def same(luma: Luma, _: int) -> Luma:
    return luma


def flat(level: int) -> Change:
    return lambda luma, _: np.full_like(luma, level)


def gamma(power: float) -> Change:
    table = (255 * (np.arange(256) / 255) ** power).astype(np.uint8)
    return lambda luma, _: table[luma]


def brighter(levels: int) -> Change:
    return lambda luma, _: _clip(luma.astype(np.int16) + levels)


def fog(left: float) -> Change:
    """So much of the contrast is left."""
    return lambda luma, _: _clip(190 * (1 - left) + luma * left)


def blur(sigma: float) -> Change:
    return lambda luma, _: cv2.GaussianBlur(luma, (0, 0), sigma).astype(np.uint8)


def noise(sigma: float) -> Change:
    grain = np.random.default_rng(7).normal(0, sigma, SIZE[::-1]).astype(np.float32)
    return lambda luma, n: _clip(luma + np.roll(grain, 7919 * (n + 1)))


SENSOR = noise(4)


def rain(luma: Luma, n: int) -> Luma:
    drops = np.random.default_rng(n)
    wet = luma.copy()
    for x, y in zip(drops.integers(0, SIZE[0], 150).tolist(), drops.integers(0, SIZE[1], 150).tolist(), strict=True):
        cv2.line(wet, (x, y), (x + 2, y + 12), (220,), 1)
    return wet


def infrared(luma: Luma, n: int) -> Luma:
    """Foliage and cloth turn bright, the middle brighter than the corners, noisier."""
    across = np.linspace(-1, 1, SIZE[0])[None] ** 2 + np.linspace(-1, 1, SIZE[1])[:, None] ** 2
    return SENSOR(_clip(40 + 0.75 * luma * (1.15 - 0.35 * across)), n)


def shadow(luma: Luma, _: int) -> Luma:
    """Half of the ground lies in the shadow of a house."""
    dim = luma.copy()
    dim[:, : SIZE[0] // 2] = (dim[:, : SIZE[0] // 2] * 0.45).astype(np.uint8)
    return dim


def moved(right: float = 0, down: float = 0, turned: float = 0, zoom: float = 1) -> Change:
    """The camera looks elsewhere: shares of the picture, degrees, times."""
    matrix = cv2.getRotationMatrix2D((SIZE[0] / 2, SIZE[1] / 2), turned, zoom)
    matrix[:, 2] += (right * SIZE[0], down * SIZE[1])
    return lambda luma, _: cv2.warpAffine(luma, matrix, SIZE, borderMode=cv2.BORDER_REFLECT_101).astype(np.uint8)


def behind(share: float, level: int) -> Change:
    """Cardboard of one shade in front of so much of the picture."""

    def cover(luma: Luma, _: int) -> Luma:
        covered = luma.copy()
        covered[:, : round(SIZE[0] * share)] = level
        return covered

    return cover


def behind_hand(share: float) -> Change:
    """Something out of focus, and not of one shade."""
    skin = np.random.default_rng(1).normal(0, 1, SIZE[::-1]).astype(np.float32) * 400
    shades = _clip(120 + cv2.GaussianBlur(skin, (0, 0), 12))

    def cover(luma: Luma, _: int) -> Luma:
        covered = luma.copy()
        covered[:, : round(SIZE[0] * share)] = shades[:, : round(SIZE[0] * share)]
        return covered

    return cover


def lorry(first: int, last: int, share: float = 0.9) -> Change:
    """From one picture to another the side of a lorry fills the view."""
    board = behind(share, 150)
    return lambda luma, n: board(luma, n) if first <= n < last else luma


def while_(change: Change, first: int, last: int) -> Change:
    """The change only from one picture to another."""
    return lambda luma, n: change(luma, n) if first <= n < last else luma


def encoded(luma: Luma, _: int) -> Luma:
    """As a starved encoder leaves it."""
    done, data = cv2.imencode(".jpg", luma, [cv2.IMWRITE_JPEG_QUALITY, 12])
    assert done
    return cv2.imdecode(data, cv2.IMREAD_GRAYSCALE).astype(np.uint8)


def h264(pictures: Sequence[Luma]) -> Iterator[tuple[Luma, bool]]:
    """After an encoder of constant quality and a decoder; and whether it is a key frame: each second one is."""
    encoder = av.CodecContext.create("libx264", "w")
    encoder.width, encoder.height = SIZE
    encoder.pix_fmt, encoder.time_base = "yuv420p", Fraction(1, 10)
    encoder.options = {"qp": "28", "g": "2", "tune": "zerolatency"}
    decoder = av.CodecContext.create("h264", "r")
    for number, picture in enumerate(pictures):
        frame = av.VideoFrame.from_ndarray(picture, format="gray").reformat(format="yuv420p")
        frame.pts = number
        for packet in encoder.encode(frame):
            for decoded in decoder.decode(packet):
                yield decoded.reformat(format="gray").to_ndarray().astype(np.uint8), decoded.key_frame


HARMLESS: Mapping[str, Change] = {
    "nothing": same,
    "darker": gamma(2.0),
    "lighter": gamma(0.4),
    "sun": brighter(40),
    "dusk": brighter(-40),
    "haze": fog(0.5),
    "fog": fog(0.2),
    "shadow": shadow,
    "rain": rain,
    "noise": noise(12),
    "infra-red": infrared,
    "starved encoder": encoded,
    "wind at the pole": lambda luma, n: moved(right=0.006 * (-1) ** n)(luma, n),
    "a lorry for ten seconds": lorry(12, 15),
    "a third covered": behind(0.33, 60),
    "headlights": while_(flat(255), 12, 14),
}

GONE: Mapping[str, tuple[Change, set[str]]] = {
    "black": (flat(4), {"dark"}),
    "white": (flat(254), {"overexposed"}),
    "out of focus": (blur(3), {"blurred"}),
    "far out of focus": (blur(7), {"blurred"}),
    "cardboard": (behind(0.65, 40), {"covered"}),
    "white cardboard": (behind(0.8, 210), {"covered", "overexposed"}),
    "all cardboard": (behind(1.0, 90), {"covered"}),
    "hand": (behind_hand(0.8), {"covered", "turned"}),
    "whole hand": (behind_hand(1.0), {"covered", "turned"}),
    "turned a little": (moved(right=0.07), {"turned"}),
    "turned away": (moved(right=0.4), {"turned", "covered"}),
    "tilted": (moved(down=0.12), {"turned"}),
    "rolled": (moved(turned=20), {"turned"}),
    "upside down": (moved(turned=180), {"turned", "covered"}),
    "zoomed": (moved(zoom=1.6), {"turned", "covered"}),
    "mirrored": (lambda luma, _: luma[:, ::-1].copy(), {"turned", "covered"}),
}
