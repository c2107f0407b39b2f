"""Leads as cards: what a board or a list shows of each, gathered with one question per table."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select, tuple_
from sqlalchemy.orm import Session

from center.evidence.files import Announced
from center.pages.deadlines import deadline
from center.pages.terms import FOOTAGE, OBJECTS, PHASES, TASK_STATES, Toned, kind_name, name_of, toned
from center.words import Language
from enforcement.distrust import distrusted_among
from enforcement.leads import Lead, LeadLink, of_lead, sighted_at
from enforcement.task_records import Task
from traceability.cameras import Camera, CameraEntry, camera_at

HEADLINE_TARGETS = ("plot", "plant", "grid")


@dataclass(frozen=True, slots=True)
class Pictures:
    """The announced pictures of an incident; `is_here` of each says whether its bytes are."""

    sealed: Announced | None
    annotated: Announced | None

    @property
    def best(self) -> Announced | None:
        """What a card shows: the annotated picture once it is here, else the sealed one once it is here."""
        for picture in (self.annotated, self.sealed):
            if picture is not None and picture.is_here:
                return picture
        return None

    @property
    def are_deleted(self) -> bool:
        """Whether there were pictures and their term is over."""
        return self.sealed is not None and self.sealed.deleted_at is not None


@dataclass(frozen=True, slots=True)
class LeadView:
    """One lead in the visitor's language."""

    lead: Lead
    kind: str
    things: str
    phase: Toned
    footage: Toned
    camera: str
    place: str
    stand_in: str
    concerns: str
    pictures: Pictures
    task: Task | None
    state: Toned | None
    due: datetime | None
    due_for: str
    is_distrusted: bool


def newest_leads(
    session: Session, tenant: str, *, limit: int, before: datetime | None = None, camera: str = "", kind: str = ""
) -> Sequence[Lead]:
    """Leads by the time their incident began, the newest first."""
    rows = select(Lead).where(Lead.tenant == tenant)
    if before is not None:
        rows = rows.where(Lead.opened_at < before)
    if camera:
        rows = rows.where(Lead.camera == camera)
    if kind:
        rows = rows.where(Lead.kind == kind)
    return session.scalars(rows.order_by(Lead.opened_at.desc(), Lead.id.desc()).limit(limit)).all()


def view_leads(session: Session, language: Language, leads: Sequence[Lead]) -> list[LeadView]:
    """Everything a card says about each of these leads."""
    if not leads:
        return []
    tenant = leads[0].tenant
    tasks = _tasks(session, tenant, leads)
    concerns = _headlines(session, language, tenant, leads)
    pictures = pictures_of(session, tenant, leads)
    names = camera_names(session, language, tenant)
    distrusted = distrusted_among(session, tenant=tenant, lead_ids=[lead.id for lead in leads])
    views = []
    for lead in leads:
        entry = camera_at(session, tenant=tenant, camera=lead.camera, at=sighted_at(lead))
        task = tasks.get(lead.id)
        due, due_for = deadline(language, task) if task else (None, "")
        views.append(
            LeadView(
                lead=lead,
                kind=kind_name(language, lead.kind),
                things=things_of(language, lead),
                phase=toned(language, PHASES, lead.phase),
                footage=toned(language, FOOTAGE, lead.footage),
                camera=names.get(lead.camera, lead.camera),
                place=language.named(entry, "place") if entry else "",
                stand_in=stand_in(language, entry),
                concerns=concerns.get(lead.id, ""),
                pictures=pictures[lead.id],
                task=task,
                state=toned(language, TASK_STATES, task.state) if task else None,
                due=due,
                due_for=due_for,
                is_distrusted=lead.id in distrusted,
            )
        )
    return views


def things_of(language: Language, lead: Lead) -> str:
    """The classes of what was seen: `truck`, or `car, truck`."""
    classes = sorted({str(seen["class_name"]) for seen in lead.objects})
    return ", ".join(dict.fromkeys(name_of(language, OBJECTS, name) for name in classes))


def stand_in(language: Language, entry: CameraEntry | None) -> str:
    """What the register says where a camera only stands in for another; empty for a real one."""
    return language.named(entry, "stand_in") if entry else ""


def camera_names(session: Session, language: Language, tenant: str) -> Mapping[str, str]:
    """Every camera's name by its id."""
    cameras = session.scalars(select(Camera).where(Camera.tenant == tenant))
    return {camera.id: language.named(camera, "name") for camera in cameras}


def pictures_of(session: Session, tenant: str, leads: Iterable[Lead]) -> Mapping[str, Pictures]:
    """The first picture and the first annotated picture announced for each lead."""
    by_incident = {(lead.device, lead.incident): lead.id for lead in leads}
    rows = session.scalars(
        select(Announced)
        .where(Announced.tenant == tenant, tuple_(Announced.device, Announced.incident).in_(list(by_incident)))
        .order_by(Announced.announced_at, Announced.sha256)
    )
    found: dict[str, dict[str, Announced]] = {lead: {} for lead in by_incident.values()}
    for row in rows:
        found[by_incident[row.device, row.incident]].setdefault(row.role, row)
    return {lead: Pictures(roles.get("picture"), roles.get("annotated")) for lead, roles in found.items()}


def _tasks(session: Session, tenant: str, leads: Iterable[Lead]) -> Mapping[str, Task]:
    ids = [lead.id for lead in leads]
    rows = session.scalars(select(Task).where(Task.tenant == tenant, Task.lead_id.in_(ids)))
    return {task.lead_id: task for task in rows}


def _headlines(session: Session, language: Language, tenant: str, leads: Iterable[Lead]) -> Mapping[str, str]:
    ids = [lead.id for lead in leads]
    rows = session.execute(
        select(Lead.id, LeadLink)
        .join(LeadLink, of_lead())
        .where(Lead.tenant == tenant, Lead.id.in_(ids), LeadLink.target_kind.in_(HEADLINE_TARGETS))
        .order_by(LeadLink.number)
    )
    best: dict[str, LeadLink] = {}
    for lead_id, link in rows:
        held = best.get(lead_id)
        if held is None or _rank(link) < _rank(held):
            best[lead_id] = link
    return {lead: language.named(link, "name") for lead, link in best.items()}


def _rank(link: LeadLink) -> int:
    return HEADLINE_TARGETS.index(link.target_kind)
