"""What leads concern (plots, growers, cards, lots, grids): linked once, as the register stood at the sight."""

import hashlib
import json
from collections.abc import Iterable, Sequence
from dataclasses import asdict
from typing import Any, NamedTuple

from sqlalchemy import event
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


def first_links(session: Session, tenant: str, sights: Sequence[Sight]) -> list[dict[str, Any]]:
    """The columns that link new leads with what their cameras saw, as the register stood then, in the same order."""
    if not sights:
        return []
    register = register_of(session, tenant)
    found = [_find(session, register, sight) for sight in sights]
    _keep(session, tenant, register, found)
    return [_columns(sight, links) for sight, links in zip(sights, found, strict=True)]


def link_leads(session: Session, tenant: str, lead_ids: Iterable[str]) -> None:
    """Link leads again, after a fold that may have changed what they are about.

    Links once made stay as they are, whatever the register says later; only when another camera or another time of
    the same incident becomes known are they made anew.
    """
    sights = sights_of(session, tenant, lead_ids)
    moved = [sight for sight in sights if (sight.linked_for, sight.linked_camera) != (sight.at, sight.camera)]
    if not moved:
        return
    register = register_of(session, tenant)
    found = {sight.lead_id: _find(session, register, sight) for sight in moved}
    _keep(session, tenant, register, found.values())
    change_leads(session, tenant, {sight.lead_id: _columns(sight, found[sight.lead_id]) for sight in moved})


def _columns(sight: Sight, links: _Links) -> dict[str, Any]:
    return {"linked_for": sight.at, "linked_camera": sight.camera, "links_id": links.id}


def _keep(session: Session, tenant: str, register: Register, found: Iterable[_Links]) -> None:
    """Have the rows of these links in the database, where they stay once they are committed.

    In order of their keys: two that insert the same ones in different orders would wait for each other on PostgreSQL.
    """
    distinct = {each.id: each.links for each in found if each.id is not None and each.id not in register.kept_links}
    insert_missing_rows(
        session, LeadLink, [row for key in sorted(distinct) for row in _rows(tenant, key, distinct[key])]
    )
    if distinct and not session.in_nested_transaction():  # a savepoint may be rolled back, and the rest committed

        def committed(session: Session) -> None:
            if not session.in_nested_transaction():  # a savepoint after this was released: that is no commit
                register.kept_links.update(distinct)

        event.listen(session, "after_commit", committed)


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
