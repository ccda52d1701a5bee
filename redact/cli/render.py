"""`redact render FILE --plan P --out F`: draw a plan, as it stands, and have the gate judge the result.

The output is written for its maker's eyes: it is not released, and the exit status says what the gate says.
"""

from __future__ import annotations

import os
import threading
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer

from redact.batch.jobs import WorkerStages
from redact.batch.run import VERDICT_CODES
from redact.batch.store import NEUTRAL_TIME
from redact.cli.options import NamesOption, PolicyOption, SetOption, read_names
from redact.errors import ExitCode, OutputError, PlanMismatchError, UsageError
from redact.gate.kept import check_keeping
from redact.pipeline import draw
from redact.plan import Plan
from redact.policy import load_policy

MAX_PLAN_BYTES = 256 * 1024 * 1024


def read_plan(path: Path) -> Plan:
    """A plan from a file.

    Raises:
        UsageError: it cannot be read.
        PlanMismatchError: it is none.
    """
    try:
        if path.stat().st_size > MAX_PLAN_BYTES:
            raise PlanMismatchError("The plan's file is too large to be one.")
        return Plan.from_json(path.read_bytes())
    except OSError as error:
        raise UsageError("The plan's file cannot be read.") from error


def command(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="The input the plan was made for.")],
    plan: Annotated[Path, typer.Option("--plan", help="A plan from `redact plan`, edited or not.")],
    out: Annotated[Path, typer.Option("--out", "-o", help="The new file; must not exist.")],
    policy: PolicyOption = "strict",
    set_: SetOption = None,
    names: NamesOption = None,
) -> None:
    """Cover FILE as the plan says, write OUT, and print the gate's verdict on it."""
    chosen, watch = load_policy(policy, set_), read_names(names)
    drawn = read_plan(plan)
    if not file.is_file():
        raise UsageError("FILE is not there.")
    today = datetime.now(UTC).date()
    check_keeping(drawn, chosen, today)
    if out.exists():
        raise UsageError("OUT exists already; choose another name.")
    stages = WorkerStages(chosen.limits.item_timeout_s, threading.Event(), policy=chosen, watch=watch)
    partial = out.with_name(f".{drawn.item}.partial{out.suffix}")
    try:
        report = draw(file, drawn, chosen, stages, partial, today)
        os.utime(partial, (NEUTRAL_TIME, NEUTRAL_TIME))
        partial.replace(out)
    except OSError as error:
        raise OutputError("The file could not be written; check permissions and free space.") from error
    finally:
        partial.unlink(missing_ok=True)
        stages.close()
    kinds = ", ".join(sorted({finding.kind.value for finding in report.findings})) or "nothing"
    kept = sum(track.keep for track in drawn.tracks)
    shown = f", faces shown on purpose: {kept}" if kept else ""
    typer.echo(f"{drawn.item} {report.verdict.value} found: {kinds}{shown}")
    code = VERDICT_CODES[report.verdict]
    if code is not ExitCode.PUBLISHED:
        raise typer.Exit(int(code))


def register(app: typer.Typer) -> None:
    """Add the command to the application."""
    app.command("render")(command)
