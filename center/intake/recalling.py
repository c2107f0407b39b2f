"""The centre asks boxes for records that it misses.

A gap in a journal is nothing unusual: what happens now goes before the backlog. A gap that stays as it is while its box
is on line is: then the box is asked, and sends those records again or says that they are gone.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Final

import structlog
from sqlalchemy import select
from sqlalchemy.exc import OperationalError
from sqlalchemy.orm import Session

from alerts.control_messages import Recall
from alerts.downlinks import write_downlink
from alerts.messages import Range
from alerts.ranges import Run
from alerts.receipts import next_counter
from alerts.topics import Channel, Topic
from center.background import Background
from center.boxes.devices import Device
from center.database import Database
from center.intake.filing import FilingRules
from center.intake.journal import EpochRow, gaps

ROUND_S: Final = 2.0
PATIENCE: Final = timedelta(seconds=10)
"""For so long a gap may stay as it is before the box is asked; twice as long after each time, up to MOST_PATIENCE."""

MOST_PATIENCE: Final = timedelta(minutes=10)
MOST_RANGES: Final = 256

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class _Wait:
    """A gap that is watched: what is missing first, since when, and how often it was asked for."""

    missing: tuple[Run, ...]
    ask_at: datetime
    times: int = 0


class Recaller(Background):
    """Looks for gaps in a thread of its own between `start` and `stop`."""

    def __init__(
        self,
        database: Database,
        rules: FilingRules,
        *,
        send: Callable[[Topic, bytes], bool],
        now: Callable[[], datetime],
        patience: timedelta = PATIENCE,
    ) -> None:
        """`send(topic, raw)` publishes to a box and says whether it could."""
        self._database = database
        self._rules = rules
        self._send = send
        self._now = now
        self._patience = patience
        self._waits: dict[tuple[str, str], _Wait] = {}
        super().__init__("recaller")

    def look(self) -> int:
        """One round; how many boxes were asked. Raises OperationalError."""
        at = self._now()
        with self._database.reading() as session:
            found = dict(self._gaps(session))
        self._waits = {key: self._watch(key, missing, at) for key, missing in found.items()}
        due = [key for key, wait in self._waits.items() if wait.ask_at <= at]
        return sum(self._ask(device, epoch, at) for device, epoch in due)

    def _gaps(self, session: Session) -> list[tuple[tuple[str, str], tuple[Run, ...]]]:
        """Of every box on line, in the journal that it writes now."""
        rows = (
            select(EpochRow)
            .join(Device, (Device.tenant == EpochRow.tenant) & (Device.id == EpochRow.device))
            .where(
                EpochRow.tenant == self._rules.tenant,
                EpochRow.highest > EpochRow.cumulative,
                Device.online,
                Device.revoked_at.is_(None),
                Device.epoch == EpochRow.epoch,
            )
        )
        found = [((row.device, row.epoch), gaps(session, row, most=MOST_RANGES)) for row in session.scalars(rows)]
        return [(key, missing) for key, missing in found if missing]

    def _watch(self, key: tuple[str, str], missing: tuple[Run, ...], at: datetime) -> _Wait:
        """A gap that shrinks is being filled: its box is sending."""
        known = self._waits.get(key)
        if known and known.missing[0] == missing[0]:
            return replace(known, missing=missing)
        return _Wait(missing, at + self._patience)

    def _ask(self, device: str, epoch: str, at: datetime) -> bool:
        wait = self._waits[device, epoch]
        with self._database.writing() as session:
            row = session.get_one(Device, (self._rules.tenant, device), with_for_update=True)
            row.receipt_counter = next_counter(row.receipt_counter, at)
            raw = write_downlink(
                Recall(ranges=tuple(Range(first=each.first, last=each.last) for each in wait.missing)),
                key=self._rules.key,
                tenant=self._rules.tenant,
                device=device,
                epoch=epoch,
                counter=row.receipt_counter,
                at=at,
                lifetime=self._rules.receipt_lifetime,
            )
        if not self._send(Topic(self._rules.tenant, device, Channel.COMMANDS), raw):
            return False
        log.warning("records_recalled", device=device, epoch=epoch, first=wait.missing[0].first, gaps=len(wait.missing))
        pause = min(MOST_PATIENCE, self._patience * 2 ** min(wait.times + 1, 10))
        self._waits[device, epoch] = _Wait(wait.missing, at + pause, wait.times + 1)
        return True

    def _run(self) -> None:
        while not self._stopping.wait(ROUND_S):
            try:
                self.look()
            except OperationalError as error:
                log.error("gaps_not_looked_for", reason=str(error.orig))  # noqa: TRY400 - one line says it
