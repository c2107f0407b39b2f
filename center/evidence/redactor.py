"""Having a picture redacted: a process of its own does it, for networks that look at pictures are no part of a centre.

One at a time, at low priority, with an end in time and memory. What it brings back is believed only as far as it can be
checked: hashes, kind, and that each search was made. Whatever is the matter, there is no copy.
"""

import hashlib
import importlib.util
import os
import resource
import shutil
import signal
import subprocess
import sys
import threading
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from math import ceil
from pathlib import Path
from typing import Final

import structlog
from PIL import Image
from pydantic import ValidationError

from alerts.errors import BlobMissing
from alerts.messages import Box
from alerts.redaction import MOST_BY_HAND, Redaction, What
from center.errors import CannotRedact, RedactorBusy
from center.evidence.thumbnails import FORMATS
from center.scratch import open_scratch
from center.settings import RedactionSettings
from center.store.shelf import Shelf

MIB: Final = 2**20
OWN: Final = (sys.executable, "-m", "teawatch", "edge", "redact")
PARTS: Final = ("onnxruntime", "cv2", "PIL")
"""What our own command needs and a centre need not have installed."""

MOST_COPY_BYTES: Final = 64 * MIB
PIXELS_A_LIMIT: Final = 6_000_000
MOST_PIXELS: Final = 50_000_000
"""Of larger pictures our own command makes no copy."""

WAIT_S: Final = 20.0
NICE: Final = 10
HANDED_ON: Final = ("PATH", "HOME", "LANG", "LD_LIBRARY_PATH", "PYTHONPATH", "TMPDIR", "VIRTUAL_ENV")
"""Of the environment only this: the rest may hold the database's password."""

SEARCHED: Final = frozenset(What) - {What.BY_HAND}

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Redacted:
    """The copy and what was done; `text` is the report as the command wrote it."""

    data: bytes
    told: Redaction
    text: str


class Redactor:
    """The command that redacts, for any thread; who comes while it runs waits a little, then is told of it."""

    def __init__(self, settings: RedactionSettings, store: Shelf, scratch: Path) -> None:
        """`scratch` is an existing folder in which each run has a folder of its own."""
        self._settings = settings
        self._command = settings.command or OWN
        self._store = store
        self._scratch = scratch
        self._turn = threading.Lock()

    @property
    def lacks(self) -> str:
        """Why this centre cannot redact, in one line; empty if nothing is known to be missing."""
        if self._settings.command:
            found = shutil.which(self._command[0])
            return "" if found else f"{self._command[0]!r} of redaction.command is no program of this machine"
        missing = [part for part in PARTS if importlib.util.find_spec(part) is None]
        if not missing:
            return ""
        return f"{', '.join(missing)} missing: pip install 'teawatch[edge]', or name a command in redaction.command"

    def make(self, sha256: str, boxes: Sequence[Box]) -> Redacted:
        """A redacted copy of a picture of the store. Raises CannotRedact, RedactorBusy, BlobStoreUnreachable."""
        if self.lacks:
            raise CannotRedact(f"this centre cannot redact: {self.lacks}")
        if len(boxes) > MOST_BY_HAND:
            raise CannotRedact(f"{len(boxes)} boxes are too many; at most {MOST_BY_HAND}")
        if not self._turn.acquire(timeout=WAIT_S):
            raise RedactorBusy("another picture is being redacted; try again in a moment")
        try:
            with open_scratch(self._scratch) as folder:
                return self._make(sha256, boxes, Path(folder))
        finally:
            self._turn.release()

    def _make(self, sha256: str, boxes: Sequence[Box], folder: Path) -> Redacted:
        try:
            picture = self._store.fetch(sha256, folder)
        except BlobMissing as error:
            raise CannotRedact("the picture is not in the store") from error
        copy = folder / "copy.jpg"
        drawn = [f"--box={box.x},{box.y},{box.width},{box.height}" for box in boxes]
        command = [*self._command, str(picture.absolute()), str(copy.absolute()), *drawn, "--json"]
        text = self._run(command, folder, limit_s=time_limit_s(self._settings, picture))
        try:
            with copy.open("rb") as file:
                data = file.read(MOST_COPY_BYTES + 1)
            told = Redaction.model_validate_json(text)
        except (OSError, ValidationError) as error:
            raise CannotRedact("the command that redacts brought no copy, or no report that can be read") from error
        _check(data, told, sha256, boxes)
        return Redacted(data, told, text.strip())

    def _run(self, command: Sequence[str], folder: Path, *, limit_s: int) -> str:
        """What it wrote to its standard output. Raises CannotRedact."""
        try:
            process = subprocess.Popen(  # noqa: S603 - the settings' own command; what varies are hashes and numbers
                command,
                cwd=folder,
                env={name: os.environ[name] for name in HANDED_ON if name in os.environ},
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                start_new_session=True,
                text=True,
                errors="replace",
            )
        except OSError as error:
            raise CannotRedact(f"the command that redacts does not start: {error.strerror or error}") from error
        try:
            self._bound(process.pid)
            out, said = process.communicate(timeout=limit_s)
        except subprocess.TimeoutExpired:
            raise CannotRedact(
                f"it took more than {limit_s} s and was ended (redaction.time_limit_s in center.yaml)"
            ) from None
        except (OSError, ValueError) as error:
            raise CannotRedact(f"the command that redacts cannot be given its bounds: {error}") from error
        finally:
            if process.returncode is None:
                with suppress(ProcessLookupError):
                    os.killpg(process.pid, signal.SIGKILL)
                process.communicate()
        if process.returncode:
            last = said.strip().rpartition("\n")[2][:300] or f"ended with status {process.returncode}"
            log.warning("redaction_failed", status=process.returncode, reason=last)
            raise CannotRedact(last)
        return out

    def _bound(self, pid: int) -> None:
        """Give the process its bounds; one that has ended already needs none."""
        memory = self._settings.memory_mib * MIB
        with suppress(ProcessLookupError):
            resource.prlimit(pid, resource.RLIMIT_AS, (memory, memory))
            resource.prlimit(pid, resource.RLIMIT_FSIZE, (MOST_COPY_BYTES, MOST_COPY_BYTES))
            resource.prlimit(pid, resource.RLIMIT_CORE, (0, 0))
            os.setpriority(os.PRIO_PROCESS, pid, max(NICE, os.getpriority(os.PRIO_PROCESS, pid)))


def time_limit_s(settings: RedactionSettings, picture: Path) -> int:
    """How long a picture may take: larger ones are looked at in more parts. One that cannot be read gets the least."""
    try:
        with Image.open(picture, formats=FORMATS) as opened:
            pixels = opened.width * opened.height
    except (OSError, ValueError, SyntaxError, Image.DecompressionBombError):
        pixels = 0
    return settings.time_limit_s * max(1, ceil(min(pixels, MOST_PIXELS) / PIXELS_A_LIMIT))


def _check(data: bytes, told: Redaction, sha256: str, boxes: Sequence[Box]) -> None:
    """Raises CannotRedact where the report is not about this picture, this copy, these boxes and every search."""
    by_hand = sum(place.what is What.BY_HAND for place in told.covered)
    is_right = (
        told.original_sha256 == sha256
        and told.copy_sha256 == hashlib.sha256(data).hexdigest()
        and told.copy_sha256 != sha256
        and told.size_bytes == len(data)
        and data.startswith(b"\xff\xd8\xff")
        and by_hand == len(boxes)
        and told.models.keys() >= SEARCHED
    )
    if not is_right:
        raise CannotRedact("what the command says of its copy is not so; the copy was thrown away")
