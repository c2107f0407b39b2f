"""What a video device can send, and which of it is asked for."""

import errno
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import groupby
from typing import NamedTuple, TypeVar

from streams.frames import Encoding, Wish
from streams.video4linux import (
    CAPTURE,
    DISCRETE,
    LIST_FORMATS,
    LIST_INTERVALS,
    LIST_SIZES,
    FormatDescription,
    FrameInterval,
    FrameSize,
    ask,
)

LARGEST_PIXELS = 1280 * 720
LARGEST_RAW_PIXELS = 640 * 480
"""Unless somebody asks for more: a detector looks at less, and evidence has to get through a thin line."""

SLOWEST_PER_S = 10
"""Unless somebody asks for fewer."""

_MOST_LISTED = 256
_USUAL_SIZES = ((320, 240), (640, 480), (1280, 720), (1920, 1080))
_USUAL_RATES = (5, 10, 15, 25, 30)
"""Where a device names a range, these are picked from it."""

_Listed = TypeVar("_Listed", FormatDescription, FrameSize, FrameInterval)


class Kind(NamedTuple):
    """What FFmpeg calls a format: its codec, and the layout of raw pictures."""

    encoding: Encoding
    codec: str
    pixels: str = ""


def _fourcc(name: str) -> int:
    return int.from_bytes(name.encode(), "little")


KINDS = {
    _fourcc("H264"): Kind(Encoding.H264, "h264"),
    _fourcc("MJPG"): Kind(Encoding.MJPEG, "mjpeg"),
    _fourcc("JPEG"): Kind(Encoding.MJPEG, "mjpeg"),
    _fourcc("YUYV"): Kind(Encoding.RAW, "rawvideo", "yuyv422"),
    _fourcc("UYVY"): Kind(Encoding.RAW, "rawvideo", "uyvy422"),
    _fourcc("NV12"): Kind(Encoding.RAW, "rawvideo", "nv12"),
    _fourcc("YU12"): Kind(Encoding.RAW, "rawvideo", "yuv420p"),
    _fourcc("RGB3"): Kind(Encoding.RAW, "rawvideo", "rgb24"),
    _fourcc("BGR3"): Kind(Encoding.RAW, "rawvideo", "bgr24"),
    _fourcc("GREY"): Kind(Encoding.RAW, "rawvideo", "gray"),
}
"""The formats of `linux/videodev2.h` that can be decoded here."""


@dataclass(frozen=True, slots=True)
class Offer:
    """One format and size, and the pictures a second it can be had at; none where the device does not say."""

    fourcc: int
    width: int
    height: int
    rates: tuple[Fraction, ...] = ()

    @property
    def kind(self) -> Kind:
        """What that is to FFmpeg."""
        return KINDS[self.fourcc]

    @property
    def pixels(self) -> int:
        """How many, in each picture."""
        return self.width * self.height

    def rate(self, wanted: float | None) -> Fraction | None:
        """The nearest to what is wanted; else the slowest that is fast enough, so that nothing passes unseen."""
        if not self.rates:
            return None if wanted is None else Fraction(wanted).limit_denominator(1000)
        if wanted is not None:
            return min(self.rates, key=lambda rate: abs(rate - Fraction(wanted)))
        return min((rate for rate in self.rates if rate >= SLOWEST_PER_S), default=max(self.rates))


def read_offers(device: int) -> list[Offer]:
    """Everything the opened device offers that can be decoded here. Raises OSError."""
    formats = _listed(device, LIST_FORMATS, lambda index: FormatDescription(index=index, type=CAPTURE))
    return [
        Offer(each.fourcc, width, height, tuple(_rates(device, each.fourcc, width, height)))
        for each in formats
        if each.fourcc in KINDS
        for width, height in _sizes(device, each.fourcc)
    ]


def choose(offers: Sequence[Offer], wish: Wish) -> Offer | None:
    """What comes nearest to the wish; None where it is not to be had.

    Where nothing is asked for: H.264 before JPEG before raw pictures, as large as a detector has use for.
    """
    fitting = [
        each
        for each in offers
        if wish.encoding in (None, each.kind.encoding) and wish.size_px in (None, (each.width, each.height))
    ]
    order = list(Encoding)
    return max(fitting, key=lambda each: (-order.index(each.kind.encoding), *_use(each)), default=None)


def _use(offer: Offer) -> tuple[bool, int]:
    most = LARGEST_RAW_PIXELS if offer.kind.encoding is Encoding.RAW else LARGEST_PIXELS
    fits = offer.pixels <= most
    return fits, offer.pixels if fits else -offer.pixels


def told(offers: Sequence[Offer]) -> str:
    """For a person: `mjpeg 1280x720 at 30, 15 · 640x480 at 30, raw 640x480 at 30`."""
    return ", ".join(
        f"{encoding} " + " · ".join(_size_told(each) for each in same)
        for encoding, same in groupby(sorted(offers, key=_told_order), key=lambda each: each.kind.encoding)
    )


def _told_order(offer: Offer) -> tuple[int, int]:
    return list(Encoding).index(offer.kind.encoding), -offer.pixels


def _size_told(offer: Offer) -> str:
    rates = ", ".join(f"{float(rate):g}" for rate in sorted(offer.rates, reverse=True))
    return f"{offer.width}x{offer.height}" + (f" at {rates}" if rates else "")


def _sizes(device: int, fourcc: int) -> Iterator[tuple[int, int]]:
    for each in _listed(device, LIST_SIZES, lambda index: FrameSize(index=index, fourcc=fourcc)):
        if each.type == DISCRETE:
            yield each.values[0], each.values[1]
            continue
        least_x, most_x, step_x, least_y, most_y, step_y = each.values
        for width, height in _USUAL_SIZES:
            if least_x <= width <= most_x and least_y <= height <= most_y:
                yield width - (width - least_x) % max(1, step_x), height - (height - least_y) % max(1, step_y)
        return


def _rates(device: int, fourcc: int, width: int, height: int) -> Iterator[Fraction]:
    for each in _listed(
        device,
        LIST_INTERVALS,
        lambda index: FrameInterval(index=index, fourcc=fourcc, width=width, height=height),
    ):
        if not all(each.values[: 2 if each.type == DISCRETE else 4]):
            continue
        if each.type == DISCRETE:
            yield Fraction(each.values[1], each.values[0])
            continue
        fastest, slowest = Fraction(each.values[1], each.values[0]), Fraction(each.values[3], each.values[2])
        yield from (Fraction(rate) for rate in _USUAL_RATES if slowest <= rate <= fastest)
        return


def _listed(device: int, request: int, entry: Callable[[int], _Listed]) -> Iterator[_Listed]:
    """Entry after entry, until the driver says that there is no such number (EINVAL), or no such list (ENOTTY)."""
    for index in range(_MOST_LISTED):
        each = entry(index)
        try:
            ask(device, request, each)
        except OSError as error:
            if error.errno in (errno.EINVAL, errno.ENOTTY):
                return
            raise
        yield each
