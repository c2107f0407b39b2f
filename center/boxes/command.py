"""`teawatch center devices`, and `keys …`: a box's keys over time, and the file of keys for whoever checks bundles."""

from collections.abc import Iterator
from pathlib import Path
from typing import Annotated

import typer
from sqlalchemy.orm import Session

from alerts.bundles.trust import write_trust
from center.boxes.copies import copy_ended_at
from center.boxes.devices import Device, list_devices
from center.boxes.keys import list_keys
from center.bundles.trusting import trust_of
from center.errors import BundleImpossible
from center.intake.journal import epochs_of, gaps, given_up
from center.opening import Data, open_office


def devices(data: Data = None) -> None:
    """Show every box: whether it is on line, what waits on it and what it says, what is missing, if it was copied."""
    with open_office(data) as office, office.database.reading() as session:
        devices = list_devices(session, office.settings.tenant)
        if not devices:
            typer.echo("no box is enrolled yet; teawatch center enrol NAME prints a code for one", err=True)
        for device in devices:
            state = "revoked" if device.revoked_at else "on line" if device.online else "off line"
            seen = f"{device.last_seen_at:%Y-%m-%d %H:%M:%S} UTC" if device.last_seen_at else "never"
            typer.echo(f"{device.id}\t{state}\tlast seen {seen}\t{device.pending_records} records waiting on it")
            for remark in _remarks(session, device):
                typer.echo(f"  {remark}")


def _remarks(session: Session, device: Device) -> Iterator[str]:
    if device.trouble:
        yield f"it says: {device.trouble}"
    keys = list_keys(session, device.tenant, device.id)
    for epoch in epochs_of(session, device.tenant, device.id):
        for what, runs in (("not here yet", gaps(session, epoch)), ("given up by the box", given_up(session, epoch))):
            if runs:
                told = ", ".join(f"{run.first}-{run.last}" if run.last > run.first else f"{run.first}" for run in runs)
                yield f"journal {epoch.epoch}: {what}: {told}"
        if epoch.forks:
            ended_at = copy_ended_at(epoch, keys)
            since = f", dealt with on {ended_at:%Y-%m-%d %H:%M:%S} UTC" if ended_at else ""
            yield f"journal {epoch.epoch}: {epoch.forks} records share a number: the box was copied or set back{since}"


app = typer.Typer(no_args_is_help=True, help="Keys of boxes, and the file of keys for whoever checks bundles.")


@app.command()
def show(name: str, data: Data = None) -> None:
    """Show every key a box ever had, and which records each vouches for."""
    with open_office(data) as office, office.database.reading() as session:
        for each in list_keys(session, office.settings.tenant, name):
            state = "in force" if each.ended_at is None else f"{each.ending} {each.ended_at:%Y-%m-%d %H:%M:%S} UTC"
            reaches = "; ".join(f"{reach.epoch} {reach.first}-{reach.last or ''}" for reach in each.reaches)
            typer.echo(f"{each.key.key_id}\tsince {each.since:%Y-%m-%d %H:%M:%S} UTC\t{state}\t{reaches}")


@app.command("export")
def export_keys(
    output: Annotated[Path, typer.Option("--output", "-o", help="The file to write; - prints it.")] = Path("-"),
    data: Data = None,
) -> None:
    """Write the centre's key and every box's, each with the time for which it is trusted."""
    with open_office(data) as office:
        with office.database.reading() as session:
            trust = trust_of(session, office.notary, at=office.now())
        raw = write_trust(trust)
        if str(output) == "-":
            typer.echo(raw.decode(), nl=False)
            return
        try:
            output.write_bytes(raw)
        except OSError as error:
            raise BundleImpossible(f"{output}: {error.strerror}") from error
        typer.echo(f"{output}: the centre's key is {trust.centre_keys[0].key_id}; compare it by telephone or on paper")
