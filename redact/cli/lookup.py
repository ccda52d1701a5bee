"""`redact lookup OUT [ID...]`: which public id is which input. For the eyes of the person who holds them."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from redact.batch.store import Store
from redact.errors import UsageError


def command(
    out: Annotated[Path, typer.Argument(metavar="OUT", help="An output folder of `redact run`.")],
    ids: Annotated[
        list[str] | None, typer.Argument(metavar="[ID]...", help="Public ids; default: all.")
    ] = None,
) -> None:
    """Print `id  input path` from the private mapping. This is the one command that shows input names."""
    if not (out / "ledger.sqlite").is_file():
        raise UsageError("OUT holds no ledger.")
    with Store(out) as store:
        items = dict(store.private.items())
    unknown = [item for item in ids or [] if item not in items]
    if unknown:
        raise UsageError(f"{len(unknown)} of these ids are not known here.")
    for item in ids or items:
        typer.echo(f"{item}  {items[item]}")


def register(app: typer.Typer) -> None:
    """Add the command to the application."""
    app.command("lookup")(command)
