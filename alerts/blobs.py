"""Files named by their SHA-256: evidence on the box and at the centre."""

import errno
import hashlib
import os
import re
import secrets
import time
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path

from alerts.errors import BlobDamaged, BlobMissing, BlobStoreFull
from alerts.folders import sync_folder

_SHA256 = re.compile(r"[0-9a-f]{64}")
_PASSING = re.compile(r"\.[0-9a-f]{64}\.[0-9a-f]{8}")
CHUNK_BYTES = 65_536

LEFTOVER_S = 3600.0
"""A file under way that nobody has written to for so long belongs to a process that was killed."""


class BlobStore:
    """A folder of files, each at `ab/abcdef…`. A file is there whole and durable, or not at all.

    What a killed process left half written is cleared away when the store is opened.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        folder.mkdir(parents=True, exist_ok=True)
        self._clear_leftovers()

    def path(self, sha256: str) -> Path:
        """Where the file of this hash is or would be; ValueError for what is no hash, so that no path leads outside."""
        if not _SHA256.fullmatch(sha256):
            raise ValueError(f"no SHA-256 in lower-case hex: {sha256[:80]!r}")
        return self.folder / sha256[:2] / sha256

    def has(self, sha256: str) -> bool:
        """Whether the file is there."""
        return self.path(sha256).is_file()

    def put(self, data: bytes) -> str:
        """Store and return the SHA-256; storing the same again costs nothing. Raises BlobStoreFull."""
        sha256 = hashlib.sha256(data).hexdigest()
        if not self.has(sha256):
            self.take((data,), sha256=sha256)
        return sha256

    def take(self, chunks: Iterable[bytes], *, sha256: str, size_bytes: int | None = None) -> None:
        """Store a stream that must turn out to have this hash (and size); raises BlobDamaged and keeps nothing else."""
        target = self.path(sha256)
        passing = self.folder / f".{sha256}.{secrets.token_hex(4)}"
        try:
            _write(passing, chunks, sha256=sha256, size_bytes=size_bytes)
            is_new = not target.parent.exists()
            target.parent.mkdir(exist_ok=True)
            passing.replace(target)
            sync_folder(target.parent)
            if is_new:
                sync_folder(self.folder)
        except OSError as error:
            if error.errno in (errno.ENOSPC, errno.EDQUOT):
                raise BlobStoreFull(f"{self.folder}: the disk is full, the file was not stored") from None
            raise
        finally:
            passing.unlink(missing_ok=True)

    def read(self, sha256: str) -> bytes:
        """The bytes, checked against the hash; raises BlobMissing or BlobDamaged."""
        try:
            data = self.path(sha256).read_bytes()
        except FileNotFoundError:
            raise BlobMissing(f"no file {sha256} in {self.folder}") from None
        if hashlib.sha256(data).hexdigest() != sha256:
            raise BlobDamaged(f"{self.path(sha256)}: its bytes are no longer those its name promises")
        return data

    def remove(self, sha256: str) -> None:
        """Delete the file, if it is there."""
        self.path(sha256).unlink(missing_ok=True)

    def _clear_leftovers(self) -> None:
        for path in self.folder.iterdir():
            if _PASSING.fullmatch(path.name):
                with suppress(OSError):
                    if time.time() - path.stat().st_mtime > LEFTOVER_S:
                        path.unlink()


def _write(path: Path, chunks: Iterable[bytes], *, sha256: str, size_bytes: int | None) -> None:
    digest = hashlib.sha256()
    written = 0
    with path.open("xb") as file:
        for chunk in chunks:
            written += len(chunk)
            if size_bytes is not None and written > size_bytes:
                raise BlobDamaged(f"more than the {size_bytes} bytes that were announced")
            digest.update(chunk)
            file.write(chunk)
        file.flush()
        os.fsync(file.fileno())
    if size_bytes is not None and written != size_bytes:
        raise BlobDamaged(f"{written} bytes where {size_bytes} were announced")
    if digest.hexdigest() != sha256:
        raise BlobDamaged(f"the bytes have the SHA-256 {digest.hexdigest()}, announced was {sha256}")
