"""A box that only reports: `python -m edge.bench.latency.reporting_box STATE CAMERA SEED`.

The product's own outbox, publisher and uploader, over stretches that are ordered on standard input. In each a backlog
is written first, as by a box whose centre was away; then the connection is made, and from then on something happens now
and then. What is measured is how long each of these live alerts takes from its commit here to the commit that follows
the centre's signed receipt: the way there and back.
"""

import json
import random
import sys
import threading
import time
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import structlog

from alerts import uploads
from alerts.blobs import BlobStore
from alerts.identity import Identity
from alerts.outbox import Outbox
from alerts.publisher import Publisher
from alerts.transactions import Transaction
from alerts.uploader import Uploader
from edge.bench.delivery.ending import end_with_parent
from edge.bench.latency.made_up import parked
from edge.settings import EVIDENCE_FOLDER, OUTBOX_FILE

AT_ONCE = 250
AWAY = timedelta(hours=1)
"""So long ago was what waits."""

LAST_RECEIPTS_S = 20.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Stretch:
    """`backlog` alerts wait before there is a connection, of which the first so many `files` have pictures.

    Something happens every `every_s` on average, with a picture of `picture_bytes` each time unless that is nought.
    """

    backlog: int
    every_s: float
    files: int = 0
    picture_bytes: int = 0

    def to_json(self) -> str:
        """One line."""
        return json.dumps(asdict(self))


class Happenings:
    """Live alerts between `begin` and `end`, and when each was confirmed."""

    def __init__(self, stretch: Stretch, outbox: Outbox, blobs: BlobStore, camera: str, chance: random.Random) -> None:
        self._stretch = stretch
        self._outbox = outbox
        self._blobs = blobs
        self._camera = camera
        self._chance = chance
        self._lock = threading.Lock()
        self._made_s: dict[int, float] = {}
        self._last_of_backlog = 0
        self._stopping = threading.Event()
        self._all_confirmed = threading.Event()
        self._thread = threading.Thread(target=self._report, name="happenings", daemon=True)
        self.live: list[tuple[float, float]] = []
        """Of each live alert when it was committed and when it was confirmed, in monotonic seconds."""

    def fill(self) -> int:
        """Write the backlog; how long its last record is."""
        left, files, size_bytes = self._stretch.backlog, self._stretch.files, 0
        at = datetime.now(UTC) - AWAY
        while left > 0:
            count = min(AT_ONCE, left)
            with self._outbox.transaction() as transaction:
                for _ in range(count):
                    _, size_bytes = self._append(transaction, at, has_picture=files > 0)
                    files -= 1
            left -= count
        self._last_of_backlog = self._outbox.head()[0]
        return size_bytes

    def begin(self) -> None:
        """The centre is there: live alerts from now on."""
        self._outbox.add_listener(self._note_confirmed)
        self._thread.start()

    def end(self) -> int:
        """No more alerts; how many of the live ones have no receipt after a while."""
        self._stopping.set()
        self._thread.join()
        self._all_confirmed.clear()
        self._note_confirmed()
        self._all_confirmed.wait(LAST_RECEIPTS_S)
        self._outbox.remove_listener(self._note_confirmed)
        return len(self._made_s)

    @property
    def has_delivered(self) -> bool:
        """Whether the centre has the whole backlog."""
        oldest = uploads.oldest_record(self._outbox)
        return oldest is None or oldest > self._last_of_backlog

    def _report(self) -> None:
        while not self._stopping.wait(self._stretch.every_s * self._chance.uniform(0.5, 1.5)):
            with self._outbox.transaction() as transaction:
                sequence, _ = self._append(transaction, datetime.now(UTC), has_picture=True)
            with self._lock:
                self._made_s[sequence] = time.monotonic()
            self._note_confirmed()

    def _append(self, transaction: Transaction, at: datetime, *, has_picture: bool) -> tuple[int, int]:
        picture = self._chance.randbytes(self._stretch.picture_bytes) if has_picture else b""
        sha256 = self._blobs.put(picture) if picture else ""
        alert = parked(self._camera, f"i-{self._chance.randbytes(8).hex()}", at, picture)
        record = transaction.append(alert, at=at)
        if picture:
            transaction.queue_upload(sha256, size_bytes=len(picture), role="picture", incident=alert.incident)
        return record.sequence, len(record.raw)

    def _note_confirmed(self) -> None:
        with self._lock:
            waiting = self._outbox.still_waiting(list(self._made_s))
            now_s = time.monotonic()
            for sequence in set(self._made_s) - waiting:
                self.live.append((self._made_s.pop(sequence), now_s))
            if not self._made_s:
                self._all_confirmed.set()


def main() -> None:
    """For each stretch it says `ready` and waits for a word, `connected`, `delivered`, and, at a word, `measured`."""
    end_with_parent()
    structlog.configure(logger_factory=structlog.PrintLoggerFactory(sys.stderr))
    state, camera, chance = Path(sys.argv[1]), sys.argv[2], random.Random(int(sys.argv[3]))  # noqa: S311 - no secret
    identity, blobs = Identity.load(state), BlobStore(state / EVIDENCE_FOLDER)
    with Outbox.open(state / OUTBOX_FILE, identity=identity) as outbox:
        for line in iter(sys.stdin.readline, ""):
            happenings = Happenings(Stretch(**json.loads(line)), outbox, blobs, camera, chance)
            _say("ready", bytes=happenings.fill())
            sys.stdin.readline()
            _say("measured", **_deliver(happenings, outbox, blobs, identity))


def _deliver(happenings: Happenings, outbox: Outbox, blobs: BlobStore, identity: Identity) -> dict[str, Any]:
    connected, files = threading.Event(), []

    def hear(event: str, detail: Mapping[str, object]) -> None:
        if event == "connected":
            connected.set()
        elif event == "file_sent":
            files.append(detail["sha256"])

    with Publisher(outbox, identity, on_event=hear), Uploader(outbox, blobs, identity, on_event=hear):
        connected.wait()
        _say("connected", at_s=time.monotonic())
        happenings.begin()
        _tell_delivery(happenings, outbox)
        sys.stdin.readline()
        left = outbox.counts().pending_records
        unconfirmed = happenings.end()
    return {"live": happenings.live, "unconfirmed": unconfirmed, "left": left, "files": len(files)}


def _tell_delivery(happenings: Happenings, outbox: Outbox) -> None:
    """Say it as soon as the backlog is gone."""
    changed = threading.Event()

    def watch() -> None:
        while not happenings.has_delivered:
            changed.wait()
            changed.clear()
        outbox.remove_listener(changed.set)
        _say("delivered", at_s=time.monotonic())

    outbox.add_listener(changed.set)
    threading.Thread(target=watch, name="delivery", daemon=True).start()


def _say(event: str, **fields: object) -> None:
    sys.stdout.write(json.dumps({"event": event, **fields}) + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main()
