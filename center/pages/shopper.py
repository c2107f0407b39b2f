"""What the centre lends the shopper's page: its look, a session, and the findings its officers have published."""

from collections.abc import Sequence
from contextlib import AbstractContextManager
from typing import Final

from fastapi import Request
from sqlalchemy.orm import Session

from center.office import office_of
from center.pages.rendering import language_of, render
from center.pages.terms import kind_name
from enforcement.findings import published_for_lots
from traceability.pages import ShownFinding, pack_router


def _open_session(request: Request) -> AbstractContextManager[Session]:
    return office_of(request).database.reading()


def _tenant_of(request: Request) -> str:
    return office_of(request).settings.tenant


def _findings_of(request: Request, session: Session, tenant: str, lot_ids: Sequence[str]) -> Sequence[ShownFinding]:
    language = language_of(request)
    return [
        ShownFinding(
            kind=kind_name(language, finding.kind),
            observed_at=finding.observed_at,
            published_at=finding.published_at,
            language=finding.language,
            result=finding.result,
            measure=finding.measure,
        )
        for finding in published_for_lots(session, tenant, lot_ids)
    ]


router: Final = pack_router(render=render, open_session=_open_session, tenant_of=_tenant_of, findings_of=_findings_of)
