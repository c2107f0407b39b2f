"""A lead becomes evidence by two different persons' written word, and no penalty may rest on anything less."""

from collections.abc import Sequence

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import text
from sqlalchemy.exc import DatabaseError
from sqlalchemy.orm import Session

from enforcement.actors import Actor, Role
from enforcement.errors import EnforcementError, IllegalMove, NotAllowed, NoteMissing, NotEvidence, SamePerson, Unknown
from enforcement.leads import Lead
from enforcement.reviews import Standing, Verdict, require_evidence, reviews_of, standing_of
from enforcement.tasks import assign_task, move_task
from enforcement.transitions import Move
from tests.enforcement.alerts_told import (
    ENGINEER,
    FILES,
    HEAD,
    LAWYER,
    OFFICER,
    PARKED,
    PUBLIC,
    TECHNICIAN,
    say,
    task_of,
)
from tests.traceability.books import NOW, TENANT, demo_books

APPROVE, REJECT, WITHDRAW = Verdict


def standing(session: Session, lead_id: str) -> Standing:
    return standing_of(session, session.get_one(Lead, (TENANT, lead_id))).standing


def is_evidence(session: Session, lead_id: str) -> bool:
    try:
        require_evidence(session, tenant=TENANT, lead_id=lead_id)
    except NotEvidence:
        return False
    return True


@pytest.mark.parametrize(
    ("words", "becomes"),
    [
        ([], Standing.LEAD),
        ([(LAWYER, APPROVE)], Standing.UNDER_REVIEW),
        ([(ENGINEER, APPROVE)], Standing.UNDER_REVIEW),
        ([(LAWYER, APPROVE), (ENGINEER, APPROVE)], Standing.EVIDENCE),
        ([(ENGINEER, APPROVE), (LAWYER, REJECT)], Standing.REJECTED),
        ([(LAWYER, REJECT)], Standing.REJECTED),
        ([(LAWYER, REJECT), (LAWYER, APPROVE), (ENGINEER, APPROVE)], Standing.EVIDENCE),
        ([(LAWYER, APPROVE), (ENGINEER, APPROVE), (ENGINEER, REJECT)], Standing.REJECTED),
        ([(LAWYER, APPROVE), (ENGINEER, APPROVE), (LAWYER, WITHDRAW)], Standing.UNDER_REVIEW),
        ([(LAWYER, REJECT), (LAWYER, WITHDRAW)], Standing.LEAD),
    ],
)
def test_only_two_standing_words_of_yes_make_a_lead_evidence(
    county: Session, words: Sequence[tuple[Actor, Verdict]], becomes: Standing
) -> None:
    task = task_of(county)
    for by, verdict in words:
        say(county, by, verdict)
    assert standing(county, task.lead_id) is becomes
    assert is_evidence(county, task.lead_id) is (becomes is Standing.EVIDENCE)
    assert len(reviews_of(county, tenant=TENANT, lead_id=task.lead_id)) == len(words)


def test_the_guard_of_penalties_says_what_is_missing_and_gives_what_it_rests_on(county: Session) -> None:
    task = task_of(county)
    with pytest.raises(NotEvidence, match=r"the legal and the technical review did not pass it .*art\. 41"):
        require_evidence(county, tenant=TENANT, lead_id=task.lead_id)
    say(county, LAWYER)
    with pytest.raises(NotEvidence, match="the technical review did not"):
        require_evidence(county, tenant=TENANT, lead_id=task.lead_id)
    say(county, ENGINEER)
    passed = require_evidence(county, tenant=TENANT, lead_id=task.lead_id)
    assert passed.legal is not None
    assert (passed.legal.reviewer, passed.legal.files) == ("lawyer", sorted(FILES))
    assert passed.legal.record_sha256 == PARKED.record_sha256
    with pytest.raises(Unknown):
        require_evidence(county, tenant=TENANT, lead_id="no-such.lead")


def test_what_was_called_a_false_alarm_is_no_evidence_whatever_was_said_before(county: Session) -> None:
    task = task_of(county)
    say(county, LAWYER)
    move_task(county, tenant=TENANT, task_id=task.id, move=Move.FALSE_ALARM, by=OFFICER, at=NOW, note="送货")
    with pytest.raises(IllegalMove, match="false alarm"):
        say(county, ENGINEER)
    assert not is_evidence(county, task.lead_id)
    move_task(county, tenant=TENANT, task_id=task.id, move=Move.REOPEN, by=HEAD, at=NOW, note="再看")
    say(county, ENGINEER)
    assert is_evidence(county, task.lead_id)
    move_task(county, tenant=TENANT, task_id=task.id, move=Move.FALSE_ALARM, by=OFFICER, at=NOW, note="送货")
    with pytest.raises(NotEvidence, match="false alarm"):
        require_evidence(county, tenant=TENANT, lead_id=task.lead_id)


def test_a_yes_to_an_earlier_record_does_not_count_and_can_be_said_again(county: Session) -> None:
    task = task_of(county)
    say(county, LAWYER)
    say(county, ENGINEER)
    county.get_one(Lead, (TENANT, task.lead_id)).record_sha256 = "f" * 64
    with pytest.raises(NotEvidence, match="the legal and the technical review"):
        require_evidence(county, tenant=TENANT, lead_id=task.lead_id)
    say(county, LAWYER)
    say(county, ENGINEER)
    assert is_evidence(county, task.lead_id)


@pytest.mark.parametrize("by", [OFFICER, HEAD, TECHNICIAN, PUBLIC])
def test_nobody_but_a_reviewer_reviews(county: Session, by: Actor) -> None:
    task_of(county)
    with pytest.raises(NotAllowed, match="may not review"):
        say(county, by)


def test_one_person_cannot_be_both_reviewers_nor_review_what_they_handle(county: Session) -> None:
    task = task_of(county)
    say(county, LAWYER)
    with pytest.raises(SamePerson, match="reviewed the other part"):
        say(county, Actor("lawyer", Role.TECHNICAL_REVIEWER))
    assign_task(county, tenant=TENANT, task_id=task.id, officer="engineer", by=HEAD, at=NOW)
    with pytest.raises(SamePerson, match="handles its task"):
        say(county, ENGINEER)


@pytest.mark.parametrize(
    ("more", "error"),
    [
        ({"opinion": " "}, NoteMissing),
        ({"grounds": ""}, NoteMissing),
        ({"files": ()}, IllegalMove),
        ({"lead_id": "no-such.lead"}, Unknown),
        ({"verdict": WITHDRAW}, IllegalMove),
    ],
)
def test_a_word_that_makes_no_sense_changes_nothing(
    county: Session, more: dict[str, object], error: type[EnforcementError]
) -> None:
    task = task_of(county)
    with pytest.raises(error):
        say(county, LAWYER, **more)  # type: ignore[arg-type]
    assert reviews_of(county, tenant=TENANT, lead_id=task.lead_id) == ()


def test_the_same_word_is_not_said_twice_and_no_word_is_ever_rewritten(county: Session) -> None:
    task_of(county)
    say(county, LAWYER)
    with pytest.raises(IllegalMove, match="approve already"):
        say(county, LAWYER)
    with pytest.raises(DatabaseError, match="append-only"):
        county.execute(text("UPDATE review SET verdict = 'reject'"))


WORDS = st.lists(st.tuples(st.sampled_from([LAWYER, ENGINEER, OFFICER]), st.sampled_from(Verdict)), max_size=8)


@settings(max_examples=25, deadline=None)
@given(WORDS)
def test_whatever_is_said_in_whatever_order_evidence_means_that_both_said_yes_last(
    words: list[tuple[Actor, Verdict]],
) -> None:
    last: dict[str, Verdict] = {}
    with demo_books() as session:
        task = task_of(session)
        for by, verdict in words:
            try:
                say(session, by, verdict)
            except EnforcementError:
                continue
            last[by.user_id] = verdict
        assert is_evidence(session, task.lead_id) is (last.get("lawyer") == last.get("engineer") == APPROVE)
