"""`teawatch bench intake`: alerts a second to a durable, linked task, over what a bare subscriber receives.

All messages wait at the broker before either begins, so that nothing but the receiver is measured; broker, database
and the bench itself have the other cores. Both are one process on one core.
"""

import json
import os
import statistics
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, NamedTuple

import paho.mqtt.client as mqtt
import typer
import yaml
from paho.mqtt.enums import CallbackAPIVersion
from rich.console import Console
from rich.table import Table
from sqlalchemy import func, select

from alerts import topics
from alerts.subscriber import Incoming
from alerts.topics import Channel
from center.clock import MACHINE
from center.database import Database
from center.errors import CenterError, ServerMissing
from center.intake.bench.county import TENANT, make_county, tell
from center.intake.bench.pinning import split_cores
from center.intake.bench.servers import Mosquitto, PostgreSQL
from center.keyring import load_keyring, make_secrets
from center.settings import FILE_NAME, Settings, load_settings
from enforcement.leads import Lead, LeadLink, of_lead
from enforcement.task_records import Task

app = typer.Typer(add_completion=False)
USER, PASSWORD = "teawatch-center", "of the bench"
RUN_S = 400
WARM = 300


@dataclass(frozen=True, slots=True)
class Place:
    """Where one centre of the bench lives, and the broker of all."""

    folder: Path
    port: int
    core: int | None


class Pace(NamedTuple):
    """Messages a second, and microseconds of the receiver's own CPU for each: a busy machine spoils only the first."""

    per_s: float
    cpu_us: float

    @classmethod
    def of(cls, count: int, said: dict[str, Any]) -> "Pace":
        """From what the process said of so many messages."""
        return cls(count / float(said["seconds"]), float(said["cpu_s"]) / count * 1_000_000)


@app.command()
def intake(
    alerts: Annotated[int, typer.Option(min=700, help="How many alerts each run takes in.")] = 20_000,
    boxes: Annotated[int, typer.Option(min=2, max=1000, help="How many boxes they come from.")] = 40,
    *,
    quick: Annotated[bool, typer.Option("--quick", help="3,000 alerts.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object as the last line.")] = False,
) -> None:
    """Take in alerts that wait at a broker, on SQLite and on PostgreSQL, and compare with a bare subscriber."""
    try:
        figures = measure(3000 if quick else alerts, boxes)
    except CenterError as error:
        typer.echo(f"teawatch bench intake: {error}", err=True)
        raise typer.Exit(1) from None
    table = Table("figure", "value", title="Intake over a bare subscriber")
    for name, value in figures.items():
        table.add_row(name, str(value))
    Console(stderr=True).print(table)
    if as_json:
        typer.echo(json.dumps(figures))


def measure(count: int, boxes: int) -> dict[str, Any]:
    """The figures, for so many alerts from so many boxes. Raises ServerMissing."""
    core, others = split_cores()
    os.sched_setaffinity(0, others)
    with tempfile.TemporaryDirectory(prefix="teawatch-intake-") as scratch:
        folder = Path(scratch)
        with Mosquitto(folder, {USER: PASSWORD}) as broker, PostgreSQL() as postgres:
            bare, taken = [], {}
            for name, url in (("sqlite", ""), ("postgres", postgres.url())):
                place = Place(folder / name, broker.port, core)
                messages = _prepare(place, url, count, boxes)
                bare.append(_run_bare(place, messages))
                taken[name] = _run_intake(place, messages)
                bare.append(_run_bare(place, messages))
    ceiling = statistics.median(run.per_s for run in bare)
    ceiling_cpu_us = statistics.median(run.cpu_us for run in bare)
    return {
        "ratio_sqlite": round(taken["sqlite"].per_s / ceiling, 3),
        "ratio_postgres": round(taken["postgres"].per_s / ceiling, 3),
        "alerts_per_s": round(taken["sqlite"].per_s),
        "alerts_per_s_postgres": round(taken["postgres"].per_s),
        "bare_per_s": round(ceiling),
        "bare_per_s_runs": [round(run.per_s) for run in bare],
        "cpu_ratio_sqlite": round(ceiling_cpu_us / taken["sqlite"].cpu_us, 3),
        "cpu_us_sqlite": round(taken["sqlite"].cpu_us),
        "cpu_us_postgres": round(taken["postgres"].cpu_us),
        "cpu_us_bare": round(ceiling_cpu_us),
        "alerts": count,
        "boxes": boxes,
        "message_bytes": len(messages[0].raw),
        "is_pinned": core is not None,
    }


def _prepare(place: Place, url: str, count: int, boxes: int) -> Sequence[Incoming]:
    """A centre with so many boxes, and what they say."""
    place.folder.mkdir()
    (place.folder / "password").write_text(PASSWORD)
    broker = {"embedded": False, "port": place.port, "username": USER, "password_file": str(place.folder / "password")}
    known = {"tenant": TENANT, "database_url": url, "mqtt": broker}
    (place.folder / FILE_NAME).write_text(yaml.safe_dump(known), encoding="utf-8")
    settings = load_settings(place.folder)
    make_secrets(settings)
    with _database(settings) as database:
        now = MACHINE.utc()
        speakers = make_county(database, load_keyring(settings), boxes=boxes, now=now)
        return tuple(tell(speakers, count, now))


@contextmanager
def _database(settings: Settings) -> Iterator[Database]:
    database = Database(settings.sqlalchemy_url)
    try:
        yield database
    finally:
        database.close()


def _run_bare(place: Place, messages: Sequence[Incoming]) -> Pace:
    _leave_waiting(place.port, "bare", messages)
    given = {"port": place.port, "username": USER, "password": PASSWORD, "client_id": "bare"}
    said = _run("center.intake.bench.listener", {**given, "count": len(messages), "core": place.core})
    return Pace.of(len(messages), said)


def _run_intake(place: Place, messages: Sequence[Incoming]) -> Pace:
    """Raises ServerMissing unless each alert has its task, and links."""
    _leave_waiting(place.port, f"teawatch-center-{TENANT}", messages)
    warm = min(WARM, len(messages) // 2)
    given = {"data": str(place.folder), "count": len(messages), "warm": warm, "core": place.core}
    said = _run("center.intake.bench.worker", given)
    with _database(load_settings(place.folder)) as database, database.reading() as session:
        tasks = session.scalar(select(func.count()).select_from(Task))
        linked = session.scalar(select(func.count(Lead.id.distinct())).join(LeadLink, of_lead()))
    if (tasks, linked) != (len(messages), len(messages)):
        raise ServerMissing(f"of {len(messages)} alerts {tasks} have a task and {linked} have links")
    return Pace.of(int(said["measured"]), said)


def _leave_waiting(port: int, client_id: str, messages: Sequence[Incoming]) -> None:
    """Have the broker keep these messages for a client that subscribed and went away."""
    _forget(port, client_id)
    absent = _client(client_id, clean=False)
    absent.connect("127.0.0.1", port)
    absent.loop_start()
    for channel in (Channel.JOURNAL, Channel.STATUS):
        absent.subscribe(topics.filter_of(TENANT, channel), qos=1)
    sender = _client("sender", clean=True)
    sender.max_inflight_messages_set(500)
    sender.connect("127.0.0.1", port)
    sender.loop_start()
    sender.publish("bench/hello", b"", qos=1).wait_for_publish(RUN_S)
    absent.disconnect()
    absent.loop_stop()
    sent = [sender.publish(message.topic.text, message.raw, qos=1) for message in messages]
    for each in sent:
        each.wait_for_publish(RUN_S)
    sender.disconnect()
    sender.loop_stop()


def _forget(port: int, client_id: str) -> None:
    """Have the broker forget what it kept for this client before."""
    gone = threading.Event()
    client = _client(client_id, clean=True)
    client.on_connect = lambda *_: gone.set()
    client.connect("127.0.0.1", port)
    client.loop_start()
    gone.wait(RUN_S)
    client.disconnect()
    client.loop_stop()


def _client(client_id: str, *, clean: bool) -> mqtt.Client:
    client = mqtt.Client(CallbackAPIVersion.VERSION2, client_id=client_id, clean_session=clean)
    client.username_pw_set(USER, PASSWORD)
    return client


def _run(module: str, given: dict[str, Any]) -> dict[str, Any]:
    core = given["core"]
    done = subprocess.run(  # noqa: S603 - our own module
        [sys.executable, "-m", module, json.dumps(given)],
        capture_output=True,
        text=True,
        timeout=RUN_S,
        check=False,
        preexec_fn=(lambda: os.sched_setaffinity(0, {core})) if core is not None else None,
    )
    if done.returncode:
        raise ServerMissing(f"{module} failed: {done.stderr.strip().splitlines()[-1] if done.stderr else 'no word'}")
    said: dict[str, Any] = json.loads(done.stdout.strip().splitlines()[-1])
    if not said["complete"]:
        raise ServerMissing(f"{module} got {said['count']} of {given['count']} messages in time")
    return said
