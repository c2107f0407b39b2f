"""What changes in a quiet picture without anybody being there: noise, light, rain, leaves, a shaking pole."""

from collections.abc import Callable
from enum import StrEnum

import cv2
import numpy as np

from edge.bench.stage import Picture

Change = Callable[[Picture, float], Picture]
"""Changes a picture (I420) for its time in seconds; the result may be the same array."""

_FIELDS = 12
_ROOM_PX = 64


class Weather(StrEnum):
    """What a gate must not take for an event. Each has the sensor's noise on top."""

    CALM = "calm"
    CLOUDS = "clouds"
    INFRARED = "infrared"
    RAIN = "rain"
    FOLIAGE = "foliage"
    SHAKE = "shake"


NOISE_LEVELS = {Weather.INFRARED: 3.0, Weather.RAIN: 2.4}
_CALM_NOISE_LEVELS = 1.6


def changes_of(weather: Weather, switch_s: float, size_px: tuple[int, int], rng: np.random.Generator) -> list[Change]:
    """The changes of a weather, in their order between scene and encoder. At `switch_s` the infrared night begins."""
    makers: dict[Weather, Callable[[], Change]] = {
        Weather.CLOUDS: lambda: clouds(size_px, rng),
        Weather.INFRARED: lambda: infrared(switch_s, size_px),
        Weather.RAIN: lambda: rain(size_px, rng),
        Weather.FOLIAGE: lambda: foliage(size_px, rng),
        Weather.SHAKE: lambda: shake(size_px, rng),
    }
    own = [makers[weather]()] if weather in makers else []
    return [*own, noise(NOISE_LEVELS.get(weather, _CALM_NOISE_LEVELS), size_px, rng)]


def noise(levels: float, size_px: tuple[int, int], rng: np.random.Generator) -> Change:
    """A sensor's noise of that standard deviation on the luma, a little smeared as cameras smear it."""
    columns, rows = size_px
    fields = []
    for _ in range(_FIELDS):
        grain = rng.standard_normal((rows + _ROOM_PX, columns + _ROOM_PX), np.float32)
        grain = np.asarray(cv2.GaussianBlur(grain, (3, 3), 0.6), np.float32)
        grain *= levels / grain.std()
        fields.append(
            (np.clip(np.rint(grain), 0, 255).astype(np.uint8), np.clip(np.rint(-grain), 0, 255).astype(np.uint8))
        )

    def change(picture: Picture, _time_s: float) -> Picture:
        brighter, darker = fields[int(rng.integers(_FIELDS))]
        x, y = rng.integers(_ROOM_PX, size=2)
        area = slice(y, y + rows), slice(x, x + columns)
        luma = picture[:rows]
        cv2.add(luma, brighter[area], dst=luma)
        cv2.subtract(luma, darker[area], dst=luma)
        return picture

    return change


def clouds(size_px: tuple[int, int], rng: np.random.Generator) -> Change:
    """Shadows of clouds that drift over the scene in tens of seconds, a quarter darker at most."""
    columns, rows = size_px
    field = cv2.GaussianBlur(rng.standard_normal((18, 512)).astype(np.float32), (0, 0), 9)
    field = 0.75 + 0.25 * (field - field.min()) / (field.max() - field.min())
    per_s = rng.uniform(1.5, 4.0)

    def change(picture: Picture, time_s: float) -> Picture:
        place = (time_s * per_s) % (field.shape[1] - 33)
        part = cv2.warpAffine(field, np.array([[1, 0, -place], [0, 1, 0]], np.float32), (32, 18))
        gain = cv2.resize(part, (columns, rows), interpolation=cv2.INTER_LINEAR)
        luma = picture[:rows]
        cv2.multiply(luma, gain, dst=luma, dtype=cv2.CV_8U)
        return picture

    return change


def infrared(switch_s: float, size_px: tuple[int, int]) -> Change:
    """By day until `switch_s`; then the camera takes its filter out: half a second of dark, grey, other tones."""
    rows = size_px[1]
    levels = np.arange(256)
    night = np.clip(16 + 200 * (levels / 255) ** 0.6, 0, 255)

    def change(picture: Picture, time_s: float) -> Picture:
        since_s = time_s - switch_s
        if since_s >= 0:
            settled = min(1.0, max(0.05, (since_s - 0.4) / 0.8))
            table = (16 + (night - 16) * settled).astype(np.uint8)
            picture[:rows] = cv2.LUT(picture[:rows], table)
            picture[rows:] = 128
        return picture

    return change


def rain(size_px: tuple[int, int], rng: np.random.Generator) -> Change:
    """Bright streaks, each in one picture only."""
    columns, rows = size_px
    sheets = []
    for _ in range(_FIELDS):
        sheet = np.zeros((rows + _ROOM_PX, columns + _ROOM_PX), np.uint8)
        for _ in range(int(rng.integers(60, 140))):
            x, y = (int(value) for value in rng.integers((columns + _ROOM_PX, rows + _ROOM_PX)))
            length = int(rng.integers(15, 60))
            cv2.line(sheet, (x, y), (x + length // 8, y + length), int(rng.integers(8, 40)), 1, cv2.LINE_AA)
        sheets.append(cv2.GaussianBlur(sheet, (3, 3), 0))

    def change(picture: Picture, _time_s: float) -> Picture:
        x, y = rng.integers(_ROOM_PX, size=2)
        luma = picture[:rows]
        cv2.add(luma, sheets[int(rng.integers(_FIELDS))][y : y + rows, x : x + columns], dst=luma)
        return picture

    return change


def foliage(size_px: tuple[int, int], rng: np.random.Generator) -> Change:
    """A quarter of the picture sways by a few pixels, in gusts."""
    columns, rows = size_px
    width, height = columns // 2, rows // 2
    left, top = int(rng.integers(columns - width)), int(rng.integers(rows - height))
    across, down = np.meshgrid(np.arange(width, dtype=np.float32), np.arange(height, dtype=np.float32))
    phase = cv2.GaussianBlur(rng.uniform(0, 60, (height, width)).astype(np.float32), (0, 0), 21) * 8
    inner = np.minimum.reduce([across, width - 1 - across, down, height - 1 - down])
    soft = np.clip(inner / 40, 0, 1)
    pace = 2 * np.pi * rng.uniform(0.5, 1.2)
    gust = 2 * np.pi / rng.uniform(6, 12)

    def change(picture: Picture, time_s: float) -> Picture:
        strength = np.float32(1.5 + 2.5 * (0.5 + 0.5 * np.sin(gust * time_s)))
        sway = cv2.multiply(np.sin(phase + np.float32(pace * time_s)), soft, scale=float(strength))
        part = picture[top : top + height, left : left + width]
        part[:] = cv2.remap(part, across + sway, down + 0.4 * sway, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
        return picture

    return change


def shake(size_px: tuple[int, int], rng: np.random.Generator) -> Change:
    """A pole in the wind: the whole picture moves by up to two pixels, some times a second."""
    columns, rows = size_px
    beats = 2 * np.pi * rng.uniform(0.7, 3.0, 4)
    starts = rng.uniform(0, 2 * np.pi, 4)

    def change(picture: Picture, time_s: float) -> Picture:
        waves = np.sin(beats * time_s + starts)
        move = np.array([[1, 0, waves[0] + waves[1]], [0, 1, 0.5 * (waves[2] + waves[3])]], np.float32)
        picture[:rows] = cv2.warpAffine(picture[:rows], move, (columns, rows), borderMode=cv2.BORDER_REPLICATE)
        return picture

    return change
