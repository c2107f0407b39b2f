"""The composition root of a box: everything is made and connected here, and nowhere else."""

import signal
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime

import cv2

from alerts.blobs import BlobStore
from alerts.errors import AlertsError
from alerts.identity import Identity
from alerts.messages import Model
from alerts.outbox import Outbox
from alerts.publisher import Publisher
from alerts.uploader import Uploader
from edge.announcements import Announcer, Sink, Tell, delivery_to, events_on, log_events, set_up_log
from edge.boot import ClockKeeper
from edge.config import CameraSection, Loaded
from edge.console import LiveConsole
from edge.errors import NotWatched
from edge.feed import Feed, Plan
from edge.incidents import Key
from edge.loop import Loop
from edge.memory import peak_resident_mib
from edge.recorder import Recorder
from edge.reporting import Witness
from edge.settings import Settings
from edge.watch import CameraWatch, Post
from edge.watchdog import Watchdog
from edge.zones import Zone
from models.cards import ModelCard
from models.detector import Detector

OUTBOX_FILE = "outbox.sqlite3"
EVIDENCE_FOLDER = "evidence"


def utc_now() -> datetime:
    """The wall clock, aware UTC."""
    return datetime.now(UTC)


def run_box(loaded: Loaded, settings: Settings, *, until_end: bool = False) -> None:
    """Watch until SIGTERM, SIGINT or, with `until_end`, the end of every file.

    Raises AlertsError, ModelError and EdgeError for what makes a start impossible, and NotWatched at an end that not
    every camera reached.
    """
    with ExitStack() as cleanup:
        identity = Identity.load(settings.state)
        cv2.setNumThreads(settings.threads)
        detector = Detector.load(loaded.card, threads=settings.threads)
        outbox = cleanup.enter_context(Outbox.open(settings.state / OUTBOX_FILE, identity=identity))
        blobs = BlobStore(settings.state / EVIDENCE_FOLDER)
        tell = Announcer(_sinks(settings, identity, cleanup))
        loop = build_loop(loaded, detector, outbox, blobs, tell, until_end=until_end)
        publisher = Publisher(outbox, identity, on_event=delivery_to(tell))
        uploader = Uploader(outbox, blobs, identity, on_event=delivery_to(tell))
        _say_started(tell, loaded, identity, outbox)
        publisher.start()
        cleanup.callback(_say_stopped, tell, outbox)
        cleanup.callback(publisher.stop, flush_s=settings.drain_s if until_end else 1.0)
        uploader.start()
        cleanup.callback(uploader.stop)
        with _stopped_by_signals(loop):
            loop.run()
            if until_end:
                _drain(outbox, settings.drain_s)
        if until_end and loop.failures:
            raise NotWatched(*loop.failures)


def build_loop(
    loaded: Loaded, detector: Detector, outbox: Outbox, blobs: BlobStore, tell: Tell, *, until_end: bool
) -> Loop:
    """The watching half of a box: feeds, rules and recorder over this outbox, not yet running."""
    posts = [post for camera in loaded.config.cameras for post in posts_of(camera)]
    model = Model(name=loaded.card.name, sha256=loaded.card.sha256)
    witnesses = {
        camera.id: Witness(footage="live" if camera.is_live else "recording", model=model, config_sha256=loaded.sha256)
        for camera in loaded.config.cameras
    }
    recorder = Recorder(outbox, blobs, posts, witnesses, tell=tell, now=utc_now)
    recorder.take_up(Witness(footage="live", model=model, config_sha256=loaded.sha256))
    watches = {
        camera.id: CameraWatch(
            [post for post in posts if post.key.camera == camera.id],
            class_names=detector.class_names,
            family_of=_families(loaded.card),
            open_incidents=recorder.open_incidents(camera.id),
        )
        for camera in loaded.config.cameras
    }
    ready = threading.Condition()
    return Loop(
        _feeds(loaded, tell, ready, until_end=until_end),
        watches,
        detector,
        recorder,
        ready=ready,
        tell=tell,
        score=loaded.config.detector.score,
        until_end=until_end,
        on_tick=_Pulse(outbox, tell),
    )


def posts_of(camera: CameraSection) -> list[Post]:
    """The rules of a camera, each on its zone."""
    zones = {zone.id: Zone(zone.id, zone.polygon) for zone in camera.zones}
    return [
        Post(Key(camera.id, rule.id, rule.zone, rule.kind_key), rule.build(zones[rule.zone])) for rule in camera.rules
    ]


def _feeds(loaded: Loaded, tell: Tell, ready: threading.Condition, *, until_end: bool) -> list[Feed]:
    return [
        Feed(
            Plan(source, looks_per_s=camera.detections_per_s, is_live=camera.is_live, until_end=until_end),
            tell=tell,
            ready=ready,
        )
        for camera, source in zip(loaded.config.cameras, loaded.sources(), strict=True)
    ]


def _families(card: ModelCard) -> Callable[[str], str]:
    """Which family a class belongs to, by the model card's groups."""
    group_of = {member: group for group, members in card.groups.items() for member in members}
    return lambda class_name: group_of.get(class_name, class_name)


class _Pulse:
    """What happens about twice a second: the watchdog, and a look at the clock."""

    def __init__(self, outbox: Outbox, tell: Tell) -> None:
        self._watchdog = Watchdog()
        self._watchdog.ready()
        self._clock = ClockKeeper(outbox)
        self._outbox = outbox
        self._tell = tell
        self._told = ""

    def __call__(self) -> None:
        self._watchdog.alive(self._outbox.trouble or "watching")
        try:
            self._clock.check(utc_now(), time.monotonic())
        except AlertsError as error:
            if str(error) != self._told:
                self._told = str(error)
                self._tell("trouble", what="clock record", reason=self._told)


def _sinks(settings: Settings, identity: Identity, cleanup: ExitStack) -> Sequence[Sink]:
    output = settings.output
    if output == "auto":
        output = "console" if sys.stdout.isatty() else "log"
    set_up_log(as_json=True, quiet=output == "console")
    if output == "console":
        return (cleanup.enter_context(LiveConsole(identity.device)),)
    return (events_on(sys.stdout), log_events) if output == "events" else (log_events,)


def _say_started(tell: Tell, loaded: Loaded, identity: Identity, outbox: Outbox) -> None:
    cameras = loaded.config.cameras
    tell(
        "started",
        device=identity.device,
        epoch=outbox.epoch,
        cameras=[camera.id for camera in cameras],
        rules=sum(len(camera.rules) for camera in cameras),
        config_sha256=loaded.sha256,
        pending_records=outbox.counts().pending_records,
    )


def _say_stopped(tell: Tell, outbox: Outbox) -> None:
    counts = outbox.counts()
    tell(
        "stopped",
        pending_records=counts.pending_records,
        pending_uploads=counts.pending_uploads,
        peak_rss_mb=peak_resident_mib(),
    )


def _drain(outbox: Outbox, seconds: float) -> None:
    """Wait until the centre has confirmed everything, at most so long."""
    changed = threading.Event()
    outbox.add_listener(changed.set)
    try:
        deadline_s = time.monotonic() + seconds
        while (left_s := deadline_s - time.monotonic()) > 0:
            counts = outbox.counts()
            if not counts.pending_records and not counts.pending_uploads:
                return
            changed.wait(min(left_s, 0.5))
            changed.clear()
    finally:
        outbox.remove_listener(changed.set)


@contextmanager
def _stopped_by_signals(loop: Loop) -> Iterator[None]:
    """SIGTERM and SIGINT end the loop in good order."""

    def stop(_signal: int, _frame: object) -> None:
        Watchdog().stopping()
        loop.stop()

    before = {number: signal.signal(number, stop) for number in (signal.SIGTERM, signal.SIGINT)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


if __name__ == "__main__":
    from edge.cli import app

    app()
