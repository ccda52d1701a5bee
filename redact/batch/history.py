"""What the ledger's rows add up to for each item: its last settled state, and what was begun and not ended.

Pure: rows in, states out. The vocabulary of events is here and nowhere else.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from redact.findings import Verdict

Row = tuple[int, str, str, dict[str, Any]]
"""(sequence number, event, item, data)."""

EVENTS = {
    "created": "the ledger begins; `id` ties it to the private mapping",
    "isolation": "what held back the processes that worked on untrusted files in the run that follows",
    "run": "a run begins work: policy, models, versions of the tool, Python and the libraries",
    "run_ended": "a run came to its end; a run without this row was killed",
    "releasing": "judged bytes are about to be moved to a room; `review` if a person decided so",
    "released": "they lie there",
    "abandoned": "a release that was interrupted could not be completed; nothing lies there",
    "withdrawing": "what lies there is about to be taken back",
    "withdrawn": "it was taken back",
    "failed": "the item could not be processed; `reason` is a fixed word",
    "approved": "a person approved the file that waits in review, and another must too; `sha256` says which",
    "rejected": "a person decided that the item's file must not be published",
}


@dataclass(frozen=True)
class Approvals:
    """How many people must approve an item's file, and who did so far."""

    needed: int
    given: tuple[str, ...] = ()
    """Codes, each once, of those who approved exactly the bytes that lie in `review/`."""

    def plus(self, code: str) -> Approvals:
        """With one more; a code counts once."""
        return self if code in self.given else Approvals(self.needed, (*self.given, code))

    @property
    def enough(self) -> bool:
        """Whether the file may be published."""
        return len(self.given) >= self.needed


@dataclass
class ItemHistory:
    """One item as the ledger tells it."""

    settled: dict[str, Any] | None = None
    """Its last `released`, `failed` or `rejected` row with the `event` added; None if withdrawn or never."""
    pending: dict[str, Any] | None = None
    """A `releasing` row that nothing ended."""
    withdrawing: bool = False
    """A withdrawal was begun and not ended."""
    rejected: bool = False
    """A person rejected it, and none has published it since."""
    redrawn: str = ""
    """SHA-256 of the file that a person last drew the covers of, until a person accepts another; or empty."""
    approved_by: tuple[str, ...] = ()
    """Codes of the `approved` rows on the file that waits now; any move of the item ends them."""
    too_few: bool = False
    """It was published by fewer people than its row asks for: no version of this tool does that."""

    @property
    def approvals(self) -> Approvals:
        """What the file that waits needs, and has."""
        return Approvals(needed(self.settled or {}), self.approved_by)


def needed(data: Mapping[str, Any]) -> int:
    """How many people must approve the file of a release row. Rows of before there was a choice: one."""
    given = data.get("approvals", 1)
    return given if isinstance(given, int) and given > 1 else 1


def room_of(data: Mapping[str, Any]) -> str:
    """`published` or `review`: where the file of a release row lies."""
    given = data.get("room")
    return (
        str(given) if given else ("published" if data.get("verdict") == Verdict.PUBLISH.value else "review")
    )


def histories(rows: Iterable[Row]) -> dict[str, ItemHistory]:
    """Fold the rows, oldest first, into one history an item."""
    found: dict[str, ItemHistory] = {}
    for _, event, item, data in rows:
        if item:
            _fold(found.setdefault(item, ItemHistory()), event, data)
    return found


def _fold(state: ItemHistory, event: str, data: dict[str, Any]) -> None:
    if event == "releasing":
        state.pending = data
        state.too_few = _too_few(state, data)
        state.approved_by = ()
    elif event == "abandoned":
        state.pending, state.too_few = None, False
    elif event == "withdrawing":
        state.withdrawing = True
        state.approved_by = ()
    elif event == "withdrawn":
        state.withdrawing = False
        state.approved_by = ()
        if state.settled is not None and state.settled["event"] == "released":
            state.settled = None
    elif event == "approved":
        if _lies_in_review(state) and data.get("sha256") == (state.settled or {}).get("sha256"):
            by = str((data.get("review") or {}).get("by", ""))
            state.approved_by = state.approvals.plus(by).given
    elif event in ("released", "failed", "rejected"):
        state.settled = {"event": event, **data}
        state.pending = None
        state.approved_by = ()
        _remember_people(state, event, data)


def _remember_people(state: ItemHistory, event: str, data: Mapping[str, Any]) -> None:
    """What a person said of the item stays said until a person says otherwise."""
    review = data.get("review") or {}
    if event == "rejected":
        state.rejected = True
    elif review and room_of(data) == "published":
        state.rejected = False
        if data.get("sha256") != state.redrawn:
            state.redrawn = ""
    if event == "released" and review.get("action") == "plan":
        state.redrawn = str(data.get("sha256", ""))


def _lies_in_review(state: ItemHistory) -> bool:
    settled = state.settled
    if settled is None or settled["event"] != "released" or state.pending is not None or state.withdrawing:
        return False
    return room_of(settled) == "review"


def _too_few(state: ItemHistory, data: Mapping[str, Any]) -> bool:
    """Whether a release that people decided on has fewer approvals in the rows before it than it needs."""
    review = data.get("review") or {}
    if needed(data) == 1 or not review or room_of(data) != "published":
        return False
    same = data.get("sha256") == (state.settled or {}).get("sha256")
    given = Approvals(needed(data), state.approved_by if same else ())
    return not (given.plus(str(review.get("by"))) if review.get("action") == "accept" else given).enough
