"""`/01/{gtin}/10/{lot}/21/{serial}`: what a shopper sees who scans a packet (GS1 Digital Link).

Public: nobody signs in, nothing needs a cookie or a script. It says what is on record and, as plainly, what is not.
The centre lends what only it has: its pages' look, a session, the findings its officers have published.
"""

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from dataclasses import asdict, dataclass
from datetime import date, datetime
from enum import StrEnum
from itertools import groupby
from typing import Protocol

from fastapi import APIRouter, Request
from fastapi.responses import Response
from sqlalchemy.orm import Session

from traceability.gs1 import is_component, is_gtin
from traceability.periods import entry_at
from traceability.plots import OrganicState, PlotEntry
from traceability.sketch import Sketch, draw
from traceability.trace import PackTrace, TracedLeaf, trace_pack


@dataclass(frozen=True, slots=True)
class ShownFinding:
    """A finding an officer has reviewed and published; `kind` and `stand_in` in the shopper's language.

    `stand_in` is the register's notice where the camera only stood in for another; `result` and `measure` are in
    `language`; `observed_on` is the county's day of `observed_at`.
    """

    kind: str
    stand_in: str
    observed_at: datetime
    observed_on: date
    published_at: datetime
    language: str
    result: str
    measure: str


class Timing(StrEnum):
    """When something was seen, beside the days of a packet."""

    BEFORE_PICKING = "before_picking"
    WHILE_PICKING = "while_picking"
    BEFORE_PACKING = "before_packing"
    AFTER_PACKING = "after_packing"


@dataclass(frozen=True, slots=True)
class GardenPart:
    """The leaf that came from one garden, with a drawing of its plots as they lay when the leaf was sold."""

    leaves: tuple[TracedLeaf, ...]
    sketch: Sketch | None

    @property
    def first(self) -> TracedLeaf:
        """Any leaf of the garden, for what all of it shares."""
        return self.leaves[0]


@dataclass(frozen=True, slots=True)
class CodeParts:
    """What a scanned or typed code names; empty where it names nothing."""

    gtin: str
    lot: str
    serial: str


class Render(Protocol):
    """Draws a page in the visitor's language."""

    def __call__(self, request: Request, template: str, *, status: int, signed: bool, **values: object) -> Response:
        """The answer."""


class FindingsOf(Protocol):
    """Published findings that concern these lots, in the visitor's language."""

    def __call__(
        self, request: Request, session: Session, tenant: str, lot_ids: Sequence[str]
    ) -> Sequence[ShownFinding]:
        """The oldest first."""


def pack_router(
    *,
    render: Render,
    open_session: Callable[[Request], AbstractContextManager[Session]],
    tenant_of: Callable[[Request], str],
    findings_of: FindingsOf,
) -> APIRouter:
    """The routes of the shopper's page, to be included by the centre: a whole code, and whatever is less."""
    router = APIRouter(include_in_schema=False)

    @router.get("/01/{gtin}/10/{lot:path}/21/{serial:path}")
    def show(request: Request, gtin: str, lot: str, serial: str) -> Response:
        well_formed = is_gtin(gtin) and is_component(lot) and is_component(serial)
        tenant = tenant_of(request)
        with open_session(request) as session:
            trace = trace_pack(session, tenant, gtin, lot, serial) if well_formed else None
            if trace is None:
                return render(
                    request,
                    "unknown_pack.html",
                    status=404,
                    signed=False,
                    well_formed=well_formed,
                    gtin=gtin,
                    lot=lot,
                    serial=serial,
                )
            return render(
                request,
                "pack.html",
                status=200,
                signed=False,
                trace=trace,
                gardens=gardens_of(session, trace),
                organic=organic_verdict(trace),
                tests_passed=laboratory_verdict(trace),
                findings=findings_of(request, session, tenant, trace.lot_ids),
                timing_of=timing_of,
            )

    @router.get("/01/{rest:path}")
    def show_incomplete(request: Request, rest: str) -> Response:
        return render(
            request, "unknown_pack.html", status=404, signed=False, well_formed=False, **asdict(parts_of(rest))
        )

    return router


def parts_of(path: str) -> CodeParts:
    """What an incomplete code does name: the GTIN, then qualifiers in pairs; only 10 and 21 matter here.

    >>> parts_of("09506000134413/21/0001")
    CodeParts(gtin='09506000134413', lot='', serial='0001')
    """
    gtin, *rest = path.strip("/").split("/")
    named = dict(zip(rest[::2], rest[1::2], strict=False))
    return CodeParts(gtin, named.get("10", ""), named.get("21", ""))


def timing_of(finding: ShownFinding, trace: PackTrace) -> Timing:
    """When a finding was seen, by the days of this packet; only dates are compared with days of picking."""
    picked = {leaf.picked_on for leaf in trace.leaves}
    if finding.observed_at >= trace.packed_at:
        return Timing.AFTER_PACKING
    if picked and finding.observed_on < min(picked):
        return Timing.BEFORE_PICKING
    return Timing.WHILE_PICKING if picked and finding.observed_on <= max(picked) else Timing.BEFORE_PACKING


def organic_verdict(trace: PackTrace) -> str:
    """`certified` only if the product claims it and all of its leaf was; else the least of its leaf's states."""
    states = {leaf.organic_state for leaf in trace.leaves}
    if trace.organic and states == {OrganicState.CERTIFIED.value}:
        return OrganicState.CERTIFIED.value
    if states and states <= {OrganicState.CERTIFIED.value, OrganicState.IN_CONVERSION.value} and not trace.organic:
        return OrganicState.IN_CONVERSION.value
    return OrganicState.CONVENTIONAL.value


def laboratory_verdict(trace: PackTrace) -> bool | None:
    """Whether every report is good; None where nothing was tested."""
    return all(test.passed for test in trace.tests) if trace.tests else None


def gardens_of(session: Session, trace: PackTrace) -> list[GardenPart]:
    """The pack's leaf by garden."""
    leaves = sorted(trace.leaves, key=lambda leaf: (leaf.garden_zh, leaf.plot_id, leaf.sold_at))
    return [
        GardenPart(part, _sketch(session, trace.tenant, part))
        for part in (tuple(group) for _, group in groupby(leaves, key=lambda leaf: leaf.garden_zh))
    ]


def _sketch(session: Session, tenant: str, leaves: Sequence[TracedLeaf]) -> Sketch | None:
    """The plots of these leaves; each outline carries the plot's id, the page knows its name."""
    plots = {}
    for leaf in leaves:
        entry = entry_at(session, PlotEntry, tenant=tenant, entry_id=leaf.plot_id, at=leaf.sold_at)
        if entry is not None:
            plots[leaf.plot_id] = entry.shape
    return draw(list(plots.items()))
