r"""How a task may move: this table is the rule, the check and the documentation.

opened -> acknowledged -> started -> rectified -> closed
\___________|____________|-> false_alarm
started, rectified -> penalty_proposed -> closed, handed over by the head; or back to started
rectified, closed, false_alarm -> opened again, by the head
"""

from dataclasses import dataclass
from enum import StrEnum

from enforcement.actors import Role


class State(StrEnum):
    """Where the checking of a lead (核实线索) stands."""

    OPENED = "opened"
    ACKNOWLEDGED = "acknowledged"
    STARTED = "started"
    RECTIFIED = "rectified"
    CLOSED = "closed"
    FALSE_ALARM = "false_alarm"
    PENALTY_PROPOSED = "penalty_proposed"


class Move(StrEnum):
    """What a person can do with a task."""

    ACKNOWLEDGE = "acknowledge"
    START = "start"
    RECTIFY = "rectify"
    CLOSE = "close"
    FALSE_ALARM = "false_alarm"
    REOPEN = "reopen"
    PROPOSE_PENALTY = "propose_penalty"
    WITHDRAW_PROPOSAL = "withdraw_proposal"
    HAND_OVER = "hand_over"


@dataclass(frozen=True, slots=True)
class Transition:
    """One legal move: from which states, to which, for whom, and whether it needs a reason in words.

    `needs_evidence` marks the steps of a penalty: a lead that is no evidence is no basis for them
    (`reviews.require_evidence`).
    """

    move: Move
    from_states: tuple[State, ...]
    to_state: State
    roles: tuple[Role, ...]
    needs_note: bool
    needs_evidence: bool = False


_OFFICERS = (Role.OFFICER, Role.HEAD)

TRANSITIONS: tuple[Transition, ...] = (
    Transition(Move.ACKNOWLEDGE, (State.OPENED,), State.ACKNOWLEDGED, _OFFICERS, needs_note=False),
    Transition(Move.START, (State.ACKNOWLEDGED,), State.STARTED, _OFFICERS, needs_note=False),
    Transition(Move.RECTIFY, (State.STARTED,), State.RECTIFIED, _OFFICERS, needs_note=False),
    Transition(Move.CLOSE, (State.RECTIFIED,), State.CLOSED, _OFFICERS, needs_note=False),
    Transition(
        Move.FALSE_ALARM,
        (State.OPENED, State.ACKNOWLEDGED, State.STARTED),
        State.FALSE_ALARM,
        _OFFICERS,
        needs_note=True,
    ),
    Transition(
        Move.REOPEN,
        (State.RECTIFIED, State.CLOSED, State.FALSE_ALARM),
        State.OPENED,
        (Role.HEAD,),
        needs_note=True,
    ),
    Transition(
        Move.PROPOSE_PENALTY,
        (State.STARTED, State.RECTIFIED),
        State.PENALTY_PROPOSED,
        _OFFICERS,
        needs_note=True,
        needs_evidence=True,
    ),
    Transition(Move.WITHDRAW_PROPOSAL, (State.PENALTY_PROPOSED,), State.STARTED, _OFFICERS, needs_note=True),
    Transition(
        Move.HAND_OVER,
        (State.PENALTY_PROPOSED,),
        State.CLOSED,
        (Role.HEAD,),
        needs_note=True,
        needs_evidence=True,
    ),
)


def transition_of(move: Move) -> Transition:
    """The table's row of a move."""
    return next(row for row in TRANSITIONS if row.move is move)


def moves_open_to(state: State, role: Role) -> tuple[Transition, ...]:
    """What a person in this role may do now: the buttons a page shows."""
    return tuple(row for row in TRANSITIONS if state in row.from_states and role in row.roles)
