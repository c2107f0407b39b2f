"""`teawatch verify BUNDLE --keys FILE`: whether a bundle holds, for whoever was handed one."""

import io
import json
import sys
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from alerts.bundles.trust import load_trust
from alerts.bundles.verification import verify_file
from alerts.errors import TrustUnusable

app = typer.Typer(add_completion=False)


class Tongue(StrEnum):
    """The language of the report."""

    EN = "en"
    ZH = "zh"


@app.command()
def verify(
    bundle: Annotated[Path, typer.Argument(help="The bundle, as the centre exported it.")],
    keys: Annotated[Path, typer.Option(help="The keys you trust, which reached you on another way than the bundle.")],
    *,
    case: Annotated[str, typer.Option(help="The case that it must be of, if you know.")] = "",
    lang: Annotated[Tongue, typer.Option(help="en or zh")] = Tongue.EN,
    without_log: Annotated[
        bool, typer.Option("--without-log", help="Accept a bundle whose proofs from the centre's log are missing.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object.")] = False,
) -> None:
    """Say what of a bundle holds and what does not; the exit status is 0 if all of it does, else 1."""
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="backslashreplace")  # a terminal without Chinese gets the report all the same
    try:
        trust = load_trust(keys)
    except TrustUnusable as error:
        typer.echo(f"teawatch verify: {error}", err=True)
        raise typer.Exit(1) from None
    report = verify_file(bundle, trust, case=case, needs_log=not without_log)
    if as_json:
        typer.echo(json.dumps({"bundle": str(bundle), **report.facts(lang)}, ensure_ascii=False))
    else:
        for line in report.lines(lang):
            typer.echo(line)
    raise typer.Exit(report.exit_status)
