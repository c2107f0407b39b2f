"""Findings: list, publish, withdraw; below /api/v1/findings. They are written on their task."""

from typing import Annotated, Final

from fastapi import Request
from pydantic import AwareDatetime, BaseModel, Field
from sqlalchemy import select

from center.accounts.guards import Officer
from center.api.leads import Filter, RowId
from center.api.paging import Limit, Offset, PageOf, page_of
from center.api.schemas import FindingOut
from center.api.security import CHANGES, reading_router
from center.database import Reading, Writing
from center.handlers import route
from center.office import office_of
from center.web.problems import responses
from center.web.words import NO_NUL
from enforcement.finding_records import FindingStatus
from enforcement.findings import Finding, publish_finding, withdraw_finding

router: Final = reading_router("findings")


class WithdrawalIn(BaseModel):
    """Why a published finding is taken back, and, if the decision was revoked, when that was."""

    reason: Annotated[str, Field(min_length=1, max_length=4000, pattern=NO_NUL)]
    revoked_at: AwareDatetime | None = None


@router.get("/findings", responses=responses(401, 403, 422))
def list_findings(
    request: Request,
    session: Reading,
    _person: Officer,
    *,
    status: FindingStatus | None = None,
    lead: Filter = "",
    limit: Limit = 50,
    offset: Offset = 0,
) -> PageOf[FindingOut]:
    """Findings, the latest review first."""
    rows = select(Finding).where(Finding.tenant == office_of(request).settings.tenant)
    if status is not None:
        rows = rows.where(Finding.status == status.value)
    if lead:
        rows = rows.where(Finding.lead_id == lead)
    rows = rows.order_by(Finding.reviewed_at.desc(), Finding.id)
    return page_of(session, rows, read=FindingOut.of, limit=limit, offset=offset)


@router.post(
    "/findings/{finding_id}/publication", responses=responses(401, 403, 404, 409, 422, 503), dependencies=CHANGES
)
def publish(request: Request, session: Writing, person: Officer, finding_id: RowId) -> FindingOut:
    """Let shoppers read a draft."""
    office = office_of(request)
    tenant = office.settings.tenant
    done = publish_finding(session, tenant=tenant, finding_id=finding_id, by=person.actor, at=office.now())
    route(session, (done,))
    return FindingOut.of(session.get_one(Finding, (tenant, finding_id)))


@router.post(
    "/findings/{finding_id}/withdrawal", responses=responses(401, 403, 404, 409, 422, 503), dependencies=CHANGES
)
def withdraw(request: Request, session: Writing, person: Officer, finding_id: RowId, wish: WithdrawalIn) -> FindingOut:
    """Take a published finding back."""
    office = office_of(request)
    tenant = office.settings.tenant
    done = withdraw_finding(
        session,
        tenant=tenant,
        finding_id=finding_id,
        by=person.actor,
        at=office.now(),
        reason=wish.reason,
        revoked_at=wish.revoked_at,
    )
    route(session, (done,))
    return FindingOut.of(session.get_one(Finding, (tenant, finding_id)))
