"""What leads concern (plots, growers, cards, lots, grids): linked once, as the register stood at the sight."""

import hashlib
import json
from collections.abc import Iterable, Sequence
from dataclasses import asdict
from typing import Any, NamedTuple

from sqlalchemy.orm import Session

from enforcement.assignment import grid_links
from enforcement.leads import LeadLink, Sight, change_leads, sights_of
from traceability.editions import Register, register_of
from traceability.links import Link, links_for
from traceability.rows import insert_missing_rows


class _Links(NamedTuple):
    """What a view concerned at a time, and the name of exactly these links; None where there are none."""

    id: str | None
    links: Sequence[Link]

    @classmethod
    def of(cls, links: Sequence[Link]) -> "_Links":
        told = json.dumps([asdict(link) for link in links], sort_keys=True)
        return cls(hashlib.sha256(told.encode()).hexdigest() if links else None, links)


def link_leads(session: Session, tenant: str, lead_ids: Iterable[str]) -> None:
    """Link leads with what their cameras saw, as the register stood then. Call it after every fold.

    Links once made stay as they are, whatever the register says later; only when another camera or another time of
    the same incident becomes known are they made anew. Rows go in in order of their keys: two that insert the same
    ones in different orders would wait for each other on PostgreSQL.
    """
    sights = sights_of(session, tenant, lead_ids)
    moved = [sight for sight in sights if (sight.linked_for, sight.linked_camera) != (sight.at, sight.camera)]
    if not moved:
        return
    register = register_of(session, tenant)
    found = {sight.lead_id: _find(session, register, sight) for sight in moved}
    distinct = {each.id: each.links for each in found.values() if each.id is not None}
    insert_missing_rows(
        session, LeadLink, [row for key in sorted(distinct) for row in _rows(tenant, key, distinct[key])]
    )
    change_leads(
        session,
        tenant,
        {
            sight.lead_id: {
                "linked_for": sight.at,
                "linked_camera": sight.camera,
                "links_id": found[sight.lead_id].id,
            }
            for sight in moved
        },
    )


def _find(session: Session, register: Register, sight: Sight) -> _Links:
    def find() -> _Links:
        place = {"tenant": sight.tenant, "camera": sight.camera}
        return _Links.of((*links_for(session, **place, at=sight.at), *grid_links(session, **place, at=sight.at)))

    return register.recall(sight.at, ("links", sight.camera), find)


def _rows(tenant: str, links_id: str, links: Iterable[Link]) -> Iterable[dict[str, Any]]:
    return (
        {
            "tenant": tenant,
            "links_id": links_id,
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
