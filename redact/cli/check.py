"""`redact check FILE... --text FILE`: the gate alone on finished files and texts.

The pre-publication hook, whoever made them.
"""

from __future__ import annotations

import threading
from collections.abc import Iterable
from pathlib import Path
from typing import Annotated

import typer

from redact.batch.jobs import WorkerStages
from redact.cli.forms import FORMS, Checked, Form, form_named
from redact.cli.options import JsonOption, NamesOption, PolicyOption, SetOption, read_names
from redact.errors import ExitCode, InputError, RedactError, UsageError
from redact.policy import load_policy

FormOption = Annotated[
    str | None,
    typer.Option(
        "--format",
        metavar="|".join(FORMS),
        help="Form of the results; text is a line a finding, sarif and junit are one document at the end.",
    ),
]


def _form(name: str | None, as_json: bool) -> Form:
    if as_json and name not in (None, "json"):
        raise UsageError("--json and --format disagree; give one of them.")
    return form_named("json" if as_json else name or "text")


def command(
    files: Annotated[
        list[Path] | None, typer.Argument(metavar="[FILE]...", help="Finished photos, animations and videos.")
    ] = None,
    texts: Annotated[
        list[Path] | None,
        typer.Option("--text", metavar="FILE", help="A caption, article or subtitle file; may be repeated."),
    ] = None,
    policy: PolicyOption = "strict",
    set_: SetOption = None,
    names: NamesOption = None,
    form_name: FormOption = None,
    as_json: JsonOption = False,
    show_paths: Annotated[
        bool, typer.Option("--show-paths", help="Name files by path instead of by their number.")
    ] = False,
) -> None:
    """Judge finished files and texts; exit 0 only if every one may be published. One line a finding."""
    form = _form(form_name, as_json)
    chosen, watch = load_policy(policy, set_), read_names(names)
    work = [*((file, "#", n) for n, file in enumerate(files or [], 1))]
    work += [(file, "text #", n) for n, file in enumerate(texts or [], 1)]
    if not work:
        raise UsageError("Nothing to check: give FILE, --text FILE or both.")
    stages = WorkerStages(chosen.limits.item_timeout_s, threading.Event(), policy=chosen, watch=watch)
    done: list[Checked] = []
    try:
        for file, kind, number in work:
            label = str(file) if show_paths else f"{kind}{number}"
            try:
                if not file.is_file():
                    raise InputError("There is no such file.")
                if kind == "#":
                    report = stages.inspect(file, chosen, (), lambda *_: None, standalone=True)
                else:
                    report = stages.inspect_text(file)
            except RedactError as error:
                done.append(Checked(label, error=error))
            else:
                done.append(Checked(label, report))
            _print(form.one(done[-1]))
    finally:
        stages.close()
    _print(form.end(done))
    worst = max((checked.code for checked in done), key=lambda code: code.severity)
    if worst is not ExitCode.PUBLISHED:
        raise typer.Exit(int(worst))


def _print(lines: Iterable[str]) -> None:
    for line in lines:
        typer.echo(line)


def register(app: typer.Typer) -> None:
    """Add the command to the application."""
    app.command("check")(command)
