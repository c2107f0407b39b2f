"""`teawatch models`: which models there are, whether their files are whole, how good they are."""

import json
import statistics
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import numpy as np
import typer
from rich.console import Console
from rich.progress import Progress
from rich.table import Table

from models.cards import ModelCard, card_names, find_card, load_card
from models.detector import Detector
from models.errors import ModelError
from models.evaluation import Evaluation, evaluate
from models.labels import read_labelled

app = typer.Typer(no_args_is_help=True, add_completion=False, help="Model cards: list, check, evaluate.")

Name = Annotated[str, typer.Argument(help="Name of a model, as `list` shows it, or the YAML file of a card.")]
Json = Annotated[bool, typer.Option("--json", help="One JSON object instead of a table.")]

TIMED_PICTURES = 5


@contextmanager
def _told_in_one_line() -> Iterator[None]:
    """A ModelError ends the command with its message and exit status 1."""
    try:
        yield
    except ModelError as error:
        typer.echo(str(error), err=True)
        raise typer.Exit(1) from None


@app.command("list")
def list_models(*, as_json: Json = False) -> None:
    """Show the models that ship with TeaWatch, what they see, and under which licence."""
    with _told_in_one_line():
        cards = [load_card(name) for name in card_names()]
    if as_json:
        typer.echo(json.dumps([card.model_dump(mode="json") for card in cards]))
        return
    table = Table("model", "classes", "input", "AP50", "licence", "what it is")
    for card in cards:
        table.add_row(
            card.name,
            str(len(card.classes)),
            f"{card.input.size_px} px",
            ", ".join(f"{result.ap50_permille / 1000:.3f} on {result.data}" for result in card.measured),
            card.origin.licence,
            card.summary,
        )
    Console().print(table)


@app.command()
def check(
    names: Annotated[
        list[str] | None, typer.Argument(help="Models or card files to check; all shipped ones if none is named.")
    ] = None,
) -> None:
    """Check each model's file against its card, load it and time it on an empty picture."""
    for name in names or card_names():
        with _told_in_one_line():
            card = find_card(name, Path())
            detector = Detector.load(card)
        typer.echo(f"{name}: file is whole (SHA-256 {card.sha256[:12]}…), {_milliseconds(detector):.0f} ms a picture")


@app.command("evaluate")
def evaluate_model(
    name: Name,
    images: Annotated[Path, typer.Option(help="Folder with images/, labels/ and config.yaml, as YOLO lays it out.")],
    *,
    as_json: Json = False,
) -> None:
    """Measure AP50 on labelled pictures."""
    with _told_in_one_line():
        card = find_card(name, Path())
        detector = Detector.load(card)
        labelled = read_labelled(images, card.classes)
        with Progress(console=Console(stderr=True), transient=True) as progress:
            task = progress.add_task(name, total=len(labelled))
            result = evaluate(detector, labelled, lambda count: progress.update(task, completed=count))
    _report(card, result, as_json=as_json)


def _report(card: ModelCard, result: Evaluation, *, as_json: bool) -> None:
    if as_json:
        typer.echo(
            json.dumps(
                {
                    "model": card.name,
                    "sha256": card.sha256,
                    "pictures": result.pictures,
                    "objects": result.objects,
                    "ap50": round(result.ap50, 4),
                    "ap50_by_class": {kind: round(value, 4) for kind, value in result.ap50_by_class.items()},
                }
            )
        )
        return
    table = Table("class", "AP50")
    for kind, value in sorted(result.ap50_by_class.items(), key=lambda item: -item[1]):
        table.add_row(kind, f"{value:.3f}")
    table.add_section()
    table.add_row(f"mean, {result.objects} objects in {result.pictures} pictures", f"{result.ap50:.3f}")
    Console().print(table)


def _milliseconds(detector: Detector) -> float:
    """Median of a few detections; the first, which warms up, does not count."""
    picture = np.full((576, 768, 3), detector.card.input.pad, np.uint8)
    times = []
    for _ in range(TIMED_PICTURES + 1):
        start = time.perf_counter()
        detector.detect(picture)
        times.append(time.perf_counter() - start)
    return statistics.median(times[1:]) * 1000
