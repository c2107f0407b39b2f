"""What leads concern (plots, growers, cards, lots, grids): linked once, as the register stood at the sight."""

from collections.abc import Iterable
from typing import Any

from sqlalchemy import delete
from sqlalchemy.orm import Session

from enforcement.assignment import grid_links
from enforcement.leads import LeadLink, Sight, change_leads, sights_of
from traceability.editions import Register, register_of
from traceability.links import Link, links_for
from traceability.rows import insert_rows


def link_leads(session: Session, tenant: str, lead_ids: Iterable[str]) -> None:
    """Link leads with what their cameras saw, as the register stood then. Call it after every fold.

    Links once made stay as they are, whatever the register says later; only when another camera or another time of
    the same incident becomes known are they made anew.
    """
    sights = sights_of(session, tenant, lead_ids)
    moved = [sight for sight in sights if (sight.linked_for, sight.linked_camera) != (sight.at, sight.camera)]
    if not moved:
        return
    again = [sight.lead_id for sight in moved if sight.linked_for is not None]
    if again:
        session.execute(delete(LeadLink).where(LeadLink.tenant == tenant, LeadLink.lead_id.in_(again)))
    register = register_of(session, tenant)
    insert_rows(session, LeadLink, [row for sight in moved for row in _rows(sight, _links(session, register, sight))])
    change_leads(
        session, tenant, {sight.lead_id: {"linked_for": sight.at, "linked_camera": sight.camera} for sight in moved}
    )


def _links(session: Session, register: Register, sight: Sight) -> tuple[Link, ...]:
    def find() -> tuple[Link, ...]:
        place = {"tenant": sight.tenant, "camera": sight.camera}
        return (*links_for(session, **place, at=sight.at), *grid_links(session, **place, at=sight.at))

    return register.recall(sight.at, ("links", sight.camera), find)


def _rows(sight: Sight, links: Iterable[Link]) -> Iterable[dict[str, Any]]:
    return (
        {
            "tenant": sight.tenant,
            "lead_id": sight.lead_id,
            "number": number,
            "target_kind": link.target_kind.value,
            "target_id": link.target_id,
            "name_zh": link.name_zh,
            "name_en": link.name_en,
            "reason_key": link.reason_key.value,
            "params": link.params,
        }
        for number, link in enumerate(links, start=1)
    )
