"""Opening a centre from the command line: its settings, its office, and errors in one line."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import typer
from sqlalchemy.exc import DBAPIError

from alerts.errors import AlertsError
from center.app import make_office
from center.errors import CenterError, NoCentre
from center.keyring import load_keyring, make_secrets
from center.logs import set_up
from center.office import Office
from center.schema import migrate
from center.settings import Settings, load_settings
from enforcement.errors import EnforcementError
from traceability.errors import TraceabilityError

Data = Annotated[Path | None, typer.Option("--data", help="The centre's data folder; var/center by default.")]


@contextmanager
def one_line_errors() -> Iterator[None]:
    """What a person can put right is said in one line for each thing, and the exit status is 1."""
    try:
        yield
    except (CenterError, AlertsError, EnforcementError, TraceabilityError) as error:
        for line in str(error).splitlines():
            typer.echo(f"teawatch center: {line}", err=True)
        raise typer.Exit(1) from None
    except DBAPIError as error:
        reason = str(error.orig).splitlines()[0]
        typer.echo(f"teawatch center: the database did not answer: {reason}", err=True)
        raise typer.Exit(1) from None


def require_centre(settings: Settings) -> None:
    """Raises NoCentre for a folder without one, so that a mistyped name does not quietly begin another centre."""
    if not settings.secrets_folder.exists():
        folder = settings.data
        raise NoCentre(f"no centre in {folder}; teawatch center init --data {folder} makes one")


@contextmanager
def open_office(data: Path | None, *, make: bool = False) -> Iterator[Office]:
    """The office of the centre in this data folder, its database brought up to date, nothing started.

    A centre that is not there is made with `make`, else it is an error.
    """
    with one_line_errors():
        settings = load_settings(data)
        if not make:
            require_centre(settings)
        set_up("warning")
        make_secrets(settings)
        office = make_office(settings, load_keyring(settings))
        try:
            migrate(office.database)
            yield office
        finally:
            office.database.close()
