"""`redact ledger verify OUT`: prove the chain, and that every released file is still the judged one."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from redact.batch.store import Store, sha256_file
from redact.errors import LedgerError, UsageError
from redact.findings import Verdict


def verify(
    out: Annotated[Path, typer.Argument(metavar="OUT", help="An output folder of `redact run`.")],
) -> None:
    """Check every link of the ledger and the digest of everything in published/."""
    if not (out / "ledger.sqlite").is_file():
        raise UsageError("OUT holds no ledger.")
    with Store(out) as store:
        rows = store.ledger.verify()
        judged = {
            state["sha256"]
            for state in store.states().values()
            if state["event"] == "released" and state["verdict"] == Verdict.PUBLISH.value
        }
        files = [path for path in store.published.rglob("*") if path.is_file()]
        strangers = sum(sha256_file(path) not in judged for path in files)
    if strangers:
        raise LedgerError(
            f"{strangers} files in published/ are not bytes that passed the gate; take them out."
        )
    typer.echo(f"{rows} rows, chain whole; {len(files)} published files, all as judged.")


def register(app: typer.Typer) -> None:
    """Add the command group to the application."""
    group = typer.Typer(help="The record of what was done.", no_args_is_help=True)
    group.callback()(lambda: None)
    group.command("verify")(verify)
    app.add_typer(group, name="ledger")


__all__ = ["register", "verify"]
