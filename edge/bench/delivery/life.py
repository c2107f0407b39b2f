"""One life of a box: the product's own outbox, recorder, publisher and uploader, over made-up looks.

What `edge/composition.py` puts together, without cameras and detector. It reports what was committed once the commit
has returned, and dies at the boundary it was told, by a real SIGKILL in the middle of whatever its threads are doing.
"""

import os
import signal
import sqlite3
import sys
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any, TypeAlias

from alerts.blobs import BlobStore
from alerts.clocks import clock_quality
from alerts.discarding import Limit
from alerts.door import Door
from alerts.errors import AlertsError
from alerts.identity import Identity
from alerts.messages import ClockQuality
from alerts.outbox import Outbox
from alerts.publisher import OnEvent, Publisher
from alerts.rotation import KeyKeeper, Wish, wish
from alerts.uploader import Uploader
from edge.bench.delivery.orders import Birth, Boundary, Doom
from edge.bench.delivery.world import WITNESS, World, post_of
from edge.composition import MEBIBYTE
from edge.credentials import load_credentials
from edge.recorder import Recorder
from edge.renewing import CertificateRound
from edge.room import Room
from edge.settings import EVIDENCE_FOLDER, OUTBOX_FILE, Settings

Say: TypeAlias = Callable[[Mapping[str, object]], None]
Orders: TypeAlias = Callable[[float], Mapping[str, Any] | None]
"""The next order, or None after so many seconds without one."""

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

FILE_EVENTS = frozenset({"os.rename", "os.remove", "os.link", "os.truncate"})
WRITING = os.O_WRONLY | os.O_RDWR
"""What the interpreter tells its audit hooks before it is done (PEP 578); SQLite's own files are not among it."""

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
            self._set_at = datetime.now(UTC)
            self._began = self._set_at + timedelta(seconds=ahead_s)
            self._began_s, self._rate = time.monotonic(), rate

    def __call__(self) -> datetime:
        """What it says."""
        with self._lock:
            return self._began + timedelta(seconds=(time.monotonic() - self._began_s) * self._rate)

    def quality(self, now: datetime) -> ClockQuality:
        """No time server keeps a clock that is steered."""
        with self._lock:
            is_right = self._rate == 1 and abs((self._began - self._set_at).total_seconds()) < 1
        return clock_quality(now) if is_right else ClockQuality.UNSYNCHRONISED


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

    def heed(self, event: str, args: tuple[Any, ...]) -> None:
        """An audit hook."""
        if self._doom is None or self._doom.at != "file":
            return
        if event in FILE_EVENTS or (event == "open" and isinstance(args[2], int) and args[2] & WRITING):
            self.passes("file")


@dataclass(frozen=True, slots=True)
class Sending:
    """What a box's publisher is made of."""

    outbox: Outbox
    identity: Identity
    keeper: KeyKeeper
    door: Door
    on_event: OnEvent
    now: Callable[[], datetime]


MakePublisher: TypeAlias = Callable[[Sending], Publisher]


def make_publisher(parts: Sending) -> Publisher:
    """The one of `edge/composition.py`."""
    return Publisher(
        parts.outbox, parts.identity, on_event=parts.on_event, now=parts.now, keys=parts.keeper, door=parts.door
    )


class Life:
    """Runs until it is killed."""

    def __init__(self, birth: Birth, outbox: Outbox, identity: Identity, say: Say, make: MakePublisher) -> None:
        self._outbox = outbox
        self._say = say
        self._fate = Fate()
        self._clock = SteeredClock(birth.ahead_s)
        self._looks_per_s = birth.looks_per_s
        self._is_hurried = False
        self._said_left: Mapping[str, int | None] = {}
        self._resting = threading.Event()
        self._looks = threading.Thread(target=self._watch, name="looks", daemon=True)
        self._worlds = [World(camera, birth.seed + number) for number, camera in enumerate(birth.cameras)]
        posts = [post_of(camera) for camera in birth.cameras]
        witnesses = dict.fromkeys(birth.cameras, WITNESS)
        blobs = BlobStore(birth.folder / EVIDENCE_FOLDER)
        keeper = KeyKeeper(outbox, birth.folder)
        keeper.take_up()
        self._folder, self._wish = birth.folder, Wish(keeper, birth.folder)
        self._recorder = Recorder(
            outbox,
            blobs,
            posts,
            witnesses,
            room=Room(outbox, self._tell),
            tell=self._tell,
            now=self._clock,
            credentials=load_credentials(lambda: outbox.identity),
        )
        self._recorder.take_up(WITNESS)
        door = Door(identity, system=self._clock, quality=self._clock.quality)
        self._publisher = make(Sending(outbox, identity, keeper, door, self._delivered, self._clock))
        self._uploader = Uploader(outbox, blobs, identity, on_event=self._delivered, now=self._clock, door=door)
        self._renewing = CertificateRound(outbox, self._tell, on_renewed=self._publisher.reconnect, door=door)

    def run(self, orders: Orders) -> None:
        """Watch, deliver, and follow orders."""
        with self._outbox.reading() as connection:
            connection.set_trace_callback(lambda _statement: self._fate.passes("statement"))
        self._outbox.add_listener(lambda: self._fate.passes("committed"))
        sys.addaudithook(self._fate.heed)
        self._say({"event": "started", "epoch": self._outbox.epoch, **self._left()})
        self._publisher.start()
        self._uploader.start()
        self._looks.start()
        with self._renewing:
            while True:
                self._try(self._do_chores)
                if (order := orders(ORDER_WAIT_S)) is not None:
                    self._follow(order)
                self._try(self._say_left)

    def _do_chores(self) -> None:
        """What `edge/box.py` and `edge/pulse.py` do twice a second."""
        self._recorder.annotate(time.monotonic())
        if (record := self._wish.grant(self._clock())) is not None:
            self._say({"event": "key_rotated", "sequence": record.sequence})

    def _say_left(self) -> None:
        if (left := self._left()) != self._said_left:
            self._say({"event": "left", **left})
            self._said_left = left

    def _try(self, duty: Callable[[], object]) -> None:
        """What fails is told and ends nothing."""
        try:
            duty()
        except FAILURES as error:
            self._say({"event": "trouble", "reason": f"{type(error).__name__}: {error}"[:300]})

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
            case "rotate":
                self._try(lambda: wish(self._folder))
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
                self._try(partial(self._record, world))

    def _record(self, world: World) -> None:
        look, began_s = world.look(self._clock()), time.perf_counter()
        if self._recorder.record(look):
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
            case "key_rotated":
                self._say({"event": event, "sequence": detail["sequence"]})
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
