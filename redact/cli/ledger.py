"""`redact ledger verify OUT` proves the record and the files against each other; `export` makes it readable.

Both only read, work on a copy of the folder, and need neither models nor the private mapping.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from redact.batch.audit import audit, open_ledger
from redact.batch.export import FORMATS, export
from redact.errors import LedgerError, OutputError, UsageError

OutArgument = Annotated[Path, typer.Argument(metavar="OUT", help="An output folder of `redact run`.")]


def verify(
    out: OutArgument,
    head: Annotated[
        str,
        typer.Option("--head", metavar="HEAD", help="A head that a run printed: it must be in the chain."),
    ] = "",
) -> None:
    """Check every link of the ledger, and every file in published/ and review/ against it."""
    try:
        found = audit(out, head)
    except OSError as error:
        raise OutputError("A file in the output folder cannot be read; check its permissions.") from error
    for line in (*found.problems, *found.notes):
        typer.echo(line)
    if found.problems:
        raise LedgerError(
            f"{len(found.problems)} discrepancies between ledger and files. The chain itself is whole."
        )
    held = (
        ""
        if found.anchored
        else " No earlier head was at hand, so rows cut off at the end would not be seen."
    )
    typer.echo(
        f"{found.head.rows} rows, chain whole; {found.released['published']} published files, all as judged; "
        f"{found.released['review']} in review, all as judged.{held}"
    )
    typer.echo(f"Ledger head {found.head}")


def export_command(
    out: OutArgument,
    form: Annotated[str, typer.Option("--format", metavar="|".join(FORMATS), help="Form.")] = "text",
) -> None:
    """Print the whole ledger with an explanation of every column, its head, and how to check it."""
    if form not in FORMATS:
        raise UsageError(f"--format takes one of {', '.join(FORMATS)}.")
    with open_ledger(out) as ledger:
        text = export(ledger.chain(), form)
    typer.echo(text, nl=False)


def register(app: typer.Typer) -> None:
    """Add the command group to the application."""
    group = typer.Typer(help="The record of what was done.", no_args_is_help=True)
    group.callback()(lambda: None)
    group.command("verify")(verify)
    group.command("export")(export_command)
    app.add_typer(group, name="ledger")


__all__ = ["export_command", "register", "verify"]
