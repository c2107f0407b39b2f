"""`teawatch bench verify`: of many bundles that were tampered with, how many `teawatch verify` refuses."""

import json
import tempfile
import time
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from alerts.bundles.verification import verify_file
from center.bundles.bench.mutations import MUTATIONS, mutate
from center.bundles.bench.scene import Scene, open_scene
from center.bundles.bench.victims import Victim

app = typer.Typer(add_completion=False)
QUICK_MUTATIONS = 1_000
MOST_TOLD = 20


@dataclass
class Tally:
    """What was counted."""

    made: Counter[str] = field(default_factory=Counter)
    detected: Counter[str] = field(default_factory=Counter)
    faults: Counter[str] = field(default_factory=Counter)
    missed: list[str] = field(default_factory=list)
    intact: int = 0
    rejected: int = 0


@app.command()
def verify(
    mutations: Annotated[int, typer.Option(min=1, help="How many bundles to tamper with.")] = 5_000,
    seed: Annotated[int, typer.Option(help="The same seed tampers in the same ways.")] = 7,
    quick: Annotated[bool, typer.Option("--quick", help="A fifth of them.")] = False,  # noqa: FBT002 - an option
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object as the last line.")] = False,  # noqa: FBT002 - an option
) -> None:
    """Tamper with bundles of several cases in every way known, and have each judged as `teawatch verify` judges."""
    began_s = time.perf_counter()
    with open_scene(seed) as scene, tempfile.TemporaryDirectory(prefix="teawatch-bench-") as folder:
        tally = run(scene, Path(folder) / "bundle.zip", QUICK_MUTATIONS if quick else mutations, Random(seed))  # noqa: S311 - drawn again by the same seed
    figures = {
        "mutations": tally.made.total(),
        "detected": tally.detected.total(),
        "intact": tally.intact,
        "rejected": tally.rejected,
        "seed": seed,
        "seconds": round(time.perf_counter() - began_s, 1),
    }
    _show(tally)
    if as_json:
        typer.echo(json.dumps(figures))
    raise typer.Exit(0 if not tally.missed and not tally.rejected else 1)


def run(scene: Scene, path: Path, mutations: int, random: Random) -> Tally:
    """Judge every intact bundle, then so many tampered ones, kinds in turn."""
    tally = Tally()
    for case in scene.cases:
        path.write_bytes(case.raw)
        tally.intact += 1
        tally.rejected += verify_file(path, scene.trust, case=case.id, roots=scene.roots).exit_status
    ways = [(kind, way) for kind, mutations_of in MUTATIONS.items() for way in mutations_of]
    for number in range(mutations):
        kind, way = ways[number % len(ways)]
        case = random.choice(scene.cases)
        other = random.choice([each for each in scene.cases if each is not case])
        path.write_bytes(mutate(Victim(scene, case, other, random), way))
        report = verify_file(path, scene.trust, case=case.id, roots=scene.roots)
        tally.made[kind] += 1
        tally.detected[kind] += report.exit_status
        tally.faults.update({str(finding.fault) for _, finding in report.findings})
        if report.holds:
            tally.missed.append(f"{way.__name__} of {case.id} with {other.id}, number {number}")
    return tally


def _show(tally: Tally) -> None:
    console = Console(stderr=True)
    table = Table("tampered with by", "bundles", "detected", title="Bundles tampered with")
    for kind, made in tally.made.items():
        table.add_row(kind, str(made), str(tally.detected[kind]))
    console.print(table)
    told = Table("fault named", "in bundles")
    for fault, count in sorted(tally.faults.items()):
        told.add_row(fault, str(count))
    console.print(told)
    for line in tally.missed[:MOST_TOLD]:
        console.print(f"not detected: {line}")
