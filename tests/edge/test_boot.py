from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from alerts.messages import Clock
from alerts.outbox import Outbox
from alerts.records import read_record
from edge.boot import ClockKeeper, boot_id
from tests.edge.parts import NOON, make_identity


@pytest.fixture
def outbox(tmp_path: Path) -> Iterator[Outbox]:
    with Outbox.open(tmp_path / "outbox.sqlite3", identity=make_identity()) as opened:
        yield opened


def clocks(outbox: Outbox) -> list[Clock]:
    key = outbox.identity.signing_key
    records = [read_record(each.raw, {key.key_id: key.verify_key}.get) for each in outbox.due(limit=100)]
    return [record.data for record in records if isinstance(record.data, Clock)]


def test_a_start_records_boot_monotonic_time_and_utc(outbox: Outbox) -> None:
    ClockKeeper(outbox).check(NOON, 123.4567)
    (clock,) = clocks(outbox)
    assert (clock.monotonic_ms, clock.utc, clock.boot) == (123_457, NOON, boot_id())


def test_a_clock_that_goes_right_is_recorded_once(outbox: Outbox) -> None:
    keeper = ClockKeeper(outbox)
    for second in range(0, 600, 5):
        keeper.check(NOON + timedelta(seconds=second), 100.0 + second)
    assert len(clocks(outbox)) == 1


def test_a_clock_that_was_set_is_recorded_again(outbox: Outbox) -> None:
    keeper = ClockKeeper(outbox)
    keeper.check(NOON.replace(year=1970), 100)
    keeper.check(NOON, 120)
    assert [clock.utc.year for clock in clocks(outbox)] == [1970, 2026]


def test_a_kernel_without_boot_ids_is_called_unknown(tmp_path: Path) -> None:
    assert boot_id(tmp_path / "none") == "unknown"
