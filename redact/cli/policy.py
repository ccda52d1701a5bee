"""`redact policy show`: every setting with its value and meaning."""

from __future__ import annotations

import json

import typer

from redact.cli.options import JsonOption, PolicyOption, SetOption
from redact.policy import PRESETS, describe, load_policy


def show(policy: PolicyOption = "strict", set_: SetOption = None, as_json: JsonOption = False) -> None:
    """List every setting of a policy, its value and what it means."""
    chosen = load_policy(policy, set_)
    for key, value, meaning in describe(chosen):
        shown = json.dumps(value)
        if as_json:
            typer.echo(json.dumps({"key": key, "value": value, "meaning": meaning}))
        else:
            typer.echo(f"{key} = {shown}\n    {meaning}")
    if not as_json:
        typer.echo(f"\nPresets: {', '.join(PRESETS)}. Digest of this policy: {chosen.digest()[:16]}")


def register(app: typer.Typer) -> None:
    """Add the command group to the application."""
    group = typer.Typer(help="What is hidden, and how.", no_args_is_help=True)
    group.command("show")(show)
    app.add_typer(group, name="policy")


__all__ = ["register", "show"]
