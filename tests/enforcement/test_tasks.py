"""Tasks move along the table and no other way; the history keeps every step."""

from collections.abc import Callable
from datetime import datetime, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import delete, text
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from enforcement.actors import Actor, Role
from enforcement.errors import Conflict, EnforcementError, IllegalMove, NotAllowed, NoteMissing, StaleTask, Unknown
from enforcement.events import TaskMoved, TaskOpened
from enforcement.policy import ResponsePolicy, WorkingWeek
from enforcement.task_records import Task, history_of, task_by_id
from enforcement.tasks import assign_task, move_task
from enforcement.transitions import TRANSITIONS, Move, State, moves_open_to
from tests.enforcement.alerts_told import (
    COLLEAGUE,
    ENGINEER,
    HEAD,
    INTRUSION,
    LAWYER,
    OFFICER,
    PARKED,
    PUBLIC,
    TECHNICIAN,
    lead_of,
    revision,
    say,
    task_of,
)
from tests.enforcement.single_leads import fold_alert, note_incident, open_task
from tests.traceability.books import NOW, TENANT, demo_books
from traceability.periods import succeed

LATER = NOW + timedelta(hours=1)
PATHS: dict[State, tuple[Move, ...]] = {
    State.OPENED: (),
    State.ACKNOWLEDGED: (Move.ACKNOWLEDGE,),
    State.STARTED: (Move.ACKNOWLEDGE, Move.START),
    State.RECTIFIED: (Move.ACKNOWLEDGE, Move.START, Move.RECTIFY),
    State.CLOSED: (Move.ACKNOWLEDGE, Move.START, Move.RECTIFY, Move.CLOSE),
    State.FALSE_ALARM: (Move.FALSE_ALARM,),
    State.PENALTY_PROPOSED: (Move.ACKNOWLEDGE, Move.START, Move.PROPOSE_PENALTY),
}
LEGAL = {(state, row.move, role) for row in TRANSITIONS for state in row.from_states for role in row.roles}


def move(session: Session, task: Task, what: Move, by: Actor = OFFICER, **other: object) -> TaskMoved:
    told = {"note": "因为", "at": LATER, **other}
    return move_task(session, tenant=TENANT, task_id=task.id, move=what, by=by, **told)  # type: ignore[arg-type]


def reviewed_task(session: Session) -> Task:
    """Of a lead that is evidence, so that no move fails for want of that."""
    task = task_of(session)
    say(session, LAWYER)
    say(session, ENGINEER)
    return task


def brought_to(session: Session, state: State) -> Task:
    task = reviewed_task(session)
    for step in PATHS[state]:
        move(session, task, step)
    return task


def seen(session: Session, task: Task) -> tuple[object, ...]:
    session.expire_all()
    fresh = task_by_id(session, tenant=TENANT, task_id=task.id)
    columns = tuple(getattr(fresh, column.key) for column in Task.__table__.columns)
    return columns, len(history_of(session, tenant=TENANT, task_id=task.id))


def test_a_lead_has_exactly_one_task(county: Session) -> None:
    lead = lead_of(county)
    opened = open_task(county, lead, at=NOW)
    assert opened == TaskOpened(TENANT, NOW, lead.id, lead.id, "officer-a")
    county.add(
        Task(
            **{
                column.key: getattr(task_by_id(county, tenant=TENANT, task_id=lead.id), column.key)
                for column in Task.__table__.columns
            }
            | {"id": "second"}
        )
    )
    with pytest.raises(IntegrityError):
        county.flush()


def test_a_new_task_says_whose_it_is_and_why(county: Session) -> None:
    task = task_of(county)
    assert (task.state, task.version, task.officer, task.grid_id) == ("opened", 1, "officer-a", "street-tea-01")
    assert task.assignment_reason == "grid_officer"
    (line,) = history_of(county, tenant=TENANT, task_id=task.id)
    assert (line.move, line.by_user, line.by_role, line.at) == ("open", "system", "system", NOW)


@pytest.mark.parametrize("state", State)
@pytest.mark.parametrize("what", Move)
@pytest.mark.parametrize("by", [OFFICER, HEAD, TECHNICIAN, PUBLIC], ids=lambda actor: actor.role.value)
def test_exactly_the_moves_of_the_table_are_possible(county: Session, state: State, what: Move, by: Actor) -> None:
    task = brought_to(county, state)
    before = seen(county, task)
    if (state, what, by.role) in LEGAL:
        told = move(county, task, what, by)
        assert (told.from_state, told.to_state) == (
            state.value,
            task_by_id(county, tenant=TENANT, task_id=task.id).state,
        )
        assert what in {row.move for row in moves_open_to(state, by.role)}
    else:
        with pytest.raises((IllegalMove, NotAllowed)):
            move(county, task, what, by)
        assert seen(county, task) == before
        assert what not in {row.move for row in moves_open_to(state, by.role)}


def test_an_illegal_move_says_what_is_and_what_would_be_needed(county: Session) -> None:
    with pytest.raises(IllegalMove, match=r"is opened; rectify is for started"):
        move(county, task_of(county), Move.RECTIFY)


@pytest.mark.parametrize("what", [row.move for row in TRANSITIONS if row.needs_note])
@pytest.mark.parametrize("note", ["", "  \n"])
def test_a_move_that_needs_a_reason_is_not_made_without_one(county: Session, what: Move, note: str) -> None:
    state = next(row.from_states[-1] for row in TRANSITIONS if row.move is what)
    task = brought_to(county, state)
    before = seen(county, task)
    with pytest.raises(NoteMissing):
        move(county, task, what, HEAD, note=note)
    assert seen(county, task) == before


def test_every_step_is_in_the_history_with_who_when_and_what_was_said(county: Session) -> None:
    task = task_of(county)
    for number, what in enumerate(PATHS[State.CLOSED], start=1):
        move(county, task, what, COLLEAGUE, at=NOW + timedelta(minutes=number), note=f" {what.value} ")
    lines = history_of(county, tenant=TENANT, task_id=task.id)
    assert [line.number for line in lines] == [1, 2, 3, 4, 5]
    assert [(line.by_user, line.note) for line in lines[1:]] == [
        ("officer-b", what.value) for what in PATHS[State.CLOSED]
    ]
    assert [(line.from_state, line.to_state) for line in lines[1:]] == [
        ("opened", "acknowledged"),
        ("acknowledged", "started"),
        ("started", "rectified"),
        ("rectified", "closed"),
    ]


@pytest.mark.parametrize("statement", ["UPDATE task_event SET note = 'never'", "DELETE FROM task_event"])
def test_the_history_cannot_be_rewritten(county: Session, statement: str) -> None:
    task_of(county)
    with pytest.raises(IntegrityError, match="append-only"):
        county.execute(text(statement))


def test_a_click_on_an_old_page_changes_nothing(county: Session) -> None:
    task = task_of(county)
    move(county, task, Move.ACKNOWLEDGE, expected_version=1)
    before = seen(county, task)
    with pytest.raises(StaleTask, match="is acknowledged by now"):
        move(county, task, Move.FALSE_ALARM, expected_version=1)
    assert seen(county, task) == before
    move(county, task, Move.START, expected_version=2)


def test_an_unknown_task_is_said_to_be_unknown(county: Session) -> None:
    with pytest.raises(Unknown, match="no task 'nothing'"):
        move_task(county, tenant=TENANT, task_id="nothing", move=Move.START, by=OFFICER, at=NOW)


def test_another_tenants_task_is_unknown(county: Session) -> None:
    task = task_of(county)
    with pytest.raises(Unknown):
        move_task(county, tenant="other", task_id=task.id, move=Move.ACKNOWLEDGE, by=OFFICER, at=NOW)


def test_who_acknowledges_a_task_of_the_pool_takes_it(county: Session) -> None:
    task = task_of(county, revision(1, "opened", camera="cam-unknown"))
    assert (task.officer, task.assignment_reason) == (None, "camera_not_registered")
    move(county, task, Move.ACKNOWLEDGE, COLLEAGUE)
    assert task_by_id(county, tenant=TENANT, task_id=task.id).officer == "officer-b"


def test_a_colleague_who_helps_out_does_not_take_the_task_away(county: Session) -> None:
    task = task_of(county)
    move(county, task, Move.ACKNOWLEDGE, COLLEAGUE)
    assert task_by_id(county, tenant=TENANT, task_id=task.id).officer == "officer-a"


def test_only_the_head_gives_a_task_to_somebody_and_only_while_it_is_open(county: Session) -> None:
    task = task_of(county)

    def give(by: Actor) -> TaskMoved:
        return assign_task(county, tenant=TENANT, task_id=task.id, officer="officer-b", by=by, at=LATER, note="代班")

    with pytest.raises(NotAllowed):
        give(OFFICER)
    told = give(HEAD)
    assert (told.move, told.from_state, told.to_state) == ("assign", "opened", "opened")
    assert task_by_id(county, tenant=TENANT, task_id=task.id).officer == "officer-b"
    assert history_of(county, tenant=TENANT, task_id=task.id)[-1].note == "officer-b · 代班"
    move(county, task, Move.FALSE_ALARM)
    with pytest.raises(IllegalMove):
        give(HEAD)


def test_an_incident_that_ends_by_itself_is_noted_once_and_the_task_stays(county: Session) -> None:
    task = task_of(county)
    closed = fold_alert(county, revision(3, "closed"), received_at=LATER).lead
    noted = note_incident(county, closed, at=LATER)
    assert noted is not None
    assert noted.move == "incident_closed"
    assert note_incident(county, closed, at=LATER) is None
    assert task_by_id(county, tenant=TENANT, task_id=task.id).state == "opened"
    again = fold_alert(county, revision(4, "updated"), received_at=LATER).lead
    assert note_incident(county, again, at=LATER) is not None
    assert note_incident(county, again, at=LATER) is None
    moves = [line.move for line in history_of(county, tenant=TENANT, task_id=task.id)]
    assert moves == ["open", "incident_closed", "incident_reopened"]


def test_a_note_about_the_incident_does_not_make_an_open_page_stale(county: Session) -> None:
    task = task_of(county)
    note_incident(county, fold_alert(county, revision(3, "closed"), received_at=LATER).lead, at=LATER)
    move(county, task, Move.ACKNOWLEDGE, expected_version=1)


def test_a_lead_without_a_task_has_nothing_to_note(county: Session) -> None:
    assert note_incident(county, lead_of(county, revision(3, "closed")), at=LATER) is None


def due(task: Task) -> tuple[datetime | None, datetime | None]:
    return task.acknowledge_by, task.finish_by


def test_a_street_task_runs_round_the_clock(county: Session) -> None:
    night = datetime(2026, 11, 21, 23, 0, tzinfo=ZoneInfo("Asia/Shanghai"))  # a Saturday
    task = task_of(county, at=night)
    assert due(task) == (night + timedelta(minutes=15), night + timedelta(minutes=120))
    assert (task.deadline_clock, task.calendar_complete) == ("continuous", True)
    assert "演示" in task.deadline_source


def test_a_garden_task_runs_in_office_hours(county: Session) -> None:
    task = task_of(county, INTRUSION)  # Thursday 10:00
    shanghai = ZoneInfo("Asia/Shanghai")
    assert due(task) == (
        datetime(2026, 11, 19, 11, 0, tzinfo=shanghai),
        datetime(2026, 11, 20, 10, 0, tzinfo=shanghai),
    )
    assert task.deadline_clock == "working"


def test_a_kind_without_a_policy_of_its_own_follows_the_common_one(county: Session) -> None:
    task = task_of(county, revision(1, "opened", kind="garden.new_kind"))
    assert task.deadline_clock == "working"
    assert task.acknowledge_by == NOW + timedelta(hours=2)


def test_deadlines_follow_the_policy_in_force_when_the_task_was_opened(county: Session) -> None:
    changed = ResponsePolicy(
        tenant=TENANT,
        id=PARKED.kind,
        valid_from=LATER,
        clock="continuous",
        acknowledge_minutes=5,
        finish_minutes=10,
        source="test",
    )
    succeed(county, changed)
    assert task_of(county).acknowledge_by == NOW + timedelta(minutes=15)
    task = task_of(county, revision(1, "opened", incident="i9"), at=LATER)
    assert (task.acknowledge_by, task.deadline_source) == (LATER + timedelta(minutes=5), "test")


@pytest.mark.parametrize("missing", [ResponsePolicy, WorkingWeek])
def test_a_task_is_opened_without_deadlines_rather_than_lost(county: Session, missing: type) -> None:
    county.execute(delete(missing))
    task = task_of(county, INTRUSION)
    assert due(task) == (None, None)
    assert (task.deadline_source, task.calendar_complete) == ("", False)


@pytest.mark.parametrize("ended", [False, True], ids=["no sessions", "ended"])
def test_office_hours_without_an_hour_leave_a_task_without_deadlines(county: Session, *, ended: bool) -> None:
    day = datetime(2020, 1, 1, tzinfo=ZoneInfo("UTC"))
    county.execute(delete(WorkingWeek))
    county.add(
        WorkingWeek(
            tenant=TENANT,
            id="week",
            valid_from=day,
            valid_to=day + timedelta(days=366) if ended else None,
            zone="Asia/Shanghai",
            weekdays=[1, 2, 3, 4, 5],
            sessions=[["08:30", "12:00"]] if ended else [],
            source="test",
        )
    )
    task = task_of(county, INTRUSION)
    assert due(task) == (None, None)
    assert (task.deadline_clock, task.deadline_source, task.calendar_complete) == ("working", "", False)


def test_a_deadline_in_a_year_of_unknown_holidays_is_marked(county: Session) -> None:
    task = task_of(county, INTRUSION, at=datetime(2026, 12, 31, 9, 0, tzinfo=ZoneInfo("UTC")))
    assert task.finish_by is not None
    assert not task.calendar_complete


def test_a_reopened_task_has_new_deadlines(county: Session) -> None:
    task = brought_to(county, State.CLOSED)
    reopened_at = NOW + timedelta(days=1)
    move(county, task, Move.REOPEN, HEAD, at=reopened_at)
    fresh = task_by_id(county, tenant=TENANT, task_id=task.id)
    assert (fresh.state, fresh.acknowledge_by) == ("opened", reopened_at + timedelta(minutes=15))


@settings(max_examples=40)
@given(
    st.lists(
        st.tuples(st.sampled_from(Move), st.sampled_from([OFFICER, HEAD, TECHNICIAN]), st.sampled_from(["", "原因"])),
        max_size=12,
    )
)
def test_after_any_clicks_history_and_state_agree(clicks: list[tuple[Move, Actor, str]]) -> None:
    with demo_books() as county:
        task = reviewed_task(county)
        made = 0
        for number, (what, by, note) in enumerate(clicks, start=1):
            before = seen(county, task)
            try:
                move(county, task, what, by, note=note, at=NOW + timedelta(minutes=number))
                made += 1
            except EnforcementError:
                assert seen(county, task) == before
        lines = history_of(county, tenant=TENANT, task_id=task.id)
        fresh = task_by_id(county, tenant=TENANT, task_id=task.id)
        assert [line.number for line in lines] == list(range(1, made + 2))
        assert fresh.version == made + 1
        assert fresh.state == lines[-1].to_state
        assert all(one.to_state == two.from_state for one, two in pairwise(lines))


def reachable(allowed: Callable[[Role], bool]) -> set[State]:
    known = {State.OPENED}
    while True:
        more = {
            row.to_state for row in TRANSITIONS if set(row.from_states) & known and any(map(allowed, row.roles))
        } - known
        if not more:
            return known
        known |= more


def test_an_officer_can_bring_a_task_to_every_state_but_only_the_head_back() -> None:
    assert reachable(lambda role: role is Role.OFFICER) == set(State)
    assert {role for row in TRANSITIONS if row.move is Move.REOPEN for role in row.roles} == {Role.HEAD}


def test_every_refusal_that_is_a_conflict_is_one_error_to_catch() -> None:
    assert issubclass(IllegalMove, Conflict)
    assert issubclass(StaleTask, Conflict)
