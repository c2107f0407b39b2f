"""`teawatch verify BUNDLE --keys FILE`: whether a bundle holds, for whoever was handed one."""

import io
import json
import sys
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Final

import typer

from alerts.bundles.trust import load_trust
from alerts.bundles.verification import verify_file
from alerts.errors import StampRejected, TrustUnusable
from alerts.stamps import load_roots

app = typer.Typer(add_completion=False)

WHERE_KEYS_ARE: Final = (
    "--keys FILE is missing: the centre's file of keys. Ask the centre for it, or take it from the county's web page, "
    "not from whoever gave you the bundle (the centre writes it with teawatch center keys export)"
)


class Tongue(StrEnum):
    """The language of the report."""

    EN = "en"
    ZH = "zh"


@app.command()
def verify(
    bundle: Annotated[Path, typer.Argument(help="The bundle, as the centre exported it.")],
    *,
    keys: Annotated[
        Path | None, typer.Option(help="The keys you trust, which reached you on another way than the bundle.")
    ] = None,
    case: Annotated[str, typer.Option(help="The case that it must be of, if you know.")] = "",
    lang: Annotated[Tongue, typer.Option(help="en or zh")] = Tongue.EN,
    without_log: Annotated[
        bool,
        typer.Option(
            "--without-log", help="Accept a bundle without proofs from the centre's log, or keys without the log's."
        ),
    ] = False,
    stamp_roots: Annotated[
        Path | None,
        typer.Option(help="Root certificates (PEM) of the authority that stamped the log's head; from elsewhere, too."),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object.")] = False,
) -> None:
    """Say what of a bundle holds and what does not; the exit status is 0 if all of it does, else 1."""
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="backslashreplace")  # a terminal without Chinese gets the report all the same
    if keys is None:
        typer.echo(f"teawatch verify: {WHERE_KEYS_ARE}", err=True)
        raise typer.Exit(1)
    try:
        trust = load_trust(keys)
        roots = load_roots(stamp_roots) if stamp_roots else ()
    except (TrustUnusable, StampRejected) as error:
        typer.echo(f"teawatch verify: {error}", err=True)
        raise typer.Exit(1) from None
    report = verify_file(bundle, trust, case=case, needs_log=not without_log, roots=roots)
    unreadable = next((finding for _, finding in report.findings if finding.code == "unreadable_file"), None)
    if as_json:
        typer.echo(json.dumps({"bundle": str(bundle), **report.facts(lang)}, ensure_ascii=False))
    elif unreadable is not None:
        typer.echo(f"teawatch verify: {bundle}: {unreadable.say(lang)}", err=True)
    else:
        for line in report.lines(lang):
            typer.echo(line)
    raise typer.Exit(report.exit_status)
