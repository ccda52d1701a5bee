"""The gate for text files: captions, articles, subtitles. Says where names stand, by line and column.

The finding holds the list's line number, never the name; a person-name hint asks for a person's eyes.
"""

from __future__ import annotations

import hashlib
from pathlib import Path

from redact.errors import InputError
from redact.findings import Finding, FindingKind, GateReport, Look
from redact.names.plain import MAX_BYTES, decoded, line_and_column, places
from redact.names.watchlist import WatchList

MOST = 500
"""Findings that are listed."""


def inspect_text(path: Path, watch: WatchList | None) -> GateReport:
    """Judge the text file at `path`; what is no text that can be read is a finding.

    Raises:
        InputError: it cannot be opened.
    """
    try:
        with path.open("rb") as source:
            untrusted_data = source.read(MAX_BYTES + 1)
    except OSError as error:
        raise InputError("The text file cannot be opened.") from error
    looks = [Look(what="what looks like a person's name", by="endings and capitals")]
    if watch is not None:
        looks.insert(0, Look(what=f"names of a watch list of {len(watch)} lines", by="redact's own matching"))
    text = decoded(untrusted_data) if len(untrusted_data) <= MAX_BYTES else None
    if text is None:
        what = "not UTF-8 or UTF-16 text" if len(untrusted_data) <= MAX_BYTES else "too large"
        findings = [Finding(kind=FindingKind.UNVERIFIABLE, detail=what)]
    else:
        findings = []
        for place in places(text, watch):
            line, column = line_and_column(text, place.start)
            what = f"watch list line {place.line}" if place.line else "person-name hint"
            findings.append(Finding(kind=FindingKind.NAME, detail=f"{what} at line {line} column {column}"))
        if len(findings) > MOST:
            more = Finding(kind=FindingKind.NAME, detail=f"{len(findings) - MOST} more places")
            findings = [*findings[:MOST], more]
    return GateReport(
        sha256=hashlib.sha256(untrusted_data).hexdigest(),
        format="text",
        looks=tuple(looks),
        findings=tuple(findings),
    )
