"""The shopper's story of a pack."""

from dataclasses import fields, is_dataclass
from datetime import date, timedelta

import pytest
from sqlalchemy.orm import Session

from tests.traceability.books import NOW, TENANT, blend
from traceability.cards import masked
from traceability.lots import InputKind, LabTest, LotInput, Pack, Product, ancestry, descendants, sales_into
from traceability.plots import PlotEntry, replace_plot
from traceability.trace import PackTrace, trace_pack

GTIN, LOT = "09506000134413", "QL-ORG-0118"


def told(county: Session, gtin: str = GTIN, lot: str = LOT, serial: str = "0001") -> PackTrace:
    trace = trace_pack(county, TENANT, gtin, lot, serial)
    assert trace is not None
    return trace


def test_the_story_runs_from_the_plot_to_the_packet(county: Session) -> None:
    trace = told(county)
    assert (trace.product_zh, trace.net_g, trace.packs_in_lot, trace.lot_g) == ("青岚有机绿茶", 125, 60, 8600)
    assert [(leaf.grower, leaf.picked_on, leaf.leaf_g) for leaf in trace.leaves] == [
        ("茶农-青山-07", date(2026, 11, 15), 21400),
        ("茶农-青山-12", date(2026, 11, 15), 16900),
    ]
    assert trace.leaves[0].area_m2 == 8066
    assert trace.leaves[0].organic_state == "certified"
    assert [step.kind for step in trace.steps] == ["withering", "fixation", "rolling", "drying", "grading"]
    assert trace.steps[1].settings == {"temperature_c": 235}
    assert [test.passed for test in trace.tests] == [True]
    assert len(trace.tests[0].items) == 5
    assert trace.best_before == date(2028, 5, 18)


def test_the_story_is_in_order_of_time(county: Session) -> None:
    trace = told(county)
    moments = [leaf.sold_at for leaf in trace.leaves]
    moments += [moment for step in trace.steps for moment in (step.started_at, step.ended_at)]
    moments += [moment for test in trace.tests for moment in (test.sampled_at, test.reported_at)]
    assert [*moments, trace.packed_at] == sorted([*moments, trace.packed_at])
    assert trace.packed_at < NOW


def test_card_numbers_reach_the_public_only_masked(county: Session) -> None:
    assert {leaf.card_masked for leaf in told(county).leaves} == {"••••••••0731", "••••••••1248"}
    assert "QLC26" not in repr(told(county))
    assert masked("123") == "•••"


@pytest.mark.parametrize(
    ("gtin", "lot", "serial"),
    [
        ("09506000134420", LOT, "0001"),
        (GTIN, "QL-ORG-9999", "0001"),
        (GTIN, LOT, "9999"),
        ("", "", ""),
        (GTIN, LOT, "0001'--"),
    ],
)
def test_an_unknown_code_has_no_story(county: Session, gtin: str, lot: str, serial: str) -> None:
    assert trace_pack(county, TENANT, gtin, lot, serial) is None


def test_another_tenants_pack_has_no_story(county: Session) -> None:
    assert trace_pack(county, "other", GTIN, LOT, "0001") is None


def test_a_thirteen_digit_code_is_the_same_product(county: Session) -> None:
    assert told(county, gtin=GTIN[1:]) == told(county)


def test_each_organic_pack_has_a_code_of_its_own_and_other_packs_none(county: Session) -> None:
    one, two = told(county), told(county, serial="0002")
    assert one.organic_code != two.organic_code
    assert one.organic_code is not None
    assert len(one.organic_code) == 17
    assert one.organic_code.isdigit()
    assert told(county, "09506000134420", "QL-WP-0093").organic_code is None


def test_the_plot_is_told_as_it_was_when_the_leaf_was_sold(county: Session) -> None:
    before = told(county)
    polygon = {"type": "Polygon", "coordinates": [[[119, 28], [119.002, 28], [119.002, 28.002], [119, 28]]]}
    replace_plot(county, tenant=TENANT, plot_id="qs-01", polygon=polygon, at=NOW)
    assert told(county) == before
    assert county.get(PlotEntry, (TENANT, "qs-01", NOW)) is not None


def test_a_blend_tells_the_story_of_every_lot_in_it(county: Session) -> None:
    blend(county, "BLEND-1", {LOT: 500, "QL-WP-0093": 700})
    blend(county, "BLEND-2", {"BLEND-1": 900})
    product = county.get_one(Product, (TENANT, "09506000134420"))
    county.add(
        Pack(
            tenant=TENANT,
            gtin=product.gtin,
            lot_id="BLEND-2",
            serial="1",
            packed_at=NOW,
            best_before=NOW.date() + timedelta(days=500),
        )
    )
    county.flush()
    trace = told(county, product.gtin, "BLEND-2", "1")
    assert trace.lot_ids == ("BLEND-1", "BLEND-2", LOT, "QL-WP-0093")
    assert {leaf.plot_id for leaf in trace.leaves} == {"qs-01", "qs-02", "wp-01", "wp-02"}
    assert {test.lot_id for test in trace.tests} == {LOT, "QL-WP-0093"}
    assert len(trace.steps) == 10


def test_ancestry_and_descent_are_each_others_mirror_and_end_even_in_a_circle(county: Session) -> None:
    blend(county, "BLEND-1", {LOT: 500})
    blend(county, "BLEND-2", {"BLEND-1": 400})
    kind = InputKind.LOT.value
    county.add(LotInput(tenant=TENANT, lot_id="BLEND-1", input_kind=kind, input_id="BLEND-2", input_g=1))
    county.flush()
    assert ancestry(county, tenant=TENANT, lot_ids=["BLEND-2"]) == {"BLEND-2", "BLEND-1", LOT}
    assert descendants(county, tenant=TENANT, lot_ids=[LOT]) == {LOT, "BLEND-1", "BLEND-2"}
    assert len(sales_into(county, tenant=TENANT, lot_ids=ancestry(county, tenant=TENANT, lot_ids=["BLEND-2"]))) == 2


def test_a_failed_test_is_told_as_failed(county: Session) -> None:
    county.get_one(LabTest, (TENANT, "test-0118")).passed = False
    county.flush()
    assert [test.passed for test in told(county).tests] == [False]


def test_the_story_holds_no_identity_of_a_person(county: Session) -> None:
    def words(value: object) -> list[str]:
        if is_dataclass(value) and not isinstance(value, type):
            return [word for field in fields(value) for word in words(getattr(value, field.name))]
        if isinstance(value, tuple):
            return [word for part in value for word in words(part)]
        return [value] if isinstance(value, str) else []

    story = words(told(county))
    assert not {"grower-qs-07", "card-qs-07", "制茶工-03"} & set(story)
