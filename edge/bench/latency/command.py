"""`teawatch bench latency`: how long an alert takes, to an officer's eyes, beside a backlog, and over a thin line."""

import asyncio
import json
import os
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import httpx
import typer
from rich.console import Console
from rich.table import Table

from alerts.errors import AlertsError
from edge.bench.clips import busy_clip, street_clip
from edge.bench.delivery import county as counties
from edge.bench.delivery.site import Site, choose_sites
from edge.bench.latency import backlog, thin_line, visible
from edge.bench.latency.processes import Cores, on_cores
from edge.bench.setting import Figures
from edge.errors import EdgeError

app = typer.Typer(add_completion=False)

CLIP_FRAMES = 300
WATCHING, THIN = "watching", "thin"
PARTS = ("visible", "backlog", "slow-link")


@dataclass(frozen=True, slots=True)
class Extent:
    """Seconds in which tasks are looked at, live alerts are alone, the thin line is waited on; how much, how many."""

    watching_s: float
    calm_s: float
    backlog: int
    thin_s: float
    boxes: int


LONG = Extent(120.0, 30.0, 10_000, 120.0, 8)
QUICK = Extent(6.0, 2.0, 800, 5.0, 4)


@app.command()
def latency(
    only: Annotated[list[str] | None, typer.Option(help=f"Only this: {', '.join(PARTS)}. Repeatable.")] = None,
    broker: Annotated[str, typer.Option(help="mosquitto or embedded; Mosquitto where it is installed.")] = "",
    database_url: Annotated[str, typer.Option(help="The centre's database: SQLite if not given.")] = "",
    *,
    quick: Annotated[bool, typer.Option("--quick", help="Smaller samples, same figures, under 50 s.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object as the last line.")] = False,
) -> None:
    """Measure how long alerts take between real processes: box, broker, centre and browser on this machine."""
    console = Console(stderr=True)
    try:
        site = choose_sites(broker=broker, tls=False, workers=0, database_url=database_url)[0]
        figures = asyncio.run(_measure(QUICK if quick else LONG, site, _chosen(only), console))
    except (EdgeError, AlertsError, OSError, httpx.HTTPError, TimeoutError) as error:
        typer.echo(f"teawatch bench latency: {error}", err=True)
        raise typer.Exit(1) from None
    table = Table("figure", "value", title="From camera to officer")
    for name, value in figures.items():
        table.add_row(name, str(value))
    console.print(table)
    if as_json:
        typer.echo(json.dumps(figures))


def _chosen(only: list[str] | None) -> tuple[str, ...]:
    for name in only or ():
        if name not in PARTS:
            raise typer.BadParameter(f"{name!r} is none of {', '.join(PARTS)}", param_hint="--only")
    return tuple(only or PARTS)


async def _measure(extent: Extent, site: Site, parts: tuple[str, ...], console: Console) -> Figures:
    """Each part on a county of its own would start a centre each time: they share one, one after the other."""
    cores = Cores.of_this_machine()
    clip = busy_clip(street_clip(), CLIP_FRAMES)
    figures: dict[str, object] = {}
    began_s = time.monotonic()

    def say(done: str) -> None:
        console.print(f"{time.monotonic() - began_s:.0f} s: {done}", highlight=False)

    with tempfile.TemporaryDirectory(prefix="teawatch-latency-") as name, on_cores(cores.others):
        async with counties.opened(Path(name), site) as county:
            reporting = [f"box-{number}" for number in range(1, extent.boxes + 1)]
            await county.set_up([WATCHING, THIN, *reporting], cameras_each=visible.CAMERAS)
            say("centre, broker and boxes are there")
            if "visible" in parts:
                figures |= await visible.measure(county, WATCHING, clip, seconds=extent.watching_s, cores=cores)
                say("looked from an officer's window")
            if "slow-link" in parts:
                figures |= await thin_line.measure(county, THIN, seconds=extent.thin_s, cores=cores)
                say("waited on the thin line")
            if "backlog" in parts:
                figures |= await backlog.measure(
                    county, reporting, backlog=extent.backlog, calm_s=extent.calm_s, cores=cores
                )
                say("the backlog is gone")
    return {**figures, "broker": site.broker, "load_1min": round(os.getloadavg()[0], 1)}
