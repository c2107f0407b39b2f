"""Gaps in boxes' journals: what a box gave up is waited for no more, what is missing is asked for."""

from collections.abc import Sequence
from pathlib import Path

import pytest
from sqlalchemy import event

from alerts.control_messages import Recall, Status
from alerts.discarding import Limit
from alerts.downlinks import admit
from alerts.messages import Alert, ClockQuality, Dropped, Phase, Range
from alerts.outbox import Outbox
from alerts.ranges import Run
from alerts.records import Record
from alerts.status import write_status
from alerts.topics import Channel, Topic
from center.app import filing_rules
from center.intake.journal import EpochRow, epochs_of, gaps, given_up
from center.intake.recalling import PATIENCE, Recaller
from enforcement.leads import Lead
from tests.center.stage import BOX, NOW, TENANT, Box, Stage, make_alert, make_clock


def awaited(stage: Stage) -> tuple[Run, ...]:
    with stage.office.database.reading() as session:
        (row,) = epochs_of(session, TENANT, BOX)
        return gaps(session, row)


def give_up(box: Box, *ranges: tuple[int, int, str | None], reason: str = "outbox_limit") -> Record:
    told = tuple(Range(first=first, last=last, sha256=sha256) for first, last, sha256 in ranges)
    data = {"count": len(ranges), "reason": reason, "first_at": NOW, "last_at": NOW, "ranges": told}
    return box.write(Dropped.model_validate(data))


@pytest.mark.parametrize("order", [(1, 4, 5, 6), (6, 5, 4, 1), (5, 1, 6, 4), (4, 6, 1, 5)])
def test_a_journal_with_records_given_up_is_complete_without_them_in_any_order(
    stage: Stage, box: Box, order: Sequence[int]
) -> None:
    records = {number: box.write(make_clock(number)) for number in range(1, 6)}
    records[6] = give_up(box, (2, 3, records[3].sha256))
    for number in order:
        stage.hear(records[number].raw)
    (epoch,) = stage.all(EpochRow)
    assert (epoch.cumulative, epoch.highest, epoch.breaks, awaited(stage)) == (6, 6, 0, ())
    receipt = stage.last_receipt()
    assert (receipt.cumulative, receipt.sha256) == (6, records[6].sha256)


def test_a_receipt_never_rests_on_a_record_that_is_not_here(stage: Stage, box: Box) -> None:
    records = {number: box.write(make_clock(number)) for number in range(1, 4)}
    late = box.write(make_clock(4))
    told = give_up(box, (2, 3, records[3].sha256))
    stage.hear(records[1].raw)
    stage.hear(told.raw)
    receipt = stage.last_receipt()
    assert (receipt.cumulative, receipt.sha256) == (1, records[1].sha256)
    assert [(span.first, span.last) for span in receipt.spans] == [(5, 5)]
    assert awaited(stage) == (Run(4, 4),)
    stage.hear(late.raw)
    assert stage.last_receipt().cumulative == 5


@pytest.mark.parametrize("first", ["told", "follower"])
def test_a_chain_that_does_not_follow_what_was_said_to_be_given_up_is_broken(
    stage: Stage, box: Box, first: str
) -> None:
    for number in range(1, 4):
        box.write(make_clock(number))
    follower = box.write(make_clock(4))
    told = give_up(box, (2, 3, "f" * 64))
    for record in (told, follower) if first == "told" else (follower, told):
        stage.hear(record.raw)
    (epoch,) = stage.all(EpochRow)
    assert epoch.breaks == 1


def test_a_record_that_gives_up_itself_or_what_is_to_come_is_put_aside(stage: Stage, box: Box) -> None:
    stage.hear(give_up(box, (1, 5, None)).raw)
    assert stage.quarantined() == {"contradiction": 1}
    for number in range(4):
        box.write(make_clock(number))
    stage.hear(box.write(make_clock(9)).raw)
    assert awaited(stage) == (Run(2, 5),)


def test_a_box_that_had_to_discard_loses_no_incident_and_leaves_no_gap(stage: Stage, box: Box, tmp_path: Path) -> None:
    with Outbox.open(tmp_path / "outbox.sqlite3", identity=box.identity, limit=Limit(60_000)) as outbox:
        for number in range(40):
            phases = (Phase.OPENED, Phase.UPDATED) if number % 2 else (Phase.UPDATED,)
            for revision, phase in enumerate(phases, 1):
                alert: Alert = make_alert(revision, phase, incident=f"i-{number // 2 * 2 + 1}")
                with outbox.transaction() as transaction:
                    transaction.append(alert, at=NOW)
        assert outbox.counts().discarded_records > 0
        for pending in outbox.due(limit=1000):
            stage.hear(pending.raw)
        outbox.settle(stage.last_receipt(), at=NOW)
        assert outbox.counts().pending_records == 0
    assert awaited(stage) == ()
    assert {lead.incident for lead in stage.all(Lead)} == {f"i-{number}" for number in range(1, 40, 2)}


class Asked:
    """What the centre sent to boxes; the line may be down."""

    def __init__(self, stage: Stage, box: Box) -> None:
        self.topics: list[Topic] = []
        self.raw: list[bytes] = []
        self.is_up = True
        self.recaller = Recaller(
            stage.office.database,
            filing_rules(stage.office.settings, stage.office.keyring),
            send=self.send,
            now=stage.office.now,
        )
        self._box = box

    def send(self, topic: Topic, raw: bytes) -> bool:
        if self.is_up:
            self.topics.append(topic)
            self.raw.append(raw)
        return self.is_up

    def ranges(self, folder: Path) -> list[list[tuple[int, int]]]:
        """As a box reads them; each is news to it."""
        found = []
        with Outbox.open(folder / "asked.sqlite3", identity=self._box.identity) as outbox:
            for raw in self.raw:
                with outbox.transaction() as transaction:
                    transaction.epoch = self._box.epoch
                    sealed = admit(
                        raw,
                        {Recall.TYPE: Recall},
                        transaction,
                        identity=self._box.identity,
                        now=NOW,
                        clock=ClockQuality.SYNCHRONISED,
                    )
                assert sealed is not None
                found.append([(each.first, each.last) for each in sealed.data.ranges])
        return found


def say_online(stage: Stage, box: Box, epoch: str = "") -> None:
    status = Status(
        online=True,
        epoch=epoch or box.epoch,
        connection=1,
        number=1,
        pending_records=0,
        pending_uploads=0,
        rejected_downlinks=0,
    )
    stage.hear(write_status(status, identity=box.identity, at=NOW), channel=Channel.STATUS)


def test_a_gap_that_stays_while_its_box_is_on_line_is_asked_for_ever_more_rarely(
    stage: Stage, box: Box, tmp_path: Path
) -> None:
    records = [box.write(make_clock(number)) for number in range(6)]
    for number in (1, 4, 6):
        stage.hear(records[number - 1].raw)
    say_online(stage, box)
    asked = Asked(stage, box)
    asked_after_s = []
    for second in range(120):
        if asked.recaller.look():
            asked_after_s.append(second)
        stage.clock.advance(seconds=1)
    patience_s = round(PATIENCE.total_seconds())
    assert asked_after_s == [patience_s, 3 * patience_s, 7 * patience_s]
    assert set(asked.topics) == {Topic(TENANT, BOX, Channel.COMMANDS)}
    assert asked.ranges(tmp_path) == [[(2, 3), (5, 5)]] * 3


def test_gaps_that_open_behind_one_that_stays_are_asked_for_with_it(stage: Stage, box: Box, tmp_path: Path) -> None:
    records = [box.write(make_clock(number)) for number in range(8)]
    for number in (1, 3):
        stage.hear(records[number - 1].raw)
    say_online(stage, box)
    asked = Asked(stage, box)
    asked.recaller.look()
    for number in (6, 8):
        stage.hear(records[number - 1].raw)
    stage.clock.advance(seconds=11)
    assert asked.recaller.look() == 1
    assert asked.ranges(tmp_path) == [[(2, 2), (4, 5), (7, 7)]]


def test_a_backlog_that_is_coming_in_is_not_asked_for(stage: Stage, box: Box) -> None:
    records = [box.write(make_clock(number)) for number in range(40)]
    stage.hear(records[-1].raw)
    say_online(stage, box)
    asked = Asked(stage, box)
    for record in records[:-1]:
        asked.recaller.look()
        stage.hear(record.raw)
        stage.clock.advance(seconds=9)
    assert asked.raw == []


@pytest.mark.parametrize("state", ["off line", "another journal", "line down"])
def test_only_a_box_that_can_answer_is_asked(stage: Stage, box: Box, state: str) -> None:
    records = [box.write(make_clock(number)) for number in range(3)]
    stage.hear(records[2].raw)
    if state != "off line":
        say_online(stage, box, "epoch-2" if state == "another journal" else "")
    asked = Asked(stage, box)
    asked.is_up = state != "line down"
    for _ in range(3):
        asked.recaller.look()
        stage.clock.advance(seconds=60)
    assert asked.raw == []
    if state == "line down":
        asked.is_up = True
        assert asked.recaller.look() == 1


def test_what_came_while_the_box_was_asked_for_it_is_not_shown_as_given_up(stage: Stage, box: Box) -> None:
    records = [box.write(make_clock(number)) for number in range(5)]
    for record in (*records[:2], records[3]):
        stage.hear(record.raw)
    stage.hear(give_up(box, (2, 2, None), (3, 5, records[4].sha256), reason="gone").raw)
    with stage.office.database.reading() as session:
        (row,) = epochs_of(session, TENANT, BOX)
        assert given_up(session, row) == (Run(3, 3), Run(5, 5))
        assert given_up(session, row, most=1) == (Run(5, 5),)


def test_however_many_ranges_were_given_up_they_are_told_with_as_many_queries(stage: Stage, box: Box) -> None:
    for record in [box.write(make_clock(number)) for number in range(1, 20)][::3]:
        stage.hear(record.raw)
    asked: list[object] = []
    event.listen(stage.office.database.engine, "before_cursor_execute", lambda *told: asked.append(told[2]))
    counts = []
    for ranges in ([(2, 3, None)], [(5, 6, None), (8, 9, None), (11, 13, None)]):
        stage.hear(give_up(box, *ranges, reason="gone").raw)
        with stage.office.database.reading() as session:
            (row,) = epochs_of(session, TENANT, BOX)
            asked.clear()
            lacking = given_up(session, row)
            counts.append(len(asked))
    assert lacking == (Run(2, 3), Run(5, 6), Run(8, 9), Run(11, 12))
    assert counts[0] == counts[1]


def test_what_fills_a_gap_ends_the_asking(stage: Stage, box: Box) -> None:
    records = [box.write(make_clock(number)) for number in range(3)]
    stage.hear(records[2].raw)
    say_online(stage, box)
    asked = Asked(stage, box)
    asked.recaller.look()
    stage.clock.advance(seconds=11)
    assert asked.recaller.look() == 1
    stage.hear(give_up(box, (1, 2, records[1].sha256), reason="gone").raw)
    stage.clock.advance(hours=1)
    assert asked.recaller.look() == 0
