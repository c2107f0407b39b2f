"""The register as GeoJSON for the map: WGS-84 (RFC 7946), named in the visitor's language."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from shapely import MultiPolygon, Point, Polygon
from shapely.geometry import mapping
from sqlalchemy import select
from sqlalchemy.orm import Session

from center.pages.formats import Formats
from center.pages.leadviews import camera_names, stand_in
from center.pages.tasklist import ACTIVE
from center.pages.terms import GRID_LEVELS, ORGANIC, kind_name, name_of
from center.words import Language
from enforcement.grids import Grid, Level, grids_at
from enforcement.leads import Lead, links_of, sighted_at
from enforcement.task_records import Task
from traceability.cameras import CameraEntry, camera_at, cameras_at
from traceability.placement import Placed
from traceability.plots import Garden, Plot, plots_at
from traceability.sites import Plant, plants_at

Feature = dict[str, Any]
LISTED = 5
NEAR_ZOOM = 16.0  # from here on single plots and street grids carry their names; before, gardens and towns do


@dataclass(frozen=True, slots=True)
class Place:
    """Somewhere the map can fly to: `bounds` are west, south, east and north in degrees."""

    name: str
    layer: str
    bounds: str


def county(session: Session, language: Language, *, tenant: str, at: datetime, leads: bool) -> Feature:
    """Everything in the register at that instant; with `leads`, also what waits to be checked, by camera.

    `near` marks what the map should be fitted to: everything but the large grids around it.
    """
    features = [
        *_grids(session, language, tenant, at),
        *_plots(session, language, tenant, at),
        *_gardens(session, language, tenant, at),
        *_plants(session, language, tenant, at),
        *_views(session, language, tenant, at),
        *(_waiting(session, language, tenant, at) if leads else ()),
    ]
    return {"type": "FeatureCollection", "features": features}


def places(session: Session, language: Language, *, tenant: str, at: datetime) -> list[Place]:
    """Gardens, plants and street grids by name, for whoever wants to go there without dragging."""
    found = [
        Place(language.named(garden, "name"), "plot", _bounds(ground))
        for garden, ground in _ground_of_gardens(session, tenant, at)
    ]
    for entry in plants_at(session, tenant=tenant, at=at):
        plant = session.get_one(Plant, (tenant, entry.id))
        found.append(Place(language.named(plant, "name"), "plant", _bounds(entry.shape)))
    for grid_entry in grids_at(session, tenant=tenant, at=at):
        grid = session.get_one(Grid, (tenant, grid_entry.id))
        found.append(Place(language.named(grid, "name"), "grid", _bounds(grid_entry.shape)))
    return found


def around_lead(session: Session, language: Language, lead: Lead) -> Feature:
    """The register as it stood when the lead was seen; what the lead concerns is marked `near`."""
    at = sighted_at(lead)
    collection = county(session, language, tenant=lead.tenant, at=at, leads=False)
    entry = camera_at(session, tenant=lead.tenant, camera=lead.camera, at=at)
    links = {(link.target_kind, link.target_id) for link in links_of(session, tenant=lead.tenant, lead_id=lead.id)}
    if entry is not None:
        links.add(("view", lead.camera))
        spot = entry.shape.representative_point()
        collection["features"].append(_feature("lead", lead.id, spot, kind_name(language, lead.kind), near=True))
    for feature in collection["features"]:
        properties = feature["properties"]
        linked = (properties["layer"], properties["id"]) in links
        properties["near"] = properties["layer"] == "lead" or (linked and properties["layer"] != "grid")
    return collection


def _feature(
    layer: str,
    target: str,
    shape: Placed | Point,
    name: str,
    *,
    lines: Iterable[str] = (),
    href: str = "",
    label: str = "",
    label_zooms: tuple[float, float] = (0, 99),
    near: bool = False,
) -> Feature:
    geometry: Mapping[str, Any] = shape.polygon if isinstance(shape, Placed) else mapping(shape)
    return {
        "type": "Feature",
        "geometry": geometry,
        "properties": {
            "layer": layer,
            "id": target,
            "name": name,
            "lines": [line for line in lines if line],
            "href": href,
            "label": label,
            "label_zooms": label_zooms,
            "near": near,
        },
    }


def _grids(session: Session, language: Language, tenant: str, at: datetime) -> Iterator[Feature]:
    for entry in grids_at(session, tenant=tenant, at=at):
        grid = session.get_one(Grid, (tenant, entry.id))
        name = language.named(grid, "name")
        street = grid.level == Level.STREET
        lines = [name_of(language, GRID_LEVELS, grid.level)]
        label = name if street else ""
        yield _feature(
            "grid", entry.id, entry, name, lines=lines, label=label, label_zooms=(NEAR_ZOOM, 99), near=street
        )


def _plots(session: Session, language: Language, tenant: str, at: datetime) -> Iterator[Feature]:
    formats = Formats(language)
    for entry in plots_at(session, tenant=tenant, at=at):
        plot = session.get_one(Plot, (tenant, entry.id))
        garden = session.get_one(Garden, (tenant, plot.garden_id))
        short = language.named(plot, "name")
        lines = [
            language.named(garden, "name"),
            " · ".join((formats.mu(entry.area_m2), language.named(entry, "cultivar"))),
            name_of(language, ORGANIC, entry.organic_state),
        ]
        yield _feature("plot", entry.id, entry, short, lines=lines, label=short, label_zooms=(NEAR_ZOOM, 99), near=True)


def _gardens(session: Session, language: Language, tenant: str, at: datetime) -> Iterator[Feature]:
    for garden, ground in _ground_of_gardens(session, tenant, at):
        name = language.named(garden, "name")
        yield _feature("plot", garden.id, ground.centroid, name, label=name, label_zooms=(0, NEAR_ZOOM))


def _ground_of_gardens(session: Session, tenant: str, at: datetime) -> list[tuple[Garden, MultiPolygon]]:
    plots: dict[str, list[Polygon]] = {}
    for entry in plots_at(session, tenant=tenant, at=at):
        plots.setdefault(session.get_one(Plot, (tenant, entry.id)).garden_id, []).append(entry.shape)
    return [(session.get_one(Garden, (tenant, garden)), MultiPolygon(shapes)) for garden, shapes in plots.items()]


def _bounds(ground: Polygon | MultiPolygon) -> str:
    return ",".join(f"{degree:.6f}" for degree in ground.bounds)


def _plants(session: Session, language: Language, tenant: str, at: datetime) -> Iterator[Feature]:
    for entry in plants_at(session, tenant=tenant, at=at):
        plant = session.get_one(Plant, (tenant, entry.id))
        name = language.named(plant, "name")
        yield _feature("plant", entry.id, entry, name, label=name, near=True)


def _views(session: Session, language: Language, tenant: str, at: datetime) -> Iterator[Feature]:
    names = camera_names(session, language, tenant)
    for entry in cameras_at(session, tenant=tenant, at=at):
        lines = [language.named(entry, "place"), stand_in(language, entry)]
        yield _feature("view", entry.id, entry, names.get(entry.id, entry.id), lines=lines, href=f"/cameras#{entry.id}")


def _waiting(session: Session, language: Language, tenant: str, at: datetime) -> Iterator[Feature]:
    entries = {entry.id: entry for entry in cameras_at(session, tenant=tenant, at=at)}
    rows = session.scalars(
        select(Lead)
        .join(Task, (Task.tenant == Lead.tenant) & (Task.lead_id == Lead.id))
        .where(Lead.tenant == tenant, Task.state.in_(ACTIVE))
        .order_by(Lead.opened_at.desc())
    )
    by_camera: dict[str, list[Lead]] = {}
    for lead in rows:
        by_camera.setdefault(lead.camera, []).append(lead)
    for camera, leads in by_camera.items():
        if camera in entries:
            yield _pile(language, entries[camera], leads)


def _pile(language: Language, entry: CameraEntry, leads: Sequence[Lead]) -> Feature:
    formats = Formats(language)
    name = language.ngettext("%(num)s lead to check", "%(num)s leads to check", len(leads)) % {"num": len(leads)}
    lines = [f"{kind_name(language, lead.kind)} · {formats.stamp(lead.opened_at)}" for lead in leads[:LISTED]]
    address = f"/leads/{leads[0].id}" if len(leads) == 1 else f"/leads?camera={entry.id}"
    spot = entry.shape.representative_point()
    return _feature("lead", entry.id, spot, name, lines=lines, href=address, label=str(len(leads)))
