"""A store in an S3 bucket. Pieces wait in a folder here until the file is whole and checked; then it goes as one.

So nobody sees half a file or a wrong one in the bucket, and a bucket that does not answer, is full or refuses what is
written costs nothing but time: the whole file waits here, the box is asked to come again, and `clear_leftovers` brings
what was left. While it takes nothing, no more than that file is taken in.
"""

import hashlib
import os
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, BinaryIO

import obstore
from obstore.exceptions import BaseError
from obstore.store import S3Store

from alerts.blobs import STREAMED_BYTES, BlobStore
from alerts.errors import BlobDamaged, BlobMissing, BlobStoreFull, BlobStoreUnreachable


class BucketStore:
    """Usable from any thread."""

    def __init__(self, bucket: S3Store, staging: BlobStore, *, name: str) -> None:
        """`name` is what people call it, `s3://bucket/prefix`; `staging` is a folder of its own."""
        self.trouble = ""
        self._bucket = bucket
        self._staging = staging
        self._name = name

    def has(self, sha256: str) -> bool:
        """Whether the file is in the bucket. Raises BlobStoreUnreachable."""
        return self._size(sha256) is not None

    def begun(self, sha256: str, *, by: str) -> int:
        """How many bytes are here: of a whole file all, of one under way what waits in the folder."""
        here = self._staging.begun(sha256, by=by)
        return here or self._size(sha256) or 0

    def append(self, chunks: Iterable[bytes], *, sha256: str, size_bytes: int, offset: int, by: str) -> None:
        """Take a piece; once the file is whole, and what was announced, it goes into the bucket."""
        if not self._staging.has(sha256):
            self._require_taking()
            self._staging.append(chunks, sha256=sha256, size_bytes=size_bytes, offset=offset, by=by)
        if self._staging.has(sha256):
            self._bring(sha256)

    def put(self, data: bytes) -> str:
        """Store and return the SHA-256."""
        sha256 = hashlib.sha256(data).hexdigest()
        if not self.has(sha256):
            self._staging.put(data)
            self._bring(sha256)
        return sha256

    def read(self, sha256: str) -> bytes:
        """The bytes, checked against the hash; raises BlobMissing, BlobDamaged, BlobStoreUnreachable."""
        with self._reporting(sha256):
            data = bytes(obstore.get(self._bucket, self._key(sha256)).bytes())
        if hashlib.sha256(data).hexdigest() != sha256:
            raise BlobDamaged(f"{self._name}: the bytes of {sha256} are no longer those its name promises")
        return data

    def stream(self, sha256: str, first: int = 0, last: int | None = None) -> Iterator[bytes]:
        """The bytes from `first` to `last`, both included, as they lie there."""
        until = self._size(sha256) if last is None else last + 1
        if until is None:
            raise BlobMissing(f"no file {sha256} in {self._name}")
        for start in range(first, until, STREAMED_BYTES):
            end = min(until, start + STREAMED_BYTES)
            with self._reporting(sha256):
                chunk = bytes(obstore.get_range(self._bucket, self._key(sha256), start=start, end=end))
            yield chunk

    def fetch(self, sha256: str, folder: Path) -> Path:
        """A copy in `folder`."""
        path = folder / sha256
        with self._reporting(sha256), path.open("wb") as file:
            for chunk in obstore.get(self._bucket, self._key(sha256)).stream(min_chunk_size=STREAMED_BYTES):
                file.write(bytes(chunk))
        return path

    def remove(self, sha256: str) -> None:
        """Delete the file, here and there."""
        self._staging.remove(sha256)
        with self._reporting():
            obstore.delete(self._bucket, self._key(sha256))

    def clear_leftovers(self) -> None:
        """Bring what waits for a bucket that did not answer; clear away what was begun and never finished."""
        self._staging.clear_leftovers()
        for path in sorted(self._staging.folder.glob("??/*")):
            self._bring(path.name)

    def _require_taking(self) -> None:
        """After it took nothing the bucket is asked again, with what waits here already, before more is taken in."""
        waiting = next(self._staging.folder.glob("??/*"), None) if self.trouble else None
        if waiting is not None:
            self._bring(waiting.name)

    def _bring(self, sha256: str) -> None:
        """From the folder into the bucket; in the folder until the bucket has all of it."""
        try:
            file = self._staging.path(sha256).open("rb")
        except FileNotFoundError:
            return  # another has just brought it
        with file:
            size_bytes = os.fstat(file.fileno()).st_size
            self._put(file, sha256)
        if self._size(sha256) != size_bytes:
            self.trouble = f"{self._name} keeps less of {sha256} than it was given"
            raise BlobStoreFull(self.trouble)
        self._staging.remove(sha256)
        self.trouble = ""

    def _put(self, file: BinaryIO, sha256: str) -> None:
        """Give it the file. Raises BlobStoreUnreachable, or BlobStoreFull where it answers and takes nothing."""
        try:
            obstore.put(self._bucket, self._key(sha256), file)
        except (BaseError, FileNotFoundError) as error:
            self._size(sha256)
            self.trouble = f"{self._name} answers and takes nothing: {_first_line(error)}"
            raise BlobStoreFull(self.trouble) from None

    def _size(self, sha256: str) -> int | None:
        """How long it is in the bucket; None where it is not."""
        with self._reporting():
            try:
                return int(obstore.head(self._bucket, self._key(sha256))["size"])
            except FileNotFoundError:
                return None

    def _key(self, sha256: str) -> str:
        return f"{self._staging.path(sha256).parent.name}/{sha256}"

    @contextmanager
    def _reporting(self, sha256: str = "") -> Iterator[None]:
        """The library's errors as ours: one line, for it tells of its requests at length."""
        try:
            yield
        except FileNotFoundError:
            if not sha256:
                raise
            raise BlobMissing(f"no file {sha256} in {self._name}") from None
        except BaseError as error:
            self.trouble = f"{self._name}: {_first_line(error)}"
            raise BlobStoreUnreachable(self.trouble) from None


def _first_line(error: Exception) -> str:
    return str(error).splitlines()[0][:300]


def open_bucket(name: str, **config: Any) -> S3Store:  # noqa: ANN401 - the library's own options
    """The bucket and prefix that `s3://bucket/prefix` names."""
    bucket, _, prefix = name.removeprefix("s3://").partition("/")
    return S3Store(bucket, prefix=prefix or None, **config)
