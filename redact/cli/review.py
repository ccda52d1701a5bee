"""`redact review OUT [ID]`: show what waits for a person, and carry out what the person decides.

Without an id it opens a page in the browser, served on this machine; with one it does what the options say.
Every decision is a row of the ledger under the reviewer's code, which is no name.
"""

from __future__ import annotations

import sys
import threading
from pathlib import Path
from typing import Annotated

import typer

from redact.batch.history import Approvals
from redact.batch.jobs import WorkerStages
from redact.batch.review import (
    accept,
    check_same_rules,
    findings_of,
    redraw,
    reject,
    reviewer_code,
    waiting,
)
from redact.batch.store import Store
from redact.cli.options import NamesOption, PolicyOption, SetOption, read_names
from redact.cli.render import read_plan
from redact.errors import ExitCode, MissingToolError, UsageError
from redact.findings import Finding
from redact.names.watchlist import WatchList
from redact.policy import load_policy


def _show(finding: Finding) -> str:
    place = "" if finding.first is None else f" frames {finding.first}-{finding.last}"
    detail = f" ({finding.detail})" if finding.detail else ""
    return f"{finding.kind.value}{detail}{place}"


def _count(approvals: Approvals) -> str:
    by = f" ({', '.join(approvals.given)})" if approvals.given else ""
    return f"approved by {len(approvals.given)}{by} of {approvals.needed}"


def _accept(store: Store, item: str, by: str, reason: str, watch: WatchList | None) -> Approvals:
    """One reason for everything that was found."""
    findings = findings_of(store, item)
    if reason and not findings:
        raise UsageError("Nothing was found on this item, so no reason is needed; leave --reason out.")
    reasons = dict.fromkeys(range(len(findings)), reason) if reason else {}
    approvals = accept(store, item, by, reasons, watch=watch)
    if approvals.enough:
        typer.echo(f"{item}  accepted")
    else:
        typer.echo(f"{item}  {_count(approvals)}; it waits until another reviewer approves it too")
    return approvals


def _list(store: Store) -> None:
    found = waiting(store)
    for item, verdict, findings, approvals in found:
        people = f"  {_count(approvals)}" if approvals.needed > 1 else ""
        typer.echo(
            f"{item}  {verdict}  {'; '.join(map(_show, findings)) or 'nothing was looked for'}{people}"
        )
    typer.echo(f"{len(found)} wait in review/.")


def _page(
    out: Path,
    source: Path | None,
    codes: tuple[str, ...],
    chosen: tuple[str, list[str] | None, Path | None],
    port: int,
    opens: bool,
) -> None:
    """Serve the review page until the user stops it. `chosen`: policy, settings and watch list."""
    try:
        from redact.review.keyboard import Keyboard
        from redact.review.serve import ReviewSettings, has_display, open_browser, serve
    except ImportError as error:
        raise MissingToolError(
            "The page needs more packages: run `make setup`, or in its checkout pip install '.[review]'."
        ) from error
    reviewers = tuple(dict.fromkeys(map(reviewer_code, codes or ("me",))))
    policy, set_, names = chosen
    settings = ReviewSettings(
        out, load_policy(policy, set_), source, reviewers, watch=read_names(names), port=port
    )
    many = len(reviewers) > 1
    how = f"type a code ({', '.join(reviewers)}) and press Enter" if many else "press Enter"

    def show(code: str, address: str) -> None:
        typer.echo(f"{code}  {address}")
        if code == reviewers[0] and opens and has_display():
            open_browser(address)

    def hint() -> None:
        typer.echo(f"An address works once. For a new one {how}; Ctrl-C stops the page.")

    at_terminal = sys.stdin is not None and sys.stdin.isatty()
    serve(settings, show, Keyboard(sys.stdin.fileno(), reviewers, hint) if at_terminal else None)


def command(
    out: Annotated[Path, typer.Argument(metavar="OUT", help="An output folder of `redact run`.")],
    item: Annotated[
        str | None, typer.Argument(metavar="[ID]", help="A public id; default: open the review page.")
    ] = None,
    yes: Annotated[bool, typer.Option("--accept", help="Publish the file in review/ as it is.")] = False,
    no: Annotated[bool, typer.Option("--reject", help="Take the file back, published or not.")] = False,
    plan: Annotated[
        Path | None, typer.Option("--plan", help="Draw this edited plan instead, and let the gate judge it.")
    ] = None,
    reason: Annotated[
        str,
        typer.Option(
            "--reason",
            metavar="TEXT",
            help="Why, in one line that names nobody, for the record. --accept needs it for what was found.",
        ),
    ] = "",
    list_: Annotated[bool, typer.Option("--list", help="List what waits, and open nothing.")] = False,
    source: Annotated[
        Path | None,
        typer.Option(
            "--input", help="The run's input folder, to edit and compare on the page; with --plan: the file."
        ),
    ] = None,
    by: Annotated[
        list[str] | None,
        typer.Option(
            "--by",
            metavar="CODE",
            help="Who decides: 1-12 of a-z, 0-9. Not a name. For the page it may be repeated (default: me).",
        ),
    ] = None,
    port: Annotated[
        int, typer.Option("--port", min=0, max=65535, help="Of the page, on 127.0.0.1; 0: any free one.")
    ] = 0,
    no_open: Annotated[bool, typer.Option("--no-open", help="Print the address; open no browser.")] = False,
    policy: PolicyOption = "strict",
    set_: SetOption = None,
    names: NamesOption = None,
) -> None:
    """Open the review page on what waits in OUT/review; with an ID, decide about that item."""
    if not (out / "ledger.sqlite").is_file():
        raise UsageError("OUT holds no ledger.")
    codes = tuple(by or ())
    if item is None or list_:
        if yes or no or plan is not None or reason or (item is not None and list_):
            raise UsageError("Say which item, without --list: redact review OUT ID.")
        if list_:
            with Store(out) as store:
                _list(store)
        else:
            _page(out, source, codes, (policy, set_, names), port, not no_open)
        return
    if (yes, no, plan is not None).count(True) != 1:
        raise UsageError("Choose one of --accept, --reject and --plan.")
    if (plan is None) != (source is None):
        raise UsageError("--plan and --input belong together.")
    if len(codes) > 1:
        raise UsageError("One person decides at a time; give --by once.")
    code = codes[0] if codes else ""
    watch = read_names(names)
    if plan is None or source is None:
        waits = False
        with Store(out) as store:
            if yes:
                waits = not _accept(store, item, code, reason, watch).enough
            else:
                reject(store, item, code, reason=reason, watch=watch)
                typer.echo(f"{item}  rejected")
            typer.echo(f"Ledger head {store.ledger.head()}")
        if waits:
            raise typer.Exit(int(ExitCode.NEEDS_REVIEW))
        return
    if reason:
        raise UsageError("--reason goes with --accept and --reject.")
    chosen, drawn = load_policy(policy, set_), read_plan(plan)
    if not source.is_file():
        raise UsageError("The --input file is not there.")
    stages = WorkerStages(chosen.limits.item_timeout_s, threading.Event(), policy=chosen, watch=watch)
    try:
        with Store(out) as store:
            check_same_rules(store, item, chosen, watch)
            done = redraw(store, item, code, drawn, source, chosen, stages, watch)
            reason = f": {done.reason}" if done.reason else ""
            typer.echo(f"{item}  {done.status}{reason}\nLedger head {store.ledger.head()}")
    finally:
        stages.close()
    if done.exit_code is not ExitCode.PUBLISHED:
        raise typer.Exit(int(done.exit_code))


def register(app: typer.Typer) -> None:
    """Add the command to the application."""
    app.command("review")(command)
