"""Small copies of pictures for lists and strips, made once each, when somebody first asks.

They lie in a folder of their own under the hash of their original and can be made anew at any time; so they are no
evidence, are neither sealed nor sent anywhere, and go when their original goes.
"""

import io
import re
import secrets
import threading
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import structlog
from PIL import Image

from center.errors import NotAPicture

WIDTH_PX = 400
"""What a card of a list is wide on a desk; a strip's pictures are smaller."""

HEIGHT_PX = 400
QUALITY = 72
MOST_PIXELS = 36_000_000
"""A picture of 8K has 33 million. What claims more is not unpacked: a bomb of a few kilobytes can claim gigabytes."""

MOST_BYTES = 32 * 2**20
MOST_AT_ONCE = 2
FORMATS = ("JPEG", "PNG", "WEBP")
MEDIA_TYPE = "image/webp"
_SHA256 = re.compile(r"[0-9a-f]{64}")

log = structlog.get_logger()


class Thumbnails:
    """A folder of them; usable from any thread."""

    def __init__(self, folder: Path, read: Callable[[str], bytes]) -> None:
        """`read` gives an original's bytes, checked against its hash, or raises BlobError."""
        self._folder = folder
        self._read = read
        self._turns = threading.Semaphore(MOST_AT_ONCE)

    def of(self, sha256: str) -> bytes:
        """The small copy as WebP. Raises NotAPicture for what cannot be shown so, BlobError for what is not here."""
        path = self._path(sha256)
        if (made := _kept(path)) is not None:
            return made
        with self._turns:
            if (made := _kept(path)) is not None:  # another made it while this one waited
                return made
            made = shrink(self._read(sha256))
            self._keep(path, made)
        return made

    def remove(self, sha256: str) -> None:
        """Forget it, if there is one."""
        self._path(sha256).unlink(missing_ok=True)

    def _path(self, sha256: str) -> Path:
        if not _SHA256.fullmatch(sha256):
            raise ValueError(f"no SHA-256 in lower-case hex: {sha256[:80]!r}")
        return self._folder / sha256[:2] / f"{sha256}.{WIDTH_PX}.webp"

    def _keep(self, path: Path, made: bytes) -> None:
        passing = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            passing.write_bytes(made)
            passing.replace(path)
        except OSError as error:  # a full disk, say: it is shown all the same, and made again next time
            with suppress(OSError):
                passing.unlink()
            log.warning("thumbnail_not_kept", reason=str(error))


def _kept(path: Path) -> bytes | None:
    try:
        return path.read_bytes()
    except OSError:
        return None


def shrink(data: bytes) -> bytes:
    """A WebP of at most WIDTH_PX by HEIGHT_PX without any of the original's metadata. Raises NotAPicture."""
    if len(data) > MOST_BYTES:
        raise NotAPicture(f"{len(data)} bytes are too many for a small copy")
    try:
        with Image.open(io.BytesIO(data), formats=FORMATS) as picture:
            width, height = picture.size
            if width * height > MOST_PIXELS:
                raise NotAPicture(f"{width} by {height} pixels are too many for a small copy")
            picture.draft("RGB", (WIDTH_PX, HEIGHT_PX))
            small = picture.convert("RGB")
            small.thumbnail((WIDTH_PX, HEIGHT_PX))
            made = io.BytesIO()
            small.save(made, "WEBP", quality=QUALITY)
    except (OSError, ValueError, SyntaxError, Image.DecompressionBombError) as error:
        raise NotAPicture(f"this is no picture that can be read: {error}") from error
    return made.getvalue()
