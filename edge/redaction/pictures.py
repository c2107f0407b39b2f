"""Reading a picture of whatever origin without trusting it, and only as it is shown: upright, opaque, eight bits.

A picture that is not whole, moves, or unpacks into more than a machine should hold is refused. What is read here are
pixels and nothing else: place, camera, owner's name, thumbnails and edits that a file carries stay behind.
"""

import io
import struct
import warnings
from typing import Final

import cv2
import numpy as np
from PIL import Image, ImageOps, UnidentifiedImageError

from edge.errors import RedactionFailed
from edge.evidence import seal_picture
from models.letterbox import Pixels

MOST_BYTES: Final = 64 * 2**20
MOST_PIXELS: Final = 50_000_000
"""The largest pictures of today's telephones; unpacked some 600 MB are needed."""

MOST_SIDE_PX: Final = 32_768
FORMATS: Final = ("JPEG", "PNG", "WEBP")
SEVERAL_PICTURES: Final = "MPO"
"""A JPEG of a telephone that carries further pictures (a depth, another exposure) behind the one that is shown."""

DEEP: Final = ("I;16", "I;16L", "I;16B", "I;16N")
"""Grey of 16 bits a pixel: the library would clip it to white instead of scaling it."""

PAPER: Final = (255, 255, 255)
"""What shows through where a picture is transparent; colours that nobody saw there stay unseen."""

_UNREADABLE: Final = (
    OSError,
    ValueError,
    SyntaxError,
    KeyError,
    IndexError,
    TypeError,
    OverflowError,
    ZeroDivisionError,
    MemoryError,
    EOFError,
    struct.error,
    Image.DecompressionBombError,
    Image.DecompressionBombWarning,
)
"""What the library raises for files that are not what they claim."""


def read_picture(data: bytes) -> Pixels:
    """The picture in a file, as a viewer shows it. Raises RedactionFailed."""
    if len(data) > MOST_BYTES:
        raise RedactionFailed(f"{len(data)} bytes are too many for a picture; at most {MOST_BYTES}")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error", Image.DecompressionBombWarning)
            with Image.open(io.BytesIO(data), formats=FORMATS) as picture:
                _check(picture)
                picture.load()
                shown = _opaque(ImageOps.exif_transpose(picture))
    except UnidentifiedImageError:
        raise RedactionFailed("this is no picture that can be read: JPEG, PNG and WebP can") from None
    except _UNREADABLE as error:
        raise RedactionFailed(f"this is no picture that can be read whole: {_in_words(error)}") from error
    return np.ascontiguousarray(np.asarray(shown, np.uint8)[:, :, ::-1])


def write_picture(picture: Pixels) -> bytes:
    """A JPEG of these pixels without any metadata. Raises RedactionFailed."""
    try:
        return seal_picture(picture)
    except (ValueError, cv2.error) as error:
        raise RedactionFailed(f"the copy cannot be written: {error}") from error


def _check(picture: Image.Image) -> None:
    """Before anything is unpacked. Raises RedactionFailed."""
    width, height = picture.size
    if width * height > MOST_PIXELS or max(width, height) > MOST_SIDE_PX:
        raise RedactionFailed(f"{width} by {height} pixels are too many; at most {MOST_PIXELS // 1_000_000} million")
    if getattr(picture, "n_frames", 1) > 1 and picture.format != SEVERAL_PICTURES:
        raise RedactionFailed("the picture moves: each of its frames could show somebody; give a single one")


def _opaque(picture: Image.Image) -> Image.Image:
    """In red, green and blue of eight bits."""
    if picture.mode in DEEP:
        return Image.fromarray((np.asarray(picture) >> 8).astype(np.uint8)).convert("RGB")
    if picture.mode in {"I", "F"}:
        raise RedactionFailed(f"a picture of mode {picture.mode} has no agreed white; save it with 8 or 16 bits")
    if picture.has_transparency_data:
        seen = picture.convert("RGBA")
        paper = Image.new("RGBA", seen.size, (*PAPER, 255))
        return Image.alpha_composite(paper, seen).convert("RGB")
    return picture.convert("RGB")


def _in_words(error: BaseException) -> str:
    return " ".join(str(error).split())[:200] or type(error).__name__
