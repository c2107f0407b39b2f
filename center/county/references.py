"""Whether the parts of a county fit together: every name stands somewhere, once, and on the ground."""

from collections import Counter
from collections.abc import Collection, Iterable, Iterator
from datetime import datetime, time
from typing import Any
from zoneinfo import ZoneInfo

from alerts.catalogue import KINDS
from center.county.files import County, LotPart, PoliciesPart, Shapes
from center.county.mistakes import offer
from center.settings import closest
from enforcement.policy import ANY_KIND
from traceability.gs1 import is_component, is_gtin


def county_mistakes(county: County, now: datetime) -> Iterator[str]:
    """What county.yaml says that cannot be."""
    try:
        if county.registered.instant(now.astimezone(ZoneInfo(county.zone)).date(), ZoneInfo(county.zone)) > now:
            yield "registered: lies in the future"
    except (KeyError, OSError, ValueError):
        yield f"zone: no time zone {county.zone!r}; for example Asia/Shanghai"
    for part in ("parties", "gardens", "plots", "plants", "grids", "cameras", "leaf_cards", "leaf_sales", "lots"):
        yield from _twins(part, (entry.id for entry in getattr(county, part)))
    yield from _twins("products", (product.gtin for product in county.products))
    yield from _register(county)
    yield from _leaf(county)
    yield from _policies(county.policies)


def ground_mistakes(county: County, shapes: Shapes) -> Iterator[str]:
    """What lies nowhere, and what lies somewhere without being in county.yaml."""
    for kind in ("plot", "plant", "grid", "camera"):
        named = [entry.id for entry in getattr(county, f"{kind}s")]
        drawn = [name for shape_kind, name in shapes if shape_kind == kind]
        for name in named:
            if name not in drawn:
                left = [other for other in drawn if other not in named]
                yield f"{kind} {name}: is missing{closest(name, left)}"
        for name in drawn:
            if name not in named:
                left = [other for other in named if other not in drawn]
                yield f"{kind} {name}: does not stand in county.yaml{closest(name, left)}"


def _register(county: County) -> Iterator[str]:
    parties, gardens, grids = _ids(county.parties), _ids(county.gardens), _ids(county.grids)
    for part, sites in (("gardens", county.gardens), ("plants", county.plants)):
        for site in sites:
            yield from _unknown(f"{part}[{site.id}].operator", "party", site.operator, parties)
    for plot in county.plots:
        yield from _unknown(f"plots[{plot.id}].garden", "garden", plot.garden, gardens)
        yield from _unknown(f"plots[{plot.id}].tenant_party", "party", plot.tenant_party, parties)
    for grid in county.grids:
        if grid.parent == grid.id:
            yield f"grids[{grid.id}].parent: is the grid itself"
        elif grid.parent is not None:
            yield from _unknown(f"grids[{grid.id}].parent", "grid", grid.parent, grids)
    for card in county.leaf_cards:
        yield from _unknown(f"leaf_cards[{card.id}].party", "party", card.party, parties)


def _leaf(county: County) -> Iterator[str]:
    parties = _ids(county.parties)
    for sale in county.leaf_sales:
        yield from _unknown(f"leaf_sales[{sale.id}].card", "leaf card", sale.card, _ids(county.leaf_cards))
        yield from _unknown(f"leaf_sales[{sale.id}].buyer", "party", sale.buyer, parties)
        yield from _unknown(f"leaf_sales[{sale.id}].plot", "plot", sale.plot, _ids(county.plots))
    for name in ("market_zh", "market_en", "scale"):
        if county.leaf_sales and not getattr(county, name):
            yield f"{name}: is missing; every leaf sale names it"
    if (county.leaf_sales or county.lots) and county.policies.ledger is None:
        yield "policies.ledger: is missing; weights of leaf and tea are checked by it"
    for product in county.products:
        if not is_gtin(product.gtin):
            yield f"products[{product.gtin}].gtin: is no GTIN; mind its check digit"
    for lot in county.lots:
        yield from _lot(county, lot, f"lots[{lot.id}]", parties)


def _lot(county: County, lot: LotPart, place: str, parties: Collection[str]) -> Iterator[str]:
    if not is_component(lot.id):
        yield f"{place}.id: cannot stand on a pack: 20 letters, digits and signs of GS1 at most"
    yield from _unknown(f"{place}.plant", "plant", lot.plant, _ids(county.plants))
    yield from _unknown(f"{place}.maker", "party", lot.maker, parties)
    for sale in lot.leaf_sales:
        yield from _unknown(f"{place}.leaf_sales", "leaf sale", sale, _ids(county.leaf_sales))
    gtins = [product.gtin for product in county.products]
    yield from _unknown(f"{place}.packing.gtin", "product", lot.packing.gtin, gtins)


def _policies(policies: PoliciesPart) -> Iterator[str]:
    for session in policies.working_week.sessions:
        try:
            opens, closes = (time.fromisoformat(text) for text in session)
        except ValueError:
            opens = closes = time()
        if opens >= closes:
            yield f"policies.working_week.sessions: {list(session)} is no time from and to, as ['08:30', '12:00']"
    place = "policies.responses.kinds"
    kinds = [*KINDS, ANY_KIND]
    yield from _twins(place, (response.kind for response in policies.responses.kinds))
    for response in policies.responses.kinds:
        yield from _unknown(f"{place}[{response.kind}]", "kind", response.kind, kinds)
        if not 0 < response.acknowledge_minutes <= response.finish_minutes:
            yield f"{place}[{response.kind}]: acknowledge_minutes is more than 0 and at most finish_minutes"


def _unknown(place: str, what: str, name: str, known: Collection[str]) -> Iterator[str]:
    if name not in known:
        yield f"{place}: no {what} {name!r}{offer(name, known)}"


def _twins(part: str, names: Iterable[str]) -> Iterator[str]:
    for name, count in Counter(names).items():
        if count > 1:
            yield f"{part}: {count} are called {name!r}"


def _ids(entries: Iterable[Any]) -> list[str]:
    return [entry.id for entry in entries]
