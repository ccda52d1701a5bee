"""`redact watch IN OUT`: the batch, on files as they become complete, for as long as it runs."""

from __future__ import annotations

import os
import signal
from pathlib import Path
from typing import Annotated

import typer

from redact.batch.events import Event, ItemDone
from redact.batch.run import RunOptions
from redact.batch.watch import Watcher
from redact.cli.options import NamesOption, PolicyOption, SetOption, read_names
from redact.policy import load_policy


def _show(event: Event) -> None:
    if isinstance(event, ItemDone) and not event.already:
        typer.echo(f"{event.item}  {event.status}{f': {event.reason}' if event.reason else ''}")


def command(
    source: Annotated[Path, typer.Argument(metavar="IN", help="A folder (any depth); only read.")],
    out: Annotated[Path, typer.Argument(metavar="OUT", help="Results; a folder outside IN.")],
    policy: PolicyOption = "strict",
    set_: SetOption = None,
    names: NamesOption = None,
    jobs: Annotated[
        int | None, typer.Option("--jobs", min=1, help="Items at once; default: half the cores.")
    ] = None,
    settle_seconds: Annotated[
        float,
        typer.Option("--settle-seconds", min=0.1, help="A file that did not change for so long is complete."),
    ] = 10.0,
    health: Annotated[
        Path | None,
        typer.Option("--health", metavar="FILE", help="State and counts as JSON; default: OUT/health.json."),
    ] = None,
) -> None:
    """Take new files of IN as soon as they are complete, until stopped (SIGTERM, Ctrl-C; exit 0)."""
    chosen, watch = load_policy(policy, set_), read_names(names)
    watcher = Watcher(
        source,
        out,
        chosen,
        RunOptions(jobs=jobs or max(1, (os.cpu_count() or 2) // 2), watch=watch),
        settle_s=settle_seconds,
        health=health,
        listener=_show,
        say=lambda line: typer.echo(f"redact: {line}", err=True),
    )
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: watcher.interrupt())
    watcher.serve()


def register(app: typer.Typer) -> None:
    """Add the command to the application."""
    app.command("watch")(command)
