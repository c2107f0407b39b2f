"""How the name of a file ends, by what the file is: the one place, for bundles and for what people save."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

EXTENSIONS: Final[Mapping[str, str]] = MappingProxyType(
    {"image/jpeg": "jpg", "video/matroska": "mkv", "video/quicktime": "mov", "video/x-msvideo": "avi"}
)
"""Where a file's name does not end as its media type does."""


def extension_of(media_type: str) -> str:
    """Without the dot.

    >>> [extension_of(each) for each in ("image/jpeg", "image/svg+xml", "video/mp4", "video/matroska")]
    ['jpg', 'svg', 'mp4', 'mkv']
    """
    return EXTENSIONS.get(media_type) or media_type.rpartition("/")[2].partition("+")[0]
