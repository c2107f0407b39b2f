"""The front door: one `teawatch` command. Each sub-command is imported only when it is called.

A box has nothing of the centre installed and the centre nothing of the box, so this module imports neither.
"""

import importlib
from collections.abc import Callable, Mapping
from typing import NamedTuple

import typer

OWN_PACKAGES = {"alerts", "center", "edge", "enforcement", "models", "streams", "traceability"}


class Room(NamedTuple):
    """Where a sub-command lives, which extra it needs, and what `teawatch --help` says without importing it."""

    module: str
    extra: str
    help: str


ROOMS = {
    "demo": Room("center.demo", "center,edge", "The whole product on this machine: centre, box, real footage."),
    "edge": Room("edge.cli", "edge", "The box beside the cameras: enrol, check, run."),
    "center": Room("center.cli", "center", "The enforcement centre: initialise, enrol boxes, serve."),
    "verify": Room("alerts.bundles.command", "", "Check a bundle of evidence with keys you trust; needs nothing else."),
    "models": Room("models.cli", "edge", "Model cards: list, check, evaluate."),
}
BENCHES = {
    "delivery": Room("edge.bench.delivery.command", "edge,center", "Whether an alert is ever lost, under faults."),
    "latency": Room(
        "edge.bench.latency.command", "edge,center,browser", "Camera to officer, beside a backlog, on a thin line."
    ),
    "edge": Room("edge.bench.command", "edge", "The whole pipeline on a clip, over the bare network."),
    "verify": Room("center.bundles.bench.command", "center", "Bundles tampered with in every way known, and judged."),
    "intake": Room("center.intake.bench.command", "center,postgres", "Alerts to tasks, over a bare MQTT subscriber."),
    "demo": Room("center.demo.bench", "center,edge", "Start of the demo to the first task, and the memory it takes."),
}

app = typer.Typer(
    name="teawatch",
    help="TeaWatch watches tea gardens, tea plants and streets, and carries what it finds to somebody's task.",
    no_args_is_help=True,
)


bench = typer.Typer(help="Measure; every figure is a ratio to a ceiling taken in the same run.", no_args_is_help=True)


def _door(name: str, room: Room) -> Callable[[typer.Context], None]:
    def enter(context: typer.Context) -> None:
        try:
            inner: typer.Typer = importlib.import_module(room.module).app
        except ModuleNotFoundError as error:
            missing = (error.name or "").partition(".")[0]
            if missing in OWN_PACKAGES:
                raise
            typer.echo(f"teawatch {name}: {missing} is missing; pip install 'teawatch[{room.extra}]'", err=True)
            raise typer.Exit(1) from None
        inner(args=context.args, prog_name=context.command_path)

    return enter


def _hang_doors(corridor: typer.Typer, rooms: Mapping[str, Room]) -> None:
    for name, room in rooms.items():
        corridor.command(
            name,
            help=room.help,
            add_help_option=False,
            context_settings={
                "allow_extra_args": True,
                "ignore_unknown_options": True,
                "allow_interspersed_args": False,
            },
        )(_door(name, room))


_hang_doors(app, ROOMS)
_hang_doors(bench, BENCHES)
app.add_typer(bench, name="bench")


def main() -> None:
    """Entry point of the console script."""
    app()


if __name__ == "__main__":
    main()
