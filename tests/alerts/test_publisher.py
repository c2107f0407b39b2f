"""The sender by itself, with no broker: what it counts, and how it ends when the outbox fails it."""

import sqlite3
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from alerts.connection import Arrival, Connection
from alerts.errors import OutboxUnreadable
from alerts.outbox import Counts, Outbox
from alerts.publisher import Publisher
from tests.alerts.parts import Log, make_identity

IDENTITY = make_identity()
RUBBISH = Arrival("teawatch/v1/demo-county/box-1/receipts", b"rubbish", lambda: None, lambda: True)


@pytest.fixture
def outbox(tmp_path: Path) -> Iterator[Outbox]:
    with Outbox.open(tmp_path / "outbox.db", identity=IDENTITY) as opened:
        yield opened


def test_a_message_rejected_while_others_are_written_down_is_counted(outbox: Outbox) -> None:
    publisher = Publisher(outbox, IDENTITY)
    meanwhile = threading.Thread(target=publisher._arrived, args=(RUBBISH,))

    class Interrupted(int):
        """A count in whose subtraction the other thread has its turn, if nothing keeps it out."""

        def __sub__(self, other: int) -> int:
            meanwhile.start()
            meanwhile.join(0.5)
            return int(self) - other

    publisher._arrived(RUBBISH)
    publisher._rejected = Interrupted(publisher._rejected)
    publisher._keep_rejections()
    meanwhile.join(20)
    publisher._keep_rejections()
    assert outbox.counts().rejected_downlinks == 2


@pytest.mark.parametrize("error", [OutboxUnreadable("damaged"), sqlite3.ProgrammingError("closed")])
def test_an_outbox_that_fails_at_the_end_leaves_no_thread_behind(
    outbox: Outbox, monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    def fail() -> Counts:
        raise error

    before = set(threading.enumerate())
    log = Log()
    publisher = Publisher(outbox, IDENTITY, on_event=log)
    publisher.start()
    log.wait("disconnected")
    monkeypatch.setattr(outbox, "counts", fail)
    monkeypatch.setattr(Connection, "is_up", property(lambda _: True))
    if isinstance(error, OutboxUnreadable):
        publisher.stop()
        assert log.named("outbox_trouble")
    else:
        with pytest.raises(sqlite3.ProgrammingError):
            publisher.stop()
    assert set(threading.enumerate()) <= before
