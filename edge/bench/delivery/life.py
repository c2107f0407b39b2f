"""One life of a box: the product's own outbox, recorder, publisher and uploader, over made-up looks.

What `edge/__main__.py` puts together, without cameras and detector. It reports what was committed once the commit has
returned, and dies at the boundary it was told, by a real SIGKILL in the middle of whatever its threads are doing.
"""

import os
import signal
import sqlite3
import threading
import time
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any, TypeAlias

from alerts.blobs import BlobStore
from alerts.discarding import Limit
from alerts.errors import AlertsError
from alerts.identity import Identity
from alerts.outbox import Outbox
from alerts.publisher import OnEvent, Publisher
from alerts.rotation import KeyKeeper
from alerts.uploader import Uploader
from edge.__main__ import EVIDENCE_FOLDER, MEBIBYTE, OUTBOX_FILE
from edge.bench.delivery.orders import Birth, Boundary, Doom
from edge.bench.delivery.world import WITNESS, World, post_of
from edge.recorder import Recorder
from edge.room import Room
from edge.settings import Settings

Say: TypeAlias = Callable[[Mapping[str, object]], None]
Orders: TypeAlias = Callable[[float], Mapping[str, Any] | None]
"""The next order, or None after so many seconds without one."""

MakePublisher: TypeAlias = Callable[[Outbox, Identity, OnEvent, Callable[[], datetime]], Publisher]

ORDER_WAIT_S = 0.1
HURRIED_LOOKS_PER_S = 20.0
ENOUGH = 12
"""While so many records wait, nothing new happens before the cameras: the centre is not to be outrun, only hit."""

MOST_PAGES = 1_073_741_823
"""SQLite's own default of `max_page_count`."""

TOLD = {
    "alert_queued": ("incident", "sequence", "picture_sha256"),
    "evidence_queued": ("sequence", "sha256"),
}
"""What of the recorder's words the bench wants to know."""

FAILURES = (AlertsError, OSError, sqlite3.Error, ValueError)
"""What `edge/box.py` lets one look end in, too."""


class SteeredClock:
    """A wall clock that is wrong by as much as one likes, and runs as fast."""

    def __init__(self, ahead_s: float) -> None:
        self._lock = threading.Lock()
        self.set(ahead_s)

    def set(self, ahead_s: float, rate: float = 1.0) -> None:
        """From now on it is `ahead_s` ahead of the machine's and runs `rate` times as fast."""
        with self._lock:
            self._began = datetime.now(UTC) + timedelta(seconds=ahead_s)
            self._began_s, self._rate = time.monotonic(), rate

    def __call__(self) -> datetime:
        """What it says."""
        with self._lock:
            return self._began + timedelta(seconds=(time.monotonic() - self._began_s) * self._rate)


class Fate:
    """Counts boundaries, and kills at the one that was ordered."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._doom: Doom | None = None
        self._passed = 0

    def decree(self, doom: Doom) -> None:
        """Count from now."""
        with self._lock:
            self._doom, self._passed = doom, 0

    def passes(self, boundary: Boundary) -> None:
        """The boundary has come."""
        with self._lock:
            if self._doom is None or self._doom.at != boundary:
                return
            self._passed += 1
            if self._passed >= self._doom.n:
                os.kill(os.getpid(), signal.SIGKILL)


def make_publisher(outbox: Outbox, identity: Identity, on_event: OnEvent, now: Callable[[], datetime]) -> Publisher:
    """The one of `edge/__main__.py`."""
    keeper = KeyKeeper(outbox, outbox.path.parent)
    keeper.take_up()
    return Publisher(outbox, identity, on_event=on_event, now=now, keys=keeper)


class Life:
    """Runs until it is killed."""

    def __init__(self, birth: Birth, outbox: Outbox, identity: Identity, say: Say, make: MakePublisher) -> None:
        self._outbox = outbox
        self._say = say
        self._fate = Fate()
        self._clock = SteeredClock(birth.ahead_s)
        self._looks_per_s = birth.looks_per_s
        self._is_hurried = False
        self._resting = threading.Event()
        self._looks = threading.Thread(target=self._watch, name="looks", daemon=True)
        self._worlds = [World(camera, birth.seed + number) for number, camera in enumerate(birth.cameras)]
        posts = [post_of(camera) for camera in birth.cameras]
        witnesses = dict.fromkeys(birth.cameras, WITNESS)
        blobs = BlobStore(birth.folder / EVIDENCE_FOLDER)
        room = Room(outbox, self._tell)
        self._recorder = Recorder(outbox, blobs, posts, witnesses, room=room, tell=self._tell, now=self._clock)
        self._recorder.take_up(WITNESS)
        self._publisher = make(outbox, identity, self._delivered, self._clock)
        self._uploader = Uploader(outbox, blobs, identity, on_event=self._delivered, now=self._clock)

    def run(self, orders: Orders) -> None:
        """Watch, deliver, and follow orders."""
        with self._outbox.reading() as connection:
            connection.set_trace_callback(lambda _statement: self._fate.passes("statement"))
        self._outbox.add_listener(lambda: self._fate.passes("committed"))
        self._say({"event": "started", "epoch": self._outbox.epoch, **self._left()})
        self._publisher.start()
        self._uploader.start()
        self._looks.start()
        said: Mapping[str, int | None] = {}
        while True:
            self._recorder.annotate(time.monotonic())
            if (order := orders(ORDER_WAIT_S)) is not None:
                self._follow(order)
            if (left := self._left()) != said:
                self._say({"event": "left", **left})
                said = left

    def _follow(self, order: Mapping[str, Any]) -> None:
        match order["do"]:
            case "doom":
                self._fate.decree(Doom(order["at"], order["n"]))
            case "clock":
                self._clock.set(order["ahead_s"], order["rate"])
            case "hurry":
                self._looks_per_s, self._is_hurried = HURRIED_LOOKS_PER_S, True
            case "rest":
                self._resting.set()
                self._looks.join()
            case "pages":
                self._limit_pages(full=order["full"])
            case unknown:
                raise ValueError(f"no order {unknown!r}")

    def _limit_pages(self, *, full: bool) -> None:
        """Not a page more than there are: for the outbox it is a full disk."""
        with self._outbox.reading() as connection:
            (pages,) = connection.execute("PRAGMA page_count").fetchone()
            connection.execute(f"PRAGMA max_page_count = {int(pages) if full else MOST_PAGES}")

    def _watch(self) -> None:
        while not self._resting.wait(1 / self._looks_per_s):
            if not self._is_hurried and self._outbox.counts().pending_records > ENOUGH:
                continue
            for world in self._worlds:
                look = world.look(self._clock())
                began_s = time.perf_counter()
                try:
                    told = self._recorder.record(look)
                except FAILURES as error:
                    self._say({"event": "trouble", "reason": f"{type(error).__name__}: {error}"[:300]})
                    continue
                if told:
                    self._say({"event": "told", "ms": round(1000 * (time.perf_counter() - began_s), 2)})

    def _tell(self, event: str, /, **fields: object) -> None:
        """The recorder's words, said when the commit has returned."""
        if (keys := TOLD.get(event)) is not None:
            self._say({"event": event, **{key: fields[key] for key in keys}})

    def _delivered(self, event: str, detail: Mapping[str, object]) -> None:
        match event:
            case "record_sent":
                self._fate.passes("sent")
            case "records_confirmed":
                self._fate.passes("confirmed")
            case "file_sent":
                self._fate.passes("uploaded")
            case "file_refused" | "forked" | "outbox_trouble" | "downlink_rejected":
                self._say({"event": event, "reason": str(detail.get("reason", ""))[:300]})

    def _left(self) -> dict[str, int | None]:
        """The newest sequence, the lowest that waits for a receipt, and how many files wait or are to be made."""
        with self._outbox.reading() as connection:
            (lowest,) = connection.execute("SELECT min(sequence) FROM records").fetchone()
            (head,) = connection.execute("SELECT sequence FROM chain").fetchone()
            (files,) = connection.execute("SELECT count(*) FROM uploads WHERE state = 'waiting'").fetchone()
            (due,) = connection.execute("SELECT count(*) FROM annotations_due").fetchone()
        return {"head": head, "lowest": lowest, "files": files + due}


def live(birth: Birth, say: Say, orders: Orders, make: MakePublisher = make_publisher) -> None:
    """Open the box's state and live on it. Raises AlertsError where that is not possible."""
    identity = Identity.load(birth.folder)
    limit = Limit(Settings(state=birth.folder).outbox_mib * MEBIBYTE)
    with Outbox.open(birth.folder / OUTBOX_FILE, identity=identity, limit=limit) as outbox:
        Life(birth, outbox, identity, say, make).run(orders)
