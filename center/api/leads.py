"""Leads: GET /api/v1/leads and /api/v1/leads/{id}; their legal holds."""

from typing import Annotated, Final

from fastapi import HTTPException, Path, Query, Request
from pydantic import BaseModel, Field
from sqlalchemy import select

from center.accounts.guards import Officer, Viewer
from center.api.paging import Limit, Offset, PageOf, page_of
from center.api.schemas import DistrustOut, FileOut, HoldOut, LeadDetail, LeadOut, LinkOut
from center.api.security import CHANGES, reading_router
from center.database import Reading, Writing
from center.evidence.files import files_of
from center.handlers import route
from center.office import office_of
from center.web.problems import responses
from center.web.words import NO_NUL
from enforcement.distrust import distrusted_of
from enforcement.holds import hold_lead, holds_of, release_lead
from enforcement.leads import Lead, links_of
from enforcement.reviews import standing_of
from enforcement.task_records import Task

router: Final = reading_router("leads")
RowId = Annotated[str, Path(min_length=1, max_length=200)]
OF_OTHER_TABLES: Final = frozenset({"links", "files", "holds", "standing", "distrusted", "task_id"})
Filter = Annotated[str, Query(max_length=64, pattern=NO_NUL)]


@router.get("/leads", responses=responses(401, 403, 422))
def list_leads(
    request: Request,
    session: Reading,
    _person: Viewer,
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
    rows = rows.order_by(Lead.opened_at.desc(), Lead.id.desc())
    return page_of(session, rows, read=LeadOut.of, limit=limit, offset=offset)


@router.get("/leads/{lead_id}", responses=responses(401, 403, 404, 422))
def read_lead(request: Request, session: Reading, _person: Viewer, lead_id: RowId) -> LeadDetail:
    """One lead with why it was reported, what it concerns, and its files."""
    tenant = office_of(request).settings.tenant
    lead = session.get(Lead, (tenant, lead_id))
    if lead is None:
        raise HTTPException(404, f"there is no lead {lead_id!r}")
    task = session.scalar(select(Task.id).where(Task.tenant == tenant, Task.lead_id == lead_id))
    files = files_of(session, tenant=tenant, device=lead.device, incident=lead.incident)
    own = {name: getattr(lead, name) for name in LeadDetail.model_fields if name not in OF_OTHER_TABLES}
    return LeadDetail(
        **own,
        links=[LinkOut.of(link) for link in links_of(session, tenant=tenant, lead_id=lead_id)],
        files=[FileOut.of(file) for file in files],
        holds=[HoldOut.of(event) for event in holds_of(session, tenant=tenant, lead_id=lead_id)],
        standing=standing_of(session, lead).standing.value,
        distrusted=[DistrustOut.of(row) for row in distrusted_of(session, tenant=tenant, lead_id=lead_id)],
        task_id=task,
    )


class HoldIn(BaseModel):
    """Put the lead under legal hold, or release it, and why."""

    holds: bool
    reason: Annotated[str, Field(min_length=1, max_length=2000, pattern=NO_NUL)]


@router.post(
    "/leads/{lead_id}/holds",
    status_code=201,
    responses=responses(400, 401, 403, 404, 409, 422, 503),
    dependencies=CHANGES,
)
def hold(request: Request, session: Writing, person: Officer, lead_id: RowId, wish: HoldIn) -> HoldOut:
    """Keep every file of the lead whatever the rules of retention say, or let them decide again."""
    office = office_of(request)
    tenant, act = office.settings.tenant, hold_lead if wish.holds else release_lead
    happened = act(session, tenant=tenant, lead_id=lead_id, by=person.actor, at=office.now(), reason=wish.reason)
    route(session, (happened,))
    return HoldOut.of(holds_of(session, tenant=tenant, lead_id=lead_id)[-1])
