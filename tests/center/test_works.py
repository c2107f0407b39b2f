"""The machinery behind the pages: somebody else's broker will do, and boxes let in by another process are noticed."""

import queue
from datetime import timedelta
from pathlib import Path

import pytest

from alerts.certificates import make_key
from alerts.certificates import make_request as make_csr
from alerts.enrolment import Code, make_request
from alerts.keys import SigningKey
from alerts.outbox import Outbox
from alerts.publisher import Publisher
from center.app import make_office, start, stop
from center.boxes.devices import Device, mqtt_password
from center.boxes.enrolment import give_code, redeem
from center.keyring import load_keyring
from tests.alerts.brokers import IotcoreBroker, MosquittoBroker, free_port
from tests.alerts.parts import Log
from tests.center.stage import BOX, NOW, TENANT, Stage, identity_of, make_alert, make_settings, open_stage


@pytest.mark.parametrize(
    "kind",
    [IotcoreBroker, pytest.param(MosquittoBroker, marks=pytest.mark.system("mosquitto"))],
    ids=lambda kind: kind.__name__,
)
def test_a_broker_of_somebody_else_carries_the_same_words(kind: type[IotcoreBroker], tmp_path: Path) -> None:
    folder = tmp_path / "centre"
    seed = load_keyring(make_settings(folder)).broker_seed
    password = mqtt_password(seed, BOX, "e-1")
    secret = tmp_path / "password"
    secret.write_text("of the centre\n")
    (tmp_path / "broker").mkdir()
    with kind(tmp_path / "broker", {BOX: password, "county": "of the centre"}) as broker:
        mqtt = {"embedded": False, "port": broker.port, "username": "county", "password_file": secret}
        settings = make_settings(folder, mqtt=mqtt)
        with open_stage(folder) as stage:
            key = SigningKey.generate()
            stage.enrol_box(key=key)
        office = make_office(settings, load_keyring(settings))
        start(office)
        identity = identity_of(BOX, key, office.keyring.signing_key.verify_key, port=broker.port, password=password)
        log = Log()
        try:
            with (
                Outbox.open(tmp_path / "outbox.db", identity=identity) as outbox,
                Publisher(outbox, identity, on_event=log, resend_after_s=0.5),
            ):
                with outbox.transaction() as transaction:
                    transaction.append(make_alert(), at=NOW)
                log.wait_total("records_confirmed", "stored", 1)
            assert office.works.health.subscriber
            assert list(folder.rglob("broker.toml")) == [], "no broker of our own was set up"
        finally:
            stop(office)


def test_a_box_enrolled_by_another_process_is_let_in_within_seconds(tmp_path: Path) -> None:
    port = free_port()
    settings = make_settings(tmp_path / "centre", mqtt={"port": port})
    office = make_office(settings, load_keyring(settings))
    start(office)
    log = Log()
    try:
        with open_stage(tmp_path / "centre") as beside:
            key = SigningKey.generate()
            password = enrol_beside(beside, key)
        identity = identity_of(BOX, key, office.keyring.signing_key.verify_key, port=port, password=password)
        with (
            Outbox.open(tmp_path / "outbox.db", identity=identity) as outbox,
            Publisher(outbox, identity, on_event=log, resend_after_s=0.5),
        ):
            log.wait("connected", timeout_s=30)
            with outbox.transaction() as transaction:
                transaction.append(make_alert(), at=NOW)
            log.wait_total("records_confirmed", "stored", 1, timeout_s=30)
        with office.database.reading() as session:
            assert session.get_one(Device, (TENANT, BOX)).last_seen_at is not None
    finally:
        stop(office)


def enrol_beside(stage: Stage, key: SigningKey) -> str:
    """Register the box in the database, as a command line beside the server does; its MQTT password."""
    office = stage.office
    with office.database.writing() as session:
        code = give_code(
            session, tenant=TENANT, device=BOX, key=office.keyring.signing_key, at=NOW, valid=timedelta(minutes=5)
        )
        redeemed = redeem(
            session,
            make_request(Code.parse(code), key, csr=make_csr(make_key())),
            tenant=TENANT,
            key=office.keyring.signing_key,
            secret=office.keyring.broker_seed,
            broker=office.works.boxes_connect_to,
            authority=office.keyring.authority,
            certificate_days=30,
            web_tls=False,
            at=NOW,
        )
        device = session.get_one(Device, (TENANT, redeemed.device))
        return mqtt_password(office.keyring.broker_seed, BOX, device.enrolment)


def test_what_nobody_foresaw_does_not_end_the_watch(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    settings = make_settings(tmp_path / "centre")
    monkeypatch.setattr("center.works.LOOK_EVERY_S", 0.001)
    works = make_office(settings, load_keyring(settings)).works
    looked: queue.Queue[str] = queue.Queue()

    def let_in() -> None:
        looked.put("let in")
        raise OSError("no space left on device")

    monkeypatch.setattr(works, "let_in", let_in)
    works._watcher.start()
    assert [looked.get(timeout=10) for _ in range(2)] == ["let in"] * 2
    works.stop()
