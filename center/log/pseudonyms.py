"""Random names that stand in the log for people and boxes, and the one table that says for whom."""

import secrets
from collections.abc import Iterable
from contextlib import suppress
from enum import StrEnum
from typing import Final

from sqlalchemy import bindparam, delete, event, insert, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from center.log.records import Pseudonym
from traceability.rows import read_rows

RANDOM_BYTES = 8
_HELD = "teawatch_pseudonyms"
"""What a session has looked up it remembers, so that a batch of records asks once for each box."""


class Named(StrEnum):
    """What a pseudonym stands for."""

    PERSON = "person"
    DEVICE = "device"


def pseudonym_of(session: Session, *, tenant: str, kind: Named, subject: str) -> str:
    """The pseudonym of this person or box, made when it is first asked for."""
    held: dict[tuple[str, str, str], str] | None = session.info.get(_HELD)
    if held is None:
        held = session.info[_HELD] = {}
        event.listen(session, "after_soft_rollback", lambda *_: held.clear())
    place = (tenant, kind.value, subject)
    if place not in held:
        held[place] = _find_or_make(session, *place)
    return held[place]


def _find_or_make(session: Session, tenant: str, kind: str, subject: str) -> str:
    known = session.get(Pseudonym, (tenant, kind, subject))
    if known is None:
        made = f"{kind[0]}-{secrets.token_hex(RANDOM_BYTES)}"
        with suppress(IntegrityError), session.begin_nested():  # two may ask for the first time at once
            session.execute(insert(Pseudonym).values(tenant=tenant, kind=kind, subject=subject, pseudonym=made))
        known = session.get_one(Pseudonym, (tenant, kind, subject))
    return known.pseudonym


def pseudonyms_of(session: Session, *, tenant: str, kind: Named, subjects: Iterable[str]) -> dict[str, str]:
    """The pseudonyms of many at once."""
    wanted = set(subjects)
    rows = read_rows(session, _PSEUDONYMS, {"tenant": tenant, "kind": kind.value, "subjects": sorted(wanted)})
    known: dict[str, str] = {row.subject: row.pseudonym for row in rows}
    new = sorted(wanted - known.keys())
    return known | {subject: pseudonym_of(session, tenant=tenant, kind=kind, subject=subject) for subject in new}


_PSEUDONYMS: Final = select(Pseudonym.subject, Pseudonym.pseudonym).where(
    Pseudonym.tenant == bindparam("tenant"),
    Pseudonym.kind == bindparam("kind"),
    Pseudonym.subject.in_(bindparam("subjects", expanding=True)),
)


def find_pseudonym(session: Session, *, tenant: str, kind: Named, subject: str) -> str | None:
    """The pseudonym, if there is one."""
    known = session.get(Pseudonym, (tenant, kind.value, subject))
    return known.pseudonym if known is not None else None


def subject_of(session: Session, *, tenant: str, pseudonym: str) -> str | None:
    """Whom a pseudonym stands for; None once that was erased."""
    rows = select(Pseudonym.subject).where(Pseudonym.tenant == tenant, Pseudonym.pseudonym == pseudonym)
    return session.scalars(rows).first()


def forget(session: Session, *, tenant: str, kind: Named, subject: str) -> None:
    """Cut the thread between subject and pseudonym."""
    own = (Pseudonym.tenant == tenant, Pseudonym.kind == kind.value, Pseudonym.subject == subject)
    session.execute(delete(Pseudonym).where(*own))
    session.info.get(_HELD, {}).clear()
