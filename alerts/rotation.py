"""The box's key, replaced: made on the box, and told by a record that the old and the new key sign.

Three steps, each durable before the next: the new key lies beside the old one; the record and which key counts from
now on are committed in the outbox; the new key takes the old one's place. Killed before the commit, the box goes on
with its old key; killed after it, `take_up` finishes at the next start. The old key is gone then: what it signed is
in the outbox already.
"""

from contextlib import suppress
from datetime import datetime
from pathlib import Path

from alerts.control_messages import RotateKey
from alerts.errors import KeyFileError
from alerts.folders import sync_folder
from alerts.identity import KEY_FILE
from alerts.keys import SigningKey
from alerts.outbox import Outbox
from alerts.records import Record
from alerts.transactions import Transaction

NEXT_KEY_FILE = "box.next.key"
WISH_FILE = "rotate.wish"


class KeyKeeper:
    """The keys in a box's state folder, and which of them its outbox signs with."""

    def __init__(self, outbox: Outbox, folder: Path) -> None:
        self._outbox = outbox
        self._path = folder / KEY_FILE
        self._next_path = folder / NEXT_KEY_FILE

    def take_up(self) -> None:
        """Finish a rotation that was broken off after its commit; to be called before anything is signed."""
        key = self._load_next()
        if key is not None and self._outbox.use_rotated(key):
            self.settle()

    def rotate(self, *, at: datetime) -> Record:
        """Replace the key now. Raises KeyFileError, OutboxFull; then the old one stays in force."""
        with self._outbox.transaction() as transaction:
            record = transaction.rotate(self.make_next(), at=at)
        self.settle()
        return record

    def follow(self, transaction: Transaction, command: RotateKey, *, at: datetime) -> Record | None:
        """Rotate if the command means the key in force; after the commit the caller calls `settle`."""
        if command.retires != transaction.identity.signing_key.key_id:
            return None
        return transaction.rotate(self.make_next(), at=at)

    def make_next(self) -> SigningKey:
        """The key to come, on the disk; one that an attempt left behind is used, for nobody has heard of it."""
        key = self._load_next()
        if key is None or key.key_id == self._outbox.identity.signing_key.key_id:
            self._next_path.unlink(missing_ok=True)
            key = SigningKey.generate()
            key.save(self._next_path)
        return key

    def settle(self) -> None:
        """Put the new key in the place of the old one, whose file ends with it."""
        self._next_path.replace(self._path)
        sync_folder(self._path.parent)

    def _load_next(self) -> SigningKey | None:
        """None where there is none, or one that was cut off while it was written: no record names that."""
        with suppress(KeyFileError):
            return SigningKey.load(self._next_path)
        return None


class Wish:
    """How a person at the box asks the running process for a new key: an empty file, gone when it was done."""

    def __init__(self, keeper: KeyKeeper, folder: Path) -> None:
        self._keeper = keeper
        self._path = folder / WISH_FILE

    def grant(self, at: datetime) -> Record | None:
        """Rotate if somebody wishes it; what fails is tried again at the next call. Raises as `KeyKeeper.rotate`."""
        if not self._path.exists():
            return None
        record = self._keeper.rotate(at=at)
        self._path.unlink(missing_ok=True)
        return record


def wish(folder: Path) -> Path:
    """Ask the process that runs this box for a new key; the file that is gone when it has one."""
    path = folder / WISH_FILE
    path.touch(mode=0o600)
    return path
