"""What people decided about an item, and about the same bytes elsewhere, kept in mind when it is made anew.

A file that this tool made by itself never takes the place of a person's decision unasked: it gets a note, and
a note sends to review. Bytes are told by the private mapping, whatever their name or folder.
"""

from __future__ import annotations

from collections.abc import Mapping

from redact.batch.history import ItemHistory
from redact.batch.store import Store
from redact.findings import Finding, FindingKind, GateReport

REJECTED_BEFORE = "rejected_before"
REDRAWN_BEFORE = "redrawn_before"


def with_notes(report: GateReport, *details: str) -> GateReport:
    """The report with notes for a person, each of which sends to review."""
    notes = tuple(Finding(kind=FindingKind.NOTE, detail=detail) for detail in details)
    return report.model_copy(update={"findings": (*report.findings, *notes)})


class Decided:
    """The decisions that hold as a run begins. `histories` are those of the store."""

    def __init__(self, store: Store, histories: Mapping[str, ItemHistory]) -> None:
        self._private, self._histories = store.private, histories
        content = store.private.content
        self._rejected = {content(item) for item, history in histories.items() if history.rejected} - {""}
        self._redrawn = {content(item) for item, history in histories.items() if history.redrawn} - {""}

    def notes(self, item: str) -> tuple[str, ...]:
        """What a person must be told before a file that this tool made of the item is published."""
        history, content = self._histories.get(item, ItemHistory()), self._private.content(item)
        rejected = history.rejected or content in self._rejected
        redrawn = bool(history.redrawn) or content in self._redrawn
        return (*([REJECTED_BEFORE] if rejected else []), *([REDRAWN_BEFORE] if redrawn else []))

    def noted(self, item: str, report: GateReport) -> GateReport:
        """The gate's report with these notes."""
        return with_notes(report, *self.notes(item))

    def overrule(self, item: str) -> bool:
        """Whether what lies there was published by this tool alone, against what people decided since."""
        history = self._histories.get(item, ItemHistory())
        return bool(self.notes(item)) and not (history.settled or {}).get("review")
