"""The chain of custody of a case on paper: what it stands on, who did what with it, and where the log says so."""

from collections.abc import Collection, Mapping
from typing import Final

from fastapi import APIRouter, HTTPException, Request
from fastapi.responses import Response
from sqlalchemy import select
from sqlalchemy.orm import Session

from alerts.leaves import LeafKind
from center.accounts.guards import Viewer
from center.database import Reading
from center.evidence.files import files_of
from center.log.publishing import publish_due
from center.log.records import LogOpening
from center.office import office_of
from center.pages.doubts import doubt_of
from center.pages.leadpage import records_of, replaced_time
from center.pages.leadviews import view_leads
from center.pages.rendering import language_of, render
from center.pages.reviewviews import custody_of, review_of
from center.pages.terms import ARTEFACTS, CLOCKS, name_of
from enforcement.holds import holds_of
from enforcement.leads import Lead

router: Final = APIRouter(include_in_schema=False)


@router.get("/leads/{lead_id}/custody")
def show(request: Request, session: Reading, person: Viewer, lead_id: str) -> Response:
    """The whole chain, the first act first, to be printed and signed, under a head that covers all of it."""
    office, language = office_of(request), language_of(request)
    head = publish_due(office.database, office.notary, at=office.now())
    lead = session.get(Lead, (office.settings.tenant, lead_id))
    if lead is None:
        raise HTTPException(404, f"there is no lead {lead_id!r}")
    files = files_of(session, tenant=lead.tenant, device=lead.device, incident=lead.incident)
    custody = custody_of(session, language, lead, files)[::-1]
    return render(
        request,
        "custody.html",
        lead=lead,
        view=view_leads(session, language, [lead])[0],
        records=records_of(session, lead),
        clock=name_of(language, CLOCKS, lead.clock),
        replaced_time=replaced_time(session, language, lead),
        doubt=doubt_of(session, language, lead),
        review=review_of(session, language, person, lead),
        held=[held.holds for held in holds_of(session, tenant=lead.tenant, lead_id=lead.id)][-1:] == [True],
        files=[(name_of(language, ARTEFACTS, file.role), file) for file in files],
        custody=custody,
        entries=_entries(session, lead.tenant, {line.event for line in custody}),
        head=head,
    )


def _entries(session: Session, tenant: str, events: Collection[str]) -> Mapping[str, int]:
    """The number of the log's entry about each of these acts."""
    own = (LogOpening.tenant == tenant, LogOpening.kind == LeafKind.CUSTODY.value, LogOpening.reference.in_(events))
    return dict(session.execute(select(LogOpening.reference, LogOpening.number).where(*own)).all())
