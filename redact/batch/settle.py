"""From a judged file to a released one: its plan, its report, its row in the ledger and its place, in order.

The batch and a reviewer's redrawing end here alike, so that no file gets into a room on any other way.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Protocol

from redact import __version__
from redact.batch.events import ItemDone
from redact.batch.history import ItemHistory, room_of
from redact.batch.store import Store, sha256_file
from redact.errors import ExitCode, RedactError, UnreadableInputError
from redact.findings import Verdict
from redact.names.watchlist import WatchList
from redact.pipeline import Outcome
from redact.policy import Policy
from redact.report.items import item_report

VERDICT_CODES = {
    Verdict.PUBLISH: ExitCode.PUBLISHED,
    Verdict.REVIEW: ExitCode.NEEDS_REVIEW,
    Verdict.BLOCK: ExitCode.BLOCKED,
}
STATUS_WORDS = {Verdict.PUBLISH: "published", Verdict.REVIEW: "review", Verdict.BLOCK: "blocked"}
EXIT_REJECTED = ExitCode.BLOCKED
"""A run over an item that a person rejected ends like one over a file that must never be published."""


class Thumbnails(Protocol):
    """Makes the small picture of a finished file."""

    def thumbnail(self, path: Path) -> bytes:
        """JPEG bytes."""


def identity(
    policy: Policy, models: Mapping[str, str], store: Store, watch: WatchList | None
) -> dict[str, Any]:
    """What a result depends on besides its input; `models` maps ids to SHA-256."""
    # the list's digest is keyed, so that no name can be guessed from it
    names = "" if watch is None else store.private.keyed("\n".join(watch.lines))
    return {"policy": policy.digest(), "models": dict(models), "version": __version__, "names": names}


def approvals_record(policy: Policy) -> dict[str, int]:
    """What a release row says of approvals, so that no later command under another policy asks for fewer."""
    return {"approvals": policy.review.approvals} if policy.review.approvals > 1 else {}


def settle(
    store: Store,
    item: str,
    outcome: Outcome,
    policy: Policy,
    made_by: Mapping[str, Any],
    name: str,
    stages: Thumbnails,
    **record: Any,
) -> ItemDone:
    """Write plan and report, then release `outcome.file` as `name` under the verdict's room.

    `made_by` is the `identity`, with whatever else a later run must find the same.

    Raises:
        OutputError: see `Store.release`.
    """
    verdict, report = outcome.verdict, outcome.report
    preview = stages.thumbnail(outcome.file) if verdict is Verdict.PUBLISH else b""
    plan = outcome.plan.to_json()
    store.write_text(store.plans / f"{item}.json", plan)
    store.write_text(
        store.report / "items" / f"{item}.json", item_report(outcome, policy, made_by["models"], preview)
    )
    store.release(
        item,
        outcome.file,
        report.sha256,
        verdict,
        name,
        findings=[finding.model_dump(mode="json", exclude_defaults=True) for finding in report.findings],
        plan=hashlib.sha256(plan.encode()).hexdigest(),
        policy_name=policy.name,
        source=outcome.plan.source.model_dump(),
        **made_by,
        **{**approvals_record(policy), **record},
    )
    reason = ", ".join(sorted({f.detail or f.kind.value for f in report.findings}))
    return ItemDone(item, STATUS_WORDS[verdict], reason, VERDICT_CODES[verdict])


def is_lasting(code: int, reason: str) -> bool:
    """Whether a failure is of the input's bytes. Any other may be gone next time: it is worth another try."""
    return code == ExitCode.INPUT_ERROR and reason != UnreadableInputError.reason


def settled_before(
    store: Store, item: str, history: ItemHistory | None, made_by: Mapping[str, Any]
) -> ItemDone | None:
    """The earlier result, if it is of the same policy, models and version and still lies there."""
    state = history.settled if history is not None else None
    if state is None or {key: state.get(key) for key in made_by} != made_by:
        return None
    if state["event"] == "failed":
        if not is_lasting(state["code"], state["reason"]):
            return None
        return ItemDone(item, "failed", state["reason"], ExitCode.INPUT_ERROR, already=True)
    if state["event"] == "rejected":
        return ItemDone(item, "rejected", "by a reviewer", EXIT_REJECTED, already=True)
    place = store.private.released(item)
    target = store.root / place
    if not place or not _lies_there(target, state["sha256"]):
        return None
    if "plan" in state and not _has_plan(store, item, state["plan"]):
        return None  # its covers could not be changed any more
    if room_of(state) == "published":
        return ItemDone(item, "published", "", ExitCode.PUBLISHED, already=True)
    verdict = Verdict(state["verdict"])
    return ItemDone(item, STATUS_WORDS[verdict], "", VERDICT_CODES[verdict], already=True)


def _has_plan(store: Store, item: str, sha256: str) -> bool:
    """Whether the item's plan is the one that its file was drawn by."""
    return _lies_there(store.plans / f"{item}.json", sha256)


def _lies_there(target: Path, sha256: str) -> bool:
    """Whether the file of that digest lies there; one that cannot be read is not known to."""
    try:
        return target.is_file() and sha256_file(target) == sha256
    except OSError:
        return False


def write_failure(
    store: Store, item: str, error: RedactError, policy: Policy, made_by: Mapping[str, Any]
) -> ItemDone:
    """Take back what was released for an item that failed now, and write the failure down.

    Raises:
        OutputError: the file could not be taken back, or the ledger could not be written.
    """
    store.withdraw(item)
    store.ledger.append(
        "failed",
        item,
        reason=error.reason,
        code=int(error.exit_code),
        policy_name=policy.name,
        **made_by,
    )
    return ItemDone(item, "failed", f"{error.reason}: {error}", error.exit_code)
