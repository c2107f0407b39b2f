"""The composition root of a box: everything is made and connected here, and nowhere else."""

import signal
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from io import FileIO

import cv2

from alerts.blobs import BlobStore
from alerts.clocks import utc_now
from alerts.discarding import Limit
from alerts.identity import Identity
from alerts.outbox import Outbox
from alerts.publisher import Publisher
from alerts.rotation import KeyKeeper, Wish
from alerts.uploader import Uploader
from edge.announcements import Announcer, Sink, Tell, delivery_to, log_events, set_up_log
from edge.box import Box
from edge.clip_sealer import ClipSealer
from edge.clock_round import ClockRound
from edge.config import Loaded
from edge.console import LiveConsole
from edge.credentials import load_credentials
from edge.duties import check_memory, duties_of, orphan_witness_of, posts_of, witnesses_of
from edge.errors import NotWatched
from edge.event_lines import EventLines
from edge.incident_store import IncidentStore
from edge.memory import peak_resident_mib, share_arenas
from edge.metrics_server import served
from edge.outlook import Outlook
from edge.overview import Overview
from edge.pulse import Pulse
from edge.recorder import Recorder
from edge.references import ReferenceShelf
from edge.reloading import Reloading
from edge.renewing import CertificateRound
from edge.room import Room
from edge.settings import EVIDENCE_FOLDER, OUTBOX_FILE, REFERENCES_FOLDER, Settings
from edge.watch import Look
from edge.watchdog import Watchdog
from models.detector import Detector

MEBIBYTE = 2**20


def run_box(loaded: Loaded, settings: Settings, *, until_end: bool = False) -> None:
    """Watch until SIGTERM, SIGINT or, with `until_end`, the end of every file. SIGHUP reads the configuration anew.

    Raises AlertsError, ModelError and EdgeError for what makes a start impossible, and NotWatched at an end that not
    every camera reached.
    """
    with ExitStack() as cleanup:
        identity = Identity.load(settings.state)
        cv2.setNumThreads(1)
        detector = Detector.load(loaded.card)
        detectors = [detector, *(detector.twin() for _ in range(settings.sessions - 1))]
        limit = Limit(settings.outbox_mib * MEBIBYTE)
        outbox = cleanup.enter_context(Outbox.open(settings.state / OUTBOX_FILE, identity=identity, limit=limit))
        keeper = KeyKeeper(outbox, settings.state)
        keeper.take_up()
        blobs = BlobStore(settings.state / EVIDENCE_FOLDER)
        tell = Announcer(_sinks(settings, identity, cleanup))
        check_memory(loaded)
        pulse = Pulse(outbox, tell, now=utc_now)
        box = build_box(loaded, detectors, outbox, blobs, tell, until_end=until_end, on_tick=pulse)
        overview = Overview(box, outbox, identity.device, now=utc_now)
        cleanup.enter_context(served(settings.metrics_host, settings.metrics_port, overview.registry, overview, tell))
        publisher = Publisher(outbox, identity, on_event=delivery_to(tell), keys=keeper)
        uploader = Uploader(
            outbox,
            blobs,
            identity,
            on_event=delivery_to(tell),
            limit_bits_per_s=loaded.config.uploads.limit_bits_per_s,
            keep_free_bytes=loaded.config.uploads.keep_free_bytes,
            open_incidents=lambda: _open_incidents(outbox),
        )
        _say_started(tell, loaded, identity, outbox)
        publisher.start()
        cleanup.callback(_say_stopped, tell, outbox)
        cleanup.callback(publisher.stop, flush_s=settings.drain_s if until_end else 1.0)
        uploader.start()
        cleanup.callback(uploader.stop)
        reloading = Reloading(loaded, box, tell, until_end=until_end, limit_uploads=uploader.limit)
        outlook = Outlook(box, outbox, ReferenceShelf(settings.state / REFERENCES_FOLDER), tell, now=utc_now)
        pulse.duties += (reloading, outlook, _granting(Wish(keeper, settings.state), outbox, tell))
        pulse.turn_s = box.turn_s
        renewing = CertificateRound(outbox, tell, on_renewed=publisher.reconnect)
        with _by_signals(box, reloading), ClockRound(box.faces), renewing:
            box.run()
            outlook.close()
            if until_end:
                _drain(outbox, settings.drain_s)
        if until_end and box.failures:
            raise NotWatched(*box.failures)


def build_box(
    loaded: Loaded,
    detectors: Sequence[Detector],
    outbox: Outbox,
    blobs: BlobStore,
    tell: Tell,
    *,
    until_end: bool,
    on_tick: Callable[[], None] = lambda: None,
    on_look: Callable[[Look], None] = lambda _: None,
) -> Box:
    """The watching half of a box: cameras, rules and recorder over this outbox, not yet running."""
    share_arenas()
    posts = [post for camera in loaded.config.cameras for post in posts_of(camera)]
    room = Room(outbox, tell)
    recorder = Recorder(
        outbox,
        blobs,
        posts,
        witnesses_of(loaded),
        room=room,
        tell=tell,
        now=utc_now,
        credentials=load_credentials(lambda: outbox.identity),
    )
    recorder.take_up(orphan_witness_of(loaded))
    return Box(
        duties_of(loaded, until_end=until_end),
        detectors,
        recorder,
        tell=tell,
        score=loaded.config.detector.score,
        until_end=until_end,
        sealer=ClipSealer(outbox, blobs, room=room, tell=tell, now=utc_now),
        on_tick=on_tick,
        on_look=on_look,
    )


def _sinks(settings: Settings, identity: Identity, cleanup: ExitStack) -> Sequence[Sink]:
    output = settings.output
    if output == "auto":
        output = "console" if sys.stdout.isatty() else "log"
    set_up_log(as_json=True, quiet=output == "console")
    if output == "console":
        return (cleanup.enter_context(LiveConsole(identity.device)),)
    if output == "events":
        return (cleanup.enter_context(EventLines(FileIO(sys.stdout.fileno(), "w", closefd=False))), log_events)
    return (log_events,)


def _open_incidents(outbox: Outbox) -> frozenset[str]:
    with outbox.reading() as connection:
        return frozenset(incident.id for incident in IncidentStore(connection).open_incidents())


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


def _granting(wish: Wish, outbox: Outbox, tell: Tell) -> Callable[[], None]:
    """Somebody at the box has asked for a new key: see `teawatch edge rotate-key`."""

    def grant() -> None:
        record = wish.grant(utc_now())
        if record is not None:
            tell("key_rotated", sequence=record.sequence, key_id=outbox.identity.signing_key.key_id)

    return grant


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
def _by_signals(box: Box, reload: Reloading) -> Iterator[None]:
    """SIGTERM and SIGINT end the box in good order; SIGHUP has the configuration read anew."""

    def stop(_signal: int, _frame: object) -> None:
        Watchdog().stopping()
        box.stop()

    def ask(_signal: int, _frame: object) -> None:
        reload.ask()

    wanted = {signal.SIGTERM: stop, signal.SIGINT: stop, signal.SIGHUP: ask}
    before = {number: signal.signal(number, handler) for number, handler in wanted.items()}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
