"""`teawatch bench edge`: what a box can do, every figure beside a ceiling taken in the same run."""

import json
import os
import time
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from edge.bench.box_lap import DEMO
from edge.bench.clips import NothingToMeasure, street_clip
from edge.bench.environment import peer_python
from edge.bench.measurements import MEASUREMENTS
from edge.bench.setting import Measurement, Setting
from edge.bench.street import Options
from edge.errors import EdgeError
from models.errors import ModelError

app = typer.Typer(add_completion=False)

KEYS = (
    "ceiling_fps",
    "busy_fps",
    "ceiling_fps_320",
    "busy_fps_320",
    "ultralytics_fps_320",
    "opencv_loop_fps_320",
    "gated_x",
    "quiet_cameras_per_core",
    "missed_short_events",
    "outbox_p95_ms",
    "reconnect_p99_s",
    "mb_per_camera",
)
"""What every run answers, null where it was not measured."""

QUICK_LOOKS_PER_S = 0.5
CEILING_RUNS = 60
QUICK_CEILING_RUNS = 10


@app.command()
def edge(  # noqa: PLR0917 - typer reads the command line from it
    clip: Annotated[
        Path | None, typer.Argument(help="A video of a busy street; left out, the demo's.", show_default=False)
    ] = None,
    config: Annotated[Path, typer.Option(help="Cameras, zones and rules of `street`.")] = DEMO,
    dwell_s: Annotated[float, typer.Option(help="Parking limit of every stationary rule of `street`.")] = 20.0,
    looks_per_s: Annotated[float, typer.Option(help="Looks per second of stream time and camera of `street`.")] = 3.0,
    only: Annotated[
        list[str] | None, typer.Option(help=f"Only this: {', '.join(each.name for each in MEASUREMENTS)}. Repeatable.")
    ] = None,
    weights: Annotated[
        Path | None, typer.Option(help="Folder of 320.yaml and 640.yaml, to compare with networks of your own.")
    ] = None,
    *,
    prepare: Annotated[bool, typer.Option("--prepare", help="Install the peer, train the network, and stop.")] = False,
    quick: Annotated[bool, typer.Option("--quick", help="Smaller samples, same figures.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object as the last line.")] = False,
) -> None:
    """Measure the box on a clip: against the bare network, against its peers, and what it finds.

    The first run installs the peer and trains the network of the comparison: about ten minutes, once.
    """
    console = Console(stderr=True)
    try:
        setting = Setting(
            clip=_checked(clip or street_clip()),
            core=max(os.sched_getaffinity(0)),
            is_quick=quick,
            say=lambda text: console.print(text, markup=False, highlight=False, soft_wrap=True),
            street=Options(
                config,
                QUICK_LOOKS_PER_S if quick else looks_per_s,
                dwell_s,
                QUICK_CEILING_RUNS if quick else CEILING_RUNS,
            ),
            given_weights=weights,
        )
        chosen = _chosen(only, quick=quick)
        if prepare:
            peer_python(setting.say)
            setting.say(f"ready: {setting.weights.folder}")
            return
    except (EdgeError, ModelError, OSError) as error:
        typer.echo(f"teawatch bench edge: {error}", err=True)
        raise typer.Exit(1) from None
    figures = {**dict.fromkeys(KEYS), **{key: None for each in chosen for key in each.keys}}
    with ThreadPoolExecutor(2, "beside") as beside:
        waiting = [each for each in chosen if each.beside == "always"]
        aside = [each for each in chosen if quick and each.beside == "quick"]
        elsewhere = replace(setting, core=min(os.sched_getaffinity(0)))
        meanwhile = [beside.submit(_take_all, each, elsewhere) for each in (waiting, aside)]
        figures |= _take_all([each for each in chosen if each not in waiting + aside], setting)
        for taken in meanwhile:
            figures |= taken.result()
    figures["gated_x"] = _gated_x(figures)
    console.print(_table(setting.clip, figures))
    if as_json:
        typer.echo(json.dumps(figures))


def _take_all(measurements: Sequence[Measurement], setting: Setting) -> dict[str, object]:
    """The figures of some measurements, one after the other; why one could not be taken is said."""
    figures: dict[str, object] = {}
    for each in measurements:
        began_s = time.monotonic()
        try:
            figures |= each.take(setting)
        except (EdgeError, ModelError, OSError) as error:
            setting.say(f"{each.name}: not measured: {error}")
        else:
            setting.say(f"{each.name}: measured in {time.monotonic() - began_s:.0f} s")
    return figures


def _gated_x(figures: Mapping[str, object]) -> float | None:
    """Camera-seconds for each CPU-second, of the gated box over the peer, which looks at every frame of the films."""
    frames, cpu_s = figures.get("gated_frames"), figures.get("gated_cpu_s")
    peer_ms = figures.get("ultralytics_cpu_ms_320")
    if not (isinstance(frames, int) and isinstance(cpu_s, float) and isinstance(peer_ms, float)):
        return None
    return round(frames * peer_ms / 1000 / cpu_s, 2)


def _checked(clip: Path) -> Path:
    if not clip.is_file():
        raise NothingToMeasure(f"{clip}: no such file")
    return clip


def _chosen(names: list[str] | None, *, quick: bool) -> list[Measurement]:
    known = [each.name for each in MEASUREMENTS]
    for name in names or ():
        if name not in known:
            raise NothingToMeasure(f"there is no measurement {name!r}; there is: {', '.join(known)}")
    if names:
        return [each for each in MEASUREMENTS if each.name in names]
    return [each for each in MEASUREMENTS if each.runs == "always" or (each.runs == "long" and not quick)]


def _table(clip: Path, figures: dict[str, object]) -> Table:
    table = Table("figure", "value", title=f"The box on {clip.name}")
    for name, value in figures.items():
        table.add_row(name, "not measured" if value is None else str(value))
    return table
