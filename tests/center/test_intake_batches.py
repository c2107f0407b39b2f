"""Messages taken in by the hundred: one commit and one receipt for many, and one bad message hurts no other."""

from collections.abc import Iterable, Iterator
from datetime import datetime
from pathlib import Path

import pytest
from sqlalchemy import event, text
from sqlalchemy.exc import DatabaseError
from sqlalchemy.orm import Session

from alerts.control_messages import Disposition, Span
from alerts.messages import Phase
from alerts.receipts import Kept, lone_receipt
from alerts.records import write_record
from center.evidence import files as evidence
from center.evidence.files import Announced, Announcement
from center.intake.journal import EpochRow, JournalRow
from center.intake.quarantine import QuarantineEntry
from enforcement.leads import Lead
from enforcement.task_records import Task, TaskEvent
from tests.center.stage import BOX, NOW, Box, Stage, make_alert, make_artefact, make_clock, open_stage


@pytest.fixture
def stage(tmp_path: Path, database_url: str) -> Iterator[Stage]:
    """The demo county's centre, on either database."""
    with open_stage(tmp_path / "centre", database_url=database_url) as opened:
        yield opened


def say(box: Box, count: int) -> list[bytes]:
    """Alerts of so many incidents, each with a picture."""
    pictures = (make_artefact(b"%d" % number) for number in range(count))
    alerts = (make_alert(incident=f"i-{number}", evidence=(picture,)) for number, picture in enumerate(pictures))
    return [box.write(alert).raw for alert in alerts]


def test_a_batch_is_one_commit_and_one_receipt_for_each_box(stage: Stage, box: Box) -> None:
    commits: list[object] = []
    event.listen(stage.office.database.engine, "commit", commits.append)

    assert not stage.hear_all(say(box, 50))

    assert len(commits) == 1
    assert [stage.count(table) for table in (JournalRow, Lead, Task)] == [50, 50, 50]
    ((told, receipt),) = stage.receipts()
    assert told.device == BOX
    assert (receipt.cumulative, receipt.spans, receipt.sha256) == (50, (), box.records[-1].sha256)


def test_one_receipt_names_all_that_filled_a_gap(stage: Stage, box: Box) -> None:
    raws = say(box, 9)
    stage.hear_all([*raws[:2], *raws[6:]])

    stage.hear_all(raws[2:6])

    receipt = stage.last_receipt()
    assert receipt.cumulative == 9
    assert receipt.spans == (Span(first=3, last=6, disposition=Disposition.STORED, sha256=box.records[5].sha256),)
    (epoch,) = stage.all(EpochRow)
    assert (epoch.cumulative, epoch.highest, epoch.breaks, epoch.forks) == (9, 9, 0, 0)


def test_in_a_forked_journal_each_record_of_a_batch_is_confirmed_alone(stage: Stage, box: Box) -> None:
    clone = Box(box.identity, box.epoch)
    raws = [box.write(make_clock(1)).raw, clone.write(make_clock(2)).raw, box.write(make_clock(3)).raw]

    stage.hear_all(raws)

    kept = [Kept(record.sequence, Disposition.STORED, record.sha256) for record in (*box.records, *clone.records)]
    receipts = [receipt for _, receipt in stage.receipts()]
    assert sorted(receipts, key=repr) == sorted(map(lone_receipt, kept), key=repr)


def test_the_phases_of_an_incident_in_one_batch_leave_the_history_they_leave_one_by_one(stage: Stage, box: Box) -> None:
    phases = (Phase.OPENED, Phase.CLOSED, Phase.UPDATED, Phase.CLOSED)
    stage.hear_all([box.write(make_alert(number, phase)).raw for number, phase in enumerate(phases, start=1)])

    (lead,) = stage.all(Lead)
    assert (lead.revision, lead.phase) == (4, "closed")
    assert [line.move for line in stage.all(TaskEvent)] == [
        "open",
        "incident_closed",
        "incident_reopened",
        "incident_closed",
    ]


def test_what_is_not_authentic_or_not_usable_stands_beside_the_others(stage: Stage, box: Box) -> None:
    good = say(box, 3)
    useless = box.write(make_alert(camera="cam-nowhere"))

    assert not stage.hear_all([good[0], b"\xff nothing", good[1], useless.raw, b"{" * 5000, good[2], good[0]])

    assert stage.quarantined() == {"malformed": 2, "unknown_camera": 1}
    assert stage.count(Task) == 3
    receipt = stage.last_receipt()
    assert receipt.cumulative == 4
    assert receipt.spans == (Span(first=4, last=4, disposition=Disposition.QUARANTINED, sha256=useless.sha256),)


@pytest.mark.parametrize("place", [0, 7, 12])
def test_a_record_that_nobody_can_digest_is_found_among_many_and_put_aside_alone(
    stage: Stage, box: Box, monkeypatch: pytest.MonkeyPatch, place: int
) -> None:
    announce_files = evidence.announce_files

    def choke(session: Session, tenant: str, announcements: Iterable[Announcement], *, at: datetime) -> None:
        told = tuple(announcements)
        if any(said.incident == f"i-{place}" for said in told):
            raise LookupError("no room for this")
        announce_files(session, tenant, told, at=at)

    monkeypatch.setattr("center.intake.digesting.announce_files", choke)
    raws = say(box, 13)

    assert not stage.hear_all(raws)

    (aside,) = stage.all(QuarantineEntry)
    assert (aside.reason, aside.authentic, aside.raw) == ("contradiction", True, raws[place])
    assert {lead.incident for lead in stage.all(Lead)} == {f"i-{number}" for number in range(13) if number != place}
    assert (stage.count(JournalRow), stage.last_receipt().cumulative) == (13, 13)


def test_numbers_as_large_as_the_wire_allows_are_kept(stage: Stage, box: Box) -> None:
    large = make_artefact().model_copy(update={"size_bytes": 2**31})
    box.write(make_alert(2**53 - 1, evidence=(large,)))
    identity, prevhash = box.identity, box.records[-1].sha256
    far = write_record(make_clock(), identity=identity, epoch=box.epoch, sequence=2**53 - 1, prevhash=prevhash, at=NOW)

    assert not stage.hear_all([box.records[0].raw, far.raw])

    assert stage.all(Lead)[0].revision == stage.all(EpochRow)[0].highest == 2**53 - 1
    assert stage.all(Announced)[0].size_bytes == 2**31
    assert stage.quarantined() == {}


def test_what_is_append_only_stays_as_it_is(stage: Stage, box: Box) -> None:
    stage.hear_all(say(box, 2))
    for table in ("journal", "task_event", "log_leaf"):
        for statement in (f"UPDATE {table} SET tenant = 'another'", f"DELETE FROM {table}"):
            with pytest.raises(DatabaseError, match="append-only"), stage.office.database.writing() as session:
                session.execute(text(statement))
