"""The panel of one task: where it stands, what this person may do now, what was done so far, what was found."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy.orm import Session

from center.accounts.people import Person, officers_of
from center.pages.deadlines import deadline
from center.pages.doubts import lacks_in_words
from center.pages.terms import FINDING_STATES, GRID_LEVELS, HISTORY, MOVES, ROLES, TASK_STATES, Toned, name_of, toned
from center.words import N_, Language
from enforcement.actors import Role
from enforcement.errors import (
    EnforcementError,
    IllegalMove,
    NotAllowed,
    NotAnOfficer,
    NoteMissing,
    NotEvidence,
    PersonalData,
    SamePerson,
    StaleTask,
)
from enforcement.finding_records import Finding, findings_of
from enforcement.findings import REVIEWABLE, REVIEWERS
from enforcement.grids import Grid
from enforcement.leads import Lead
from enforcement.penalties import Proposal, proposal_of
from enforcement.reviews import lacks_of
from enforcement.task_records import FINISHED, Task, TaskEvent, history_of
from enforcement.transitions import Move, State, moves_open_to


@dataclass(frozen=True, slots=True)
class MoveView:
    """A button: the move, its word, whether it cannot do without a reason, and what stands against it now."""

    move: str
    name: str
    needs_note: bool
    bars: Sequence[str]


@dataclass(frozen=True, slots=True)
class Step:
    """A line of the history: what happened, who did it when, and their words."""

    at: datetime
    name: str
    who: str
    note: str = ""


@dataclass(frozen=True, slots=True)
class FindingView:
    """A finding with the words for its state and what may be done with it."""

    finding: Finding
    state: Toned


@dataclass(frozen=True, slots=True)
class ProposalView:
    """A proposed penalty, and why it cannot go on, if so."""

    proposal: Proposal
    bars: Sequence[str]


@dataclass(frozen=True, slots=True)
class TaskPanel:
    """Everything the panel shows to one person. `due` is the deadline that counts now, None where none does."""

    task: Task
    state: Toned
    due: datetime | None
    due_for: str
    assigned: str
    straight: MoveView | None
    reasoned: Sequence[MoveView]
    steps: Sequence[Step]
    findings: Sequence[FindingView]
    proposal: ProposalView | None
    may_review: bool
    may_publish: bool
    officers: Sequence[str]


ASSIGNMENTS: Mapping[str, str] = {
    "grid_officer": N_("responsible for %(grid)s (%(level)s)"),
    "grid_without_officer": N_("%(grid)s (%(level)s) has no officer: in the county's pool"),
    "no_grid": N_("no grid covers the place: in the county's pool"),
    "camera_not_registered": N_("the camera was not in the register: in the county's pool"),
}


NO_BASIS = N_("No penalty may rest on this lead (Administrative Penalty Law, art. 41). Nothing was changed.")

TROUBLE: Mapping[type[EnforcementError], str] = {
    StaleTask: N_("Somebody else moved this task in the meantime. Nothing was changed: look again."),
    IllegalMove: N_("That is not possible in the task's present state. Nothing was changed."),
    NoteMissing: N_("Please say why, in a few words. Nothing was changed."),
    PersonalData: N_("The text holds a long number that may be a person's. Write it down anew without it."),
    NotAnOfficer: N_("Nobody of this name may handle tasks. Nothing was changed."),
    NotAllowed: N_("Your role may not do this. Nothing was changed."),
    SamePerson: N_("Who reviewed the lead takes no step of its penalty. Nothing was changed."),
}


def panel_of(session: Session, language: Language, person: Person, task: Task) -> TaskPanel:
    """The panel of a task for this person."""
    state = State(task.state)
    bars = lacks_in_words(language, lacks_of(session, session.get_one(Lead, (task.tenant, task.lead_id))))
    moves = [
        MoveView(
            row.move.value,
            name_of(language, MOVES, row.move.value),
            row.needs_note,
            bars if row.needs_evidence else (),
        )
        for row in moves_open_to(state, person.role)
    ]
    proposal = proposal_of(session, task)
    handles = person.role in REVIEWERS
    findings = findings_of(session, tenant=task.tenant, lead_id=task.lead_id)
    due, due_for = deadline(language, task)
    return TaskPanel(
        task=task,
        state=toned(language, TASK_STATES, task.state),
        due=due,
        due_for=due_for,
        assigned=_assignment(session, language, task),
        straight=next((move for move in moves if not move.needs_note), None),
        reasoned=[move for move in moves if move.needs_note],
        steps=_timeline(language, history_of(session, tenant=task.tenant, task_id=task.id), findings),
        findings=[FindingView(finding, toned(language, FINDING_STATES, finding.status)) for finding in findings],
        proposal=ProposalView(proposal, bars) if proposal else None,
        may_review=handles and state in REVIEWABLE,
        may_publish=handles and state in REVIEWABLE,
        officers=officers_of(session, task.tenant) if person.role is Role.HEAD and state not in FINISHED else (),
    )


def trouble_in_words(language: Language, error: EnforcementError) -> str:
    """What went wrong, said to the person who tried."""
    if isinstance(error, NotEvidence):
        return " ".join([language.gettext(NO_BASIS), *lacks_in_words(language, error.lacks)])
    said = next((words for kind, words in TROUBLE.items() if isinstance(error, kind)), None)
    return language.gettext(said or N_("That did not work. Nothing was changed."))


def read_move(text: str) -> Move | None:
    """The move of that name."""
    return Move(text) if text in {move.value for move in Move} else None


def _timeline(language: Language, events: Iterable[TaskEvent], findings: Iterable[Finding]) -> list[Step]:
    """The task's own history and what became of its findings, oldest first."""
    steps = [_step(language, event) for event in events]
    steps += [step for finding in findings for step in _steps_of_finding(language, finding)]
    return sorted(steps, key=lambda step: step.at)


def _step(language: Language, event: TaskEvent) -> Step:
    by_system = event.by_role == Role.SYSTEM
    role = name_of(language, ROLES, event.by_role)
    who = role if by_system else f"{event.by_user} · {role}"
    return Step(event.at, name_of(language, HISTORY, event.move), who, event.note)


def _steps_of_finding(language: Language, finding: Finding) -> Iterator[Step]:
    """Draft, publication and withdrawal, as far as it has come."""
    yield Step(finding.reviewed_at, language.gettext("Finding written down as a draft"), finding.reviewed_by)
    if finding.published_at and finding.published_by:
        yield Step(finding.published_at, language.gettext("Finding published to shoppers"), finding.published_by)
    if finding.withdrawn_at and finding.withdrawn_by:
        words = language.gettext("Finding withdrawn")
        yield Step(finding.withdrawn_at, words, finding.withdrawn_by, finding.withdrawal_reason or "")


def _assignment(session: Session, language: Language, task: Task) -> str:
    sentence = ASSIGNMENTS.get(task.assignment_reason)
    if sentence is None:
        return task.assignment_reason
    said = {key: str(value) for key, value in task.assignment_params.items()}
    if "grid" in said:
        grid = session.get(Grid, (task.tenant, said["grid"]))
        said["grid"] = language.named(grid, "name") if grid else said["grid"]
    if "level" in said:
        said["level"] = name_of(language, GRID_LEVELS, said["level"])
    return language.say(sentence, **said)
