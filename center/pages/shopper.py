"""What the centre lends the shopper's page: its look, a session, and the findings its officers have published."""

from collections.abc import Sequence
from contextlib import AbstractContextManager
from datetime import datetime
from typing import Final
from zoneinfo import ZoneInfo

from fastapi import Request
from sqlalchemy.orm import Session

from center.office import office_of
from center.pages.leadviews import stand_in
from center.pages.rendering import language_of, render
from center.pages.terms import kind_name
from center.words import Language
from enforcement.finding_records import Finding
from enforcement.findings import published_for_lots
from enforcement.leads import Lead, sighted_at
from traceability.cameras import camera_at
from traceability.pages import ShownFinding, pack_router


def _open_session(request: Request) -> AbstractContextManager[Session]:
    return office_of(request).database.reading()


def _tenant_of(request: Request) -> str:
    return office_of(request).settings.tenant


def _findings_of(request: Request, session: Session, tenant: str, lot_ids: Sequence[str]) -> Sequence[ShownFinding]:
    language, zone = language_of(request), ZoneInfo(office_of(request).settings.time_zone)
    found = []
    for published in published_for_lots(session, tenant, lot_ids):
        finding = session.get_one(Finding, (tenant, published.finding_id))
        lead = session.get_one(Lead, (tenant, finding.lead_id))
        found.append(shown_finding(session, language, lead, finding, published_at=published.published_at, zone=zone))
    return found


def shown_finding(
    session: Session, language: Language, lead: Lead, finding: Finding, *, published_at: datetime, zone: ZoneInfo
) -> ShownFinding:
    """What a shopper reads of it: no officer, no party, no picture; what the register says of a stand-in camera."""
    seen_at = sighted_at(lead)
    return ShownFinding(
        kind=kind_name(language, lead.kind),
        stand_in=stand_in(language, camera_at(session, tenant=lead.tenant, camera=lead.camera, at=seen_at)),
        observed_at=seen_at,
        observed_on=seen_at.astimezone(zone).date(),
        published_at=published_at,
        language=finding.language,
        result=finding.result,
        measure=finding.measure,
    )


router: Final = pack_router(render=render, open_session=_open_session, tenant_of=_tenant_of, findings_of=_findings_of)
