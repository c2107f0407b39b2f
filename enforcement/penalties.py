"""Penalties (行政处罚), as far as they go here: one is proposed, then withdrawn, or handed over by the head.

The steps are moves of the lead's task (`transitions`); each asks again for evidence, for reviewers may take their word
back and keys may turn out to have been in wrong hands after a proposal was made. What follows, from filing the case to
the decision (Administrative Penalty Law 2021, art. 54 to 62), is not done here.
"""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy.orm import Session

from enforcement.leads import Lead
from enforcement.reviews import Lack, lacks_of
from enforcement.task_records import Task, history_of
from enforcement.transitions import Move


@dataclass(frozen=True, slots=True)
class Proposal:
    """That a penalty be imposed, proposed by whom, when and why; `lacks` is what it no longer rests on by now."""

    by_user: str
    by_role: str
    at: datetime
    reason: str
    lacks: tuple[Lack, ...]

    @property
    def stands(self) -> bool:
        """Whether the lead is evidence still."""
        return not self.lacks


def proposal_of(session: Session, task: Task) -> Proposal | None:
    """The proposal that was made and not withdrawn since, if any."""
    made = None
    for line in history_of(session, tenant=task.tenant, task_id=task.id):
        if line.move == Move.PROPOSE_PENALTY:
            made = line
        elif line.move in (Move.WITHDRAW_PROPOSAL, Move.REOPEN):
            made = None
    if made is None:
        return None
    lacks = lacks_of(session, session.get_one(Lead, (task.tenant, task.lead_id)))
    return Proposal(made.by_user, made.by_role, made.at, made.note, lacks)
