"""The disk: a file made or renamed is there after a power cut only once its folder was synced; and room ends."""

import errno
import os
from pathlib import Path


def sync_folder(folder: Path) -> None:
    """Return when the folder's names are on the disk; raises OSError."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def lacks_room(error: OSError) -> bool:
    """Whether it failed because the disk, or this user's share of it, is full, or files may not grow any more."""
    return error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
