"""`redact run IN OUT`: the batch, with a progress bar on a terminal, plain lines in a pipe, or JSON lines."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path
from typing import Annotated, Protocol

import typer
from rich.console import Console
from rich.progress import BarColumn, Progress, SpinnerColumn, TaskID, TextColumn, TimeRemainingColumn

from redact.batch.events import Event, ItemDone, ItemProgress, ItemStarted, RunStarted
from redact.batch.run import RunOptions, RunSummary, run
from redact.cli.options import JsonOption, NamesOption, PolicyOption, SetOption, read_names
from redact.errors import ExitCode
from redact.policy import load_policy

STATUS_WORDS = ("published", "review", "blocked", "rejected", "failed", "planned")


class _Display(Protocol):
    def show(self, event: Event) -> None: ...

    def end(self, summary: RunSummary) -> None: ...

    def stop(self) -> None: ...


def _line(done: ItemDone) -> str:
    reason = f": {done.reason}" if done.reason else ""
    return f"{done.item}  {done.status}{reason}"


def _closing(summary: RunSummary) -> list[str]:
    counts = summary.counts
    words = ", ".join(f"{counts[word]} {word}" for word in STATUS_WORDS if counts[word]) or "no items"
    lines = [words + (f", {summary.set_aside} companion files set aside" if summary.set_aside else "")]
    if summary.isolation is not None and not summary.isolation.complete:
        lines.append(f"Workers were not fully confined: {summary.isolation.describe()}. See `redact doctor`.")
    if summary.unheard:
        lines.append("Not all that happened could be shown here; report/index.html tells it.")
    if summary.interrupted:
        lines.append("Interrupted; run the same command again to go on.")
    elif summary.items and summary.fresh == 0:
        lines.append("Nothing to do: every item was done before under this policy.")
    if counts["review"] or counts["blocked"]:
        lines.append(
            "Look at report/index.html; what waits lies in review/. `redact lookup OUT` names the inputs."
        )
    if summary.head:
        lines.append(f"Ledger head {summary.head}")
    return lines


class _PlainDisplay:
    """Lines for a pipe or a log: one when an item ends, a summary at the end."""

    def show(self, event: Event) -> None:
        if isinstance(event, RunStarted):
            typer.echo(f"{event.todo} to do, {event.already} done before, {event.set_aside} set aside")
        elif isinstance(event, ItemDone) and not event.already:
            typer.echo(_line(event))

    def end(self, summary: RunSummary) -> None:
        for line in _closing(summary):
            typer.echo(line)

    def stop(self) -> None:
        """Nothing is open."""


class _JsonDisplay:
    """JSON lines; the last one is the summary."""

    def show(self, event: Event) -> None:
        if isinstance(event, ItemDone):
            record = {
                "event": "item",
                "item": event.item,
                "status": event.status,
                "reason": event.reason,
                "exit_code": int(event.exit_code),
                "already": event.already,
            }
            typer.echo(json.dumps(record))
        elif isinstance(event, RunStarted):
            typer.echo(json.dumps({"event": "started", "todo": event.todo, "already": event.already}))

    def end(self, summary: RunSummary) -> None:
        record = {
            "event": "summary",
            **{word: summary.counts[word] for word in STATUS_WORDS},
            "set_aside": summary.set_aside,
            "fresh": summary.fresh,
            "interrupted": summary.interrupted,
            "ledger_head": summary.head,
            "exit_code": int(summary.exit_code),
        }
        typer.echo(json.dumps(record))

    def stop(self) -> None:
        """Nothing is open."""


class _TerminalDisplay:
    """An overall bar, and one bar for each item at work."""

    def __init__(self) -> None:
        self._console = Console(stderr=True)
        self._progress = Progress(
            SpinnerColumn(),
            TextColumn("{task.description}"),
            BarColumn(),
            TextColumn("{task.completed:.0f}/{task.total:.0f}"),
            TimeRemainingColumn(),
            console=self._console,
        )
        self._overall: TaskID | None = None
        self._items: dict[str, TaskID] = {}

    def show(self, event: Event) -> None:
        progress = self._progress
        if isinstance(event, RunStarted):
            progress.start()
            self._overall = progress.add_task("all items", total=event.todo + event.already)
        elif isinstance(event, ItemStarted):
            self._items[event.item] = progress.add_task(event.item, total=1)
        elif isinstance(event, ItemProgress):
            task = self._items.get(event.item)
            if task is not None:
                total = event.total or None
                progress.update(
                    task, description=f"{event.item} {event.stage}", completed=event.done, total=total
                )
        elif isinstance(event, ItemDone):
            task = self._items.pop(event.item, None)
            if task is not None:
                progress.remove_task(task)
            if self._overall is not None:
                progress.advance(self._overall)
            if not event.already:
                progress.console.print(_line(event), markup=False, highlight=False)

    def end(self, summary: RunSummary) -> None:
        self._progress.stop()
        for line in _closing(summary):
            self._console.print(line, markup=False, highlight=False)

    def stop(self) -> None:
        self._progress.stop()


def _display(as_json: bool) -> _Display:
    if as_json:
        return _JsonDisplay()
    return _TerminalDisplay() if sys.stderr.isatty() and sys.stdout.isatty() else _PlainDisplay()


def command(
    source: Annotated[Path, typer.Argument(metavar="IN", help="A folder (any depth) or one file.")],
    out: Annotated[Path, typer.Argument(metavar="OUT", help="Results; a folder outside IN.")],
    policy: PolicyOption = "strict",
    set_: SetOption = None,
    names: NamesOption = None,
    jobs: Annotated[
        int | None, typer.Option("--jobs", min=1, help="Items at once; default: half the cores.")
    ] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Write plans, no media.")] = False,
    as_json: JsonOption = False,
) -> None:
    """Redact every photo and video below IN; only files that pass the gate reach OUT/published."""
    chosen, watch = load_policy(policy, set_), read_names(names)
    options = RunOptions(jobs=jobs or max(1, (os.cpu_count() or 2) // 2), dry_run=dry_run, watch=watch)
    display = _display(as_json)
    try:
        summary = run(source, out, chosen, options, display.show)
    except BaseException:
        display.stop()
        raise
    try:
        display.end(summary)
    except OSError:  # standard output is closed, or its disk full
        summary.unheard = True
        typer.echo("redact: what was done could not be shown; report/index.html tells it.", err=True)
    if summary.exit_code is not ExitCode.PUBLISHED:
        raise typer.Exit(int(summary.exit_code))


def register(app: typer.Typer) -> None:
    """Add the command to the application."""
    app.command("run")(command)
