import hashlib
import sqlite3
import threading
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import cv2
import numpy as np
import pytest

from alerts.blobs import BlobStore
from alerts.errors import BlobStoreFull, OutboxFull
from alerts.messages import Clock, ClockQuality
from edge.errors import StateTooNew
from edge.evidence import Annotation, annotate
from edge.zones import Zone
from tests.edge.parts import CAR, NOON, VAN, Bench, every, make_detections, make_frame, make_identity, post

PARKED = ("truck", VAN), ("car", CAR)


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Bench]:
    running = Bench(tmp_path, make_identity(), [post("stationary", dwell_s=5)]).start()
    yield running
    running.stop()


def restart(bench: Bench) -> Bench:
    bench.stop()
    return bench.start()


def fill(bench: Bench) -> None:
    """Leave no page for anything new, as a full disk does."""
    (pages,) = bench.outbox._connection.execute("PRAGMA page_count").fetchone()
    bench.outbox._connection.execute(f"PRAGMA max_page_count = {pages}")
    with pytest.raises(OutboxFull):
        append_clocks(bench, 100)


def append_clocks(bench: Bench, count: int) -> None:
    small = Clock(boot="boot", monotonic_ms=0, utc=NOON, quality=ClockQuality.UNKNOWN)
    for _ in range(count):
        with bench.outbox.transaction() as transaction:
            transaction.append(small, at=NOON)


def empty(bench: Bench) -> None:
    bench.outbox._connection.execute("PRAGMA max_page_count = 1000000")


def test_an_opened_alert_announces_the_exact_analysed_frame(bench: Bench) -> None:
    bench.watch(every(0.5, 0, 6), *PARKED)
    alerts = bench.alerts()
    assert [alert.phase for alert in alerts] == ["opened", "opened"]
    for alert in alerts:
        (picture,) = alert.evidence
        data = bench.blobs.read(picture.sha256)
        assert (picture.role, picture.size_bytes) == ("picture", len(data))
        seen = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR)
        assert seen.shape == (576, 768, 3)
        assert np.abs(seen.astype(int) - 90).max() <= 2
    assert {(a.objects[0].class_name, a.objects[0].box.x, a.objects[0].box.width) for a in alerts} == {
        ("truck", 651, 73),
        ("car", 731, 35),
    }


def test_the_annotated_copy_follows_as_evidence_derived_from_the_sealed_picture(bench: Bench) -> None:
    bench.watch(every(0.5, 0, 6), ("truck", VAN))
    (alert,) = bench.alerts()
    (evidence,) = [record.data for record in bench.records() if record.data.TYPE == "teawatch.evidence.v1"]
    (copy,) = evidence.artefacts
    assert (copy.role, copy.derived_from, evidence.incident) == (
        "annotated",
        alert.evidence[0].sha256,
        alert.incident,
    )
    assert hashlib.sha256(bench.blobs.read(copy.sha256)).hexdigest() == copy.sha256
    assert bench.outbox.counts().pending_uploads == 2


def test_the_alert_says_why_when_where_and_how_well_the_clock_runs(bench: Bench) -> None:
    bench.watch(every(0.5, 0, 6), ("truck", VAN))
    (alert,) = bench.alerts()
    assert (alert.camera, alert.rule, alert.zone, alert.kind) == (
        "cam-1",
        "stationary",
        "everything",
        "street.illegal_parking",
    )
    assert [clause.name for clause in alert.because.clauses] == ["vehicle_in_zone", "standing_time", "seen_share"]
    assert (alert.because.first_frame_ms, alert.because.last_frame_ms, alert.stream_ms) == (0, 5000, 5000)
    assert alert.observed_at == NOON + timedelta(seconds=5)
    assert alert.footage == "recording"


def test_a_vehicle_that_leaves_closes_its_incident_with_the_time_it_was_not_seen(bench: Bench) -> None:
    bench.watch(every(0.5, 0, 10), ("truck", VAN))
    bench.watch(every(0.5, 10, 40))
    assert bench.phases() == [("opened", 1), ("closed", 2)]
    closed = bench.alerts()[-1]
    assert closed.because.clauses[-1].name == "unseen_time"
    assert closed.because.clauses[-1].measured >= 15_000
    assert bench.recorder.open_incidents("cam-1") == ()


def test_a_restart_in_the_middle_keeps_the_incident_and_reports_the_gap(bench: Bench) -> None:
    bench.watch(every(0.5, 0, 10), *PARKED)
    restart(bench)
    for at in every(0.5, 0, 30):
        frame = make_frame(at, at=NOON + timedelta(hours=1, seconds=at))
        bench.look(frame, make_detections(*PARKED))
    assert len({alert.incident for alert in bench.alerts()}) == 2
    assert bench.phases() == [("opened", 1), ("opened", 1), ("updated", 2), ("updated", 2)]
    for alert in bench.alerts()[2:]:
        assert 3_580_000 <= alert.unobserved_ms <= 3_600_000


def test_what_left_while_the_box_was_off_is_closed_after_looking_long_enough(bench: Bench) -> None:
    bench.watch(every(0.5, 0, 10), *PARKED)
    restart(bench)
    bench.watch(every(0.5, 0, 14), ("car", CAR))
    assert len(bench.recorder.open_incidents("cam-1")) == 2
    bench.watch(every(0.5, 14, 20), ("car", CAR))
    assert [incident.last.objects[0].class_name for incident in bench.recorder.open_incidents("cam-1")] == ["car"]


def test_a_stream_that_starts_again_from_zero_changes_nothing(bench: Bench) -> None:
    for _ in range(3):
        bench.watch(every(0.5, 0, 20), *PARKED)
    assert {alert.incident for alert in bench.alerts() if alert.phase == "opened"} == {
        incident.id for incident in bench.recorder.open_incidents("cam-1")
    }
    assert len(bench.recorder.open_incidents("cam-1")) == 2


def test_the_end_of_a_file_leaves_incidents_open(bench: Bench) -> None:
    bench.watch(every(0.5, 0, 10), ("truck", VAN))
    restart(bench)
    assert bench.phases() == [("opened", 1)]
    assert len(bench.recorder.open_incidents("cam-1")) == 1


@pytest.mark.parametrize(
    "posts",
    [
        [post("stationary", zone=Zone("another", [(0, 0), (1, 0), (1, 1)]), dwell_s=5)],
        [post("intrusion")],
        [post("stationary", camera="cam-2", dwell_s=5)],
    ],
    ids=["zone gone", "rule gone", "camera gone"],
)
def test_an_incident_nobody_watches_any_more_is_closed_with_that_reason(bench: Bench, posts: list) -> None:
    bench.watch(every(0.5, 0, 10), ("truck", VAN))
    bench.posts = posts
    restart(bench)
    closed = bench.alerts()[-1]
    assert (closed.phase, closed.revision) == ("closed", 2)
    assert [(c.name, c.holds) for c in closed.because.clauses][-1] == ("configured", False)
    assert bench.heard("incident_closed")[-1]["reason"] == "not_configured"
    assert not any(bench.recorder.open_incidents(camera) for camera in ("cam-1", "cam-2"))
    restart(bench)
    assert len(bench.alerts()) == 2


def test_people_on_the_plot_are_one_incident_updated_with_a_picture_when_they_become_more(tmp_path: Path) -> None:
    bench = Bench(tmp_path, make_identity(), [post("intrusion")]).start()
    one, two = ("person", (100, 300, 140, 420)), ("person", (400, 300, 440, 420))
    bench.watch(every(0.3, 0, 4), one)
    bench.watch(every(0.3, 4, 10), one, two)
    bench.watch(every(0.3, 10, 12))
    bench.watch(every(0.3, 12, 15), two)
    bench.watch(every(0.3, 15, 25))
    assert bench.phases() == [("opened", 1), ("updated", 2), ("closed", 3)]
    assert [len(alert.objects) for alert in bench.alerts()[:2]] == [1, 2]
    assert [len(alert.evidence) for alert in bench.alerts()] == [1, 1, 0]
    bench.stop()


def test_a_full_disk_is_said_once_loses_nothing_that_lasts_and_is_over_when_there_is_room(bench: Bench) -> None:
    fill(bench)
    bench.watch(every(0.5, 0, 40), ("truck", VAN))
    assert bench.alerts() == []
    assert len(bench.heard("trouble")) == 1
    assert "disk is full" in bench.heard("trouble")[0]["reason"]
    assert bench.outbox.trouble
    empty(bench)
    bench.watch(every(0.5, 40, 50), ("truck", VAN))
    (alert,) = bench.alerts()
    assert (alert.phase, alert.revision) == ("opened", 1)
    assert alert.opened_at == NOON + timedelta(seconds=5)
    assert len(bench.heard("trouble_over")) == 1
    assert bench.outbox.trouble == ""


def test_an_incident_that_came_and_went_while_the_disk_was_full_is_owned_up_to(bench: Bench) -> None:
    fill(bench)
    bench.watch(every(0.5, 0, 10), ("truck", VAN))
    bench.watch(every(0.5, 10, 40))
    empty(bench)
    bench.watch(every(0.5, 40, 50), ("car", CAR))
    dropped, opened = [record.data for record in bench.records() if record.data.TYPE != Clock.TYPE][:2]
    assert (dropped.TYPE, dropped.count, dropped.reason) == ("teawatch.dropped.v1", 1, "outbox_full")
    assert dropped.first_at == NOON + timedelta(seconds=5)
    assert opened.phase == "opened"


def test_a_box_owns_up_as_soon_as_there_is_room_also_when_nothing_happens(bench: Bench) -> None:
    fill(bench)
    bench.watch(every(0.5, 0, 10), ("truck", VAN))
    bench.watch(every(0.5, 10, 40))
    empty(bench)
    bench.watch(every(0.5, 40, 50))
    (dropped,) = [record.data for record in bench.records() if record.data.TYPE != Clock.TYPE]
    assert (dropped.TYPE, dropped.count) == ("teawatch.dropped.v1", 1)
    assert len(bench.heard("trouble_over")) == 1
    assert bench.outbox.trouble == ""


def test_annotated_copies_that_found_no_room_are_made_as_soon_as_there_is_some(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(_: bytes) -> str:
        raise BlobStoreFull("the disk is full")

    bench.watch(every(0.5, 0, 4), ("truck", VAN))
    with monkeypatch.context() as full:
        full.setattr(bench.recorder._annotator, "_blobs", BlobStore(bench.state / "evidence"))
        full.setattr(bench.recorder._annotator._blobs, "put", refuse)
        bench.watch(every(0.5, 4, 6), ("truck", VAN))
        assert bench.phases() == [("opened", 1)]
        assert len(bench.heard("trouble")) == 1
    bench.watch(every(0.5, 6, 12), ("truck", VAN))
    assert [record.data.TYPE for record in bench.records()] == ["teawatch.alert.v1", "teawatch.evidence.v1"]
    assert len(bench.heard("trouble_over")) == 1


def test_room_is_not_announced_before_something_found_it(bench: Bench) -> None:
    fill(bench)
    bench.watch(every(0.5, 0, 10), ("truck", VAN))
    bench.watch(every(0.5, 10, 20))
    assert len(bench.heard("trouble")) == 1
    assert bench.heard("trouble_over") == []


def test_a_closing_that_did_not_fit_is_told_later(bench: Bench) -> None:
    bench.watch(every(0.5, 0, 10), ("truck", VAN))
    fill(bench)
    bench.watch(every(0.5, 10, 60))
    assert bench.phases() == [("opened", 1)]
    empty(bench)
    bench.watch(every(0.5, 60, 70))
    assert bench.phases() == [("opened", 1), ("closed", 2)]


def watch_without_copies(bench: Bench) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(bench, "annotate", lambda _: None)
        bench.watch(every(0.5, 0, 6), ("truck", VAN))


def test_an_annotated_copy_that_was_not_made_before_a_power_cut_is_made_at_the_next_start(bench: Bench) -> None:
    watch_without_copies(bench)
    assert [record.data.TYPE for record in bench.records()] == ["teawatch.alert.v1"]
    restart(bench)
    assert [record.data.TYPE for record in bench.records()] == ["teawatch.alert.v1", "teawatch.evidence.v1"]
    restart(bench)
    assert len(bench.records()) == 2


def test_alerts_are_told_while_a_copy_is_being_drawn(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    watch_without_copies(bench)
    drawing, drawn = threading.Event(), threading.Event()

    def draw(jpeg: bytes, work: Annotation) -> bytes:
        drawing.set()
        assert drawn.wait(20)
        return annotate(jpeg, work)

    monkeypatch.setattr("edge.annotator.annotate", draw)
    copying = threading.Thread(target=bench.recorder.annotate, args=(0.0,))
    copying.start()
    assert drawing.wait(20)
    bench.annotate = lambda _: None  # type: ignore[method-assign]
    bench.watch(every(0.5, 6, 12), *PARKED)
    assert bench.phases() == [("opened", 1), ("opened", 1)]
    assert len(bench.records()) == 2
    drawn.set()
    copying.join(20)
    assert bench.recorder.annotate(0.0) is False, "the second copy has become due while the first was drawn"
    assert len([record for record in bench.records() if record.data.TYPE == "teawatch.evidence.v1"]) == 2


def test_of_many_copies_a_few_are_made_at_once_until_none_is_due(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("edge.annotator.MOST_AT_ONCE", 1)
    monkeypatch.setattr(bench, "annotate", lambda _: None)
    bench.watch(every(0.5, 0, 6), *PARKED)
    made = []
    for _ in range(4):
        more = bench.recorder.annotate(0.0)
        made.append((more, len(bench.records()) - 2))
    assert made == [(True, 1), (True, 2), (False, 2), (False, 2)]


def test_a_sealed_picture_that_has_vanished_is_reported_and_stops_nothing(bench: Bench) -> None:
    watch_without_copies(bench)
    bench.blobs.remove(bench.alerts()[0].evidence[0].sha256)
    restart(bench)
    assert bench.heard("trouble")[-1]["what"] == "annotated picture"
    said = len(bench.said)
    restart(bench)
    assert len(bench.said) == said


def test_incidents_of_a_newer_version_are_refused(bench: Bench) -> None:
    bench.stop()
    with sqlite3.connect(bench.state / "outbox.sqlite3") as connection:
        connection.execute("UPDATE edge_version SET version = 99")
    connection.close()
    with pytest.raises(StateTooNew, match="version 99"):
        bench.start()
