"""What was computed from the register is kept only as long as the register is the same, whoever changes it."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import text
from sqlalchemy.orm import Session

from enforcement.folding import Told, fold_alerts
from enforcement.grids import replace_grid
from enforcement.leads import lead_id, links_of
from enforcement.task_records import Task
from tests.center.stage import BOX, GARDEN, NOW, STREET, TENANT, Box, Stage, make_alert, open_stage
from tests.enforcement.alerts_told import INTRUSION
from traceability.cards import CardState, replace_card_state
from traceability.editions import QUARTER_S, register_of
from traceability.plots import replace_tenure

EARLIER = NOW - timedelta(hours=1)


@pytest.fixture
def stage(tmp_path: Path, database_url: str) -> Iterator[Stage]:
    """The demo county's centre, on either database."""
    with open_stage(tmp_path / "centre", database_url=database_url) as opened:
        yield opened


def give_another_grower(session: Session, at: datetime) -> None:
    replace_tenure(session, tenant=TENANT, plot_id="qs-01", party_id="grower-wp-21", at=at)


def suspend_a_card(session: Session, at: datetime) -> None:
    replace_card_state(
        session, tenant=TENANT, card_id="card-qs-07", state=CardState.SUSPENDED, reason="lost", author="head", at=at
    )


def rename_a_plot(session: Session, at: datetime) -> None:
    session.execute(text("UPDATE plot SET name_en = 'renamed' WHERE id = 'qs-01'"))


def forget_leaf(session: Session, at: datetime) -> None:
    session.execute(text("DELETE FROM lot_input"))


def links_of_a_new_lead(stage: Stage, box: Box, camera: str = GARDEN) -> list[tuple[str, str, str]]:
    incident = f"i-{len(box.records)}"
    alert = make_alert(incident=incident, camera=camera, kind="garden.intrusion")
    stage.hear(box.write(alert).raw)
    with stage.office.database.reading() as session:
        rows = links_of(session, tenant=TENANT, lead_id=lead_id(BOX, incident))
        return [(link.target_kind, link.target_id, link.name_en) for link in rows]


@pytest.mark.parametrize("change", [give_another_grower, suspend_a_card, rename_a_plot, forget_leaf])
def test_a_lead_is_linked_by_the_register_of_now_whoever_changed_it_since_the_last(
    stage: Stage, box: Box, change: Callable[[Session, datetime], None]
) -> None:
    before = links_of_a_new_lead(stage, box)
    assert links_of_a_new_lead(stage, box) == before
    with stage.office.database.writing() as session:
        change(session, EARLIER)

    assert links_of_a_new_lead(stage, box) != before


def test_a_task_goes_to_the_officer_of_now(stage: Stage, box: Box) -> None:
    stage.hear(box.write(make_alert(camera=STREET)).raw)
    with stage.office.database.writing() as session:
        replace_grid(session, tenant=TENANT, grid_id="street-tea-01", at=EARLIER, officer="officer-b")
    stage.hear(box.write(make_alert(incident="i-2", camera=STREET)).raw)

    assert {task.id: task.officer for task in stage.all(Task)} == {
        "box-demo-01.i-1": "officer-a",
        "box-demo-01.i-2": "officer-b",
    }


def test_a_change_that_was_rolled_back_leaves_the_edition_as_it_was_and_its_own_is_never_seen_again(
    stage: Stage,
) -> None:
    editions: list[str] = []

    def change(session: Session) -> None:
        rename_a_plot(session, NOW)
        editions.append(register_of(session, TENANT).edition)

    def change_in_vain() -> None:
        with database.writing() as session:
            change(session)
            raise LookupError

    database = stage.office.database
    with database.reading() as session:
        before = register_of(session, TENANT).edition
    with pytest.raises(LookupError):
        change_in_vain()
    with database.reading() as session:
        assert register_of(session, TENANT).edition == before
    with database.writing() as session:
        change(session)
    assert len({before, *editions}) == 3


def test_what_is_kept_holds_between_two_moments_of_the_register_and_within_a_quarter_of_an_hour(stage: Stage) -> None:
    asked: list[int] = []

    def recall(at: datetime) -> None:
        register.recall(at, "question", lambda: asked.append(1))

    with stage.office.database.writing() as session:
        give_another_grower(session, EARLIER + timedelta(seconds=10))
        register = register_of(session, TENANT)
    for seconds, answers in ((0, 1), (9, 1), (10, 2), (QUARTER_S - 1, 2), (QUARTER_S, 3), (11, 3), (9, 3)):
        recall(EARLIER + timedelta(seconds=seconds))
        assert len(asked) == answers, seconds


def test_links_that_were_rolled_back_are_written_with_the_next_lead_and_then_stand_for_those_after_it(
    stage: Stage, box: Box
) -> None:
    def fold(session: Session, incident: str) -> None:
        fold_alerts(session, TENANT, [Told(replace(INTRUSION, tenant=TENANT, camera=GARDEN, incident=incident), NOW)])

    with stage.office.database.trying() as session:
        fold(session, "in-vain")
    with stage.office.database.writing() as session:
        fold(session, "first")
        links = links_of(session, tenant=TENANT, lead_id=lead_id(INTRUSION.device, "first"))
        expected = [(link.target_kind, link.target_id, link.name_en) for link in links]

    assert expected
    assert links_of_a_new_lead(stage, box) == expected
