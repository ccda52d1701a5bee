"""What the ledger's rows add up to for each item: its last settled state, and what was begun and not ended.

Pure: rows in, states out. The vocabulary of events is here and nowhere else.
"""

from __future__ import annotations

from collections.abc import Iterable
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
    "rejected": "a person decided that the item's file must not be published",
}


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


def room_of(data: dict[str, Any]) -> str:
    """`published` or `review`: where the file of a release row lies."""
    given = data.get("room")
    return (
        str(given) if given else ("published" if data.get("verdict") == Verdict.PUBLISH.value else "review")
    )


def histories(rows: Iterable[Row]) -> dict[str, ItemHistory]:
    """Fold the rows, oldest first, into one history an item."""
    found: dict[str, ItemHistory] = {}
    for _, event, item, data in rows:
        if not item:
            continue
        state = found.setdefault(item, ItemHistory())
        if event == "releasing":
            state.pending = data
        elif event == "abandoned":
            state.pending = None
        elif event == "withdrawing":
            state.withdrawing = True
        elif event == "withdrawn":
            state.withdrawing = False
            if state.settled is not None and state.settled["event"] == "released":
                state.settled = None
        elif event in ("released", "failed", "rejected"):
            state.settled = {"event": event, **data}
            state.pending = None
            if event == "rejected":
                state.rejected = True
            elif data.get("review") and room_of(data) == "published":
                state.rejected = False
    return found
