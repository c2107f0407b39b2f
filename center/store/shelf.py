"""What a store of evidence does. Everything raises BlobStoreFull and BlobStoreUnreachable, besides what is said."""

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Protocol


class Shelf(Protocol):
    """Files by their SHA-256: each is there whole, and what its name promises, or not at all."""

    trouble: str
    """One line while it takes nothing; empty again when it took something."""

    def has(self, sha256: str) -> bool:
        """Whether the file is there."""

    def begun(self, sha256: str, *, by: str) -> int:
        """How many bytes of it are here: all of them, or what `append` has kept of what `by` brought."""

    def append(self, chunks: Iterable[bytes], *, sha256: str, size_bytes: int, offset: int, by: str) -> None:
        """Store a file that comes in pieces. Raises BlobElsewhere, BlobBusy, BlobDamaged: see `BlobStore.append`."""

    def put(self, data: bytes) -> str:
        """Store and return the SHA-256."""

    def read(self, sha256: str) -> bytes:
        """The bytes, checked against the hash; raises BlobMissing, BlobDamaged."""

    def stream(self, sha256: str, first: int = 0, last: int | None = None) -> Iterator[bytes]:
        """The bytes from `first` to `last`, both included, as they lie there; raises BlobMissing."""

    def fetch(self, sha256: str, folder: Path) -> Path:
        """Where the file can be read, be it a copy in `folder`; raises BlobMissing."""

    def remove(self, sha256: str) -> None:
        """Delete the file, if it is there."""

    def clear_leftovers(self) -> None:
        """Clear away what was begun and never finished; bring along what waits for a store that did not answer."""
