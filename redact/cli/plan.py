"""`redact plan FILE`: analyse one file and write its plan, for a person to edit."""

from __future__ import annotations

import threading
from pathlib import Path
from typing import Annotated

import typer

from redact.batch.jobs import WorkerStages
from redact.batch.private import new_id
from redact.cli.options import NamesOption, PolicyOption, SetOption, read_names
from redact.errors import OutputError, UsageError
from redact.policy import load_policy


def command(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="A photo, animation or video.")],
    out: Annotated[
        Path | None, typer.Option("--out", "-o", help="Where the plan goes; default: standard output.")
    ] = None,
    policy: PolicyOption = "strict",
    set_: SetOption = None,
    names: NamesOption = None,
) -> None:
    """Find what must be covered in FILE and write the plan as JSON."""
    chosen, watch = load_policy(policy, set_), read_names(names)
    if not file.is_file():
        raise UsageError("FILE is not there.")
    if out is not None and out.exists():
        raise UsageError("The plan's file exists already; choose another name.")
    stages = WorkerStages(chosen.limits.item_timeout_s, threading.Event(), policy=chosen, watch=watch)
    try:
        text = stages.analyse(file, new_id(), chosen, lambda *_: None).to_json()
    finally:
        stages.close()
    if out is None:
        typer.echo(text)
        return
    try:
        out.write_text(text + "\n", encoding="utf-8")
    except OSError as error:
        raise OutputError("The plan could not be written; check permissions and free space.") from error


def register(app: typer.Typer) -> None:
    """Add the command to the application."""
    app.command("plan")(command)
