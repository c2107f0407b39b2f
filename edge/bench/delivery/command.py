"""`teawatch bench delivery`: boxes, broker and centre as real processes, under faults; then sets are compared."""

import asyncio
import json
import logging
import signal
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated

import httpx
import typer
from rich.console import Console
from rich.table import Table

from alerts.errors import AlertsError
from edge.announcements import set_up_log
from edge.bench.delivery.figures import figures_of, keeps_promises
from edge.bench.delivery.rounds import Plan, Round, faults_of, hold, load, round_file, save
from edge.bench.delivery.site import choose_sites
from edge.errors import EdgeError

FAULTS = 2_000
QUICK_FAULTS = 40
OF_ONE_ROUND = 100
BOXES = 8
FAILURES = (EdgeError, AlertsError, OSError, httpx.HTTPError, TimeoutError, ExceptionGroup)
"""What keeps a round from being held; the next one may be all the same."""

app = typer.Typer(add_completion=False)


@app.command()
def delivery(  # noqa: PLR0917 - typer reads the command line from it
    faults: Annotated[int, typer.Option(min=1, help="How many faults, a hundred to a round.")] = FAULTS,
    seed: Annotated[int, typer.Option(min=0, help="Decides which faults come, in which order, and how strong.")] = 7,
    state: Annotated[
        Path | None, typer.Option(help="Folder of finished rounds: what is there is not done again.")
    ] = None,
    shard: Annotated[
        str, typer.Option(help="K/N: every N-th round, from the K-th; all in --state are summed up.")
    ] = "1/1",
    broker: Annotated[str, typer.Option(help="mosquitto or embedded; by default they take turns.")] = "",
    database: Annotated[str, typer.Option(help="sqlite or postgresql; by default they take turns.")] = "",
    database_url: Annotated[str, typer.Option(help="A PostgreSQL that is there, not one of the bench's own.")] = "",
    boxes: Annotated[int, typer.Option(min=1, max=20, help="How many boxes.")] = BOXES,
    workers: Annotated[int | None, typer.Option(min=0, max=8, help="Workers of intake; on PostgreSQL.")] = None,
    *,
    tls: Annotated[bool | None, typer.Option("--tls/--no-tls", help="By default every other round.")] = None,
    quick: Annotated[bool, typer.Option("--quick", help=f"{QUICK_FAULTS} faults, under 50 s.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object as the last line.")] = False,
) -> None:
    """Count what is lost or doubled between a box's commit and an officer's task, while everything dies and breaks.

    A round has a hundred faults; brokers, databases and TLS change from round to round. The exit code is 1 if anything
    is lost or doubled, or if the centre has not noticed a gap; then it is said what, and the round's files stay.
    """
    console = Console(stderr=True)
    set_up_log(as_json=True, quiet=True)
    logging.getLogger("asyncio").setLevel(logging.ERROR)  # that connections break is no news here
    count = QUICK_FAULTS if quick else faults
    try:
        sites = choose_sites(broker=broker, database=database, tls=tls, workers=workers, database_url=database_url)
        plan = Plan(seed=seed, boxes=boxes, sites=sites)
        done, failed = asyncio.run(_hold_all(count, plan, read_shard(shard), state, console))
    except EdgeError as error:
        typer.echo(f"teawatch bench delivery: {_words_of(error)}", err=True)
        raise typer.Exit(1) from None
    except (KeyboardInterrupt, asyncio.CancelledError):
        typer.echo("teawatch bench delivery: stopped; finished rounds are in --state, if one was given", err=True)
        raise typer.Exit(130) from None
    figures = {**figures_of(done), "seed": seed, "rounds_not_held": failed}
    console.print(_table(figures))
    if as_json:
        typer.echo(json.dumps(figures))
    if failed or not keeps_promises(figures):
        raise typer.Exit(1)


async def _hold_all(
    faults: int, plan: Plan, shard: tuple[int, int], state: Path | None, console: Console
) -> tuple[list[Round], int]:
    """Every round of the shard that is not there yet, and whatever the folder has of the others; how many failed."""
    main = asyncio.current_task()
    if main is not None:
        asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, main.cancel)
    done: list[Round] = []
    failed = 0
    for number, count in enumerate(_rounds(faults)):
        path = round_file(state, plan, number, count) if state else None
        finished = load(path) if path else None
        if finished is None and number % shard[1] == shard[0] - 1:
            try:
                finished = await hold(number, faults_of(number, count, plan), plan)
            except FAILURES as error:
                failed += 1
                typer.echo(f"teawatch bench delivery: {_words_of(error)}", err=True)
                continue
            if path:
                save(path, finished)
            _say(console, finished)
        if finished is not None:
            done.append(finished)
    return done, failed


def _rounds(faults: int) -> Iterator[int]:
    """How many faults each round has."""
    while faults > 0:
        yield min(faults, OF_ONE_ROUND)
        faults -= OF_ONE_ROUND


def read_shard(text: str) -> tuple[int, int]:
    """Raises BadParameter for what is no K/N."""
    words = text.split("/")
    if len(words) == 2 and all(word.isdecimal() for word in words) and 0 < int(words[0]) <= int(words[1]):  # noqa: PLR2004 - K and N
        return int(words[0]), int(words[1])
    raise typer.BadParameter(f"{text!r} is no share like 2/4, the second of four", param_hint="--shard")


def _say(console: Console, done: Round) -> None:
    """What came out; where something is not as promised, all that is known of it."""
    verdict = done.verdict
    head = (
        f"round {done.number + 1} ({done.site}): {len(done.outcomes)} faults in {done.seconds:.0f} s,"
        f" {verdict.committed} violations, {verdict.lost} lost, {verdict.duplicate_tasks} tasks too many"
    )
    why = (*done.findings, *done.troubles, f"the files of this round are in {done.kept}") if done.findings else ()
    for line in (head, *why):
        console.print(line, markup=False, highlight=False, soft_wrap=True)


def _words_of(error: BaseException) -> str:
    """The first line of the first error, and where the round's files are."""
    notes = list(getattr(error, "__notes__", ()))
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    return "; ".join([(str(error).splitlines() or [""])[0] or type(error).__name__, *notes])


def _table(figures: dict[str, object]) -> Table:
    table = Table("figure", "value", title="Delivery under faults")
    for name, value in figures.items():
        if name == "kinds" and isinstance(value, dict):
            for kind, cost in value.items():
                drawn, p50, p99 = cost.values()
                table.add_row(kind, f"{drawn} times, healed in {p50} s (p50), {p99} s (p99)")
        else:
            table.add_row(name, str(value))
    return table
