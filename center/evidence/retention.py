"""Which files of evidence are to be deleted, by kind and age; each deletion is written down.

A term begins when the lead is closed: its incident is over and its task finished, both by the centre's clock. Never
deleted: what belongs to an open lead (or to none yet), is under legal hold or under review (a finding is still a draft,
or a reviewer's word for it as evidence stands), or was handed out in a case. One file may serve several leads: the last
of them counts.

Sources: Public-safety video systems regulation (公共安全视频图像信息系统管理条例, State Council order 799), art. 17: at
least 30 days, then deleted once the purpose is reached, unless law says otherwise. Personal Information Protection Law,
art. 19 (no longer than the purpose needs) and 47 (deletion when the term is over). The defaults, two years and one, are
the limitation period of the Administrative Penalty Law, art. 36, and more than the six months of the Administrative
Litigation Law, art. 46, in which a decision can be contested.
"""

import secrets
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import Select, delete, func, select
from sqlalchemy.orm import Mapped, Session, mapped_column

from alerts.messages import Phase
from center.evidence.custody import Act, note_custody, transferred_leads
from center.evidence.files import Announced
from center.feed.hub import announce
from center.settings import RetentionSettings
from enforcement.actors import SYSTEM
from enforcement.finding_records import Finding, FindingStatus
from enforcement.holds import held_leads
from enforcement.leads import Lead, lead_id
from enforcement.reviews import reviewed_leads
from enforcement.task_records import FINISHED, Task, TaskEvent
from enforcement.transitions import State
from traceability.append_only import guard
from traceability.records import Base, Identified, OfTenant

FALSE_ALARM = "false_alarm"
BATCH = 500


class Deletion(Identified, Base):
    """A file was deleted: which, whose, under which rule, by whom. Append-only: the hash stays known for ever.

    `rule` is what the file is, or `false_alarm`; `closed_at` is when its term of `days` began.
    """

    __tablename__ = "evidence_deletion"

    sha256: Mapped[str] = mapped_column(index=True)
    lead_id: Mapped[str]
    role: Mapped[str]
    size_bytes: Mapped[int]
    rule: Mapped[str]
    days: Mapped[int]
    closed_at: Mapped[datetime]
    deleted_at: Mapped[datetime]
    by_user: Mapped[str]


guard(Deletion.metadata.tables[Deletion.__tablename__])


class Removal(OfTenant, Base):
    """Bytes that are still to be taken out of the store; written with the deletion, gone when they are."""

    __tablename__ = "evidence_removal"

    sha256: Mapped[str] = mapped_column(primary_key=True)


@dataclass(frozen=True, slots=True)
class Term:
    """How long a file stays: `rule` names why."""

    rule: str
    days: int


@dataclass(frozen=True, slots=True)
class Due:
    """A file whose term is over."""

    file: Announced
    lead_id: str
    term: Term
    closed_at: datetime


def term_of(settings: RetentionSettings, role: str, task_state: str) -> Term:
    """The rule that holds for a file of a closed lead; what the settings do not name stays longest."""
    days = {name.removesuffix("_days"): int(value) for name, value in settings.model_dump().items()}
    own = Term(role, days.get(role, max(days.values())))
    if task_state == State.FALSE_ALARM and days[FALSE_ALARM] < own.days:
        return Term(FALSE_ALARM, days[FALSE_ALARM])
    return own


def due_files(session: Session, *, tenant: str, settings: RetentionSettings, at: datetime) -> Iterator[Due]:
    """Every file whose term is over, once for each lead it belongs to, the longest here first."""
    kept = _kept_leads(session, tenant)
    ready: dict[str, list[Due]] = {}
    shortest = timedelta(days=min(settings.model_dump().values()))
    for file, state, closed_at in session.execute(_closed_files(tenant, at - shortest)):
        own = lead_id(file.device, file.incident)
        term = term_of(settings, file.role, state)
        since = max(closed_at, file.arrived_at or closed_at)
        if own not in kept and since + timedelta(days=term.days) <= at:
            ready.setdefault(file.sha256, []).append(Due(file, own, term, since))
    uses = _uses(session, tenant, ready)
    for sha256, dues in ready.items():
        if len(dues) == uses[sha256]:
            yield from dues


def delete_due(session: Session, *, tenant: str, settings: RetentionSettings, at: datetime) -> list[Due]:
    """Write down the deletion of what is due, some at a time; `Removal` then says whose bytes are to go.

    Empty when nothing is left to do.
    """
    chosen: list[Due] = []
    for due in due_files(session, tenant=tenant, settings=settings, at=at):
        if len(chosen) >= BATCH and due.file.sha256 != chosen[-1].file.sha256:
            break
        chosen.append(due)
    chosen = _still_due(session, tenant, chosen)
    for due in chosen:
        deletion = _deletion(tenant, due, at)
        session.add(deletion)
        note_custody(
            session,
            tenant=tenant,
            act=Act.DELETED,
            sha256=deletion.sha256,
            who=deletion.by_user,
            at=at,
            reason=f"{deletion.rule}: {deletion.days} days",
            lead_id=due.lead_id,
        )
        due.file.deleted_at, due.file.deleted_rule = at, f"{due.term.rule}:{due.term.days}"
        announce(session, "evidence", due.lead_id)
    session.add_all(Removal(tenant=tenant, sha256=sha256) for sha256 in sorted({each.file.sha256 for each in chosen}))
    session.flush()
    return chosen


def _still_due(session: Session, tenant: str, chosen: Sequence[Due]) -> list[Due]:
    """What nobody has come to need while it was chosen; its leads stay as they are until the transaction ends."""
    leads = sorted({due.lead_id for due in chosen})
    for start in range(0, len(leads), BATCH):
        own = (Lead.tenant == tenant, Lead.id.in_(leads[start : start + BATCH]))
        session.execute(select(Lead.id).where(*own).order_by(Lead.id).with_for_update()).all()
    kept = _kept_leads(session, tenant)
    needed = {due.file.sha256 for due in chosen if due.lead_id in kept}
    return [due for due in chosen if due.file.sha256 not in needed]


def to_remove(session: Session, *, tenant: str, limit: int = BATCH) -> Sequence[Removal]:
    """Files that were deleted and whose bytes may still be in the store."""
    return session.scalars(select(Removal).where(Removal.tenant == tenant).limit(limit)).all()


def forget_removals(session: Session, *, tenant: str, hashes: Collection[str]) -> None:
    """These bytes are out of the store, or wanted again."""
    session.execute(delete(Removal).where(Removal.tenant == tenant, Removal.sha256.in_(hashes)))


def is_wanted_again(session: Session, *, tenant: str, sha256: str) -> bool:
    """Whether the same bytes have come for another lead since."""
    here = (Announced.tenant == tenant, Announced.sha256 == sha256)
    live = (*here, Announced.arrived_at.is_not(None), Announced.deleted_at.is_(None))
    return session.scalar(select(func.count()).where(*live)) != 0


def closed_since(session: Session, lead: Lead, task: Task | None) -> datetime | None:
    """When the lead was closed, by the centre's clock: the last line of its task's history. None while it is open."""
    if task is None or task.state not in FINISHED or lead.phase != Phase.CLOSED:
        return None
    lines = (TaskEvent.tenant == task.tenant, TaskEvent.task_id == task.id)
    return session.scalar(select(func.max(TaskEvent.at)).where(*lines))


def was_handed_out(session: Session, *, tenant: str, lead_id: str) -> bool:
    """Whether a case outside the centre stands on the files of this lead."""
    return lead_id in transferred_leads(session, tenant=tenant)


def is_under_review(session: Session, *, tenant: str, lead_id: str) -> bool:
    """Whether a finding of this lead is still a draft, or a reviewer's word for it as evidence stands."""
    return lead_id in _reviewed_leads(session, tenant)


def _deletion(tenant: str, due: Due, at: datetime) -> Deletion:
    return Deletion(
        tenant=tenant,
        id=secrets.token_hex(12),
        sha256=due.file.sha256,
        lead_id=due.lead_id,
        role=due.file.role,
        size_bytes=due.file.size_bytes,
        rule=due.term.rule,
        days=due.term.days,
        closed_at=due.closed_at,
        deleted_at=at,
        by_user=SYSTEM.user_id,
    )


def _closed_files(tenant: str, before: datetime) -> Select[Announced, str, datetime]:
    """Files that came, and whose lead was closed, before that; with the task's state and its history's last line."""
    last = func.max(TaskEvent.at)
    histories = select(TaskEvent.task_id, last.label("closed_at")).where(TaskEvent.tenant == tenant)
    closed = histories.group_by(TaskEvent.task_id).having(last <= before).subquery()
    return (
        select(Announced, Task.state, closed.c.closed_at)
        .join(
            Lead,
            (Lead.tenant == Announced.tenant)
            & (Lead.device == Announced.device)
            & (Lead.incident == Announced.incident),
        )
        .join(Task, (Task.tenant == Lead.tenant) & (Task.lead_id == Lead.id))
        .join(closed, closed.c.task_id == Task.id)
        .where(
            Announced.tenant == tenant,
            Announced.arrived_at <= before,
            Announced.deleted_at.is_(None),
            Lead.phase == Phase.CLOSED.value,
            Task.state.in_([state.value for state in FINISHED]),
        )
        .order_by(Announced.arrived_at, Announced.sha256, Announced.incident)
    )


def _uses(session: Session, tenant: str, hashes: Iterable[str]) -> Mapping[str, int]:
    """How many leads each of these files belongs to, those included that nobody has heard of yet."""
    found: dict[str, int] = {}
    wanted = list(hashes)
    for start in range(0, len(wanted), BATCH):
        own = (Announced.tenant == tenant, Announced.sha256.in_(wanted[start : start + BATCH]))
        rows = select(Announced.sha256, func.count()).where(*own, Announced.deleted_at.is_(None))
        found |= dict(session.execute(rows.group_by(Announced.sha256)).all())
    return found


def _kept_leads(session: Session, tenant: str) -> frozenset[str]:
    return (
        held_leads(session, tenant=tenant)
        | transferred_leads(session, tenant=tenant)
        | _reviewed_leads(session, tenant)
    )


def _reviewed_leads(session: Session, tenant: str) -> frozenset[str]:
    drafts = (Finding.tenant == tenant, Finding.status == FindingStatus.DRAFT.value)
    drafted = frozenset(session.scalars(select(Finding.lead_id).where(*drafts)))
    return drafted | reviewed_leads(session, tenant=tenant)
