"""What a person decides about an item, done and written down: accept, reject, or draw an edited plan.

Accepting moves exactly the bytes that were judged, after checking their digest again, once as many people as
the item needs have approved them; what the gate blocks cannot be accepted. Nothing here authenticates
anybody: `by` is a free code that the newsroom hands out.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, NamedTuple, Protocol

from pydantic import TypeAdapter, ValidationError

from redact.batch.beside import withdraw_beside
from redact.batch.decided import with_notes
from redact.batch.events import ItemDone
from redact.batch.history import Approvals, ItemHistory, needed
from redact.batch.reasons import SECOND_PERSON, reasons_record, typed_reason
from redact.batch.reporting import write_report
from redact.batch.settle import identity, settle
from redact.batch.store import Store
from redact.detect.weights import ModelStore
from redact.errors import BlockedError, ChangedMeanwhileError, PlanMismatchError, UsageError
from redact.findings import Finding, Verdict, judge
from redact.media.digest import digest_file
from redact.names.watchlist import WatchList
from redact.pipeline import Outcome, StageClock, StageProgress, Stages, draw, note_findings
from redact.plan import EXTENSIONS, Plan, SourceDigest
from redact.policy import Policy

REVIEWER = re.compile(r"[a-z0-9]{1,12}")
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


class Waiting(NamedTuple):
    """An item that lies in `review/`."""

    item: str
    verdict: str
    findings: tuple[Finding, ...]
    approvals: Approvals


def waiting(store: Store) -> list[Waiting]:
    """Everything that lies in `review/`, by item."""
    return [
        Waiting(item, state["verdict"], _findings(state), history.approvals)
        for item, history in sorted(store.histories().items())
        if (state := history.settled) is not None
        and state["event"] == "released"
        and store.private.released(item).startswith("review/")
    ]


def findings_of(store: Store, item: str) -> tuple[Finding, ...]:
    """What accepting the item lets pass.

    Raises:
        UsageError: no such item.
    """
    return _findings(_state(store, item))


def _findings(state: dict[str, Any]) -> tuple[Finding, ...]:
    try:
        return _FINDINGS.validate_python(state.get("findings", ()))
    except ValidationError as error:
        raise UsageError(
            "The item was judged by another version of this tool; run the folder again."
        ) from error


def _history(store: Store, item: str, sha256: str = "") -> tuple[ItemHistory, dict[str, Any]]:
    """The item, and its last word; `sha256`, if given, is of the file that a person decided about."""
    history = store.histories().get(item)
    if history is None or history.settled is None:
        raise UsageError("No item of that id was released here; `redact review OUT --list` lists what waits.")
    state = history.settled
    if sha256 and (state["event"] != "released" or state.get("sha256") != sha256):
        raise ChangedMeanwhileError("The item changed meanwhile; look at it again, then decide.")
    return history, state


def _state(store: Store, item: str, sha256: str = "") -> dict[str, Any]:
    return _history(store, item, sha256)[1]


def accept(
    store: Store,
    item: str,
    by: str,
    reasons: Mapping[int, str] | None = None,
    sha256: str = "",
    watch: WatchList | None = None,
) -> Approvals:
    """Approve what waits in review for the item; it is published, as it is, once enough people have.

    `reasons` says, by the finding's place in the item's row, why each may pass. `sha256`, if given, is of the
    file that the person looked at. `watch`: names that no reason may hold.

    Raises:
        UsageError: no such item, or a reason is missing or cannot be kept.
        BlockedError: its findings are of a kind that nobody can accept.
        ChangedMeanwhileError: the file is another by now.
        OutputError: nothing of it waits in review, or the bytes there are not those that were judged.
    """
    code = reviewer_code(by)
    history, state = _history(store, item, sha256)
    if state.get("verdict") == Verdict.BLOCK.value or judge(_findings(state)) is Verdict.BLOCK:
        raise BlockedError(
            "The gate blocked this item for what is hidden in the file; nobody can accept that."
        )
    said = reasons_record(_findings(state), reasons or {}, watch)
    review: dict[str, Any] = {"by": code, **({"reasons": said} if said else {})}
    approvals = history.approvals.plus(code)
    if approvals.enough:
        given = {"approvals": list(approvals.given)} if approvals.needed > 1 else {}
        store.publish_reviewed(item, {"action": "accept", **review, **given})
    elif code not in history.approvals.given:
        store.approve(item, {"action": "approve", **review})
    write_report(store)
    return approvals


def reject(
    store: Store,
    item: str,
    by: str,
    sha256: str = "",
    reason: str = "",
    watch: WatchList | None = None,
) -> None:
    """Take back the item's file, from `review/` or from `published/`, and never publish it unasked again.

    Raises:
        UsageError: no such item, or the reason cannot be kept.
        ChangedMeanwhileError: `sha256` is given, and not of the file that lies there.
        OutputError: see `Store.reject`.
    """
    code = reviewer_code(by)
    state = _state(store, item, sha256)
    review = {"action": "reject", "by": code, **({"reason": typed_reason(reason, watch)} if reason else {})}
    withdraw_beside(store, item)
    carried = {key: value for key, value in state.items() if key not in _NOT_CARRIED}
    store.reject(item, review, **carried)
    write_report(store)


def check_same_rules(store: Store, item: str, policy: Policy, watch: WatchList | None) -> None:
    """See that the item was made under this policy and watch list, before it is redrawn under them.

    Else the next run would take the redrawn file for one of other rules, and make the item anew.

    Raises:
        UsageError: it was not, or there is no such item.
    """
    rules, state = identity(policy, {}, store, watch), _state(store, item)
    if any(state.get(key, "") != rules[key] for key in ("policy", "names")):
        raise UsageError(
            "The item was made under another policy or watch list; give the --policy, --set and --names of "
            "its run."
        )


def redraw(
    store: Store,
    item: str,
    by: str,
    plan: Plan,
    file: Path,
    policy: Policy,
    stages: DrawingStages,
    watch: WatchList | None = None,
    sha256: str = "",
    progress: StageProgress = lambda *_: None,
) -> ItemDone:
    """Draw a reviewer's plan on the item's input, have the gate judge the result, and release it by verdict.

    The notes of analysis still count: an item without a face goes to review again, to be accepted there. So
    does everything, if the item or `policy` asks for two people. What lies beside the item is taken back; the
    next run brings it again. `watch` is the list that `stages` were given.

    Raises:
        UsageError: no such item, or it never got as far as a finished file.
        ChangedMeanwhileError: `sha256` is given, and not of the file that lies there.
        PlanMismatchError: `file` is not the item's input, or the plan is not of it.
        RedactError: see `redact.pipeline.draw`.
    """
    code = reviewer_code(by)
    state = _state(store, item, sha256)
    if "source" not in state:
        raise UsageError("The item failed before anything was drawn; run the folder again.")
    source = SourceDigest.model_validate(state["source"])
    if digest_file(file, source.salt) != source:
        raise PlanMismatchError("This file is not the input of that item; `redact lookup` tells which is.")
    plan = plan.model_copy(update={"item": item})
    with store.workspace(item) as folder:
        target = folder / f"{item}{EXTENSIONS.get(plan.output.format, '.bin')}"
        clock = StageClock()
        report = draw(file, plan, policy, stages, target, datetime.now(UTC).date(), clock, progress)
        report = report.model_copy(update={"findings": report.findings + note_findings(plan)})
        people = max(policy.review.approvals, needed(state))
        if people > 1:
            report = with_notes(report, SECOND_PERSON)
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
            **({"approvals": people} if people > 1 else {}),
        )
    write_report(store)
    return done


def _name(store: Store, item: str, extension: str) -> str:
    """The name that the item's file had, with the ending it has now."""
    _, _, name = store.private.released(item).partition("/")
    wanted = str(Path(name).with_suffix(extension)) if name else item + extension
    owners = {store.private.owner(f"{room}/{wanted}") for room in ("published", "review")}
    return wanted if owners <= {"", item} else item + extension
