"""docs/cameras.md speaks of every figure, state and hindrance that a technician can meet, and of no other figure."""

import re
from pathlib import Path

import pytest
from prometheus_client import CollectorRegistry

from alerts.messages import Hindrance
from edge.config import ClipSection, GateSection
from edge.metrics import BOX_READINGS, CAMERA_READINGS, PREFIX, Latencies
from streams.player import State

PAGE = (Path(__file__).parents[2] / "docs" / "cameras.md").read_text(encoding="utf-8")
FIGURE = re.compile(r"^\| `(\w+)` \| (?:`(\w+)` )?\| (.+) \|$", re.MULTILINE)


def test_every_metric_is_in_the_table_as_prometheus_gives_it() -> None:
    served = {each.name: (each.label, each.help) for each in (*BOX_READINGS, *CAMERA_READINGS)}
    for histogram in Latencies(CollectorRegistry()).registry.collect():
        served[histogram.name.removeprefix(PREFIX)] = ("", histogram.documentation)
    table = {name: (label, f"{says}.") for name, label, says in FIGURE.findall(PAGE.partition("## Figures")[2])}
    assert table == served


@pytest.mark.parametrize("word", [*State, *Hindrance])
def test_every_state_and_hindrance_is_explained(word: str) -> None:
    assert f"`{word}`" in PAGE


@pytest.mark.parametrize("section", [GateSection, ClipSection])
def test_every_setting_of_gate_and_clip_is_in_its_table_with_its_default(
    section: type[GateSection] | type[ClipSection],
) -> None:
    rows = dict(re.findall(r"^\| `(\w+)` \| ([\d.]+) \|", PAGE, re.MULTILINE))
    assert {name: float(rows[name]) for name in section.model_fields} == {
        name: float(field.default) for name, field in section.model_fields.items()
    }
