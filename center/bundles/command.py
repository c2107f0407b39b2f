"""`teawatch center export`: a lead's bundle, for the administrator at the machine."""

import os
from pathlib import Path
from typing import Annotated

import typer

from center.bundles.handing import Hand, hand_out
from center.errors import BundleImpossible
from center.opening import Data, open_office


def export(
    lead: Annotated[str, typer.Argument(help="The lead, as its page's address names it, for example box-01.i7.")],
    output: Annotated[Path, typer.Option("--output", "-o", help="The file to write; none is overwritten.")],
    by: Annotated[str, typer.Option(help="The account of who takes it out; stands in the chain of custody.")],
    reason: Annotated[str, typer.Option(help="Why, and for whom; stands in the chain of custody.")],
    data: Data = None,
) -> None:
    """Write the sealed bundle of a lead: records, pictures, clip, reasons, and the centre's seal over them."""
    with open_office(data) as office:
        passing = output.with_name(f".{output.name}.{os.getpid()}")
        try:
            if output.exists():
                raise BundleImpossible(f"{output}: is there already and is not overwritten")
            with passing.open("xb") as file:
                exported = hand_out(office, lead, file, Hand(by, reason))
            passing.rename(output)
        except OSError as error:
            raise BundleImpossible(f"{output}: {error.strerror}") from error
        finally:
            passing.unlink(missing_ok=True)
        typer.echo(f"{output}: {exported.members} members, {len(exported.files)} of them files of evidence")
        typer.echo("the keys to check it go another way: teawatch center keys export -o keys.json", err=True)
