"""`teawatch edge check`: everything a box needs, looked at once, each with what to do if it is wrong."""

import shutil
import sqlite3
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import paho.mqtt.client as mqtt
from paho.mqtt.enums import CallbackAPIVersion
from rich.console import Console
from rich.markup import escape

from alerts.certificates import lifetime
from alerts.clocks import EARLIEST_YEAR, clock_quality, utc_now
from alerts.door import Door
from alerts.errors import AlertsError, OutboxInUse
from alerts.identity import Identity
from alerts.messages import ClockQuality
from alerts.outbox import Outbox
from alerts.publisher import COPIED
from alerts.tls import explain
from alerts.transactions import FORKED_RECEIPTS, QUARANTINED_RECORDS
from alerts.web import open_client
from edge.config import Loaded, read_config
from edge.duties import check_memory
from edge.errors import ConfigError
from edge.remedies import what_and_remedy
from edge.settings import OUTBOX_FILE, Settings
from models.detector import Detector
from models.errors import ModelError
from streams.addresses import redacted
from streams.errors import RingTooLarge, SourceError
from streams.frames import Camera, Picture
from streams.source import open_source

FRAME_S = 15.0
NETWORK_S = 5.0
LEAST_FREE_MB = 500
MEGABYTE = 1_000_000


@dataclass(frozen=True, slots=True)
class Result:
    """One thing that was looked at. `advice` says what to do where it is not fine, or fine but worth a look."""

    what: str
    fine: bool
    found: str
    advice: str = ""


def check_box(path: Path, settings: Settings, console: Console) -> bool:
    """Look at everything and print a line for each as it comes in, and what to do; whether nothing is wrong."""
    results = []
    with console.status("looking"):
        for result in look_around(path, settings):
            results.append(result)
            mark = "[red]✗[/]" if not result.fine else "[yellow]![/]" if result.advice else "[green]✓[/]"
            console.print(f"{mark} {escape(result.what)}: {escape(result.found)}", highlight=False, soft_wrap=True)
            if result.advice:
                console.print(f"  [bold]→ {escape(result.advice)}[/]", highlight=False, soft_wrap=True)
    wrong = sum(not result.fine for result in results)
    doubtful = sum(result.fine and bool(result.advice) for result in results)
    if wrong:
        console.print(f"[bold red]{wrong} of {len(results)} need attention.[/]", highlight=False)
    elif doubtful:
        console.print(f"[yellow]Nothing is wrong here, but look at what is marked with ! ({doubtful}).[/]")
    else:
        console.print("[green]Everything is fine: this box can be left alone.[/]")
    return not wrong


def look_around(path: Path, settings: Settings) -> Iterator[Result]:
    """One result after the other; what cannot be looked at because something before it failed is left out."""
    try:
        loaded = read_config(path)
    except ConfigError as error:
        for problem in error.problems:
            yield Result("configuration", fine=False, found=problem)
    else:
        rules = sum(len(camera.rules) for camera in loaded.config.cameras)
        yield Result("configuration", fine=True, found=f"cameras: {len(loaded.config.cameras)}, rules: {rules}")
        yield _look_at_memory(loaded)
        yield from _look_through_cameras(loaded)
    yield _look_at_clock()
    yield _look_at_disk(settings.state)
    yield from _look_at_centre(settings.state)


def _look_at_memory(loaded: Loaded) -> Result:
    try:
        check_memory(loaded)
    except RingTooLarge as error:
        found, _, advice = str(error).rpartition("; ")
        return Result("memory", fine=False, found=found, advice=advice)
    return Result("memory", fine=True, found="enough for the packet rings of all cameras")


def _look_through_cameras(loaded: Loaded) -> Iterator[Result]:
    detector = None
    try:
        detector = Detector.load(loaded.card)
        yield Result("model", fine=True, found=f"{loaded.card.name}, hash as its card says")
    except ModelError as error:
        yield Result("model", fine=False, found=str(error), advice="install the package again")

    def sees(picture: Picture) -> str:
        return f"; sees {_seen(picture, detector, loaded.config.detector.score)}"

    for source, main in zip(loaded.sources(), loaded.main_sources(), strict=True):
        yield _look_through(f"camera {source.id}", source, sees)
        if main is not None:
            yield _look_through(f"main stream of camera {main.id}", main)


def _look_through(what: str, camera: Camera, describe: Callable[[Picture], str] = lambda _: "") -> Result:
    watch = None
    try:
        with open_source(camera) as source:
            watch = threading.Timer(FRAME_S, source.stop)
            watch.start()
            frame = next(iter(source), None)
    except SourceError as error:
        found, advice = what_and_remedy(camera.url, str(error), camera.id)
        return Result(what, fine=False, found=found, advice=advice)
    finally:
        if watch:
            watch.cancel()
    if frame is None:
        found = f"{redacted(camera.url)} opened but gave no picture in {FRAME_S:.0f} s"
        return Result(what, fine=False, found=found, advice="look at the camera's own page; its encoder may be off")
    height, width = frame.picture.shape[:2]
    return Result(what, fine=True, found=f"{width}x{height}{describe(frame.picture)}")


def _seen(picture: Picture, detector: Detector | None, score: float | None) -> str:
    if detector is None:
        return "nothing without a model"
    found = detector.detect(picture, score_threshold=score)
    counts = Counter(detector.class_names[number] for number in found.classes.tolist())
    return ", ".join(f"{count} {name}" for name, count in counts.most_common()) or "nothing it knows just now"


def _look_at_clock() -> Result:
    now = utc_now()
    quality = clock_quality(now)
    found = f"{now:%Y-%m-%d %H:%M:%S} UTC, {quality}"
    if now.year < EARLIEST_YEAR:
        return Result("clock", fine=False, found=found, advice="let a time server set it: timedatectl set-ntp true")
    if quality is not ClockQuality.SYNCHRONISED:
        found += " (no time server keeps it: every alert will say so)"
    return Result("clock", fine=True, found=found)


def _look_at_disk(state: Path) -> Result:
    folder = next(parent for parent in (state, *state.resolve().parents) if parent.exists())
    free_mb = shutil.disk_usage(folder).free // MEGABYTE
    if free_mb < LEAST_FREE_MB:
        advice = f"make room: {LEAST_FREE_MB} MB keep days of evidence while the centre cannot be reached"
        return Result("disk", fine=False, found=f"only {free_mb} MB free at {folder}", advice=advice)
    return Result("disk", fine=True, found=f"{free_mb} MB free at {folder}")


def _look_at_centre(state: Path) -> Iterator[Result]:
    try:
        identity = Identity.load(state)
    except AlertsError as error:
        advice = "ask the centre for a code, then: teawatch edge enrol --center … --code …"
        yield Result("enrolment", fine=False, found=str(error), advice=advice)
        return
    yield Result("enrolment", fine=True, found=f"{identity.device} of {identity.tenant}")
    yield from _look_at_outbox(state, identity)
    if identity.mqtt_tls:
        yield _look_at_certificate(identity)
    yield _reach("broker", f"{identity.mqtt_host}:{identity.mqtt_port}", lambda: _sign_in(identity))
    yield _reach("centre", identity.center_url, lambda: _ask_health(identity))


def _look_at_certificate(identity: Identity) -> Result:
    try:
        Door(identity).to_broker()
        until = lifetime(identity.certificate.read_bytes())[1] if identity.certificate else None
    except (AlertsError, OSError) as error:
        return Result("certificate", fine=False, found=str(error), advice="docs/security.md says what this line means")
    return Result("certificate", fine=True, found=f"good until {until:%Y-%m-%d %H:%M} UTC, renewed in time by itself")


def _look_at_outbox(state: Path, identity: Identity) -> Iterator[Result]:
    path = state / OUTBOX_FILE
    if not path.exists():
        yield Result("outbox", fine=True, found="empty: this box has not run yet")
        return
    try:
        with Outbox.open(path, identity=identity) as outbox:
            counts = outbox.counts()
    except OutboxInUse:
        quarantined = _read_tally(path, QUARANTINED_RECORDS)
        forked = _read_tally(path, FORKED_RECEIPTS)
        yield Result("outbox", fine=True, found="in use: this box is running already")
    except (AlertsError, OSError) as error:
        yield Result("outbox", fine=False, found=str(error), advice="make room, or move the file aside")
        return
    else:
        quarantined, forked = counts.quarantined_records, counts.forked_receipts
        waiting = f"{counts.pending_records} records and {counts.pending_uploads} files wait for the centre"
        if counts.rejected_downlinks:
            waiting += f"; {counts.rejected_downlinks} downlinks refused"
        yield Result("outbox", fine=True, found=waiting)
    if quarantined:
        found = f"{quarantined} so far: the centre has put these records aside and made no alerts of them"
        advice = "look at the centre's quarantine page; is every camera of this box registered there?"
        yield Result("records put aside", fine=True, found=found, advice=advice)
    if forked:
        advice = (
            "find the copy; once nothing waits on either, empty both state folders and enrol each under its own name."
            " Nothing is lost meanwhile"
        )
        yield Result("identity", fine=False, found=COPIED, advice=advice)


def _read_tally(path: Path, name: str) -> int:
    """What was counted since this outbox began, while a running box holds it."""
    try:
        with closing(sqlite3.connect(f"{path.resolve().as_uri()}?mode=ro", uri=True)) as connection:
            row = connection.execute("SELECT count FROM tallies WHERE name = ?", (name,)).fetchone()
    except sqlite3.Error:
        return 0
    return int(row[0]) if row else 0


def _reach(what: str, where: str, attempt: Callable[[], str]) -> Result:
    """`attempt` returns what is wrong, or nothing."""
    try:
        problem = attempt()
    except (OSError, httpx.HTTPError) as error:
        problem = explain(error)
    if problem:
        advice = "is it running, is the network up? Records wait on this box meanwhile"
        return Result(what, fine=False, found=f"{where}: {problem}", advice=advice)
    return Result(what, fine=True, found=where)


def _ask_health(identity: Identity) -> str:
    center_url = identity.center_url
    with open_client(center_url, timeout=httpx.Timeout(NETWORK_S), tls=Door(identity).to_web()) as client:
        response = client.get(f"{center_url}/api/v1/health")
    return "" if response.is_success else f"answers {response.status_code}"


def _sign_in(identity: Identity) -> str:
    """Connect under another name than the running box's, so that it keeps its connection."""
    answered = threading.Event()
    verdict = "no answer"

    def connected(_client: object, _data: object, _flags: object, code: Any, _properties: object) -> None:  # noqa: ANN401 - paho's signature
        nonlocal verdict
        verdict = f"refuses this box ({code}); enrol it again" if code.is_failure else ""
        answered.set()

    client = mqtt.Client(CallbackAPIVersion.VERSION2, client_id=f"teawatch-{identity.device}-check")
    client.username_pw_set(identity.mqtt_username, identity.mqtt_password)
    if identity.mqtt_tls:
        client.tls_set_context(Door(identity).to_broker())
    client.on_connect = connected
    client.connect_timeout = NETWORK_S
    client.connect(identity.mqtt_host, identity.mqtt_port)
    client.loop_start()
    try:
        answered.wait(NETWORK_S)
    finally:
        client.disconnect()
        client.loop_stop()
    return verdict
