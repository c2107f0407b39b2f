"""Leads with files that may be deleted one day."""

import hashlib

from sqlalchemy import text

from alerts.messages import Phase
from enforcement.actors import Actor, Role
from enforcement.tasks import move_task
from enforcement.transitions import Move
from tests.center.stage import BOX, TENANT, Box, Stage, make_alert, make_artefact, make_evidence

PICTURE, CLIP = b"a sealed picture", b"a clip"
LEAD = f"{BOX}.i-1"
OFFICER, HEAD = Actor("officer-a", Role.OFFICER), Actor("head", Role.HEAD)


def see(stage: Stage, box: Box, incident: str = "i-1", *files: bytes, phase: Phase = Phase.CLOSED) -> None:
    """An incident with a picture and a clip, whose bytes are here."""
    picture, clip = files or (PICTURE, CLIP)
    stage.hear(box.write(make_alert(incident=incident, evidence=(make_artefact(picture),))).raw)
    stage.hear(box.write(make_evidence(make_artefact(clip, "clip"), incident=incident)).raw)
    if phase is Phase.CLOSED:
        stage.hear(box.write(make_alert(2, Phase.CLOSED, incident=incident)).raw)
    for data in (picture, clip):
        bring(stage, data)


def bring(stage: Stage, data: bytes) -> None:
    sha256 = stage.office.evidence.put(data)
    with stage.office.database.writing() as session:
        session.execute(
            text("UPDATE announced_file SET arrived_at = :at WHERE sha256 = :sha256 AND deleted_at IS NULL"),
            {"at": stage.clock().replace(tzinfo=None), "sha256": sha256},
        )


def move(stage: Stage, *moves: Move, lead: str = LEAD, by: Actor = OFFICER) -> None:
    for each in moves:
        with stage.office.database.writing() as session:
            move_task(session, tenant=TENANT, task_id=lead, move=each, by=by, at=stage.clock(), note="because")


def finish(stage: Stage, lead: str = LEAD) -> None:
    move(stage, Move.ACKNOWLEDGE, Move.START, Move.RECTIFY, Move.CLOSE, lead=lead)


def delete(stage: Stage) -> set[bytes]:
    """What is still there after a run."""
    stage.office.disposal.run(stage.clock())
    return {data for data in (PICTURE, CLIP) if stage.office.evidence.has(hashlib.sha256(data).hexdigest())}
