"""`teawatch center …`: make a centre, enrol boxes, keep accounts, serve."""

import os
import signal
from datetime import timedelta
from pathlib import Path
from typing import Annotated

import typer
import yaml
from pydantic import TypeAdapter, ValidationError

from alerts.messages import Id
from center import garbage
from center.accounts import command as users
from center.app import make_worker
from center.boxes import command as keycli
from center.boxes.certificates import keep_server_pair
from center.boxes.devices import mqtt_passwords
from center.boxes.distrust import distrust_beyond
from center.boxes.enrolment import give_code
from center.boxes.keys import ask_rotation, revoke
from center.bundles.command import export
from center.clock import MACHINE
from center.county.registration import register_folder, write_example
from center.county.seeding import DEMO_TENANT
from center.errors import ClockDoubtful, SettingsInvalid
from center.feed.hub import announce
from center.intake.quarantine import Limits
from center.intake.sharing import Share
from center.log import cli as log_cli
from center.logs import set_up
from center.mosquitto import MosquittoFiles, Place
from center.opening import Data, one_line_errors, open_office, require_centre
from center.serving import serve as run_server
from center.settings import FILE_NAME, Settings, load_settings
from center.timekeeping import accept, doubt_of, in_words

app = typer.Typer(no_args_is_help=True, add_completion=False)
app.add_typer(users.app, name="user")
app.add_typer(log_cli.app, name="log")
app.add_typer(keycli.app, name="keys")
app.command()(keycli.devices)
app.command()(export)
app.command()(log_cli.digest)
app.command()(log_cli.timestamp)

OURS_ALONE = 0o077

Port = Annotated[int | None, typer.Option(min=1, max=65535)]


@app.callback()
def center() -> None:
    """The enforcement centre: make one, enrol boxes, keep accounts, serve."""
    os.umask(OURS_ALONE)  # evidence and secrets are nobody else's on this machine


@app.command()
def init(
    data: Data = None, tenant: Annotated[str | None, typer.Option(help="The county's name on the wire.")] = None
) -> None:
    """Make, or bring up to date, the data folder, secrets and database."""
    with one_line_errors():
        settle_tenant(data, tenant)
    with open_office(data, make=True) as office:
        settings, key = office.settings, office.keyring.signing_key
        typer.echo(f"centre of tenant {settings.tenant!r} in {settings.data}; its key is {key.key_id}")


@app.command()
def enrol(
    name: Annotated[str, typer.Argument(help="The box's name on the wire, for example box-01.")],
    data: Data = None,
    valid_minutes: Annotated[int, typer.Option(min=1, max=7 * 24 * 60, help="How long the code is good.")] = 60,
    *,
    replace: Annotated[bool, typer.Option("--replace", help="A new box takes the place of one of this name.")] = False,
) -> None:
    """Print a one-time code for a new box."""
    with open_office(data) as office:
        check_name(name, taken=office.settings.mqtt.username)
        with office.database.writing() as session:
            code = give_code(
                session,
                tenant=office.settings.tenant,
                device=name,
                key=office.keyring.signing_key,
                at=office.now(),
                valid=timedelta(minutes=valid_minutes),
                replace=replace,
            )
        typer.echo(code)
        command = f"teawatch edge enrol --center {office.settings.url} --code {code}"
        typer.echo(f"good once, for {valid_minutes} minutes; on the box: {command}", err=True)


@app.command("revoke")
def shut_out(
    name: str,
    data: Data = None,
    last: Annotated[
        int | None, typer.Option(min=0, help="The last record to trust; by default the last that came.")
    ] = None,
    journal: Annotated[str | None, typer.Option(help="The journal it stands in; by default the newest.")] = None,
) -> None:
    """Shut a box out: its password, certificate and keys stop working.

    What it made before stays; leads that rest on a record after the last trusted one are marked.
    """
    with open_office(data) as office, office.database.writing() as session:
        settings, at = office.settings, office.now()
        revoke(session, tenant=settings.tenant, name=name, at=at, epoch=journal, last=last)
        limits = Limits(settings.intake.quarantine_raw_kib * 1024, settings.intake.quarantine_rows)
        found = distrust_beyond(session, tenant=settings.tenant, device=name, limits=limits, at=at)
        announce(session, "device", name)
    typer.echo(f"{name} is shut out; `teawatch center keys show {name}` shows up to where its records are trusted")
    if found.records:
        typer.echo(f"{found.records} records beyond it had come already: the quarantine lists them")
    for lead in found.leads:
        typer.echo(f"{lead} rests on one of them: it is no evidence any more, whatever was said of it")


@app.command()
def rotate(name: str, data: Data = None) -> None:
    """Have a box make itself a new key; the running centre asks it for one as soon as it is on line."""
    with open_office(data) as office, office.database.writing() as session:
        key = ask_rotation(session, tenant=office.settings.tenant, name=name, at=office.now())
        typer.echo(
            f"{name} will be asked for a key in place of {key.key_id}; `teawatch center keys show {name}` shows it"
        )


@app.command()
def register(
    folder: Annotated[Path, typer.Argument(help="Holds county.yaml and ground.geojson.")],
    data: Data = None,
    *,
    example: Annotated[bool, typer.Option("--example", help="Write a county to edit there; register nothing.")] = False,
) -> None:
    """Register a county's grids, cameras, gardens and policies from a folder; again adds what is new."""
    if example:
        with one_line_errors():
            for path in write_example(folder):
                typer.echo(path)
        beside = f" --data {data}" if data else ""
        typer.echo(f"make it your county, then: teawatch center register {folder}{beside}", err=True)
        return
    with open_office(data) as office, office.database.writing() as session:
        done = register_folder(session, tenant=office.settings.tenant, folder=folder, now=office.now())
    counted = ", ".join(f"{part.replace('_', ' ')} {count}" for part, count in done.added.items())
    typer.echo(
        f"registered: {counted}" if counted else f"everything of {folder} is registered already; nothing was changed"
    )
    for line in done.still_to_do:
        typer.echo(line, err=True)


@app.command()
def mosquitto(
    folder: Annotated[Path, typer.Argument(help="Made if it is not there; start: mosquitto -c FOLDER/mosquitto.conf")],
    data: Data = None,
) -> None:
    """Write Mosquitto's configuration, rights of each box, and users or certificates; tell a running one of it.

    With `mqtt.mosquitto: FOLDER` in center.yaml the running centre keeps them up to date by itself.
    """
    with open_office(data) as office, office.database.reading() as session:
        settings, at = office.settings, office.now()
        pair, _ = keep_server_pair(settings, office.keyring.authority, at)
        place = Place(folder.absolute(), settings.mqtt.mosquitto_bind, settings.mqtt.port)
        written = MosquittoFiles(settings, office.keyring, place).refresh(session, pair, at)
        typer.echo(f"{'written' if written else 'up to date'}: {place.configuration}")
    if not settings.mqtt.tls:
        typer.echo("without TLS: set mqtt.tls to true in center.yaml before anybody else can reach it", err=True)


@app.command("broker-users")
def broker_users(data: Data = None) -> None:
    """Print `name:password` of every box, for a broker that is not ours (as `mosquitto_passwd -U` takes it)."""
    with open_office(data) as office, office.database.reading() as session:
        for name, password in mqtt_passwords(session, office.settings.tenant, office.keyring.broker_seed).items():
            typer.echo(f"{name}:{password}")


@app.command()
def retention(
    data: Data = None,
    *,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Say what would be deleted; delete nothing.")] = False,
) -> None:
    """Delete files of evidence whose term is over; a running centre does it daily by itself."""
    with open_office(data) as office:
        at = office.now()
        with office.database.reading() as session:
            doubt = doubt_of(session, office.settings.tenant, at)
        if doubt and not dry_run:
            raise ClockDoubtful(in_words(doubt))
        due = office.disposal.preview(at)
        for each in due:
            closed, term = f"{each.closed_at:%Y-%m-%d}", each.term
            typer.echo(
                f"{each.file.sha256}\t{each.file.role}\t{each.lead_id}\tclosed {closed}\t{term.rule}: {term.days} days"
            )
        files = {each.file.sha256: each.file.size_bytes for each in due}
        if not dry_run:
            office.disposal.run(at)
        said = "would be deleted" if dry_run else "deleted"
        typer.echo(f"{len(files)} files of {sum(files.values())} bytes {said}", err=True)


@app.command()
def clock(
    data: Data = None,
    *,
    is_right: Annotated[bool, typer.Option("--accept", help="This machine's clock is right: go by it.")] = False,
) -> None:
    """Say what time it is here, and whether the clock has leapt; exit status 1 while that is to be settled."""
    with open_office(data) as office, office.database.writing() as session:
        at, tenant = office.now(), office.settings.tenant
        if is_right:
            accept(session, tenant, at)
        doubt = doubt_of(session, tenant, at)
        kept = "a time server keeps it" if MACHINE.is_kept() else "no time server keeps it"
        typer.echo(f"{at:%Y-%m-%d %H:%M:%S} UTC; {kept}")
    if doubt is not None:
        typer.echo(in_words(doubt))
        raise typer.Exit(1)


@app.command()
def intake(
    worker: Annotated[str, typer.Option(help="Which of how many workers this is, for example 1/2.")], data: Data = None
) -> None:
    """Take in what a share of the boxes sends, until stopped: for a centre on PostgreSQL with `intake.workers` set."""
    with open_office(data) as office:
        set_up(office.settings.log_level)
        told_to_stop = {signal.SIGTERM, signal.SIGINT}
        signal.pthread_sigmask(signal.SIG_BLOCK, told_to_stop)
        office.timekeeper.start()
        with make_worker(office, Share.parse(worker)):
            garbage.settle()
            signal.sigwait(told_to_stop)
        office.timekeeper.stop()


@app.command()
def serve(
    data: Data = None,
    host: Annotated[str | None, typer.Option(help="Address to bind; this machine only by default.")] = None,
    port: Port = None,
    mqtt_port: Port = None,
    *,
    seed_demo_county: Annotated[bool, typer.Option("--seed-demo-county", help="Register the demo county.")] = False,
) -> None:
    """Serve pages, JSON and the broker until stopped."""
    with one_line_errors():
        if seed_demo_county and not _exists(load_settings(data)):
            settle_tenant(data, DEMO_TENANT)
        if not seed_demo_county:
            require_centre(load_settings(data))
        settings = load_settings(data, web={"host": host, "port": port}, mqtt={"port": mqtt_port})
        set_up(settings.log_level)
        run_server(settings, seed_demo_county=seed_demo_county)


def settle_tenant(data: Path | None, tenant: str | None) -> None:
    """Write the tenant down while nothing depends on it: it goes into every table and onto every box.

    Raises SettingsInvalid for a centre that exists with another one.
    """
    settings = load_settings(data)
    path = settings.data / FILE_NAME
    if tenant is None or tenant == settings.tenant:
        return
    if _exists(settings):
        raise SettingsInvalid(f"{path}: the tenant here is {settings.tenant!r} and cannot become {tenant!r}")
    load_settings(data, tenant=tenant)
    settings.data.mkdir(parents=True, exist_ok=True, mode=0o700)
    path.write_text(yaml.safe_dump({"tenant": tenant}), encoding="utf-8")


def _exists(settings: Settings) -> bool:
    return (settings.data / FILE_NAME).exists() or settings.secrets_folder.exists()


def check_name(name: str, *, taken: str) -> None:
    """Raises SettingsInvalid for what cannot be a name on the wire; `taken` is the centre's own at the broker."""
    if name == taken:
        raise SettingsInvalid(f"{name!r} is the centre's own name at the broker: a box would have its rights")
    try:
        TypeAdapter(Id).validate_python(name)
    except ValidationError:
        raise SettingsInvalid(
            f"{name!r} cannot be a box's name: letters, digits, '.', '_' and '-', 64 at most, for example box-01"
        ) from None
