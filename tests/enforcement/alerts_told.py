"""Facts of leads as an alert would tell them."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy.orm import Session

from enforcement.actors import Actor, Role
from enforcement.leads import Lead, LeadFacts
from enforcement.reviews import Verdict, review_lead
from enforcement.task_records import Task, task_by_id
from tests.enforcement.single_leads import fold_alert, link_lead, open_task
from tests.traceability.books import NOW, TENANT

OFFICER = Actor("officer-a", Role.OFFICER)
COLLEAGUE = Actor("officer-b", Role.OFFICER)
HEAD = Actor("head", Role.HEAD)
TECHNICIAN = Actor("tech", Role.TECHNICIAN)
PUBLIC = Actor("anybody", Role.PUBLIC)
LAWYER = Actor("lawyer", Role.LEGAL_REVIEWER)
ENGINEER = Actor("engineer", Role.TECHNICAL_REVIEWER)
FILES = ("b" * 64, "a" * 64)

PARKED = LeadFacts(
    tenant=TENANT,
    device="box-demo-01",
    incident="i1",
    revision=1,
    phase="opened",
    kind="street.illegal_parking",
    rule="parking",
    config_sha256="c" * 64,
    camera="cam-street-01",
    zone="no-parking",
    observed_at=NOW,
    opened_at=NOW,
    stream_ms=20_000,
    footage="recording",
    frame_width=768,
    frame_height=576,
    objects=({"class_name": "truck", "score_permille": 700, "box": {"x": 651, "y": 42, "width": 73, "height": 57}},),
    because={"clauses": [{"name": "standing_time", "measured": 20_100, "threshold": 20_000}]},
    model_name="yolov3_tiny",
    model_sha256="a" * 64,
    clock="synchronised",
    unobserved_ms=0,
    record_sha256="1" * 64,
)
INTRUSION = replace(PARKED, incident="i2", kind="garden.intrusion", camera="cam-garden-01", zone="plot", rule="grass")


def revision(number: int, phase: str, facts: LeadFacts = PARKED, **other: Any) -> LeadFacts:
    """A later alert of the same incident."""
    seen_at = NOW + timedelta(minutes=number)
    told = {"observed_at": seen_at, "record_sha256": f"{number:064x}", **other}
    return replace(facts, revision=number, phase=phase, **told)


def lead_of(session: Session, facts: LeadFacts = PARKED, at: datetime = NOW) -> Lead:
    """A stored and linked lead."""
    lead = fold_alert(session, facts, received_at=at).lead
    link_lead(session, lead)
    return lead


def task_of(session: Session, facts: LeadFacts = PARKED, at: datetime = NOW) -> Task:
    """A lead's task, just opened."""
    lead = lead_of(session, facts, at)
    open_task(session, lead, at=at)
    return task_by_id(session, tenant=facts.tenant, task_id=lead.id)


def say(
    session: Session,
    by: Actor,
    verdict: Verdict = Verdict.APPROVE,
    *,
    lead_id: str = "box-demo-01.i1",
    files: Sequence[str] = FILES,
    opinion: str = "画面真实、清晰、完整",
    grounds: str = "哈希与申报一致",
) -> None:
    """A reviewer's word."""
    review_lead(
        session,
        tenant=TENANT,
        lead_id=lead_id,
        verdict=verdict,
        opinion=opinion,
        grounds=grounds,
        files=files,
        by=by,
        at=NOW,
    )
