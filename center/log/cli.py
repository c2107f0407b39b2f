"""`teawatch center log …`: verify the log, show its key and head, forget a person."""

import hashlib
import json
from datetime import date, timedelta
from pathlib import Path
from typing import Annotated
from zoneinfo import ZoneInfo

import typer

from alerts.stamps import load_roots
from center.database import Database
from center.errors import LogDamaged, SettingsInvalid, StampRefused
from center.log.erasure import erase_person
from center.log.printing import print_digest
from center.log.publishing import publish_due
from center.log.stamping import StampedHead, fetch_stamp, keep_stamp, stamps_of
from center.log.verification import Report, verify_log
from center.opening import Data, open_office

app = typer.Typer(no_args_is_help=True, help="The append-only log of records, custody and reviews.")


@app.command()
def verify(
    data: Data = None,
    pinned: Annotated[
        list[Path] | None, typer.Option(help="A head kept elsewhere (a signed note); may be given again.")
    ] = None,
    *,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object as the last line.")] = False,
) -> None:
    """Recompute the whole log and compare it with every published head; exit status 1 if anything does not hold."""
    with open_office(data) as office:
        texts = [_read(path) for path in pinned or ()]
        with office.database.reading(snapshot=True) as session:
            report = verify_log(session, office.notary, texts)
    _tell(report, as_json=as_json)
    raise typer.Exit(0 if report.holds else 1)


def _tell(report: Report, *, as_json: bool) -> None:
    for trouble in report.troubles:
        typer.echo(f"does not hold: {trouble}", err=as_json)
    heads = f"{report.heads} published heads, {report.stamps} time-stamps, {report.pinned} heads pinned elsewhere"
    counted = f"{report.leaves} leaves, {heads}"
    if report.holds:
        typer.echo(
            f"the log holds: {counted}; {report.erased} leaves are silent, their erasure is on record", err=as_json
        )
    else:
        typer.echo(f"the log does NOT hold: {len(report.troubles)} troubles in {counted}", err=True)
    if as_json:
        figures = {
            "holds": report.holds,
            "leaves": report.leaves,
            "heads": report.heads,
            "pinned": report.pinned,
            "stamps": report.stamps,
            "erased": report.erased,
            "troubles": report.troubles,
        }
        typer.echo(json.dumps(figures, ensure_ascii=False))


def _read(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except OSError as error:
        raise LogDamaged(f"{path}: cannot be read: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise LogDamaged(f"{path}: is no signed head: it is not UTF-8") from error


@app.command()
def head(data: Data = None) -> None:
    """Publish the log as it is now and print its signed head, to be kept elsewhere."""
    with open_office(data) as office:
        typer.echo(publish_due(office.database, office.notary, at=office.now()).text, nl=False)


@app.command()
def stamps(
    data: Data = None,
    output: Annotated[
        Path | None, typer.Option("--output", "-o", help="A folder to write each head and its stamp into.")
    ] = None,
) -> None:
    """List the heads that an outside authority has stamped (RFC 3161), the latest last."""
    with open_office(data) as office:
        with office.database.reading() as session:
            found = list(stamps_of(session, office.settings.tenant))
        for each in found:
            typer.echo(f"{each.at:%Y-%m-%d %H:%M:%S} UTC  {each.size} leaves  {each.authority}")
            if output is not None:
                _save(each, output)
        if not found:
            typer.echo("no head of the log was stamped yet: teawatch center timestamp")


def _save(stamped: StampedHead, folder: Path) -> None:
    name = f"{stamped.at:%Y%m%dT%H%M%SZ}-{stamped.size}-{hashlib.sha256(stamped.answer).hexdigest()[:8]}"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        (folder / f"{name}.txt").write_text(stamped.text, encoding="utf-8", newline="")
        (folder / f"{name}.tsr").write_bytes(stamped.answer)
    except OSError as error:
        raise StampRefused(f"{folder}: {error.strerror}") from error


@app.command()
def key(data: Data = None) -> None:
    """Print the log's name and public key, to be pinned by whoever checks its heads."""
    with open_office(data) as office:
        typer.echo(office.notary.verifier)


@app.command()
def erase(
    name: Annotated[str, typer.Argument(help="The account's name.")],
    ground: Annotated[str, typer.Option(help="Why, for the record; it names nobody.")],
    data: Data = None,
) -> None:
    """Make the log forget a person: what it says of them falls silent, its proofs stay. This cannot be undone."""
    with open_office(data) as office:
        with office.database.writing() as session:
            done = erase_person(session, tenant=office.settings.tenant, user_id=name, ground=ground, at=office.now())
        _wipe(office.database)
    typer.echo(f"{done.leaves} leaves of the log say nothing any more, {done.events} events of custody are gone")


def digest(
    data: Data = None,
    on: Annotated[str, typer.Option("--date", help="The local day, YYYY-MM-DD; yesterday by default.")] = "",
) -> None:
    """Print a day in numbers and the signed head over it, in Chinese and English, to be pinned up outside."""
    with open_office(data) as office:
        settings, zone = office.settings, ZoneInfo(office.settings.time_zone)
        today = office.now().astimezone(zone).date()
        day = _day(on) if on else today - timedelta(days=1)
        if day > today:
            raise SettingsInvalid(f"{day.isoformat()} has not come yet")
        text = print_digest(office.database, office.notary, on=day, zone=zone, name=settings.name, at=office.now())
        typer.echo(text, nl=False)


def _day(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise SettingsInvalid(f"{text!r} is no day; 2026-05-01 is one") from None


def timestamp(
    data: Data = None,
    url: Annotated[str | None, typer.Option(help="The authority; log.timestamp_url by default.")] = None,
    roots: Annotated[
        Path | None, typer.Option(help="Its root certificates in PEM; log.timestamp_roots by default.")
    ] = None,
) -> None:
    """Have a time-stamping authority (RFC 3161) stamp the log's head as it is now, and keep the stamp."""
    with open_office(data) as office:
        chosen, trusted = url or office.settings.log.timestamp_url, roots or office.settings.log.timestamp_roots
        if not chosen or trusted is None:
            raise StampRefused("no time-stamping authority is configured: --url and --roots, or log.timestamp_url")
        head = publish_due(office.database, office.notary, at=office.now())
        stamp = fetch_stamp(head.text, url=chosen, roots=load_roots(trusted), now=office.now())
        with office.database.writing() as session:
            keep_stamp(session, head, stamp)
        typer.echo(f"the head of {head.size} leaves is stamped: {stamp.at:%Y-%m-%d %H:%M:%S} UTC")


def _wipe(database: Database) -> None:
    """Let SQLite's journal of writes go, in which what was deleted may still stand."""
    if database.engine.dialect.name == "sqlite":
        with database.engine.connect() as connection:
            connection.connection.cursor().execute("PRAGMA wal_checkpoint(TRUNCATE)")
