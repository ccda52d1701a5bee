"""Results as lines, each printed when its file is done: words for people, JSON objects for machines."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence

from redact.cli.forms.base import NOTHING_LOOKED_FOR, Checked, looks_of, words_of
from redact.findings import Verdict


class TextForm:
    """One line a finding."""

    def one(self, checked: Checked) -> Iterable[str]:
        """The file's findings, or what was looked for in vain."""
        report, error = checked.report, checked.error
        if report is None:
            yield f"{checked.label} ERROR {error.reason if error else ''} {error or ''}"
            return
        head = f"{checked.label} {report.sha256[:12]}"
        if report.verdict is Verdict.PUBLISH:
            yield f"{head} PUBLISH nothing found. Looked for: {looks_of(report)}"
        elif not report.findings:
            yield f"{head} {report.verdict.value} {NOTHING_LOOKED_FOR}"
        for finding in report.findings:
            yield f"{head} {words_of(finding)}"

    def end(self, all_checked: Sequence[Checked]) -> Iterable[str]:
        """Everything was said."""
        return ()


class JsonForm:
    """One object a file."""

    def one(self, checked: Checked) -> Iterable[str]:
        """The whole report."""
        report, error = checked.report, checked.error
        record: dict[str, object] = {"file": checked.label}
        if report is not None:
            record |= {"verdict": report.verdict.value, **report.model_dump(mode="json")}
        else:
            record |= {
                "verdict": "ERROR",
                "reason": error.reason if error else "",
                "message": str(error or ""),
            }
        yield json.dumps(record)

    def end(self, all_checked: Sequence[Checked]) -> Iterable[str]:
        """Everything was said."""
        return ()
