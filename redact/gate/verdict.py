"""What analysis noted, as findings; the verdict itself follows from findings in `redact.findings.judge`."""

from __future__ import annotations

from collections.abc import Iterable

from redact.findings import Finding, FindingKind


def note_findings(notes: Iterable[str]) -> list[Finding]:
    """One NOTE finding for each reason why analysis wants a person to look, e.g. `no_face_found`."""
    return [Finding(kind=FindingKind.NOTE, detail=note) for note in notes]
