"""`teawatch center user …`: accounts, for the administrator at the machine."""

import sys
from typing import Annotated

import typer

from center.accounts.people import STAFF_ROLES, Role, add_user, list_users, make_password, reset_password, set_disabled
from center.errors import AccountError
from center.opening import Data, open_office
from center.settings import closest

app = typer.Typer(no_args_is_help=True, help="Accounts of people who sign in.")

Given = Annotated[bool, typer.Option("--password-stdin", help="Read the password from standard input.")]


@app.command()
def add(
    name: Annotated[str, typer.Argument(help="The name to sign in with, for example officer-03.")],
    data: Data = None,
    role: Annotated[
        str, typer.Option(help="officer, head, technician, legal or technical (reviewer)")
    ] = Role.OFFICER.value,
    language: Annotated[str | None, typer.Option(help="zh-CN or en")] = None,
    *,
    password_stdin: Given = False,
) -> None:
    """Make an account and print its password, unless one was given."""
    password = _password(given=password_stdin)
    with open_office(data) as office, office.database.writing() as session:
        add_user(
            session,
            tenant=office.settings.tenant,
            name=name,
            role=_role(role),
            password=password,
            language=language or office.settings.language,
            at=office.now(),
        )
    _tell(name, password, given=password_stdin)


@app.command("list")
def show(data: Data = None) -> None:
    """Show every account: name, role, whether it may sign in."""
    with open_office(data) as office, office.database.reading() as session:
        for user in list_users(session, office.settings.tenant):
            typer.echo(f"{user.id}\t{user.role}\t{'disabled' if user.disabled else 'may sign in'}")


@app.command()
def reset(name: str, data: Data = None, *, password_stdin: Given = False) -> None:
    """Set a new password and sign the account out everywhere."""
    password = _password(given=password_stdin)
    with open_office(data) as office, office.database.writing() as session:
        reset_password(session, tenant=office.settings.tenant, name=name, password=password)
    _tell(name, password, given=password_stdin)


@app.command()
def disable(name: str, data: Data = None) -> None:
    """Shut an account out everywhere at once; what it did stays in the histories."""
    with open_office(data) as office, office.database.writing() as session:
        set_disabled(session, tenant=office.settings.tenant, name=name, disabled=True)


@app.command()
def enable(name: str, data: Data = None) -> None:
    """Let an account sign in again."""
    with open_office(data) as office, office.database.writing() as session:
        set_disabled(session, tenant=office.settings.tenant, name=name, disabled=False)


def _role(text: str) -> Role:
    names = [role.value for role in STAFF_ROLES]
    if text not in names:
        raise AccountError(f"no role {text!r}{closest(text, names) or '.'} There is: {', '.join(names)}")
    return Role(text)


def _password(*, given: bool) -> str:
    return sys.stdin.readline().rstrip("\n") if given else make_password()


def _tell(name: str, password: str, *, given: bool) -> None:
    if not given:
        typer.echo(f"{name}\t{password}")
