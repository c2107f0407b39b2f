"""GET /api/v1/health: whether the centre works, for whoever watches over it."""

from typing import Final, Literal

from fastapi import Request, Response
from pydantic import BaseModel
from sqlalchemy import text
from sqlalchemy.exc import DatabaseError

from center.api.security import open_router
from center.office import Office, office_of

router: Final = open_router("health")
TOLD_ONLY: Final = ("clock", "log")
"""What somebody has to look at while the centre goes on."""


class Health(BaseModel):
    """Which parts work. `intake` is false while messages cannot be stored, `evidence` while files cannot.

    `clock` is false while somebody has to look at the clock, which leapt: `teawatch center clock` says more. `log` is
    false if the centre recomputed its log and it did not hold: `teawatch center log verify` says more.
    """

    status: Literal["ok", "trouble"]
    database: bool
    broker: bool
    subscriber: bool
    intake: bool
    evidence: bool
    clock: bool
    log: bool


@router.get("/health", responses={503: {"model": Health, "description": "a part does not work"}})
def read_health(request: Request, response: Response) -> Health:
    """200 while everything works, 503 otherwise; what stops nothing is told only."""
    office = office_of(request)
    mqtt = office.works.health
    parts = {
        "database": _database_answers(office),
        "broker": mqtt.broker,
        "subscriber": mqtt.subscriber,
        "intake": not office.desk.trouble,
        "evidence": not office.evidence.trouble,
        "clock": office.timekeeper.doubt is None,
        "log": office.self_check.holds,
    }
    response.status_code = 200 if all(works for part, works in parts.items() if part not in TOLD_ONLY) else 503
    return Health(status="ok" if all(parts.values()) else "trouble", **parts)


def _database_answers(office: Office) -> bool:
    try:
        with office.database.reading() as session:
            session.execute(text("SELECT 1"))
    except DatabaseError:
        return False
    return True
