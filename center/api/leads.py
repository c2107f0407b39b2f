"""Leads: GET /api/v1/leads and /api/v1/leads/{id}."""

from typing import Annotated, Final

from fastapi import HTTPException, Path, Query, Request
from sqlalchemy import func, select

from center.accounts.guards import Officer
from center.api.schemas import FileOut, LeadDetail, LeadOut, Limit, LinkOut, Offset, PageOf
from center.api.security import reading_router
from center.database import Reading
from center.evidence import files_of
from center.office import office_of
from center.web.problems import responses
from enforcement.leads import Lead, links_of
from enforcement.tasks import Task

router: Final = reading_router("leads")
RowId = Annotated[str, Path(min_length=1, max_length=200)]
Filter = Annotated[str, Query(max_length=64)]


@router.get("/leads", responses=responses(401, 403, 422))
def list_leads(
    request: Request,
    session: Reading,
    _person: Officer,
    *,
    camera: Filter = "",
    kind: Filter = "",
    phase: Filter = "",
    limit: Limit = 50,
    offset: Offset = 0,
) -> PageOf[LeadOut]:
    """Leads by the time their incident began, the newest first."""
    rows = select(Lead).where(Lead.tenant == office_of(request).settings.tenant)
    for column, wanted in ((Lead.camera, camera), (Lead.kind, kind), (Lead.phase, phase)):
        rows = rows.where(column == wanted) if wanted else rows
    total = session.scalar(select(func.count()).select_from(rows.subquery())) or 0
    ordered = rows.order_by(Lead.opened_at.desc(), Lead.id.desc()).limit(limit).offset(offset)
    items = [LeadOut.of(lead) for lead in session.scalars(ordered)]
    return PageOf(items=items, total=total, limit=limit, offset=offset)


@router.get("/leads/{lead_id}", responses=responses(401, 403, 404, 422))
def read_lead(request: Request, session: Reading, _person: Officer, lead_id: RowId) -> LeadDetail:
    """One lead with why it was reported, what it concerns, and its files."""
    tenant = office_of(request).settings.tenant
    lead = session.get(Lead, (tenant, lead_id))
    if lead is None:
        raise HTTPException(404, f"there is no lead {lead_id!r}")
    task = session.scalar(select(Task.id).where(Task.tenant == tenant, Task.lead_id == lead_id))
    files = files_of(session, tenant=tenant, device=lead.device, incident=lead.incident)
    own = {name: getattr(lead, name) for name in LeadDetail.model_fields if name not in {"links", "files", "task_id"}}
    return LeadDetail(
        **own,
        links=[LinkOut.of(link) for link in links_of(session, tenant=tenant, lead_id=lead_id)],
        files=[FileOut.of(file) for file in files],
        task_id=task,
    )
