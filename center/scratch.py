"""Folders beside the centre's data in which something is made and then handed on; gone with whoever made it.

Who is killed leaves such a folder behind, with copies of evidence in it: it is cleared away when it has lain long.
"""

import shutil
import time
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

MARK: Final = "scratch-"
LEFTOVER_S: Final = 6 * 3600.0
"""Nothing is made for so long."""


def open_scratch(folder: Path) -> TemporaryDirectory[str]:
    """A new folder in `folder`, empty, for as long as the `with` block lasts. Raises OSError."""
    return TemporaryDirectory(prefix=MARK, dir=folder)


def clear_scratch(folder: Path) -> None:
    """Clear away what was left behind in `folder` by who was killed."""
    for left in folder.glob(f"{MARK}*"):
        if left.is_dir() and time.time() - left.stat().st_mtime > LEFTOVER_S:
            shutil.rmtree(left, ignore_errors=True)
