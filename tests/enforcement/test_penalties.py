"""No step of a penalty without evidence (Administrative Penalty Law, art. 41); what lost trust is none any more."""

from collections.abc import Callable
from contextlib import nullcontext

import pytest
from sqlalchemy import event, text
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from enforcement.actors import Actor, Role
from enforcement.distrust import Doubt, distrust_records, distrusted_among, distrusted_of
from enforcement.errors import IllegalMove, NotEvidence, SamePerson
from enforcement.leads import Lead
from enforcement.penalties import proposal_of
from enforcement.reviews import Lack, Standing, Verdict, lacks_of, require_evidence, standing_of
from enforcement.task_records import Task, history_of, task_by_id
from enforcement.tasks import move_task, note_distrust
from enforcement.transitions import Move
from tests.enforcement.alerts_told import COLLEAGUE, ENGINEER, HEAD, LAWYER, OFFICER, lead_of, say, task_of
from tests.traceability.books import NOW, TENANT

LEAD = "box-demo-01.i1"
DOUBT = Doubt(LEAD, "1" * 64, "epoch-1", 7, 4, "ed25519:" + "0" * 32)


def move(session: Session, what: Move, by: Actor = OFFICER, note: str = "屡次违停") -> None:
    move_task(session, tenant=TENANT, task_id=LEAD, move=what, by=by, at=NOW, note=note)


def started(session: Session, *reviewers: Actor) -> Task:
    task = task_of(session)
    for what in (Move.ACKNOWLEDGE, Move.START):
        move(session, what)
    for reviewer in reviewers:
        say(session, reviewer)
    return task


def distrust(session: Session, *doubts: Doubt) -> list[str]:
    happened = distrust_records(session, tenant=TENANT, doubts=doubts or (DOUBT,), at=NOW)
    return [each.lead_id for each in happened]


def lacks(session: Session) -> tuple[Lack, ...]:
    return lacks_of(session, session.get_one(Lead, (TENANT, LEAD)))


@pytest.mark.parametrize(
    ("reviewers", "missing", "said"),
    [
        ((), ("legal", "technical"), r"the legal and the technical review did not pass it .*art\. 41"),
        ((ENGINEER,), ("legal",), "the legal review did not pass it"),
        ((LAWYER,), ("technical",), "the technical review did not pass it"),
    ],
)
def test_a_penalty_is_not_proposed_while_a_review_is_missing_and_nothing_has_changed(
    county: Session, reviewers: tuple[Actor, ...], missing: tuple[str, ...], said: str
) -> None:
    task = started(county, *reviewers)
    before = (task.version, len(history_of(county, tenant=TENANT, task_id=LEAD)))

    with pytest.raises(NotEvidence, match=said) as caught:
        move(county, Move.PROPOSE_PENALTY)

    assert caught.value.lacks == missing
    task = task_by_id(county, tenant=TENANT, task_id=LEAD)
    assert (task.state, task.version, len(history_of(county, tenant=TENANT, task_id=LEAD))) == ("started", *before)
    assert proposal_of(county, task) is None


def test_a_penalty_on_evidence_is_proposed_with_person_and_reason_and_handed_over_by_the_head(county: Session) -> None:
    task = started(county, LAWYER, ENGINEER)
    move(county, Move.PROPOSE_PENALTY)

    proposal = proposal_of(county, task_by_id(county, tenant=TENANT, task_id=LEAD))
    assert proposal is not None
    assert (proposal.by_user, proposal.by_role, proposal.at) == ("officer-a", "officer", NOW)
    assert (proposal.reason, proposal.stands) == ("屡次违停", True)

    move(county, Move.HAND_OVER, HEAD, "移送立案")
    last = history_of(county, tenant=TENANT, task_id=LEAD)[-1]
    assert (last.move, last.by_user, last.to_state, last.note) == ("hand_over", "head", "closed", "移送立案")
    assert proposal_of(county, task) is not None, "what the case was handed over with stays"


@pytest.mark.parametrize("what", [Move.WITHDRAW_PROPOSAL, Move.REOPEN])
def test_a_proposal_ends_when_it_is_withdrawn_or_the_task_is_opened_again(county: Session, what: Move) -> None:
    task = started(county, LAWYER, ENGINEER)
    move(county, Move.PROPOSE_PENALTY)
    if what is Move.REOPEN:
        move(county, Move.HAND_OVER, HEAD)
    move(county, what, HEAD)
    assert proposal_of(county, task) is None


def take_word_back(county: Session) -> None:
    say(county, LAWYER, Verdict.WITHDRAW)


def reject(county: Session) -> None:
    say(county, ENGINEER, Verdict.REJECT)


def change_record(county: Session) -> None:
    county.get_one(Lead, (TENANT, LEAD)).record_sha256 = "f" * 64


@pytest.mark.parametrize(
    ("happens", "lack", "said"),
    [
        (take_word_back, (Lack.LEGAL,), "the legal review"),
        (reject, (Lack.TECHNICAL,), "the technical review"),
        (change_record, (Lack.LEGAL, Lack.TECHNICAL), "the legal and the technical review"),
        (distrust, (Lack.DISTRUSTED,), "rests on record 7, and of that key none after 4 is trusted any more"),
    ],
)
def test_a_proposal_that_rests_on_evidence_no_more_goes_no_further(
    county: Session, happens: Callable[[Session], object], lack: tuple[Lack, ...], said: str
) -> None:
    task = started(county, LAWYER, ENGINEER)
    move(county, Move.PROPOSE_PENALTY)
    happens(county)

    proposal = proposal_of(county, task)
    assert proposal is not None
    assert (proposal.stands, proposal.lacks) == (False, lack)
    with pytest.raises(NotEvidence, match=said):
        move(county, Move.HAND_OVER, HEAD)
    move(county, Move.WITHDRAW_PROPOSAL)
    with pytest.raises(NotEvidence, match=said):
        move(county, Move.PROPOSE_PENALTY)


@pytest.mark.parametrize("name", ["lawyer", "engineer"])
def test_who_reviewed_a_lead_takes_no_step_of_its_penalty(county: Session, name: str) -> None:
    started(county, LAWYER, ENGINEER)
    with pytest.raises(SamePerson, match=f"{name} reviewed it"):
        move(county, Move.PROPOSE_PENALTY, Actor(name, Role.OFFICER))
    move(county, Move.PROPOSE_PENALTY, COLLEAGUE)


def test_a_distrusted_lead_is_no_evidence_whatever_reviewers_said_or_would_say(county: Session) -> None:
    started(county, LAWYER)
    assert distrust(county) == [LEAD]

    assert standing_of(county, county.get_one(Lead, (TENANT, LEAD))).standing is Standing.DISTRUSTED
    assert lacks(county) == (Lack.TECHNICAL, Lack.DISTRUSTED)
    with pytest.raises(IllegalMove, match="trusted no more"):
        say(county, ENGINEER)
    say(county, ENGINEER, Verdict.REJECT)
    assert lacks(county) == (Lack.TECHNICAL, Lack.DISTRUSTED)


@pytest.mark.parametrize("is_trusted", [True, False])
def test_reviews_and_distrust_are_read_once_for_a_penalty(county: Session, *, is_trusted: bool) -> None:
    started(county, LAWYER, ENGINEER)
    if not is_trusted:
        distrust(county)
    asked: list[str] = []
    event.listen(county.get_bind(), "before_cursor_execute", lambda *told: asked.append(told[2]))
    with nullcontext() if is_trusted else pytest.raises(NotEvidence):
        require_evidence(county, tenant=TENANT, lead_id=LEAD)
    for table in ("review", "distrusted_record"):
        assert len([said for said in asked if f"FROM {table} " in said.replace("\n", " ")]) == 1


def test_distrust_is_written_down_once_stays_and_may_come_before_the_lead(county: Session) -> None:
    later = DOUBT._replace(record_sha256="2" * 64, sequence=9)
    assert distrust(county) == [LEAD]
    assert distrust(county) == [], "nothing new"
    assert distrust(county, DOUBT, later, later) == [LEAD]
    lead_of(county)

    assert [row.sequence for row in distrusted_of(county, tenant=TENANT, lead_id=LEAD)] == [7, 9]
    assert distrusted_among(county, tenant=TENANT, lead_ids=[LEAD, "box-demo-01.i2"]) == {LEAD}
    with pytest.raises(IntegrityError, match="append-only"):
        county.execute(text("DELETE FROM distrusted_record"))


def test_the_history_of_a_task_tells_of_distrust_and_no_open_page_is_stale_for_it(county: Session) -> None:
    task = started(county)
    version = task.version
    (noted,) = note_distrust(county, TENANT, [LEAD, "box-demo-01.none"], at=NOW)

    assert (noted.task_id, noted.move) == (LEAD, "distrusted")
    last = history_of(county, tenant=TENANT, task_id=LEAD)[-1]
    assert (last.move, last.by_user, last.from_state, last.to_state) == ("distrusted", "system", "started", "started")
    assert task_by_id(county, tenant=TENANT, task_id=LEAD).version == version
