"""Forgetting a person: the log holds as before, and nothing leads back to them."""

import pytest
from typer.testing import CliRunner

from alerts.leaves import LeafKind
from alerts.merkle import verify_consistency, verify_inclusion
from center.cli import app
from center.errors import UnknownPerson
from center.evidence.custody import Act, CustodyEvent, chain_of, note_custody
from center.log.appending import enter
from center.log.erasure import erase_person
from center.log.proofs import prove_leaf
from center.log.pseudonyms import Named, find_pseudonym
from center.log.records import LogOpening, Pseudonym
from center.log.tree import prove_consistency
from tests.center.log.scene import PICTURE, REASON, fill, look, publish, verify
from tests.center.memory import little_memory
from tests.center.stage import TENANT, Box, Stage


@pytest.fixture
def filled(stage: Stage, box: Box) -> Stage:
    fill(stage, box)
    return stage


def erase(stage: Stage, name: str = "officer-a") -> None:
    with stage.office.database.writing() as session:
        erase_person(session, tenant=TENANT, user_id=name, ground="asked for it, art. 47", at=stage.clock())


def test_after_an_erasure_the_log_still_holds_and_says_that_something_was_erased(filled: Stage) -> None:
    before = publish(filled)
    erase(filled)
    after = publish(filled)
    report = verify(filled, before.text)
    assert (report.troubles, report.erased, report.leaves) == ([], 1, before.size + 1)
    with filled.office.database.reading() as session:
        path = prove_consistency(session, tenant=TENANT, first=before.size, second=after.size)
    verify_consistency(path, first=before.size, first_root=before.root, second=after.size, second_root=after.root)


def test_the_leaf_of_an_erased_look_is_still_proven_and_says_nothing(filled: Stage) -> None:
    number = next(row.number for row in filled.all(LogOpening) if REASON.encode() in row.body)
    erase(filled)
    head = publish(filled)
    with filled.office.database.reading() as session:
        proof = prove_leaf(session, tenant=TENANT, number=number, head=head)
    assert proof.opening is None
    verify_inclusion(proof.path, leaf=proof.leaf.hash, index=number, size=head.size, root=head.root)


def test_nothing_leads_from_the_log_back_to_the_person(filled: Stage) -> None:
    with filled.office.database.reading() as session:
        pseudonym = find_pseudonym(session, tenant=TENANT, kind=Named.PERSON, subject="officer-a")
    assert pseudonym
    result = CliRunner().invoke(
        app, ["log", "erase", "officer-a", "--ground", "art. 47", "--data", str(filled.office.settings.data)]
    )
    assert result.exit_code == 0, result.output
    assert result.stdout.startswith("1 leaves")
    filled.office.database.close()
    folder = filled.office.settings.data
    kept = b"".join(path.read_bytes() for path in sorted(folder.glob("center.sqlite3*")))
    assert f"{REASON} officer-b".encode() in kept
    for trace in (f"{REASON} officer-a", pseudonym):
        assert trace.encode() not in kept, "not in a row, not in a page that was freed, not in the journal of writes"


def test_others_stay_as_they_were(filled: Stage) -> None:
    erase(filled)
    assert {row.subject for row in filled.all(Pseudonym) if row.kind == "person"} == {"officer-b"}
    assert len(filled.all(CustodyEvent)) == 1
    with filled.office.database.reading() as session:
        (left,) = chain_of(session, tenant=TENANT, lead_id="", files=[PICTURE])
    assert left.who == "officer-b"


def test_who_comes_again_after_an_erasure_is_somebody_new(filled: Stage) -> None:
    old = {row.pseudonym for row in filled.all(Pseudonym)}
    erase(filled)
    with filled.office.database.writing() as session:
        look(session, filled, "officer-a")
    (new,) = {row.pseudonym for row in filled.all(Pseudonym)} - old
    assert new.startswith("p-")
    assert verify(filled).holds


def test_what_a_case_rests_on_stays_under_a_pseudonym_that_leads_to_nobody(filled: Stage) -> None:
    with filled.office.database.writing() as session:
        note_custody(
            session,
            tenant=TENANT,
            act=Act.TRANSFERRED,
            sha256=PICTURE,
            who="officer-a",
            at=filled.clock(),
            reason="to the court",
            lead_id="box.i",
        )
    erase(filled)
    assert verify(filled).holds
    with filled.office.database.reading() as session:
        chain = chain_of(session, tenant=TENANT, lead_id="box.i", files=[PICTURE])
    assert {(each.act, each.who) for each in chain} == {(Act.TRANSFERRED, None), (Act.VIEWED, "officer-b")}


def test_a_person_can_be_forgotten_again_and_again_but_a_stranger_not(filled: Stage) -> None:
    erase(filled)
    with pytest.raises(UnknownPerson, match="nobody named 'officer-a'"):
        erase(filled)
    with filled.office.database.writing() as session:
        look(session, filled, "officer-a")
    erase(filled)
    assert verify(filled).erased == 2


def test_leaves_name_nobody_even_before(filled: Stage) -> None:
    for row in filled.all(LogOpening):
        assert b"officer" not in row.body.replace(REASON.encode(), b"") or row.kind == "custody"
        assert b"box-demo" not in row.body


def test_an_erasure_that_names_more_leaves_than_there_can_be_costs_no_memory(filled: Stage) -> None:
    erase(filled)
    with filled.office.database.writing() as session:
        fields = {"ground": "none", "leaves": [[0, 2**53 - 1]], "part": 1}
        enter(session, tenant=TENANT, kind=LeafKind.ERASURE, fields=fields, reference="", at=filled.clock())
    with little_memory():
        report = verify(filled)
    assert (report.troubles, report.erased) == ([], 1)
