"""`redact serve`: the HTTP service, and the tokens that let its users in."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer

from redact.errors import MissingToolError, UsageError
from redact.service.config import load_config
from redact.service.tokens import Scope, TokenFile

ConfigOption = Annotated[
    Path | None,
    typer.Option("--config", metavar="FILE", help="Its TOML file; see docs/service.md."),
]

tokens = typer.Typer(help="Make, list and revoke tokens. A token is shown once, when it is made.")


def _config_file(file: Path | None) -> Path:
    if file is None:
        raise UsageError("--config FILE is needed; docs/service.md shows one.")
    return file


def command(context: typer.Context, config: ConfigOption = None) -> None:
    """Run the HTTP service until it is told to stop (SIGTERM, Ctrl-C); no accepted job is lost."""
    if context.invoked_subcommand is not None:
        return
    chosen = load_config(_config_file(config))
    try:
        from redact.service.serve import serve
    except ImportError as error:
        raise MissingToolError(
            "The service needs more packages: run `make setup`, or in its checkout pip install '.[service]'."
        ) from error
    serve(chosen)


def _tokens(config: Path | None) -> TokenFile:
    return TokenFile(load_config(_config_file(config)).state)


@tokens.command("add")
def add(
    scope: Annotated[
        list[Scope],
        typer.Option("--scope", help="May be repeated; `review` shows unsafe files."),
    ],
    days: Annotated[float, typer.Option("--days", min=0.0, max=3650.0, help="Days until it expires.")] = 365,
    config: ConfigOption = None,
) -> None:
    """Make a token and print it. It cannot be shown again."""
    typer.echo(_tokens(config).add(scope, days))


@tokens.command("list")
def list_(config: ConfigOption = None) -> None:
    """Ids, scopes and last days; no token can be read from this."""
    now = datetime.now(UTC)
    for row in sorted(_tokens(config).rows(), key=lambda row: row.made):
        until = datetime.fromtimestamp(row.expires, UTC)
        state = "revoked" if row.revoked else "expired" if until <= now else "valid"
        typer.echo(f"{row.id}  {state}  until {until:%Y-%m-%d}  {', '.join(sorted(row.scopes))}")


@tokens.command("revoke")
def revoke(
    token: Annotated[str, typer.Argument(metavar="ID", help="As `list` shows it.")],
    config: ConfigOption = None,
) -> None:
    """End a token; it is refused from the next request on."""
    _tokens(config).revoke(token)
    typer.echo(f"{token} is revoked.")


def register(app: typer.Typer) -> None:
    """Add the command to the application."""
    group = typer.Typer(invoke_without_command=True)
    group.callback()(command)
    group.add_typer(tokens, name="token")
    app.add_typer(group, name="serve")
