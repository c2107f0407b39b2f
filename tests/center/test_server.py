"""A centre and a box as processes and threads of their own, over a real broker: nothing is lost, whoever is killed."""

import sqlite3
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest

from alerts.blobs import BlobStore
from alerts.enrolment import enrol
from alerts.identity import Identity
from alerts.outbox import Outbox
from alerts.publisher import Publisher
from alerts.uploader import Uploader
from tests.alerts.parts import Log
from tests.center.processes import CentreProcess, run
from tests.center.stage import BOX, NOW, make_alert, make_artefact, make_clock

PICTURE = b"a van on double yellow lines" * 1000
RECORDS = 40


@pytest.fixture(scope="module")
def centre(tmp_path_factory: pytest.TempPathFactory) -> Iterator[CentreProcess]:
    """One centre for all; each test has a box that takes the place of the last."""
    with CentreProcess(tmp_path_factory.mktemp("served") / "centre") as started:
        yield started


@contextmanager
def running_box(identity: Identity, folder: Path) -> Iterator[tuple[Outbox, BlobStore, Log]]:
    log, blobs = Log(), BlobStore(folder / "blobs")
    with (
        Outbox.open(folder / "outbox.db", identity=identity) as outbox,
        Publisher(outbox, identity, on_event=log, resend_after_s=0.5),
        Uploader(outbox, blobs, identity, on_event=log),
    ):
        yield outbox, blobs, log


def rows(centre: CentreProcess, query: str, *values: object) -> list[tuple[object, ...]]:
    with closing(sqlite3.connect(centre.folder / "center.sqlite3", timeout=10)) as connection:
        return connection.execute(query, values).fetchall()


def test_from_the_box_to_an_acknowledged_task_and_a_picture_on_the_desk(centre: CentreProcess, tmp_path: Path) -> None:
    code = run("enrol", BOX, "--data", centre.folder, "--replace").stdout.strip()
    identity = enrol(centre.url, code, tmp_path / "box")
    artefact = make_artefact(PICTURE)
    with running_box(identity, tmp_path) as (outbox, blobs, log):
        blobs.put(PICTURE)
        with outbox.transaction() as transaction:
            record = transaction.append(make_alert(evidence=(artefact,)), at=NOW)
            transaction.queue_upload(artefact.sha256, size_bytes=artefact.size_bytes, announced_by=record)
        log.wait_total("records_confirmed", "stored", 1)
        log.wait("file_sent")

        with centre.sign_in() as officer:
            assert officer.get("/api/v1/health").json()["status"] == "ok"
            lead = officer.get("/api/v1/leads/box-demo-01.i-1").raise_for_status().json()
            assert [file["sha256"] for file in lead["files"]] == [artefact.sha256]
            assert officer.get(lead["files"][0]["url"]).content == PICTURE
            moved = officer.post(f"/api/v1/tasks/{lead['task_id']}/moves", json={"move": "acknowledge", "version": 1})
            assert (moved.status_code, moved.json()["state"]) == (200, "acknowledged")
            (device,) = officer.get("/api/v1/devices").json()
            assert (device["id"], device["online"]) == (BOX, True)


def test_kill_9_of_broker_and_centre_in_the_middle_loses_and_doubles_nothing(
    centre: CentreProcess, tmp_path: Path
) -> None:
    with running_box(centre.enrol(tmp_path / "box"), tmp_path) as (outbox, _, log):

        def write(numbers: range) -> None:
            for number in numbers:
                with outbox.transaction() as transaction:
                    transaction.append(make_alert(incident=f"killed-{number}"), at=NOW)

        write(range(10))
        log.wait_total("records_confirmed", "stored", 3)
        centre.kill_broker()
        write(range(10, 20))
        log.wait_total("records_confirmed", "stored", 15, timeout_s=60)
        write(range(20, 30))
        centre.kill()
        write(range(30, RECORDS))
        centre.start()
        log.wait_total("records_confirmed", "stored", RECORDS, timeout_s=60)
        epoch = outbox.epoch

    journal = rows(centre, "SELECT count(*), count(DISTINCT sequence), max(fork) FROM journal WHERE epoch = ?", epoch)
    assert journal == [(RECORDS, RECORDS, 0)]
    assert rows(centre, "SELECT cumulative, forks, breaks FROM epoch WHERE epoch = ?", epoch) == [(RECORDS, 0, 0)]
    for table in ("lead", "task"):
        assert rows(centre, f"SELECT count(*) FROM {table} WHERE id LIKE '%killed-%'") == [(RECORDS,)]


def test_told_to_stop_it_lets_pages_end_and_what_boxes_write_meanwhile_arrives_afterwards(
    centre: CentreProcess, tmp_path: Path
) -> None:
    identity = centre.enrol(tmp_path / "box")
    opened, ended = threading.Event(), threading.Event()

    def watch() -> None:
        with centre.sign_in() as officer, officer.stream("GET", "/live") as answer:
            opened.set()
            for _ in answer.iter_lines():
                pass
        ended.set()

    watcher = threading.Thread(target=watch)
    watcher.start()
    assert opened.wait(20)

    assert centre.stop() == 0
    assert ended.wait(20)
    watcher.join()

    with running_box(identity, tmp_path) as (outbox, _, log):
        for number in range(20):
            with outbox.transaction() as transaction:
                transaction.append(make_clock(number), at=NOW)
        centre.start()
        log.wait_total("records_confirmed", "stored", 20, timeout_s=60)
        epoch = outbox.epoch
    assert rows(centre, "SELECT cumulative, forks, breaks FROM epoch WHERE epoch = ?", epoch) == [(20, 0, 0)]
