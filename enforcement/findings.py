"""Findings (核查结果): what a reviewed lead amounts to, in an officer's words. Only these reach the public.

Administrative Penalty Law 2021: what nobody reviewed is no basis for anything (art. 41); what is published and then
revoked is withdrawn within three working days (art. 48).
"""

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Final

from sqlalchemy import or_, select, update
from sqlalchemy.orm import Session

from enforcement.actors import Actor, Role
from enforcement.deadlines import add_working_days
from enforcement.errors import IllegalMove, NotAllowed, NoteMissing, NoWorkingTime, PersonalData, Unknown
from enforcement.events import FindingPublished, FindingWithdrawn, FindingWritten
from enforcement.finding_records import Finding, FindingStatus, findings_of
from enforcement.leads import Lead, LeadLink, of_lead, sighted_at
from enforcement.personal_data import numbers_of_persons
from enforcement.policy import calendar_of
from enforcement.task_records import task_by_id
from enforcement.transitions import State
from traceability.links import Target
from traceability.lots import ancestry, sales_into
from traceability.policy import link_policy_at

__all__ = [
    "Finding",
    "FindingStatus",
    "PublishedFinding",
    "findings_of",
    "publish_finding",
    "published_for_lots",
    "withdraw_finding",
    "write_finding",
]

REVIEWERS: Final = (Role.OFFICER, Role.HEAD)
REVIEWABLE: Final = (State.STARTED, State.RECTIFIED, State.PENALTY_PROPOSED, State.CLOSED)
WITHDRAW_WORKING_DAYS: Final = 3  # Administrative Penalty Law 2021, art. 48 and 85


@dataclass(frozen=True, slots=True)
class PublishedFinding:
    """What a shopper may read: no officer, no party, no picture."""

    finding_id: str
    kind: str
    observed_at: datetime
    language: str
    result: str
    measure: str
    published_at: datetime


def write_finding(
    session: Session,
    *,
    tenant: str,
    task_id: str,
    result: str,
    measure: str,
    language: str,
    by: Actor,
    at: datetime,
) -> FindingWritten:
    """Write down, as a draft, what the check of a lead found.

    Raises:
        Unknown: there is no such task.
        NotAllowed: the role may not review.
        IllegalMove: nobody has started on the task, or it was a false alarm.
        NoteMissing: the result is empty.
    """
    _require_reviewer(by)
    task = task_by_id(session, tenant=tenant, task_id=task_id)
    if task.state not in REVIEWABLE:
        raise IllegalMove(f"task {task_id} is {task.state}; a finding can be written once the check has started")
    if not result.strip():
        raise NoteMissing("a finding needs its result in words")
    earlier = len(findings_of(session, tenant=tenant, lead_id=task.lead_id))
    finding = Finding(
        tenant=tenant,
        id=f"{task.lead_id}.f{earlier + 1}",
        lead_id=task.lead_id,
        task_id=task.id,
        status=FindingStatus.DRAFT.value,
        language=language,
        result=result.strip(),
        measure=measure.strip(),
        reviewed_by=by.user_id,
        reviewed_at=at,
    )
    session.add(finding)
    session.flush()
    return FindingWritten(tenant, at, finding.id, finding.lead_id)


def publish_finding(session: Session, *, tenant: str, finding_id: str, by: Actor, at: datetime) -> FindingPublished:
    """Let the public see a draft.

    Raises:
        Unknown: there is no such finding.
        NotAllowed: the role may not publish.
        IllegalMove: it is no draft, or its task is not under review: a false alarm is never published.
        PersonalData: its words hold a number that may be a person's.
    """
    _require_reviewer(by)
    finding = _finding(session, tenant, finding_id)
    task = task_by_id(session, tenant=tenant, task_id=finding.task_id)
    if task.state not in REVIEWABLE:
        raise IllegalMove(f"task {task.id} is {task.state}; its findings cannot be published")
    if numbers_of_persons(finding.result, finding.measure):
        raise PersonalData(
            f"finding {finding.id} holds a long number; write it down anew without any number of a person"
        )
    _change(session, finding, FindingStatus.DRAFT, FindingStatus.PUBLISHED, published_by=by.user_id, published_at=at)
    return FindingPublished(tenant, at, finding.id, finding.lead_id)


def withdraw_finding(
    session: Session,
    *,
    tenant: str,
    finding_id: str,
    by: Actor,
    at: datetime,
    reason: str,
    revoked_at: datetime | None = None,
) -> FindingWithdrawn:
    """Take a published finding back; when it was revoked, art. 48 gives three working days from `revoked_at`.

    `withdraw_by` keeps that last moment (empty where no office hours are in effect), so that lateness stays visible.

    Raises:
        Unknown: there is no such finding.
        NotAllowed: the role may not withdraw.
        IllegalMove: it is not published, or was revoked at another time than between publication and now.
        NoteMissing: no reason was given.
    """
    _require_reviewer(by)
    if not reason.strip():
        raise NoteMissing("withdrawing a finding needs a reason in words")
    finding = _finding(session, tenant, finding_id)
    if revoked_at and finding.published_at and not finding.published_at <= revoked_at <= at:
        raise IllegalMove(f"finding {finding.id} can only have been revoked between its publication and now")
    _change(
        session,
        finding,
        FindingStatus.PUBLISHED,
        FindingStatus.WITHDRAWN,
        revoked_at=revoked_at,
        withdraw_by=_withdraw_by(session, tenant, revoked_at),
        withdrawn_by=by.user_id,
        withdrawn_at=at,
        withdrawal_reason=reason.strip(),
    )
    return FindingWithdrawn(tenant, at, finding.id, finding.lead_id)


def _withdraw_by(session: Session, tenant: str, revoked_at: datetime | None) -> datetime | None:
    calendar = calendar_of(session, tenant=tenant)
    if revoked_at is None or calendar is None:
        return None
    try:
        return add_working_days(revoked_at, WITHDRAW_WORKING_DAYS, calendar).at
    except NoWorkingTime:
        return None


def published_for_lots(session: Session, tenant: str, lot_ids: Iterable[str]) -> tuple[PublishedFinding, ...]:
    """Published findings that concern these lots or any lot in them, oldest first.

    A finding concerns a lot when its lead was linked with it, or with a plot whose leaf in the lot was picked within
    the policy's window around the sight: a lot made after the sight is found as well.
    """
    lots = ancestry(session, tenant=tenant, lot_ids=lot_ids)
    picked = {(sale.plot_id, sale.picked_on) for sale in sales_into(session, tenant=tenant, lot_ids=lots)}
    rows = session.execute(
        select(Finding, Lead, LeadLink)
        .join(Lead, (Lead.tenant == Finding.tenant) & (Lead.id == Finding.lead_id))
        .join(LeadLink, of_lead())
        .where(
            Finding.tenant == tenant,
            Finding.status == FindingStatus.PUBLISHED.value,
            or_(
                (LeadLink.target_kind == Target.LOT.value) & LeadLink.target_id.in_(lots),
                (LeadLink.target_kind == Target.PLOT.value) & LeadLink.target_id.in_({plot for plot, _ in picked}),
            ),
        )
        .order_by(Finding.published_at, Finding.id)
    ).all()
    concerned = {
        finding.id: _as_published(finding, lead)
        for finding, lead, link in rows
        if link.target_kind == Target.LOT.value or _picked_near(session, lead, link.target_id, picked)
    }
    return tuple(concerned.values())


def _picked_near(session: Session, lead: Lead, plot_id: str, picked: Collection[tuple[str, date]]) -> bool:
    at = sighted_at(lead)
    policy = link_policy_at(session, tenant=lead.tenant, at=at)
    if policy is None:
        return False
    first, last = policy.picking_window(at)
    return any(plot == plot_id and first <= day <= last for plot, day in picked)


def _as_published(finding: Finding, lead: Lead) -> PublishedFinding:
    if finding.published_at is None:
        raise IllegalMove(f"finding {finding.id} is published without a date")
    return PublishedFinding(
        finding_id=finding.id,
        kind=lead.kind,
        observed_at=sighted_at(lead),
        language=finding.language,
        result=finding.result,
        measure=finding.measure,
        published_at=finding.published_at,
    )


def _require_reviewer(by: Actor) -> None:
    if by.role not in REVIEWERS:
        raise NotAllowed(f"the role {by.role.value} may not review findings; an officer or the head may")


def _finding(session: Session, tenant: str, finding_id: str) -> Finding:
    finding = session.get(Finding, (tenant, finding_id), populate_existing=True)
    if finding is None:
        raise Unknown(f"there is no finding {finding_id!r}")
    return finding


def _change(session: Session, finding: Finding, before: FindingStatus, after: FindingStatus, **columns: Any) -> None:  # noqa: ANN401 - the columns of the row
    """Move a finding on if it still stands where the caller thinks it does."""
    changed = session.execute(
        update(Finding)
        .where(Finding.tenant == finding.tenant, Finding.id == finding.id, Finding.status == before.value)
        .values(status=after.value, **columns)
        .returning(Finding.id)
        .execution_options(synchronize_session=False)
    ).all()
    session.refresh(finding)
    if not changed:
        raise IllegalMove(f"finding {finding.id} is {finding.status}, not {before.value}")
