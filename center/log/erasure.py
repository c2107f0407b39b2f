"""Forgetting a person: what the log says of them falls silent, and the log itself stays as it was published.

Personal Information Protection Law, art. 47. What is deleted is the one row that says whose pseudonym it is, the
meanings (salt and body) of the leaves about looks that name it, and those looks themselves. The leaves stay, for they
tell nothing without their salts. The erasure is a leaf of its own, so that a meaning cannot go without a trace. What a
case rests on stays: other acts of custody, now under a pseudonym that leads to nobody, and what the law wants kept with
an officer's name (task histories, reviews, findings).
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from alerts.leaves import LeafKind
from alerts.ranges import Run, runs_of
from center.errors import UnknownPerson
from center.evidence.custody import LOOKS, CustodyEvent
from center.log.appending import enter, hold_head
from center.log.pseudonyms import Named, find_pseudonym, forget
from center.log.records import LogOpening

SPANS_EACH: Final = 5000


@dataclass(frozen=True, slots=True)
class Erased:
    """How much was erased: leaves that fell silent, and events that went with them."""

    leaves: int
    events: int


def erase_person(session: Session, *, tenant: str, user_id: str, ground: str, at: datetime) -> Erased:
    """Make the log forget this person, whether or not the account still exists; `ground` says why, for the record.

    The head is held from the beginning, so that no look comes in between what is counted and what is deleted.
    Raises UnknownPerson where the log does not know them (any more).
    """
    hold_head(session, tenant)
    person = find_pseudonym(session, tenant=tenant, kind=Named.PERSON, subject=user_id)
    if person is None:
        raise UnknownPerson(f"the log knows nobody named {user_id!r}: nothing was erased")
    looks = (CustodyEvent.tenant == tenant, CustodyEvent.person == person, CustodyEvent.act.in_(LOOKS))
    own = (
        LogOpening.tenant == tenant,
        LogOpening.kind == LeafKind.CUSTODY.value,
        LogOpening.reference.in_(select(CustodyEvent.id).where(*looks)),
    )
    numbers = session.scalars(select(LogOpening.number).where(*own).order_by(LogOpening.number)).all()
    for number, spans in enumerate(_portions(tuple(runs_of(numbers)))):
        fields = {"ground": ground, "leaves": [[*span] for span in spans], "part": number + 1}
        enter(session, tenant=tenant, kind=LeafKind.ERASURE, fields=fields, reference="", at=at)
    session.execute(delete(LogOpening).where(*own), execution_options={"synchronize_session": False})
    gone = session.execute(delete(CustodyEvent).where(*looks).returning(CustodyEvent.id)).all()
    forget(session, tenant=tenant, kind=Named.PERSON, subject=user_id)
    return Erased(len(numbers), len(gone))


def _portions(spans: Sequence[Run]) -> Iterable[Sequence[Run]]:
    return (spans[start : start + SPANS_EACH] for start in range(0, max(len(spans), 1), SPANS_EACH))
