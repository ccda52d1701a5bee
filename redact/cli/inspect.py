"""`redact inspect FILE...`: what each file carries besides its picture, and what would become of it."""

from __future__ import annotations

import json
import threading
from pathlib import Path
from typing import Annotated

import typer

from redact.batch.jobs import WorkerStages
from redact.cli.options import JsonOption, PolicyOption, SetOption
from redact.errors import ExitCode, InputError, RedactError
from redact.metadata.inventory import Inventory, Row
from redact.policy import load_policy

HEAD = ("what", "where", "how much", "becomes")


def _amount(row: Row) -> str:
    size = f"{row.size} bytes" if row.size else ""
    count = f"{row.count}" if row.count > 1 or not size else ""
    return ", ".join(part for part in (f"{count} times" if count and size else count, size) if part)


def _table(inventory: Inventory) -> list[str]:
    """Aligned lines; values, if any, below their row."""
    lines = [HEAD, *((_what(row), row.where, _amount(row), row.fate.value) for row in inventory.rows)]
    widths = [max(len(line[column]) for line in lines) for column in range(3)]
    shown = []
    for number, line in enumerate(lines):
        cells = [cell.ljust(width) for cell, width in zip(line, widths, strict=False)]
        shown.append("  " + "  ".join((*cells, line[3])))
        if number:
            shown += [f"      {value}" for value in inventory.rows[number - 1].values]
    return shown


def _what(row: Row) -> str:
    return f"{row.what.value}: {row.name}" if row.name else row.what.value


def _lines(label: str, inventory: Inventory) -> list[str]:
    size = f" {inventory.width}x{inventory.height}" if inventory.width else ""
    head = f"{label} {inventory.kind} {inventory.format}{size}, {inventory.size} bytes"
    if not inventory.rows:
        return [f"{head}: nothing besides the picture"]
    return [head, *_table(inventory), *(["  … and more than can be listed"] if inventory.cut else [])]


def command(
    files: Annotated[list[Path], typer.Argument(metavar="FILE...", help="Photos, animations or videos.")],
    policy: PolicyOption = "strict",
    set_: SetOption = None,
    as_json: JsonOption = False,
    values: Annotated[
        bool, typer.Option("--values", help="Also print what the fields say: names, places, words.")
    ] = False,
    show_paths: Annotated[
        bool, typer.Option("--show-paths", help="Name files by path instead of by their number.")
    ] = False,
) -> None:
    """Say what each file carries besides its picture, and what would be removed or kept."""
    chosen = load_policy(policy, set_)
    stages = WorkerStages(chosen.limits.item_timeout_s, threading.Event(), policy=chosen)
    worst = ExitCode.PUBLISHED
    try:
        for number, file in enumerate(files, 1):
            label = str(file) if show_paths else f"#{number}"
            try:
                if not file.is_file():
                    raise InputError("There is no such file.")
                inventory = stages.take_stock(file, chosen, values=values)
            except RedactError as error:
                worst = max(worst, error.exit_code, key=lambda each: each.severity)
                record = {"file": label, "error": error.reason, "message": str(error)}
                lines = [f"{label} ERROR {error.reason} {error}"]
            else:
                record = {"file": label, **inventory.model_dump(mode="json")}
                lines = _lines(label, inventory)
            for line in [json.dumps(record, ensure_ascii=False)] if as_json else lines:
                typer.echo(line)
    finally:
        stages.close()
    if worst is not ExitCode.PUBLISHED:
        raise typer.Exit(int(worst))


def register(app: typer.Typer) -> None:
    """Add the command to the application."""
    app.command("inspect")(command)
