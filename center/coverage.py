"""When boxes say that they watched their cameras: kept stretch by stretch, asked by camera and time."""

from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import ForeignKeyConstraint, Index, func, or_, select
from sqlalchemy.orm import Mapped, Session, mapped_column

from alerts.messages import Coverage
from center.watching import SEEN, Account, Claim, fold
from enforcement.leads import Lead
from traceability.append_only import guard
from traceability.records import Base, OfTenant
from traceability.rows import insert_rows

LONGEST_ROW: Final = timedelta(days=1)
"""A longer stretch is kept in pieces, so that a question about a day finds everything that began the day before."""
LONGEST_PAST: Final = timedelta(days=400)
"""What a record says about longer ago is not kept: a box that was off for years is unknown before that."""


class CoverageRow(OfTenant, Base):
    """One stretch of one record: `state` is `seen` or what hindered. Never changed, never deleted."""

    __tablename__ = "coverage"
    __table_args__ = (
        ForeignKeyConstraint(("tenant", "device"), ("device.tenant", "device.id")),
        Index(None, "tenant", "camera", "from_at"),
    )

    record_sha256: Mapped[str] = mapped_column(primary_key=True)
    number: Mapped[int] = mapped_column(primary_key=True)
    device: Mapped[str]
    camera: Mapped[str]
    from_at: Mapped[datetime]
    until_at: Mapped[datetime]
    state: Mapped[str]
    clock: Mapped[str]


guard(CoverageRow.metadata.tables[CoverageRow.__tablename__])


def keep_coverage(
    session: Session, coverage: Coverage, *, tenant: str, device: str, record_sha256: str, received_at: datetime
) -> None:
    """Keep what a verified record of this box says."""
    rows = [
        {
            "tenant": tenant,
            "record_sha256": record_sha256,
            "number": number,
            "device": device,
            "camera": coverage.camera,
            "from_at": piece.from_at,
            "until_at": piece.until_at,
            "state": piece.state,
            "clock": coverage.clock.value,
        }
        for number, piece in enumerate(_pieces(coverage, received_at - LONGEST_PAST))
    ]
    insert_rows(session, CoverageRow, rows)


def _pieces(coverage: Coverage, not_before: datetime) -> Iterator[Claim]:
    until_at = coverage.until_at
    laid: list[Claim] = []
    for stretch in reversed(coverage.stretches):
        length = timedelta(milliseconds=stretch.length_ms)
        from_at = until_at - length if until_at - not_before > length else not_before
        laid.append(Claim(from_at, until_at, stretch.hindrance.value if stretch.hindrance else SEEN))
        until_at = from_at
        if until_at <= not_before:
            break
    for claim in reversed(laid):
        at = claim.from_at
        while at < claim.until_at:
            end = min(at + LONGEST_ROW, claim.until_at)
            yield Claim(at, end, claim.state)
            at = end


def account_of(session: Session, *, tenant: str, camera: str, from_at: datetime, until_at: datetime) -> Account:
    """What is known of one camera in this time."""
    return accounts_of(session, tenant=tenant, cameras=(camera,), from_at=from_at, until_at=until_at)[camera]


def accounts_of(
    session: Session, *, tenant: str, cameras: Iterable[str], from_at: datetime, until_at: datetime
) -> Mapping[str, Account]:
    """The same for several cameras with one question to the database."""
    claims: dict[str, list[Claim]] = {camera: [] for camera in cameras}
    row = CoverageRow
    rows = session.execute(
        select(row.camera, row.from_at, row.until_at, row.state).where(
            row.tenant == tenant,
            row.camera.in_(list(claims)),
            row.from_at >= from_at - LONGEST_ROW,
            row.from_at < until_at,
            row.until_at > from_at,
        )
    )
    for camera, first_at, last_at, state in rows:
        claims[camera].append(Claim(first_at, last_at, state))
    return {camera: fold(found, from_at, until_at) for camera, found in claims.items()}


def incidents_between(
    session: Session, *, tenant: str, camera: str, from_at: datetime, until_at: datetime, limit: int
) -> list[Lead]:
    """Leads of a camera whose incident touches this time, the newest first; one that has not ended goes on."""
    rows = select(Lead).where(
        Lead.tenant == tenant,
        Lead.camera == camera,
        Lead.opened_at < until_at,
        or_(Lead.closed_at.is_(None), Lead.closed_at > from_at),
    )
    return list(session.scalars(rows.order_by(Lead.opened_at.desc(), Lead.id.desc()).limit(limit)))


def reported_until(session: Session, *, tenant: str, camera: str, at: datetime) -> datetime:
    """Up to when this camera's box has reported, as of `at`; `at` itself where it has not in the day before."""
    row = CoverageRow
    mine = (row.tenant == tenant, row.camera == camera, row.from_at >= at - 2 * LONGEST_ROW, row.until_at <= at)
    return session.scalar(select(func.max(row.until_at)).where(*mine)) or at


def doubtful_clock(session: Session, *, tenant: str, camera: str, from_at: datetime, until_at: datetime) -> bool:
    """Whether a record about this time was written while the box's clock was not synchronised."""
    row = CoverageRow
    found = select(row.number).where(
        row.tenant == tenant,
        row.camera == camera,
        row.from_at >= from_at - LONGEST_ROW,
        row.from_at < until_at,
        row.until_at > from_at,
        row.clock == "unsynchronised",
    )
    return session.execute(found.limit(1)).first() is not None
