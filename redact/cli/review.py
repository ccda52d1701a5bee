"""`redact review OUT [ID]`: list what waits for a person, and carry out what the person decides.

Every decision is a row of the ledger under the reviewer's code, which is no name.
"""

from __future__ import annotations

import threading
from pathlib import Path
from typing import Annotated

import typer

from redact.batch.jobs import WorkerStages
from redact.batch.review import accept, redraw, reject, waiting
from redact.batch.store import Store
from redact.cli.options import NamesOption, PolicyOption, SetOption, read_names
from redact.cli.render import read_plan
from redact.errors import ExitCode, UsageError
from redact.findings import Finding
from redact.policy import load_policy


def _show(finding: Finding) -> str:
    place = "" if finding.first is None else f" frames {finding.first}-{finding.last}"
    detail = f" ({finding.detail})" if finding.detail else ""
    return f"{finding.kind.value}{detail}{place}"


def _list(store: Store) -> None:
    found = waiting(store)
    for item, verdict, findings in found:
        typer.echo(f"{item}  {verdict}  {'; '.join(map(_show, findings)) or 'nothing was looked for'}")
    typer.echo(f"{len(found)} wait in review/.")


def command(
    out: Annotated[Path, typer.Argument(metavar="OUT", help="An output folder of `redact run`.")],
    item: Annotated[
        str | None, typer.Argument(metavar="[ID]", help="A public id; default: list what waits.")
    ] = None,
    yes: Annotated[bool, typer.Option("--accept", help="Publish the file in review/ as it is.")] = False,
    no: Annotated[bool, typer.Option("--reject", help="Take the file back, published or not.")] = False,
    plan: Annotated[
        Path | None, typer.Option("--plan", help="Draw this edited plan instead, and let the gate judge it.")
    ] = None,
    source: Annotated[Path | None, typer.Option("--input", help="With --plan: the item's input.")] = None,
    by: Annotated[
        str, typer.Option("--by", metavar="CODE", help="Who decides: 1-12 of a-z, 0-9. Not a name.")
    ] = "",
    policy: PolicyOption = "strict",
    set_: SetOption = None,
    names: NamesOption = None,
) -> None:
    """Decide about an item that waits in OUT/review, or take back one that was published."""
    if not (out / "ledger.sqlite").is_file():
        raise UsageError("OUT holds no ledger.")
    if item is None:
        if yes or no or plan is not None:
            raise UsageError("Say which item: redact review OUT ID.")
        with Store(out) as store:
            _list(store)
        return
    if (yes, no, plan is not None).count(True) != 1:
        raise UsageError("Choose one of --accept, --reject and --plan.")
    if (plan is None) != (source is None):
        raise UsageError("--plan and --input belong together.")
    if plan is None or source is None:
        with Store(out) as store:
            (accept if yes else reject)(store, item, by)
            typer.echo(f"{item}  {'accepted' if yes else 'rejected'}\nLedger head {store.ledger.head()}")
        return
    chosen, drawn, watch = load_policy(policy, set_), read_plan(plan), read_names(names)
    if not source.is_file():
        raise UsageError("The --input file is not there.")
    stages = WorkerStages(chosen.limits.item_timeout_s, threading.Event(), policy=chosen, watch=watch)
    try:
        with Store(out) as store:
            done = redraw(store, item, by, drawn, source, chosen, stages, watch)
            reason = f": {done.reason}" if done.reason else ""
            typer.echo(f"{item}  {done.status}{reason}\nLedger head {store.ledger.head()}")
    finally:
        stages.close()
    if done.exit_code is not ExitCode.PUBLISHED:
        raise typer.Exit(int(done.exit_code))


def register(app: typer.Typer) -> None:
    """Add the command to the application."""
    app.command("review")(command)
