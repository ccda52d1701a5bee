"""What a person decides about an item, done and written down: accept, reject, or draw an edited plan.

Accepting moves exactly the bytes that were judged, after checking their digest again; what the gate blocks
cannot be accepted. Nothing here authenticates anybody: `by` is a free code that the newsroom hands out.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Protocol

from pydantic import TypeAdapter, ValidationError

from redact.batch.beside import withdraw_beside
from redact.batch.events import ItemDone
from redact.batch.reporting import write_report
from redact.batch.settle import identity, settle
from redact.batch.store import Store
from redact.detect.weights import ModelStore
from redact.errors import PlanMismatchError, UsageError
from redact.findings import Finding, FindingKind, GateReport, Verdict, judge
from redact.media.digest import digest_file
from redact.names.watchlist import WatchList
from redact.pipeline import Outcome, StageClock, Stages, draw, note_findings
from redact.plan import EXTENSIONS, Plan, SourceDigest
from redact.policy import Policy

REVIEWER = re.compile(r"[a-z0-9]{1,12}")
REJECTED_BEFORE = "rejected_before"
_FINDINGS = TypeAdapter(tuple[Finding, ...])
_NOT_CARRIED = ("event", "time", "room", "review")
"""What a rejection does not repeat of the row it is about."""


class DrawingStages(Stages, Protocol):
    """The stages, and the thumbnail of a finished file."""

    def thumbnail(self, path: Path) -> bytes:
        """JPEG bytes."""


def reviewer_code(text: str) -> str:
    """`text`, if it is 1 to 12 of a-z and 0-9: a code, never a name.

    Raises:
        UsageError: it is not.
    """
    if not REVIEWER.fullmatch(text):
        raise UsageError("--by takes a reviewer's code of 1 to 12 letters a-z and digits; do not use a name.")
    return text


def rejected_finding(report: GateReport) -> GateReport:
    """The report with a note that sends to review: what a person rejected is never published by itself."""
    note = Finding(kind=FindingKind.NOTE, detail=REJECTED_BEFORE)
    return report.model_copy(update={"findings": (*report.findings, note)})


def waiting(store: Store) -> list[tuple[str, str, tuple[Finding, ...]]]:
    """(item, verdict, findings) of everything that lies in `review/`, by item."""
    return [
        (item, state["verdict"], _findings(state))
        for item, state in sorted(store.states().items())
        if state["event"] == "released" and store.private.released(item).startswith("review/")
    ]


def _findings(state: dict[str, Any]) -> tuple[Finding, ...]:
    try:
        return _FINDINGS.validate_python(state.get("findings", ()))
    except ValidationError as error:
        raise UsageError(
            "The item was judged by another version of this tool; run the folder again."
        ) from error


def _state(store: Store, item: str) -> dict[str, Any]:
    state = store.states().get(item)
    if state is None:
        raise UsageError("No item of that id was released here; `redact review OUT` lists what waits.")
    return state


def accept(store: Store, item: str, by: str) -> None:
    """Publish what waits in review for the item, as it is.

    Raises:
        UsageError: no such item, or its findings are of a kind that nobody can accept.
        OutputError: nothing of it waits in review, or the bytes there are not those that were judged.
    """
    state = _state(store, item)
    if state.get("verdict") == Verdict.BLOCK.value or judge(_findings(state)) is Verdict.BLOCK:
        raise UsageError("The gate blocked this item for what is hidden in the file; nobody can accept that.")
    store.publish_reviewed(item, {"action": "accept", "by": reviewer_code(by)})
    write_report(store)


def reject(store: Store, item: str, by: str) -> None:
    """Take back the item's file, from `review/` or from `published/`, and never publish it unasked again.

    Raises:
        UsageError: no such item.
        OutputError: see `Store.reject`.
    """
    state = _state(store, item)
    withdraw_beside(store, item)
    carried = {key: value for key, value in state.items() if key not in _NOT_CARRIED}
    store.reject(item, {"action": "reject", "by": reviewer_code(by)}, **carried)
    write_report(store)


def redraw(
    store: Store,
    item: str,
    by: str,
    plan: Plan,
    file: Path,
    policy: Policy,
    stages: DrawingStages,
    watch: WatchList | None = None,
) -> ItemDone:
    """Draw a reviewer's plan on the item's input, have the gate judge the result, and release it by verdict.

    The notes of analysis still count: an item without a face goes to review again, to be accepted there.
    What lies beside the item is taken back; the next run brings it again. `watch` is the list that `stages`
    were given.

    Raises:
        UsageError: no such item, or it never got as far as a finished file.
        PlanMismatchError: `file` is not the item's input, or the plan is not of it.
        RedactError: see `redact.pipeline.draw`.
    """
    state = _state(store, item)
    code = reviewer_code(by)
    if "source" not in state:
        raise UsageError("The item failed before anything was drawn; run the folder again.")
    source = SourceDigest.model_validate(state["source"])
    if digest_file(file, source.salt) != source:
        raise PlanMismatchError("This file is not the input of that item; `redact lookup` tells which is.")
    plan = plan.model_copy(update={"item": item})
    with store.workspace(item) as folder:
        target = folder / f"{item}{EXTENSIONS.get(plan.output.format, '.bin')}"
        clock = StageClock()
        report = draw(file, plan, policy, stages, target, datetime.now(UTC).date(), clock)
        report = report.model_copy(update={"findings": report.findings + note_findings(plan)})
        outcome = Outcome(plan, report, target, 0, clock.seconds)
        withdraw_beside(store, item)
        done = settle(
            store,
            item,
            outcome,
            policy,
            identity(policy, ModelStore().digests(), store, watch),
            _name(store, item, target.suffix),
            stages,
            review={"action": "plan", "by": code},
        )
    write_report(store)
    return done


def _name(store: Store, item: str, extension: str) -> str:
    """The name that the item's file had, with the ending it has now."""
    _, _, name = store.private.released(item).partition("/")
    wanted = str(Path(name).with_suffix(extension)) if name else item + extension
    owners = {store.private.owner(f"{room}/{wanted}") for room in ("published", "review")}
    return wanted if owners <= {"", item} else item + extension
