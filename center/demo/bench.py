"""`teawatch bench demo`: from the start of the demo to the first task, and the memory of all its processes.

The ceiling of the start is the rule itself: a vehicle must have stood `dwell_s` before there is anything to report, so
the figure is also given as what the product adds to that.
"""

import json
import statistics
import subprocess
from pathlib import Path
from typing import Annotated, Any

import typer
import yaml
from rich.console import Console
from rich.table import Table

from center.demo.processes import TEAWATCH
from center.demo.stage import BOX_CONFIG

app = typer.Typer(add_completion=False)
ONE_RUN_S = 180


@app.command()
def demo(  # noqa: PLR0917 - typer reads the options from here
    runs: Annotated[int, typer.Option(min=1, max=50, help="How often to start the demo.")] = 5,
    quick: Annotated[bool, typer.Option("--quick", help="One run.")] = False,  # noqa: FBT002 - an option
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object as the last line.")] = False,  # noqa: FBT002 - an option
    video: Annotated[Path | None, typer.Option(help="Footage other than the demo clip.")] = None,
    port: Annotated[int, typer.Option(help="Port of the pages.")] = 8000,
    mqtt_port: Annotated[int, typer.Option(help="Port of the embedded broker.")] = 18830,
) -> None:
    """Start the demo, wait for the first task, stop; again and again."""
    options = ["--port", str(port), "--mqtt-port", str(mqtt_port), *(["--video", str(video)] if video else [])]
    results = [_run(options) for _ in range(1 if quick else runs)]
    seconds = [result["seconds_to_first_task"] for result in results]
    dwell_s = _shortest_dwell_s()
    figures = {
        "runs": len(results),
        "dwell_s": dwell_s,
        "seconds_to_first_task_median": statistics.median(seconds),
        "seconds_to_first_task_max": max(seconds),
        "added_to_dwell_s_median": round(statistics.median(seconds) - dwell_s, 1),
        "peak_rss_mb_max": max(result["peak_rss_mb"] for result in results),
    }
    table = Table("figure", "value", title="Demo: start to first task")
    for name, value in figures.items():
        table.add_row(name, str(value))
    Console(stderr=True).print(table)
    if as_json:
        typer.echo(json.dumps(figures))


def _run(options: list[str]) -> dict[str, Any]:
    done = subprocess.run(  # noqa: S603 - our own command
        [*TEAWATCH, "demo", "--until-task", "--json", *options],
        capture_output=True,
        text=True,
        timeout=ONE_RUN_S,
        check=False,
    )
    if done.returncode:
        typer.echo(done.stderr.strip(), err=True)
        raise typer.Exit(1)
    result: dict[str, Any] = json.loads(done.stdout.strip().splitlines()[-1])
    return result


def _shortest_dwell_s() -> float:
    config = yaml.safe_load(BOX_CONFIG.read_text(encoding="utf-8"))
    rules = [rule for camera in config["cameras"] for rule in camera["rules"]]
    return min(float(rule["parameters"]["dwell_s"]) for rule in rules if "dwell_s" in rule.get("parameters", {}))
