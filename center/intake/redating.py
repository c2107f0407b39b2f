"""Leads of a box without a time server are dated anew when more is known of the boot in which they were recorded.

What came before anybody could say when that boot was is dated by its arrival; once the box has spoken, or a time server
has set its clock, its monotonic clock tells. What is sealed stays as it is: these times are the centre's own.
"""

from datetime import datetime
from typing import Any, Final

from sqlalchemy import select
from sqlalchemy.orm import Session

from alerts.messages import Phase
from center.boxes.bootclocks import MATTERS, BootClock, find_boot_clocks
from center.handlers import route
from center.intake.conversion import is_credible, reckon
from enforcement.events import LeadUpdated
from enforcement.leads import Lead, TimeSource, change_leads

DATED: Final = (
    Lead.id,
    Lead.revision,
    Lead.phase,
    Lead.opened_at,
    Lead.observed_at,
    Lead.box_opened_at,
    Lead.box_observed_at,
    Lead.time_source,
    Lead.boot_ms,
    Lead.received_at,
)


def redate_leads(session: Session, *, tenant: str, device: str, boot: str, at: datetime) -> None:
    """Reckon the times of this boot's leads from what is known of it by now; those that change are linked anew."""
    known = find_boot_clocks(session, tenant, [(device, boot)]).get((device, boot))
    if known is None:
        return
    own = (Lead.tenant == tenant, Lead.device == device, Lead.boot == boot, Lead.time_source != TimeSource.BOX.value)
    changes: dict[str, dict[str, Any]] = {}
    happened: list[LeadUpdated] = []
    for lead in session.execute(select(*DATED).where(*own).order_by(Lead.id).with_for_update()):
        columns = _dated_anew(lead, known, at)
        if columns is not None:
            changes[lead.id] = columns
            happened.append(LeadUpdated(tenant, at, lead.id, lead.revision))
    change_leads(session, tenant, changes)
    route(session, happened)


def _dated_anew(lead: Any, known: BootClock, at: datetime) -> dict[str, Any] | None:  # noqa: ANN401 - a row of `DATED`
    """The columns that change, or None where nothing that matters does."""
    reckoned = known.reckon(lead.boot_ms)
    if reckoned is None or not is_credible(reckoned.at, at):
        return None
    box_opened_at, box_observed_at = lead.box_opened_at or lead.opened_at, lead.box_observed_at or lead.observed_at
    opened_at, observed_at = reckon(reckoned, box_opened_at, box_observed_at, boot_ms=lead.boot_ms, received_at=at)
    if lead.time_source == reckoned.source and abs(observed_at - lead.observed_at) < MATTERS:
        return None
    return {
        "opened_at": min(opened_at, lead.received_at),
        "observed_at": observed_at,
        "closed_at": observed_at if lead.phase == Phase.CLOSED else None,
        "time_source": reckoned.source.value,
        "box_opened_at": box_opened_at,
        "box_observed_at": box_observed_at,
    }
