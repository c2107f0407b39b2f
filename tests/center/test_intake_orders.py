"""Whatever order a box's records come in, however often, in whatever batches: the same leads, tasks and files."""

import shutil
import tempfile
from collections.abc import Sequence
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from alerts.messages import Phase
from alerts.records import Record
from center.evidence.files import Announced
from center.intake.journal import EpochRow, JournalRow
from enforcement.leads import Lead, LeadLink
from enforcement.task_records import Task
from tests.center.stage import (
    GARDEN,
    NOW,
    Box,
    Stage,
    make_alert,
    make_artefact,
    make_clock,
    make_evidence,
    open_stage,
)

HOW_IT_CAME = {"received_at", "announced_at"}


def tell_a_day(box: Box) -> None:
    """Two incidents through their phases, their evidence, a clock record."""
    van, person = make_artefact(b"van"), make_artefact(b"person")
    garden = {"incident": "person", "camera": GARDEN, "kind": "garden.intrusion"}
    box.write(make_clock())
    box.write(make_alert(1, Phase.OPENED, incident="van", evidence=(van,)))
    box.write(make_alert(1, Phase.OPENED, evidence=(person,), **garden))
    box.write(make_evidence(make_artefact(b"van!", "annotated"), incident="van"))
    box.write(make_alert(2, Phase.UPDATED, incident="van", observed_at=NOW + timedelta(seconds=60), evidence=(van,)))
    box.write(make_alert(2, Phase.CLOSED, observed_at=NOW + timedelta(seconds=9), **garden))
    box.write(make_alert(3, Phase.CLOSED, incident="van", observed_at=NOW + timedelta(seconds=90)))


@pytest.fixture(scope="module")
def day(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Sequence[Record]]:
    """A centre's folder in which the box is enrolled, and the records it wrote."""
    folder = tmp_path_factory.mktemp("day") / "centre"
    with open_stage(folder) as stage:
        box = stage.enrol_box()
        tell_a_day(box)
    return folder, tuple(box.records)


def state(stage: Stage) -> dict[str, Any]:
    """All that intake made, except when it came."""
    return {
        table.__name__: sorted(
            repr(
                {
                    column.key: getattr(row, column.key)
                    for column in table.__table__.columns
                    if column.key not in HOW_IT_CAME
                }
            )
            for row in stage.all(table)
        )
        for table in (Lead, LeadLink, Task, Announced, JournalRow, EpochRow)
    }


def take(folder: Path, *batches: Sequence[bytes]) -> dict[str, Any]:
    with tempfile.TemporaryDirectory() as scratch:
        copy = Path(scratch) / "centre"
        shutil.copytree(folder, copy)
        with open_stage(copy) as stage:
            for batch in batches:
                assert not stage.hear_all(batch)
            return state(stage)


@pytest.fixture(scope="module")
def in_order(day: tuple[Path, Sequence[Record]]) -> dict[str, Any]:
    folder, records = day
    return take(folder, *([record.raw] for record in records))


def test_in_order_the_day_is_two_leads_with_one_task_each(in_order: dict[str, Any]) -> None:
    assert len(in_order["Lead"]) == len(in_order["Task"]) == 2
    assert len(in_order["Announced"]) == 3


@settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_any_order_with_repetitions_in_any_batches_ends_in_the_same_state(
    day: tuple[Path, Sequence[Record]], in_order: dict[str, Any], data: st.DataObject
) -> None:
    folder, records = day
    every = st.permutations(range(len(records)))
    again = st.lists(st.sampled_from(range(len(records))), max_size=5)
    order = data.draw(every) + data.draw(again)
    cuts = sorted(data.draw(st.sets(st.integers(1, len(order) - 1))))
    batches = [order[first:end] for first, end in zip([0, *cuts], [*cuts, len(order)], strict=True)]

    assert take(folder, *([records[number].raw for number in batch] for batch in batches)) == in_order
