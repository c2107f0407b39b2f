"""What boxes say, taken in: stored once, made into leads and tasks, receipted; all else put aside and counted."""

import json
import random
import shutil
import sqlite3
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import event, text
from sqlalchemy.exc import DatabaseError, IntegrityError

from alerts import dsse, wire
from alerts.control_messages import Disposition, Span, Status
from alerts.keys import SigningKey
from alerts.messages import Alert, ClockQuality, Phase
from alerts.outbox import Outbox
from alerts.ranges import Run
from alerts.receipts import Kept, lone_receipt
from alerts.status import write_status
from alerts.topics import Channel
from center.boxes.devices import Device
from center.boxes.keys import revoke
from center.boxes.presence import forget_presence
from center.database import Database
from center.errors import DatabaseTrouble
from center.evidence.files import Announced
from center.intake import digesting
from center.intake.filing import Outcome
from center.intake.journal import EpochRow, JournalRow, epochs_of, gaps
from center.intake.quarantine import QuarantineEntry
from enforcement.leads import Lead, LeadLink
from enforcement.task_records import Task, TaskEvent
from tests.center.stage import (
    BOX,
    GARDEN,
    NOW,
    STREET,
    TENANT,
    Box,
    Stage,
    identity_of,
    make_alert,
    make_artefact,
    make_clock,
    make_evidence,
)
from traceability.cameras import camera_at
from traceability.periods import close


def test_an_alert_becomes_a_lead_with_links_one_task_and_a_signed_receipt(stage: Stage, box: Box) -> None:
    record = box.write(make_alert())

    assert stage.hear(record.raw) is Outcome.STORED

    (lead,) = stage.all(Lead)
    (task,) = stage.all(Task)
    assert (lead.device, lead.incident, lead.phase, lead.record_sha256) == (BOX, "i-1", "opened", record.sha256)
    assert task.lead_id == lead.id
    assert task.officer == "officer-a", "the street grid's officer"
    assert {link.target_kind for link in stage.all(LeadLink)} == {"grid"}
    (row,) = stage.all(JournalRow)
    assert row.raw == record.raw, "the exact bytes are kept"
    ((event, receipt),) = stage.receipts()
    assert (event.device, event.epoch) == (BOX, box.epoch)
    assert receipt.cumulative == 1
    assert event.expires == NOW + timedelta(hours=1)


def test_a_garden_alert_names_the_grower_and_the_leaf_card(stage: Stage, box: Box) -> None:
    stage.hear(box.write(make_alert(camera=GARDEN, kind="garden.intrusion")).raw)

    kinds = {link.target_kind for link in stage.all(LeadLink)}
    assert {"plot", "party", "leaf_card"} <= kinds
    assert all(link.reason_key for link in stage.all(LeadLink))


def test_the_same_record_again_changes_nothing_but_is_counted_and_gets_its_receipt_again(
    stage: Stage, box: Box
) -> None:
    raw = box.write(make_alert()).raw

    outcomes = [stage.hear(raw) for _ in range(3)]

    assert outcomes == [Outcome.STORED, Outcome.DUPLICATE, Outcome.DUPLICATE]
    assert [stage.count(table) for table in (JournalRow, Lead, Task)] == [1, 1, 1]
    (device,) = stage.all(Device)
    assert device.duplicates == 2
    assert [receipt.cumulative for _, receipt in stage.receipts()] == [1, 1, 1]
    counters = [event.counter or 0 for event, _ in stage.receipts()]
    assert counters == sorted(set(counters)), "each receipt is newer than the last"


def test_an_incident_stays_one_lead_and_one_task_through_its_phases(stage: Stage, box: Box) -> None:
    for revision, phase in enumerate((Phase.OPENED, Phase.UPDATED, Phase.CLOSED), start=1):
        stage.hear(box.write(make_alert(revision, phase, observed_at=NOW + timedelta(seconds=revision))).raw)

    (lead,) = stage.all(Lead)
    assert (lead.revision, lead.phase) == (3, "closed")
    assert stage.count(Task) == 1
    assert "incident_closed" in [event.move for event in stage.all(TaskEvent)]


def test_two_incidents_are_two_leads_with_a_task_each(stage: Stage, box: Box) -> None:
    for incident in ("van", "car"):
        stage.hear(box.write(make_alert(incident=incident)).raw)

    assert {lead.incident for lead in stage.all(Lead)} == {"van", "car"}
    assert len({task.lead_id for task in stage.all(Task)}) == 2


def test_a_receipt_names_ranges_beyond_a_gap_and_closes_when_the_gap_fills(stage: Stage, box: Box) -> None:
    records = [box.write(make_clock(number)) for number in range(5)]

    for number in (1, 4, 5):
        stage.hear(records[number - 1].raw)
    with_gap = stage.last_receipt()
    (epoch,) = stage.all(EpochRow)
    with stage.office.database.reading() as session:
        (row,) = epochs_of(session, TENANT, BOX)
        assert gaps(session, row) == (Run(2, 3),)
    for number in (2, 3):
        stage.hear(records[number - 1].raw)

    assert (with_gap.cumulative, with_gap.spans) == (
        1,
        (Span(first=4, last=5, disposition=Disposition.STORED, sha256=records[4].sha256),),
    )
    assert (epoch.cumulative, epoch.highest) == (1, 5)
    filled = stage.last_receipt()
    assert (filled.cumulative, [(span.first, span.last, span.sha256) for span in filled.spans]) == (
        5,
        [(3, 3, records[2].sha256)],
    )
    (epoch,) = stage.all(EpochRow)
    assert (epoch.cumulative, epoch.breaks, epoch.forks) == (5, 0, 0)


def test_a_record_altered_inside_the_chain_shows_as_a_break_once_its_neighbour_is_here(stage: Stage, box: Box) -> None:
    box.write(make_clock(0))
    other = Box(box.identity, box.epoch)
    other.write(make_clock(99))
    second = other.write(make_clock(1))

    stage.hear(second.raw)
    assert stage.all(EpochRow)[0].breaks == 0, "nothing to compare with yet"
    stage.hear(box.records[0].raw)

    assert stage.all(EpochRow)[0].breaks == 1


def test_a_cloned_box_is_stored_and_flagged_as_a_fork(stage: Stage, box: Box) -> None:
    clone = Box(box.identity, box.epoch)

    stage.hear(box.write(make_alert(incident="here")).raw)
    outcome = stage.hear(clone.write(make_alert(incident="there")).raw)

    assert outcome is Outcome.STORED
    assert [row.fork for row in sorted(stage.all(JournalRow), key=lambda row: row.fork)] == [False, True]
    assert stage.all(EpochRow)[0].forks == 1
    assert stage.count(Lead) == 2, "both are heard: a fork is for people to judge"
    assert stage.last_receipt() == lone_receipt(Kept(1, Disposition.STORED, clone.records[0].sha256))


@pytest.mark.parametrize("seed", range(5))
def test_of_two_boxes_with_one_state_neither_loses_an_alert(stage: Stage, box: Box, tmp_path: Path, seed: int) -> None:
    chance, said = random.Random(seed), set[str]()

    def say(outbox: Outbox, name: str) -> None:
        for number in range(4):
            said.add(f"{name}-{number}")
            with outbox.transaction() as transaction:
                transaction.append(make_alert(incident=f"{name}-{number}"), at=NOW)

    paths = tmp_path / "one.db", tmp_path / "other.db"
    with Outbox.open(paths[0], identity=box.identity) as original:
        say(original, "before")
    shutil.copy(*paths)
    with Outbox.open(paths[0], identity=box.identity) as one, Outbox.open(paths[1], identity=box.identity) as other:
        say(one, "one")
        say(other, "other")
        for _ in range(500):
            waiting = [pending for each in (one, other) for pending in each.due(limit=100)]
            if not waiting:
                break
            stage.hear(chance.choice(waiting).raw)
            for each in (one, other):
                if chance.random() < 0.7:
                    each.settle(stage.last_receipt(), at=NOW)
        assert (one.due(limit=1), other.due(limit=1)) == ([], [])
    assert {lead.incident for lead in stage.all(Lead)} == said
    assert stage.last_receipt().is_forked


def test_a_new_outbox_is_a_journal_of_its_own(stage: Stage, box: Box) -> None:
    reborn = Box(box.identity, "epoch-2")

    stage.hear(box.write(make_clock()).raw)
    stage.hear(reborn.write(make_clock()).raw)

    assert {row.epoch: row.cumulative for row in stage.all(EpochRow)} == {"epoch-1": 1, "epoch-2": 1}
    assert stage.receipts()[-1][0].epoch == "epoch-2"


Spoil = Callable[[Stage, Box], bytes]


def unsigned(_stage: Stage, box: Box) -> bytes:
    envelope = json.loads(box.write(make_alert()).raw)
    return wire.encode({**envelope, "signatures": []})


def badly_signed(_stage: Stage, box: Box) -> bytes:
    raw = box.write(make_alert()).raw
    envelope = json.loads(raw)
    signature = envelope["signatures"][0]["sig"]
    return raw.replace(
        signature.encode(), ("B" + signature[1:] if signature[0] == "A" else "A" + signature[1:]).encode()
    )


def of_a_stranger(stage: Stage, _box: Box) -> bytes:
    stranger = Box(identity_of(BOX, SigningKey.generate(), stage.office.keyring.signing_key.verify_key))
    return stranger.write(make_alert()).raw


def with_a_key_twice(_stage: Stage, box: Box) -> bytes:
    return box.write(make_alert()).raw.replace(b'{"payload":', b'{"payload":"","payload":', 1)


def not_json(_stage: Stage, _box: Box) -> bytes:
    return b"\xff\x00 nothing"


def over_size(_stage: Stage, box: Box) -> bytes:
    return box.write(make_alert()).raw + b" " * 70_000


def for_another_device(stage: Stage, box: Box) -> bytes:
    posing = Box(identity_of("box-other", box.identity.signing_key, stage.office.keyring.signing_key.verify_key))
    return posing.write(make_alert()).raw


def a_receipt_for_a_record(stage: Stage, box: Box) -> bytes:
    stage.hear(box.write(make_clock()).raw)
    return stage.sent.pop()[1]


@pytest.mark.parametrize(
    ("spoil", "reason"),
    [
        (unsigned, "unsigned"),
        (badly_signed, "bad_signature"),
        (of_a_stranger, "unknown_key"),
        (with_a_key_twice, "malformed"),
        (not_json, "malformed"),
        (over_size, "too_large"),
        (for_another_device, "wrong_device"),
        (a_receipt_for_a_record, "unknown_key"),
    ],
    ids=lambda value: getattr(value, "__name__", value),
)
def test_what_is_not_authentic_is_quarantined_counted_and_gets_no_receipt(
    stage: Stage, box: Box, spoil: Spoil, reason: str
) -> None:
    raw = spoil(stage, box)

    outcomes = [stage.hear(raw), stage.hear(raw)]

    assert outcomes == [Outcome.REFUSED, Outcome.REFUSED]
    assert stage.quarantined() == {reason: 2}
    (entry,) = stage.all(QuarantineEntry)
    assert not entry.authentic
    assert entry.raw == raw[:4096], "kept to be looked at, within bounds"
    assert entry.detail
    assert stage.sent == []
    assert stage.count(Lead) == 0


def test_a_record_under_the_topic_of_another_box_is_put_aside(stage: Stage, box: Box) -> None:
    stage.enrol_box("box-other")

    assert stage.hear(box.write(make_alert()).raw, device="box-other") is Outcome.REFUSED
    assert stage.quarantined() == {"wrong_topic": 1}
    assert stage.sent == []


def test_a_revoked_box_is_heard_no_more_and_the_reason_is_told(stage: Stage, box: Box) -> None:
    with stage.office.database.writing() as session:
        revoke(session, tenant=TENANT, name=BOX, at=NOW)

    assert stage.hear(box.write(make_alert()).raw) is Outcome.QUARANTINED
    assert stage.quarantined() == {"revoked_key": 1}
    assert stage.count(Lead) == 0


@pytest.mark.parametrize(
    ("alert", "reason"),
    [
        (make_alert(kind="street.unheard_of"), "unknown_kind"),
        (make_alert(camera="cam-nowhere"), "unknown_camera"),
        (make_alert(observed_at=NOW - timedelta(days=80), camera="cam-nowhere"), "unknown_camera"),
    ],
)
def test_an_authentic_record_nobody_can_use_is_quarantined_with_a_receipt_that_says_so(
    stage: Stage, box: Box, alert: Alert, reason: str
) -> None:
    stage.hear(box.write(make_clock()).raw)

    record = box.write(alert)

    outcome = stage.hear(record.raw)

    assert outcome is Outcome.QUARANTINED
    assert stage.quarantined() == {reason: 1}
    assert stage.all(QuarantineEntry)[0].authentic
    receipt = stage.last_receipt()
    assert receipt.cumulative == 2
    assert receipt.spans == (Span(first=2, last=2, disposition=Disposition.QUARANTINED, sha256=record.sha256),)
    assert stage.count(Lead) == 0


def test_a_box_cannot_speak_for_the_camera_of_another(stage: Stage, box: Box) -> None:
    other = stage.enrol_box("box-other")

    assert stage.hear(other.write(make_alert()).raw, device="box-other") is Outcome.QUARANTINED
    assert stage.quarantined() == {"camera_of_another": 1}
    assert stage.count(Lead) == 0


def future_record(box: Box) -> bytes:
    """A signed record of a type this version does not know, in its place in the journal."""
    event = json.loads(wire.encode(box.write(make_clock()).event)) | {"type": "teawatch.forecast.v1"}
    return dsse.seal(wire.encode(event), dsse.payload_type_of("teawatch.forecast.v1"), box.identity.signing_key)


def test_a_record_of_a_newer_type_is_kept_and_receipted_as_quarantined(stage: Stage, box: Box) -> None:
    assert stage.hear(future_record(box)) is Outcome.QUARANTINED
    assert stage.quarantined() == {"unknown_type": 1}
    assert stage.last_receipt().cumulative == 1


def test_a_status_replayed_as_a_record_gets_no_receipt(stage: Stage, box: Box) -> None:
    raw = write_status(make_status(), identity=box.identity, at=NOW)

    assert stage.hear(raw) is Outcome.REFUSED
    assert stage.sent == []


def test_a_wrong_clock_is_no_reason_to_refuse_and_the_links_follow_the_time_of_arrival(stage: Stage, box: Box) -> None:
    then = datetime(1970, 1, 1, 0, 5, tzinfo=UTC)
    alert = make_alert(observed_at=then, opened_at=then - timedelta(seconds=20), clock=ClockQuality.UNSYNCHRONISED)

    assert stage.hear(box.write(alert, at=then + timedelta(seconds=1)).raw) is Outcome.STORED

    (lead,) = stage.all(Lead)
    assert lead.observed_at == NOW - timedelta(seconds=1)
    assert lead.observed_at - lead.opened_at == timedelta(seconds=20)
    assert lead.clock == "unsynchronised"
    assert stage.count(LeadLink) > 0


@pytest.mark.parametrize("order", [(0, 1), (1, 0)])
def test_a_late_report_of_a_box_without_a_clock_does_not_move_the_beginning_past_the_first_report(
    stage: Stage, box: Box, order: tuple[int, int]
) -> None:
    boot = datetime(1970, 1, 1, 0, 5, tzinfo=UTC)
    ending = boot + timedelta(seconds=30)
    lost = {"opened_at": boot, "clock": ClockQuality.UNSYNCHRONISED}
    told = (
        box.write(make_alert(observed_at=boot, **lost), at=boot),
        box.write(make_alert(2, Phase.CLOSED, observed_at=ending, **lost), at=ending),
    )
    stage.hear(told[order[0]].raw)
    stage.clock.advance(days=1)
    stage.hear(told[order[1]].raw)
    (lead,) = stage.all(Lead)
    assert (lead.revision, lead.received_at) == (2, NOW)
    assert lead.opened_at <= NOW


def test_links_stay_when_the_clock_is_set_in_the_middle_of_an_incident(stage: Stage, box: Box) -> None:
    boot = datetime(1970, 1, 1, 0, 5, tzinfo=UTC)
    lost = make_alert(observed_at=boot, opened_at=boot, clock=ClockQuality.UNSYNCHRONISED)
    found = make_alert(2, Phase.UPDATED, opened_at=boot, clock=ClockQuality.SYNCHRONISED)

    stage.hear(box.write(lost, at=boot).raw)
    before = stage.count(LeadLink)
    assert stage.hear(box.write(found).raw) is Outcome.STORED

    (lead,) = stage.all(Lead)
    assert (lead.revision, lead.opened_at, lead.observed_at) == (2, NOW, NOW)
    assert stage.count(LeadLink) == before > 0


def test_evidence_that_waited_on_the_box_is_judged_by_when_it_was_sealed(stage: Stage, box: Box) -> None:
    late = make_evidence(make_artefact(b"late", "annotated"))
    stage.hear(box.write(make_alert()).raw)
    stage.clock.advance(hours=3)
    with stage.office.database.writing() as session:
        camera = camera_at(session, tenant=TENANT, camera=STREET, at=stage.clock())
        assert camera is not None
        close(session, camera, NOW + timedelta(hours=1))

    assert stage.hear(box.write(late, at=NOW + timedelta(minutes=1)).raw) is Outcome.STORED
    assert stage.hear(box.write(late, at=NOW + timedelta(hours=2)).raw) is Outcome.QUARANTINED
    assert stage.hear(box.write(late, at=datetime(1970, 1, 1, tzinfo=UTC)).raw) is Outcome.QUARANTINED
    assert stage.quarantined() == {"unknown_camera": 2}


@pytest.mark.parametrize("clock", [ClockQuality.SYNCHRONISED, ClockQuality.UNSYNCHRONISED])
@pytest.mark.parametrize("observed", [1, 1970, 2026, 9999])
@pytest.mark.parametrize("opened", [1, 9999])
@pytest.mark.parametrize("written", [1, 1970, 9999])
def test_a_lead_is_never_dated_beyond_what_can_be_right(
    stage: Stage, box: Box, clock: ClockQuality, observed: int, opened: int, written: int
) -> None:
    start = {year: NOW.replace(year=year) for year in (1, 1970, 2026, 9999)}
    absurd = make_alert(observed_at=start[observed], opened_at=start[opened], clock=clock)

    assert stage.hear(box.write(absurd, at=start[written]).raw) is Outcome.STORED
    (lead,) = stage.all(Lead)
    assert lead.observed_at == NOW
    assert lead.opened_at == NOW


def test_evidence_may_be_announced_before_and_after_its_alert(stage: Stage, box: Box) -> None:
    picture, annotated = make_artefact(b"one"), make_artefact(b"two", "annotated")
    alert = box.write(make_alert(evidence=(picture,)))
    later = box.write(make_evidence(annotated, picture))

    stage.hear(later.raw)
    stage.hear(alert.raw)

    assert {(row.role, row.sha256) for row in stage.all(Announced)} == {
        ("picture", picture.sha256),
        ("annotated", annotated.sha256),
    }


def test_a_locked_database_means_no_receipt_and_the_same_record_is_taken_afterwards(stage: Stage, box: Box) -> None:
    raw = box.write(make_alert()).raw
    hasty = stage.with_database(Database(stage.office.settings.sqlalchemy_url, busy_timeout_ms=20))
    holder = sqlite3.connect(stage.office.settings.data / "center.sqlite3", isolation_level=None)
    holder.execute("BEGIN IMMEDIATE")

    with pytest.raises(DatabaseTrouble, match="cannot be written: database is locked"):
        hasty.hear(raw)
    assert hasty.desk.trouble
    assert hasty.sent == []
    holder.execute("ROLLBACK")
    holder.close()

    assert hasty.hear(raw) is Outcome.STORED
    assert hasty.desk.trouble == ""
    assert len(hasty.sent) == 1


def test_a_full_disk_means_no_receipt_and_nothing_half_stored(stage: Stage, box: Box) -> None:
    small = stage.with_database(Database(stage.office.settings.sqlalchemy_url))

    @event.listens_for(small.office.database.engine, "connect")
    def full(connection: sqlite3.Connection, _record: object) -> None:
        pages = connection.execute("PRAGMA page_count").fetchone()[0]
        connection.execute(f"PRAGMA max_page_count = {pages}")

    records = [box.write(make_alert(incident=f"i-{number}")) for number in range(20)]
    with pytest.raises(DatabaseTrouble, match="full"):
        [small.hear(record.raw) for record in records]

    taken = len(small.sent)
    assert taken == stage.count(JournalRow)
    assert [stage.hear(record.raw) for record in records[taken:]] == [Outcome.STORED] * (20 - taken)


def test_the_journal_cannot_be_rewritten(stage: Stage, box: Box) -> None:
    stage.hear(box.write(make_alert()).raw)

    for statement in ("UPDATE journal SET raw = ''", "DELETE FROM journal"):
        with pytest.raises(DatabaseError, match="append-only"), stage.office.database.writing() as session:
            session.execute(text(statement))


def test_a_flood_of_refused_messages_cannot_fill_the_disk_and_is_still_counted(stage: Stage, box: Box) -> None:
    for number in range(130):
        stage.hear(f"nonsense {number}".encode())

    assert stage.count(QuarantineEntry) == 100
    assert stage.quarantined() == {"malformed": 130}


def make_status(**more: object) -> Status:
    fields: dict[str, object] = {"online": True, "epoch": "epoch-1", "connection": 1, "number": 1}
    fields |= {"pending_records": 3, "pending_uploads": 1, "rejected_downlinks": 2}
    return Status.model_validate(fields | more)


def test_a_status_tells_presence_and_its_repetition_is_no_sign_of_life(stage: Stage, box: Box) -> None:
    raw = write_status(make_status(), identity=box.identity, at=NOW)

    assert stage.hear(raw, channel=Channel.STATUS) is Outcome.NOTED
    (device,) = stage.all(Device)
    assert (device.online, device.last_seen_at, device.pending_records, device.rejected_downlinks) == (True, NOW, 3, 2)

    stage.clock.advance(minutes=5)
    stage.hear(raw, channel=Channel.STATUS)
    assert stage.all(Device)[0].last_seen_at == NOW


ONLINE, GONE, RESTART = True, False, None
Said = tuple[bool | None, int, int]


@pytest.mark.parametrize(
    ("said", "is_online"),
    [
        ([(ONLINE, 5, 1), (ONLINE, 5, 2)], True),
        ([(ONLINE, 5, 1), (GONE, 5, 0)], False),  # the last will, sealed before the connection was made
        ([(ONLINE, 5, 1), (GONE, 5, 2)], False),  # goodbye
        ([(GONE, 5, 0)], False),
        ([(ONLINE, 5, 2), (GONE, 5, 0), (ONLINE, 5, 1)], False),  # replayed after its end
        ([(ONLINE, 5, 2), (GONE, 5, 0), (ONLINE, 5, 2)], False),
        ([(ONLINE, 5, 2), (GONE, 5, 0), (ONLINE, 4, 9)], False),  # of an earlier connection
        ([(ONLINE, 5, 1), (GONE, 4, 0)], True),  # an old last will does not take a box off line either
        ([(ONLINE, 5, 1), (GONE, 5, 0), (ONLINE, 6, 1)], True),
        ([(ONLINE, 6, 1), (GONE, 5, 0), (ONLINE, 5, 3)], True),
        ([(ONLINE, 5, 2), RESTART], False),
        ([(ONLINE, 5, 2), RESTART, (ONLINE, 5, 2)], True),  # a broker that stayed repeats what it retained
        ([(ONLINE, 5, 2), RESTART, RESTART, (ONLINE, 5, 1)], False),
        ([(ONLINE, 5, 2), RESTART, (GONE, 5, 0), (ONLINE, 5, 2)], False),
        ([(ONLINE, 5, 2), (GONE, 5, 0), RESTART, (ONLINE, 5, 2)], False),
    ],
)
def test_only_a_status_newer_than_all_before_counts_whatever_the_clocks_say(
    stage: Stage, box: Box, said: Sequence[Said | None], *, is_online: bool
) -> None:
    for hours, each in enumerate(said):
        if each is RESTART:
            with stage.office.database.writing() as session:
                forget_presence(session, TENANT)
            continue
        online, connection, number = each
        status = make_status(online=online, connection=connection, number=number)
        raw = write_status(status, identity=box.identity, at=NOW - timedelta(hours=hours))
        stage.hear(raw, channel=Channel.STATUS)
    assert stage.all(Device)[0].online is is_online


def test_each_outbox_of_a_box_counts_its_own_statuses(stage: Stage, box: Box) -> None:
    for epoch, connection, pending in (("epoch-1", 9, 1), ("epoch-2", 1, 2), ("epoch-1", 9, 3)):
        status = make_status(epoch=epoch, connection=connection, pending_records=pending)
        stage.hear(write_status(status, identity=box.identity, at=NOW), channel=Channel.STATUS)
    (device,) = stage.all(Device)
    assert (device.epoch, device.pending_records) == ("epoch-2", 2)


def test_a_record_that_is_replayed_is_no_sign_of_life(stage: Stage, box: Box) -> None:
    record = box.write(make_clock())
    stage.hear(record.raw)
    stage.clock.advance(days=365)
    assert stage.hear(record.raw) is Outcome.DUPLICATE
    assert stage.all(Device)[0].last_seen_at == NOW


def test_a_forged_status_is_put_aside(stage: Stage, box: Box) -> None:
    forged = write_status(make_status(), identity=stage.enrol_box("box-other").identity, at=NOW)

    assert stage.hear(forged, channel=Channel.STATUS) is Outcome.REFUSED
    assert not any(device.online for device in stage.all(Device))


def test_an_indigestible_record_is_put_aside_whole_and_does_not_block_the_next(
    stage: Stage, box: Box, monkeypatch: pytest.MonkeyPatch
) -> None:
    def break_down(*_: object, **__: object) -> None:
        raise LookupError("no room for this")

    first = box.write(make_alert())
    with monkeypatch.context() as broken:
        broken.setattr("center.intake.digesting.announce_files", break_down)
        assert stage.hear(first.raw) is Outcome.QUARANTINED

    assert stage.quarantined() == {"contradiction": 1}
    assert stage.count(Lead) == 0, "half of it must not stay"
    assert stage.hear(box.write(make_alert(2)).raw) is Outcome.STORED


def test_a_row_somebody_else_wrote_at_the_same_moment_makes_no_record_indigestible(
    stage: Stage, box: Box, monkeypatch: pytest.MonkeyPatch
) -> None:
    announce_files = digesting.announce_files
    outcomes = [IntegrityError("INSERT", {}, ValueError("duplicate key")), None]

    def race(*args: Any, **more: Any) -> None:
        if outcomes and (error := outcomes.pop(0)):
            raise error
        announce_files(*args, **more)

    monkeypatch.setattr(digesting, "announce_files", race)
    assert stage.hear(box.write(make_alert()).raw) is Outcome.STORED
    assert (outcomes, stage.count(Lead)) == ([], 1)


def test_a_street_is_seen_by_the_street_camera_only(stage: Stage, box: Box) -> None:
    stage.hear(box.write(make_alert(camera=STREET)).raw)

    assert all(link.target_kind == "grid" for link in stage.all(LeadLink))
