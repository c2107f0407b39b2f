"""Files named by their SHA-256: evidence on the box and at the centre."""

import fcntl
import hashlib
import os
import re
import secrets
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from io import BufferedIOBase, BufferedRandom
from pathlib import Path

from alerts.errors import BlobBusy, BlobDamaged, BlobElsewhere, BlobMissing, BlobStoreFull
from alerts.folders import lacks_room, sync_folder

_SHA256 = re.compile(r"[0-9a-f]{64}")
_PASSING = re.compile(r"\.[0-9a-f]{64}\.[0-9a-f]{8}")
CHUNK_BYTES = 65_536

_PART = re.compile(r"\.[0-9a-f]{64}\.[A-Za-z0-9._-]{1,64}\.part")

LEFTOVER_S = 3600.0
"""A file under way that nobody has written to for so long belongs to a process that was killed."""

PART_KEPT_S = 30 * 86_400.0
"""What came of a file in pieces waits so long for the rest: boxes may be off line for weeks."""


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
        passing = self.folder / f".{sha256}.{secrets.token_hex(4)}"
        try:
            with self._reporting():
                _write(passing, chunks, sha256=sha256, size_bytes=size_bytes)
                self._move(passing, sha256)
        finally:
            passing.unlink(missing_ok=True)

    def begun(self, sha256: str, *, by: str) -> int:
        """How many bytes of the file are here: all of them, or what `append` has kept of what `by` brought."""
        for path in (self.path(sha256), self._part(sha256, by)):
            with suppress(FileNotFoundError):
                return path.stat().st_size
        return 0

    def append(self, chunks: Iterable[bytes], *, sha256: str, size_bytes: int, offset: int, by: str) -> None:
        """Store a file of this hash and size that comes in pieces: these bytes follow the first `offset`.

        Pieces belong to whom they are brought `by` (an id), so that nobody can spoil what another brings. If `chunks`
        break off, what came is kept for the next piece; a piece that begins at 0 begins anew. Raises BlobElsewhere,
        BlobBusy, BlobStoreFull, and BlobDamaged where the whole is not what was announced: all of it is then forgotten.
        """
        part = self._part(sha256, by)
        if offset and not part.exists():
            raise BlobElsewhere("nothing of it is here")
        with self._reporting(), self._holding(part) as file:
            here = file.truncate(0) if offset == 0 else file.seek(0, os.SEEK_END)
            if offset != here:
                raise BlobElsewhere(f"{here} bytes of it are here, the piece begins at {offset}")
            try:
                file.seek(0)
                digest = hashlib.file_digest(file, "sha256")
                if _fill(file, chunks, digest, before=offset, size_bytes=size_bytes) == size_bytes:
                    _seal(file, digest, sha256)
                    self._move(part, sha256)
            except BlobDamaged:
                part.unlink(missing_ok=True)
                raise
            except OSError as error:
                if lacks_room(error):
                    part.unlink(missing_ok=True)
                raise

    def _part(self, sha256: str, by: str) -> Path:
        return self.folder / f".{self.path(sha256).name}.{by}.part"

    @contextmanager
    def _holding(self, part: Path) -> Iterator[BufferedRandom]:
        """The unfinished file, at its end, and nobody else's meanwhile."""
        with part.open("a+b") as file:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                is_same = os.fstat(file.fileno()).st_ino == part.stat().st_ino
            except (BlockingIOError, FileNotFoundError):
                is_same = False
            if not is_same:  # another has just finished it: what is open is the stored file
                raise BlobBusy(f"{part.name[1:65]} is being brought already")
            yield file

    @contextmanager
    def _reporting(self) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            if lacks_room(error):
                raise BlobStoreFull(f"{self.folder}: the disk is full, the file was not stored") from None
            raise

    def _move(self, passing: Path, sha256: str) -> None:
        """Give a file that is whole and on the disk its name."""
        target = self.path(sha256)
        is_new = not target.parent.exists()
        target.parent.mkdir(exist_ok=True)
        passing.replace(target)
        sync_folder(target.parent)
        if is_new:
            sync_folder(self.folder)

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
            for name, keep_s in ((_PASSING, LEFTOVER_S), (_PART, PART_KEPT_S)):
                with suppress(OSError):
                    if name.fullmatch(path.name) and time.time() - path.stat().st_mtime > keep_s:
                        path.unlink()


def _write(path: Path, chunks: Iterable[bytes], *, sha256: str, size_bytes: int | None) -> None:
    digest = hashlib.sha256()
    with path.open("xb") as file:
        written = _fill(file, chunks, digest, before=0, size_bytes=size_bytes)
        if size_bytes is not None and written != size_bytes:
            raise BlobDamaged(f"{written} bytes where {size_bytes} were announced")
        _seal(file, digest, sha256)


def _fill(
    file: BufferedIOBase, chunks: Iterable[bytes], digest: "hashlib._Hash", *, before: int, size_bytes: int | None
) -> int:
    """Write what follows the `before` bytes that are there; how many there are then."""
    written = before
    for chunk in chunks:
        written += len(chunk)
        if size_bytes is not None and written > size_bytes:
            raise BlobDamaged(f"more than the {size_bytes} bytes that were announced")
        digest.update(chunk)
        file.write(chunk)
        file.flush()
    return written


def _seal(file: BufferedIOBase, digest: "hashlib._Hash", sha256: str) -> None:
    """Bring the whole to the disk, if it is what its name promises."""
    if digest.hexdigest() != sha256:
        raise BlobDamaged(f"the bytes have the SHA-256 {digest.hexdigest()}, announced was {sha256}")
    os.fsync(file.fileno())
