"""The coverage ledger: only time in which the box looked counts as seen, whatever happens to box, clock and disk."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from alerts.errors import OutboxFull
from alerts.messages import ClockQuality, Coverage, Hindrance
from alerts.outbox import Outbox
from alerts.records import read_record
from edge.coverage import MOST_KEPT, MOST_STRETCHES, CoverageLedger, Sight, sight_of
from edge.coverage_store import CoverageBook
from tests.edge.parts import make_identity

NOON = datetime(2026, 4, 5, 12, tzinfo=UTC)
SEEN = Sight()
H = Hindrance


def after(seconds: float) -> datetime:
    return NOON + timedelta(seconds=seconds)


def told(report: Coverage) -> list[tuple[float, str]]:
    return [(each.length_ms / 1000, each.hindrance.value if each.hindrance else "seen") for each in report.stretches]


def noted(ledger: CoverageLedger, *sights: tuple[float, Sight], step_s: float = 1.0) -> None:
    """Each sight for so many seconds, from the ledger's beginning at 0."""
    at_s = 0.0
    for seconds, sight in sights:
        for _ in range(round(seconds / step_s)):
            at_s += step_s
            ledger.note(sight, monotonic_s=at_s)


def reports(ledger: CoverageLedger, at_s: float) -> tuple[Coverage, ...]:
    return ledger.report(utc=after(at_s), monotonic_s=at_s, clock=ClockQuality.SYNCHRONISED)


@pytest.mark.parametrize(
    ("known", "hindrance", "since_s"),
    [
        ({"state": "playing", "packet_s": 99.5}, None, None),
        ({"state": "connecting"}, H.NO_STREAM, None),
        ({"state": "unreachable"}, H.NO_STREAM, None),
        ({"state": "unreachable", "packet_s": 94.9}, H.NO_STREAM, 94.9),
        ({"state": "ended"}, H.NO_STREAM, None),
        ({"state": "a word of tomorrow"}, H.NO_STREAM, None),
        ({"state": "refused"}, H.REFUSED, None),
        ({"state": "refused", "packet_s": 94.9}, H.REFUSED, 94.9),
        ({"state": "degraded", "packet_s": 99.5}, H.DEGRADED, None),
        ({"state": "playing", "packet_s": 80.0}, H.NO_STREAM, 80.0),
        ({"state": "playing", "gate_error": True}, H.GATE_ERROR, None),
        ({"state": "playing", "due_s": 97.0}, None, None),
        ({"state": "playing", "due_s": 90.0}, H.OVERLOADED, 90.0),
        ({"state": "playing", "troubles": {H.DARK: 70.0}}, H.DARK, 70.0),
        ({"state": "playing", "troubles": {H.BLURRED: 60.0, H.COVERED: 70.0}}, H.COVERED, 70.0),
        ({"state": "degraded", "troubles": {H.TURNED: 60.0}}, H.DEGRADED, None),
    ],
)
def test_a_sight_says_the_first_of_what_hinders(
    known: dict[str, object], hindrance: Hindrance | None, since_s: float | None
) -> None:
    assert sight_of(monotonic_s=100.0, **known) == Sight(hindrance, since_s)  # type: ignore[arg-type]


def test_seen_is_only_what_is_seen_at_both_ends() -> None:
    ledger = CoverageLedger("cam-1", monotonic_s=0)
    noted(ledger, (10, SEEN), (5, Sight(H.NO_STREAM)), (10, SEEN))
    (report,) = reports(ledger, 25)
    assert told(report) == [(10, "seen"), (6, "no_stream"), (9, "seen")]
    assert (report.from_at, report.until_at) == (NOON, after(25))
    assert (report.seen_ms, report.unseen_ms) == (19_000, 6_000)


def test_time_that_nobody_noted_is_not_seen() -> None:
    ledger = CoverageLedger("cam-1", monotonic_s=0)
    noted(ledger, (10, SEEN))
    ledger.note(SEEN, monotonic_s=40)
    assert told(reports(ledger, 40)[0]) == [(10, "seen"), (30, "overloaded")]


def test_a_trouble_counts_from_when_it_began_not_from_when_it_was_believed() -> None:
    ledger = CoverageLedger("cam-1", monotonic_s=0)
    noted(ledger, (20, SEEN), (5, Sight(H.NO_STREAM)), (75, SEEN))
    ledger.note(Sight(H.TURNED, since_s=12), monotonic_s=101)
    assert told(reports(ledger, 101)[0]) == [(12, "seen"), (8, "turned"), (6, "no_stream"), (75, "turned")]


def test_a_report_is_due_at_a_change_and_every_quarter_of_an_hour() -> None:
    ledger = CoverageLedger("cam-1", monotonic_s=0)
    due: list[int] = []
    for at_s in range(1, 3000):
        ledger.note(Sight(H.DARK) if 2000 <= at_s < 2500 else SEEN, monotonic_s=at_s)
        if ledger.is_due():
            due.append(at_s)
            reports(ledger, at_s)
            ledger.told()
    assert due == [60, 960, 1860, 2000, 2501]


def test_a_flapping_camera_reports_once_a_minute_and_loses_nothing() -> None:
    ledger = CoverageLedger("cam-1", monotonic_s=0)
    found: list[Coverage] = []
    for at_s in range(1, 601):
        ledger.note(Sight(H.NO_STREAM) if at_s // 3 % 2 else SEEN, monotonic_s=at_s)
        if ledger.is_due():
            found += reports(ledger, at_s)
            ledger.told()
    assert len(found) == 10
    assert sum(report.seen_ms for report in found) == 200_000, "of every six seconds two begin and end in sight"
    assert all(sooner.until_at == later.from_at for sooner, later in pairwise(found))


def test_a_clock_that_is_set_moves_the_report_and_stretches_nothing() -> None:
    ledger = CoverageLedger("cam-1", monotonic_s=0, left_at=NOON)
    noted(ledger, (30, SEEN))
    (report,) = ledger.report(utc=after(7200), monotonic_s=31, clock=ClockQuality.SYNCHRONISED)
    assert told(report) == [(7200 - 31, "box_off"), (30, "seen")]
    assert (report.from_at, report.until_at) == (NOON, after(7199))


def test_a_clock_that_was_set_back_claims_no_time_off() -> None:
    ledger = CoverageLedger("cam-1", monotonic_s=0, left_at=after(100))
    noted(ledger, (30, SEEN))
    assert told(reports(ledger, 30)[0]) == [(30, "seen")]


def test_a_long_list_goes_in_several_reports_without_a_gap() -> None:
    ledger = CoverageLedger("cam-1", monotonic_s=0)
    noted(ledger, *[(2, SEEN), (1, Sight(H.NO_STREAM))] * 100)
    found = reports(ledger, 300)
    assert [len(report.stretches) for report in found] == [64, 64, 64, 8]
    assert all(len(report.stretches) <= MOST_STRETCHES for report in found)
    assert (found[0].from_at, found[-1].until_at) == (NOON, after(300))
    assert all(sooner.until_at == later.from_at for sooner, later in pairwise(found))


def test_while_nothing_can_be_written_memory_is_bounded_and_nothing_unseen_becomes_seen() -> None:
    ledger = CoverageLedger("cam-1", monotonic_s=0)
    noted(ledger, *[(2, SEEN), (1, Sight(H.NO_STREAM))] * 1000)
    found = reports(ledger, 3000)
    stretches = [each for report in found for each in report.stretches]
    assert len(stretches) <= MOST_KEPT
    assert sum(each.length_ms for each in stretches) == 3_000_000
    assert sum(report.seen_ms for report in found) <= 1_001_000


@given(
    st.lists(
        st.tuples(
            st.integers(0, 40_000),
            st.sampled_from([None, *Hindrance]),
            st.none() | st.integers(0, 60_000),
            st.booleans(),
        ),
        min_size=1,
        max_size=60,
    )
)
def test_whatever_is_noted_every_millisecond_is_told_once_and_none_is_seen_that_was_not(
    notes: list[tuple[int, Hindrance | None, int | None, bool]],
) -> None:
    ledger = CoverageLedger("cam-1", monotonic_s=0)
    now_ms, seen_before, may_be_seen_ms = 0, True, 0
    found: list[Coverage] = []
    for length_ms, hindrance, age_ms, write in notes:
        now_ms += length_ms
        may_be_seen_ms += length_ms if seen_before and hindrance is None and length_ms <= 15_000 else 0
        since_s = None if age_ms is None else (now_ms - age_ms) / 1000
        ledger.note(Sight(hindrance, since_s), monotonic_s=now_ms / 1000)
        seen_before = hindrance is None
        if write:
            found += reports(ledger, now_ms / 1000)
            ledger.told()
    found += reports(ledger, now_ms / 1000)
    assert sum(report.seen_ms + report.unseen_ms for report in found) == now_ms
    assert sum(report.seen_ms for report in found) <= may_be_seen_ms
    assert all(sooner.until_at == later.from_at for sooner, later in pairwise(found))


class Place:
    """A box's outbox and its book, run after run."""

    def __init__(self, folder: Path) -> None:
        self.identity = make_identity()
        self.path = folder / "outbox.sqlite3"
        self.outbox = Outbox.open(self.path, identity=self.identity)
        self.now_s = 0.0

    def begin(self, *cameras: str) -> None:
        self.book = CoverageBook(self.outbox)
        self.book.take_up(cameras, utc=after(self.now_s), monotonic_s=self.now_s)

    def run(self, seconds: int, sight: Sight = SEEN, *cameras: str) -> None:
        for _ in range(seconds):
            self.now_s += 1
            sights = dict.fromkeys(cameras or ("cam-1",), sight)
            self.book.note(sights, utc=after(self.now_s), monotonic_s=self.now_s)

    def cut(self, off_s: float) -> None:
        """As kill -9 does, and a start so much later."""
        self.outbox.close()
        self.now_s += off_s
        self.outbox = Outbox.open(self.path, identity=self.identity)

    def stop(self) -> None:
        self.book.close(utc=after(self.now_s), monotonic_s=self.now_s)

    def told(self, camera: str = "cam-1") -> list[Coverage]:
        key = self.identity.signing_key
        find = {key.key_id: key.verify_key}.get
        data = [read_record(pending.raw, find).data for pending in self.outbox.due(limit=10_000)]
        return [each for each in data if isinstance(each, Coverage) and each.camera == camera]


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Place]:
    made = Place(tmp_path)
    yield made
    made.outbox.close()


def test_a_box_that_stops_has_told_everything(place: Place) -> None:
    place.begin("cam-1")
    place.run(1000)
    place.run(100, Sight(H.TURNED))
    place.stop()
    found = place.told()
    assert (found[0].from_at, found[-1].until_at) == (NOON, after(1100))
    assert sum(report.seen_ms for report in found) == 1_000_000


def test_six_quiet_hours_of_a_camera_are_two_dozen_small_records(place: Place) -> None:
    place.begin("cam-1")
    for _ in range(6 * 60 * 6):
        place.now_s += 10
        place.book.note({"cam-1": SEEN}, utc=after(place.now_s), monotonic_s=place.now_s)
    assert len(place.told()) <= 25
    assert max(len(pending.raw) for pending in place.outbox.due(limit=200)) < 1200


@pytest.mark.parametrize("orderly", [True, False])
def test_from_the_last_that_is_known_to_the_next_start_the_box_was_off(place: Place, *, orderly: bool) -> None:
    place.begin("cam-1")
    place.run(330)
    if orderly:
        place.stop()
    place.cut(7200)
    place.begin("cam-1")
    place.run(70)
    found = place.told()
    known_s = 330 if orderly else 300
    assert all(sooner.until_at == later.from_at for sooner, later in pairwise(found))
    assert found[0].from_at == NOON
    assert told(found[-1]) == [(330 + 7200 - known_s, "box_off"), (60, "seen")]
    assert sum(report.seen_ms for report in found) == (known_s + 60) * 1000


def test_a_start_before_the_first_report_keeps_the_time_off(place: Place) -> None:
    place.begin("cam-1")
    place.run(100)
    for _ in range(3):
        place.cut(50)
        place.begin("cam-1")
        place.run(5)
    place.cut(50)
    place.begin("cam-1")
    place.run(100)
    found = place.told()
    assert all(sooner.until_at == later.from_at for sooner, later in pairwise(found))
    assert found[0].from_at == NOON


def test_a_camera_that_is_taken_away_is_told_to_its_end_and_one_that_comes_begins_then(place: Place) -> None:
    place.begin("cam-1", "cam-2")
    place.run(100, SEEN, "cam-1", "cam-2")
    place.book.remove("cam-2", utc=after(100), monotonic_s=100)
    place.book.add("cam-3", monotonic_s=100)
    place.run(100, SEEN, "cam-1", "cam-2", "cam-3")
    place.stop()
    assert place.told("cam-2")[-1].until_at == after(100)
    assert place.told("cam-3")[0].from_at == after(100)
    place.cut(10)
    place.begin("cam-1")
    assert len(place.told("cam-2")) == 2


def test_a_camera_that_is_taken_away_before_the_clock_was_set_leaves_no_report_of_1970(place: Place) -> None:
    place.begin("cam-1")
    unset = datetime(1970, 1, 1, tzinfo=UTC)
    place.book.note({"cam-1": SEEN}, utc=unset, monotonic_s=100)
    place.book.remove("cam-1", utc=unset, monotonic_s=100)
    place.stop()
    assert place.told() == []


def test_while_the_clock_was_never_set_nothing_is_told_and_then_everything(place: Place) -> None:
    place.begin("cam-1")
    for at_s in range(1, 1001):
        utc = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(seconds=at_s) if at_s < 500 else after(at_s)
        place.book.note({"cam-1": SEEN}, utc=utc, monotonic_s=at_s)
    found = place.told()
    assert found[0].from_at == NOON
    assert sum(report.seen_ms for report in found) >= 499_000


def test_a_full_disk_is_told_to_the_caller_and_nothing_noted_is_lost(place: Place) -> None:
    place.begin("cam-1")
    place.run(50)
    with place.outbox.reading() as connection:
        (pages,) = connection.execute("PRAGMA page_count").fetchone()
        connection.execute(f"PRAGMA max_page_count = {pages}")
    full = 0
    for _ in range(400):
        try:
            place.run(1, Sight(H.DARK) if place.now_s % 7 == 0 else SEEN)
        except OutboxFull:
            full += 1
    assert 1 <= full <= 80
    with place.outbox.reading() as connection:
        connection.execute("PRAGMA max_page_count = 1073741823")
    place.run(10)
    place.stop()
    found = place.told()
    assert (found[0].from_at, found[-1].until_at) == (NOON, after(460))
    assert all(sooner.until_at == later.from_at for sooner, later in pairwise(found))


def test_a_saved_state_that_nobody_can_read_is_nobodys_knowledge(place: Place) -> None:
    place.begin("cam-1")
    place.run(100)
    with place.outbox.transaction() as transaction:
        transaction.connection.execute("UPDATE coverage_unreported SET state = '{\"until_at\": 7}'")
    place.cut(50)
    place.begin("cam-1")
    place.run(100)
    assert "box_off" not in {word for report in place.told() for _, word in told(report)}
