"""`redact check FILE... --text FILE`: the gate alone on finished files and texts.

The pre-publication hook, whoever made them.
"""

from __future__ import annotations

import json
import threading
from pathlib import Path
from typing import Annotated

import typer

from redact.batch.jobs import WorkerStages
from redact.batch.run import VERDICT_CODES
from redact.cli.options import JsonOption, NamesOption, PolicyOption, SetOption, read_names
from redact.errors import ExitCode, InputError, RedactError, UsageError
from redact.findings import Finding, GateReport, Verdict
from redact.policy import load_policy


def _place(finding: Finding) -> str:
    parts = []
    if finding.first is not None:
        last = finding.last if finding.last is not None else finding.first
        parts.append(f"frame {finding.first}" if last == finding.first else f"frames {finding.first}-{last}")
    if finding.box is not None:
        x, y, w, h = finding.box
        parts.append(f"at {x:.0f},{y:.0f} size {w:.0f}x{h:.0f}")
    return " ".join(parts)


def _report_lines(label: str, report: GateReport) -> list[str]:
    if report.verdict is Verdict.PUBLISH:
        looked = "; ".join(f"{look.what} by {look.by}" for look in report.looks)
        return [f"{label} PUBLISH nothing found. Looked for: {looked}"]
    return [
        " ".join(
            filter(None, (label, finding.severity.value, finding.kind.value, finding.detail, _place(finding)))
        )
        for finding in report.findings
    ] or [f"{label} {report.verdict.value} nothing could be looked for"]


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
    as_json: JsonOption = False,
    show_paths: Annotated[
        bool, typer.Option("--show-paths", help="Name files by path instead of by their number.")
    ] = False,
) -> None:
    """Judge finished files and texts; exit 0 only if every one may be published. One line a finding."""
    chosen, watch = load_policy(policy, set_), read_names(names)
    work = [*((file, "#", n) for n, file in enumerate(files or [], 1))]
    work += [(file, "text #", n) for n, file in enumerate(texts or [], 1)]
    if not work:
        raise UsageError("Nothing to check: give FILE, --text FILE or both.")
    stages = WorkerStages(chosen.limits.item_timeout_s, threading.Event(), policy=chosen, watch=watch)
    worst = ExitCode.PUBLISHED
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
                code = error.exit_code
                record = {"file": label, "verdict": "ERROR", "reason": error.reason, "message": str(error)}
                lines = [f"{label} ERROR {error.reason} {error}"]
            else:
                code = VERDICT_CODES[report.verdict]
                record = {"file": label, "verdict": report.verdict.value, **report.model_dump(mode="json")}
                lines = _report_lines(f"{label} {report.sha256[:12]}", report)
            worst = max(worst, code, key=lambda each: each.severity)
            for line in [json.dumps(record)] if as_json else lines:
                typer.echo(line)
    finally:
        stages.close()
    if worst is not ExitCode.PUBLISHED:
        raise typer.Exit(int(worst))


def register(app: typer.Typer) -> None:
    """Add the command to the application."""
    app.command("check")(command)
