"""Which box belongs to which: the quick way for few boxes says what the tables say."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from edge.boxes import Box
from edge.matching import FOREIGN, as_array, assign, assign_pairs, distances, near_pairs

SIDE = st.sampled_from([0.0, 0.05, 0.08, 0.1, 0.2])
PLACE = st.floats(0, 0.8)


@st.composite
def boxes(draw: st.DrawFn) -> list[Box]:
    corners = draw(st.lists(st.tuples(PLACE, PLACE, SIDE, SIDE), max_size=6))
    return [Box(left, top, left + width, top + height) for left, top, width, height in corners]


@given(boxes(), boxes(), st.floats(0.3, 4))
def test_near_pairs_are_those_of_the_table_below_the_gate(ones: list[Box], others: list[Box], gate: float) -> None:
    table = distances(as_array(ones), as_array(others))
    found = near_pairs(ones, others, [gate] * len(ones))
    clear = {(row, column) for row, column in np.argwhere(table < gate - 1e-9).tolist()}
    assert clear <= {(row, column) for row, column, _ in found}
    assert all(abs(table[row, column] - cost) < 1e-6 for row, column, cost in found)


@given(st.lists(st.lists(st.floats(0, 2), min_size=4, max_size=4), min_size=1, max_size=6), st.data())
def test_pairs_are_assigned_as_the_whole_table_would_be(rows: list[list[float]], data: st.DataObject) -> None:
    costs = np.array(rows)
    most = data.draw(st.lists(st.floats(0.1, 2), min_size=len(rows), max_size=len(rows)))
    pairs = [(row, column, cost) for (row, column), cost in np.ndenumerate(costs) if cost < most[row]]

    def total(matched: dict[int, int]) -> float:
        return sum(costs[row, matched[row]] if row in matched else most[row] for row in range(len(rows)))

    matched = assign_pairs(pairs, most)
    whole = dict(assign(costs, np.array(most)))
    assert all(costs[row, column] < most[row] for row, column in matched.items())
    assert len(set(matched.values())) == len(matched)
    assert abs(total(matched) - total(whole)) < 1e-9


def test_a_row_that_could_not_be_matched_at_all_takes_no_column_from_one_that_could() -> None:
    costs = np.array([[2.0], [FOREIGN]])
    assert assign(costs, np.array([2.6, 0.6])) == [(0, 0)]
