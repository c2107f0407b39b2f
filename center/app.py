"""The centre's composition root: everything is made here, once, and handed on as plain arguments."""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import datetime, timedelta
from pathlib import Path

import anyio.to_thread
import structlog
from fastapi import FastAPI
from fastapi.staticfiles import StaticFiles

from alerts.connection import Address
from alerts.freshness import claims_now
from alerts.subscriber import Subscriber, end_session
from alerts.tls import Context, client_context
from alerts.topics import UPLINKS, Channel
from center import api, pages
from center.accounts.guards import handles_tasks
from center.boxes.certificates import keep_own_pair
from center.clock import MACHINE, Machine, OfficeClock
from center.database import Database
from center.errors import SettingsInvalid
from center.evidence.redactor import Redactor
from center.evidence.thumbnails import Thumbnails
from center.feed import live
from center.feed.hub import Hub
from center.feed.wires import Wire, WireEar
from center.housekeeping import DAY_S, HOUR_S, Chore, Housekeeping
from center.intake.desk import Desk
from center.intake.filing import FilingRules
from center.intake.former import FormerWorkers
from center.intake.quarantine import Limits
from center.intake.recalling import Recaller
from center.intake.sharing import Share
from center.keyring import Keyring, load_keyring, make_secrets
from center.log.heads import Notary
from center.log.publishing import HeadClock
from center.log.selfcheck import SelfCheck
from center.office import Office
from center.pages.errors import error_page, wants_page
from center.schema import migrate
from center.scratch import clear_scratch
from center.settings import Settings
from center.store.gate import Gate
from center.store.opening import open_store
from center.timekeeping import Timekeeper, in_words
from center.web.limits import BodyLimit, SafeHeaders, Unread
from center.web.problems import Answers
from center.works import Works

STATIC = Path(__file__).parent / "static"
KIB = 1024
LEFTOVERS_EVERY_S = 300.0
FORM_ROOM_BYTES = 64 * KIB
"""What a form around a file may have."""

log = structlog.get_logger()


def create_app(settings: Settings, *, machine: Machine = MACHINE, listening: bool = True) -> FastAPI:
    """The centre as an ASGI application; its lifespan migrates the database and starts the broker and the intake.

    `machine` has the clocks. `listening=False` leaves broker and subscriber out: pages and JSON only.
    Raises CenterError and KeyFileError for what keeps a centre from being one.
    """
    make_secrets(settings)
    office = make_office(settings, load_keyring(settings), machine)
    housekeeping = make_housekeeping(office)

    @asynccontextmanager
    async def lifespan(_app: FastAPI) -> AsyncIterator[None]:
        await anyio.to_thread.run_sync(lambda: start(office, listening=listening))
        if listening:
            housekeeping.start()
        try:
            yield
        finally:
            await anyio.to_thread.run_sync(housekeeping.stop)
            await anyio.to_thread.run_sync(lambda: stop(office))

    app = FastAPI(
        title="TeaWatch centre",
        summary="Leads, tasks, findings, evidence and boxes of one enforcement centre.",
        version="1",
        lifespan=lifespan,
        docs_url=None,
        redoc_url=None,
    )
    app.state.office = office
    for router in (*api.routers(), live.router, *pages.routers()):
        app.include_router(router)
    app.mount("/static", StaticFiles(directory=STATIC), name="static")
    Answers(wants_page=wants_page, error_page=error_page).install(app)
    room = settings.evidence.max_file_mib * KIB * KIB + FORM_ROOM_BYTES
    app.add_middleware(
        BodyLimit,
        max_bytes=settings.web.max_body_kib * KIB,
        may_bring_more=handles_tasks,
        exempt=(api.EVIDENCE_PATH,),
        larger=dict.fromkeys((api.RECORDINGS_PATH, pages.RECORDINGS_PATH), room),
    )
    app.add_middleware(SafeHeaders)
    app.add_middleware(Unread)
    return app


def make_office(settings: Settings, keyring: Keyring, machine: Machine = MACHINE) -> Office:
    """The rooms of one centre, nothing started."""
    now = OfficeClock(machine)
    hub = Hub()
    database = Database(settings.sqlalchemy_url, hub=hub)
    works = Works(settings, database, keyring, now=now)
    rules = filing_rules(settings, keyring)
    notary = Notary(settings.tenant, settings.log_origin, keyring.signing_key)
    every = timedelta(seconds=settings.log.publish_every_s)
    evidence = open_store(settings)

    def end_worker(name: str) -> bool:
        return end_session(_address(settings, keyring, now), tenant=settings.tenant, name=name)

    return Office(
        settings=settings,
        database=database,
        hub=hub,
        keyring=keyring,
        evidence=evidence,
        gate=Gate(at_once=settings.evidence.uploads_at_once, per_box=settings.evidence.uploads_per_box),
        thumbnails=Thumbnails(settings.thumbnails_folder, evidence.read),
        redactor=Redactor(settings.redaction, evidence, settings.data),
        works=works,
        desk=Desk(database, rules, send=works.send, now=now),
        heads=HeadClock(database, notary, every=every, now=now),
        self_check=SelfCheck(database, notary, now=now),
        notary=notary,
        wire=WireEar(database, hub),
        recaller=Recaller(database, rules, send=works.send, now=now),
        former=FormerWorkers(settings.data, settings.intake.workers, end_worker),
        now=now,
        timekeeper=Timekeeper(database, settings.tenant, now),
    )


def make_housekeeping(office: Office) -> Housekeeping:
    """What this centre does for itself now and then, not yet started."""

    def delete_due(is_stopping: Callable[[], bool]) -> None:
        if doubt := office.timekeeper.note():
            log.warning("retention_waits", reason=in_words(doubt))
            return
        office.disposal.run(office.now(), is_stopping=is_stopping)

    def clear_leftovers(_is_stopping: Callable[[], bool]) -> None:
        clear_scratch(office.settings.data)
        office.evidence.clear_leftovers()

    return Housekeeping(
        (
            Chore("leftovers", LEFTOVERS_EVERY_S, clear_leftovers),
            Chore("retention", DAY_S, delete_due),
            Chore("log", HOUR_S, office.self_check.run_due),
        )
    )


def filing_rules(settings: Settings, keyring: Keyring) -> FilingRules:
    """How this centre takes messages in."""
    return FilingRules(
        tenant=settings.tenant,
        key=keyring.signing_key,
        receipt_lifetime=timedelta(hours=settings.intake.receipt_hours),
        max_message_bytes=settings.mqtt.max_message_kib * KIB,
        limits=Limits(settings.intake.quarantine_raw_kib * KIB, settings.intake.quarantine_rows),
    )


def start(office: Office, *, listening: bool = True) -> None:
    """Migrate the database, start broker and intake. Raises CenterError."""
    migrate(office.database)
    if not listening:
        return
    office.timekeeper.start()
    settings, mqtt = office.settings, office.settings.mqtt
    if not settings.intake.workers:
        office.desk.rehearse()
    office.heads.start()
    office.works.start(
        Subscriber(
            host=mqtt.host,
            port=mqtt.port,
            username=mqtt.username,
            password=office.keyring.center_password,
            tenant=settings.tenant,
            on_messages=office.desk.receive_all,
            is_pressing=lambda arrival: claims_now(arrival, office.now()),
            channels=(Channel.STATUS,) if settings.intake.workers else UPLINKS,
            tls=_way_to_broker(settings, office.keyring, office.now) if mqtt.tls else None,
        )
    )
    office.recaller.start()
    office.former.start()
    if settings.intake.workers:
        office.wire.start()


def make_worker(office: Office, share: Share) -> Subscriber:
    """Intake of a share of the boxes, for a process of its own; not yet started. Raises SettingsInvalid."""
    settings, mqtt = office.settings, office.settings.mqtt
    if share.of != settings.intake.workers:
        raise SettingsInvalid(f"intake.workers is {settings.intake.workers}, not {share.of}: all must count the same")
    if office.database.engine.dialect.name != "postgresql" or mqtt.embedded:
        raise SettingsInvalid(
            "workers need PostgreSQL and a broker that is not ours; else the server takes messages in"
        )
    database = Database(settings.sqlalchemy_url, hub=Wire(office.database))
    rules = filing_rules(settings, office.keyring)
    desk = Desk(database, rules, send=lambda topic, raw: worker.publish(topic, raw), now=office.now)  # noqa: PLW0108 - made below
    desk.rehearse()
    worker = Subscriber(
        host=mqtt.host,
        port=mqtt.port,
        username=mqtt.username,
        password=office.keyring.center_password,
        tenant=settings.tenant,
        on_messages=share.of_messages(desk.receive_all),
        is_pressing=lambda arrival: claims_now(arrival, office.now()),
        tls=_way_to_broker(settings, office.keyring, office.now) if mqtt.tls else None,
        name=str(share),
        channels=(Channel.JOURNAL,),
    )
    return worker


def _address(settings: Settings, keyring: Keyring, now: Callable[[], datetime]) -> Address:
    """Where the broker is, and how the centre signs in there."""
    mqtt = settings.mqtt
    return Address(
        host=mqtt.host,
        port=mqtt.port,
        username=mqtt.username,
        password=keyring.center_password,
        tls=_way_to_broker(settings, keyring, now) if mqtt.tls else None,
    )


def _way_to_broker(settings: Settings, keyring: Keyring, now: Callable[[], datetime]) -> Callable[[], Context]:
    """TLS with the broker, whose certificate is of our authority and which wants to see ours."""

    def make() -> Context:
        return client_context(keyring.authority.pem, now, keep_own_pair(settings, keyring.authority, now()))

    return make


def stop(office: Office) -> None:
    """End streams, intake, broker and database, in this order."""
    office.hub.close()
    office.wire.stop()
    office.former.stop()
    office.recaller.stop()
    office.works.stop()
    office.heads.stop()
    office.timekeeper.stop()
    office.database.close()
