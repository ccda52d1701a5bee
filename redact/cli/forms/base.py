"""One judged file as the forms see it, and what a form is."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Protocol

from redact.batch.settle import VERDICT_CODES
from redact.errors import ExitCode, RedactError
from redact.findings import Finding, GateReport


@dataclass(frozen=True)
class Checked:
    """A file that was judged (`report`), or could not be (`error`): one of the two is there."""

    label: str
    """`#1`, `text #1`; the path only if the user asked for paths."""
    report: GateReport | None = None
    error: RedactError | None = None

    @property
    def code(self) -> ExitCode:
        """What this file means for the exit status."""
        if self.report is not None:
            return VERDICT_CODES[self.report.verdict]
        return self.error.exit_code if self.error is not None else ExitCode.TOOL_ERROR


class Form(Protocol):
    """A way to print results. `one` is called as each file is done, `end` once, after the last."""

    def one(self, checked: Checked) -> Iterable[str]:
        """Lines to print at once."""

    def end(self, all_checked: Sequence[Checked]) -> Iterable[str]:
        """Lines to print at the end: for forms that are one document."""


def place_of(finding: Finding) -> str:
    """Where the finding is, in words; empty if it has no place."""
    parts = []
    if finding.first is not None:
        last = finding.last if finding.last is not None else finding.first
        parts.append(f"frame {finding.first}" if last == finding.first else f"frames {finding.first}-{last}")
    if finding.box is not None:
        x, y, w, h = finding.box
        parts.append(f"at {x:.0f},{y:.0f} size {w:.0f}x{h:.0f}")
    return " ".join(parts)


def words_of(finding: Finding) -> str:
    """One finding in one line: severity, kind, detail, place."""
    parts = (finding.severity.value, finding.kind.value, finding.detail, place_of(finding))
    return " ".join(filter(None, parts))


def looks_of(report: GateReport) -> str:
    """What was looked for, in one line."""
    return "; ".join(f"{look.what} by {look.by}" for look in report.looks)


NOTHING_LOOKED_FOR = "nothing could be looked for"
"""Of a file without findings that is not published all the same."""
