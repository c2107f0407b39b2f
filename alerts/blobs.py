"""Files named by their SHA-256: evidence on the box and at the centre."""

import errno
import fcntl
import hashlib
import os
import re
import secrets
import shutil
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from io import BufferedIOBase, BufferedRandom
from pathlib import Path

from alerts.errors import BlobBusy, BlobDamaged, BlobElsewhere, BlobMissing, BlobStoreFull
from alerts.folders import lacks_room, sync_folder

_SHA256 = re.compile(r"[0-9a-f]{64}")
_PASSING = re.compile(r"\.[0-9a-f]{64}\.[0-9a-f]{8}")
STREAMED_BYTES = 262_144

_PART = re.compile(r"\.[0-9a-f]{64}\.[A-Za-z0-9._-]{1,64}\.part")

LEFTOVER_S = 3600.0
"""A file under way that nobody has written to for so long belongs to a process that was killed."""

PART_KEPT_S = 30 * 86_400.0
"""What came of a file in pieces waits so long for the rest: boxes may be off line for weeks."""

MOST_PARTS = 64
"""So many files one who brings them may have begun, if there is a limit at all; then the oldest is forgotten."""


class BlobStore:
    """A folder of files, each at `ab/abcdef…`. A file is there whole and durable, or not at all.

    What a killed process left half written is cleared away when the store is opened, and by `clear_leftovers`.
    `trouble` is one line while it takes nothing, empty again when it took something.
    """

    def __init__(self, folder: Path, *, part_quota_bytes: int | None = None, keep_free_bytes: int = 0) -> None:
        """`part_quota_bytes`: so much one who brings files may have begun; then the oldest of it is forgotten.

        `keep_free_bytes` of the disk are left to others: who would need them finds the store full.
        """
        self.folder = folder
        self.trouble = ""
        self._part_quota_bytes = part_quota_bytes
        self._keep_free_bytes = keep_free_bytes
        folder.mkdir(parents=True, exist_ok=True)
        self.clear_leftovers()

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
            self._require_room(size_bytes - offset)
            self._forget_oldest_parts(part, by, size_bytes)
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
                self.trouble = f"{self.folder}: the disk is full, the file was not stored"
                raise BlobStoreFull(self.trouble) from None
            raise
        self.trouble = ""

    def _require_room(self, size_bytes: int) -> None:
        if self._keep_free_bytes and shutil.disk_usage(self.folder).free - size_bytes < self._keep_free_bytes:
            raise OSError(errno.ENOSPC, "what is left is kept free for others")

    def _forget_oldest_parts(self, own: Path, by: str, size_bytes: int) -> None:
        """Of what `by` has begun, forget the oldest until this file fits too; what is being brought just now stays."""
        if self._part_quota_bytes is None:
            return
        begun = [path for path in self.folder.glob(f".*.{by}.part") if len(path.name) == len(own.name) and path != own]
        parts = sorted((path.stat().st_mtime, path.stat().st_size, path) for path in begun)
        total, count = sum(size for _, size, _ in parts) + size_bytes, len(parts) + 1
        for _, size, path in parts:
            if total <= self._part_quota_bytes and count <= MOST_PARTS:
                return
            with suppress(BlobBusy), self._holding(path):
                path.unlink(missing_ok=True)
                total, count = total - size, count - 1

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

    def stream(self, sha256: str, first: int = 0, last: int | None = None) -> Iterator[bytes]:
        """The bytes from `first` to `last`, both included, as they lie there; raises BlobMissing."""
        try:
            file = self.path(sha256).open("rb")
        except FileNotFoundError:
            raise BlobMissing(f"no file {sha256} in {self.folder}") from None
        with file:
            file.seek(first)
            left = (os.fstat(file.fileno()).st_size if last is None else last + 1) - first
            while left > 0 and (chunk := file.read(min(left, STREAMED_BYTES))):
                left -= len(chunk)
                yield chunk

    def fetch(self, sha256: str, folder: Path) -> Path:  # noqa: ARG002 - other stores need one
        """Where the file can be read for a while; other stores bring a copy into `folder`. Raises BlobMissing."""
        if not self.has(sha256):
            raise BlobMissing(f"no file {sha256} in {self.folder}")
        return self.path(sha256)

    def remove(self, sha256: str) -> None:
        """Delete the file, if it is there."""
        self.path(sha256).unlink(missing_ok=True)

    def clear_leftovers(self) -> None:
        """Clear away what nobody has written to for long: it belongs to who was killed, or never came back."""
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
