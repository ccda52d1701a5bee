"""What the records of single items add up to: the contents of `report.json`. Pure, but for reading the items.

The ledger's last word on an item is what counts. The item's own report adds detail only if it is about the
very file that was released: a report that a killed run left behind, or one that was changed, is not shown.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from pydantic import TypeAdapter, ValidationError

from redact import __version__
from redact.findings import Finding
from redact.report.models import (
    ItemLine,
    ItemReport,
    LastRun,
    LookedFor,
    ModelUse,
    PolicyName,
    RunReport,
    Standing,
    Tool,
)

ORDER = tuple(Standing)
"""Worst first."""
_ID = re.compile(r"[a-z0-9]{4,64}\Z")
_UNCHANGED = re.compile(r" \(\d+ more frames? not looked at: [a-z ]*\)\Z")
_FINDINGS = TypeAdapter(tuple[Finding, ...])

State = Mapping[str, Any]
Approval = tuple[int, tuple[str, ...]]
"""How many people must approve an item, and the codes of those who did."""


def standing_of(state: State) -> Standing:
    """Where the item stands by the ledger's last word on it; what is not understood is never PUBLISH."""
    if state.get("event") == "failed":
        return Standing.FAILED
    if state.get("event") == "rejected":
        return Standing.REJECTED
    if (state.get("review") or {}).get("action") == "accept":
        return Standing.ACCEPTED
    try:
        return Standing(str(state.get("verdict")))
    except ValueError:
        return Standing.REVIEW


def read_items(folder: Path, states: Mapping[str, State]) -> dict[str, ItemReport]:
    """The reports in `folder` that are about the files that were released, by item."""
    found = {}
    for item, state in states.items():
        if state.get("event") != "released" or not _ID.match(item):
            continue
        try:
            report = ItemReport.model_validate_json((folder / f"{item}.json").read_bytes())
        except (OSError, ValidationError):
            continue
        if (report.item, report.output.sha256) == (item, state.get("sha256")):
            found[item] = report
    return found


def findings_of(state: State, report: ItemReport | None) -> tuple[Finding, ...]:
    """What the gate found, from the item's report, else from its row in the ledger."""
    if report is not None:
        return report.gate.findings
    try:
        return _FINDINGS.validate_python(state.get("findings", ()))
    except ValidationError:
        return ()


def summarise(
    states: Mapping[str, State],
    reports: Mapping[str, ItemReport],
    *,
    approvals: Mapping[str, Approval] | None = None,
    beside: int = 0,
    last_run: LastRun | None = None,
    ledger_head: str = "",
) -> RunReport:
    """Everything about the output folder; `states` is the ledger's last word on each item."""
    waiting = approvals or {}
    lines = [
        _line(item, state, reports.get(item), waiting.get(item, (1, ()))) for item, state in states.items()
    ]
    lines.sort(key=lambda line: (ORDER.index(line.standing), line.item))
    counts = Counter(line.standing for line in lines)
    judged = [reports[item] for item in sorted(reports)]
    return RunReport(
        tool=Tool(version=__version__),
        ledger_head=ledger_head,
        last_run=last_run,
        counts={standing: counts[standing] for standing in ORDER},
        beside=beside,
        policies=tuple(
            PolicyName(name=name, digest=digest)
            for name, digest in sorted({(each.policy.name, each.policy.digest) for each in judged})
        ),
        looked_for=_looked_for(judged),
        models=_models(judged),
        items=tuple(lines),
    )


def _line(item: str, state: State, report: ItemReport | None, waiting: Approval) -> ItemLine:
    standing = standing_of(state)
    review = state.get("review") or {}
    needed, approved = waiting
    if standing is Standing.ACCEPTED:
        approved = tuple(map(str, review.get("approvals", (review.get("by", ""),))))
    return ItemLine(
        item=item,
        standing=standing,
        reason=str(state.get("reason", "")) if standing is Standing.FAILED else "",
        reviewer=str(review.get("by", "")),
        approved_by=approved,
        approvals=needed,
        detailed=report is not None,
        findings=len(findings_of(state, report))
        if standing not in (Standing.FAILED, Standing.REJECTED)
        else 0,
        covers=report.covered.tracks if report is not None else {},
        seconds=report.processing.total_seconds if report is not None else 0,
    )


def _looked_for(reports: Iterable[ItemReport]) -> tuple[LookedFor, ...]:
    seen: dict[tuple[str, str], list[int]] = {}
    for report in reports:
        for look in report.gate.looked_for:
            # how many frames stood still differs from film to film; the numbers of frames tell that already
            entry = seen.setdefault((look.what, _UNCHANGED.sub("", look.by)), [0, 0, 0])
            for n, value in enumerate((1, look.frames, look.of_frames)):
                entry[n] += value
    return tuple(
        LookedFor(what=what, by=by, files=files, frames=frames, of_frames=of_frames)
        for (what, by), (files, frames, of_frames) in sorted(seen.items())
    )


def _models(reports: Iterable[ItemReport]) -> tuple[ModelUse, ...]:
    used = Counter(pair for report in reports for pair in report.models.items())
    return tuple(ModelUse(id=name, sha256=digest, files=n) for (name, digest), n in sorted(used.items()))


def last_run_of(rows: Iterable[tuple[int, str, str, State]]) -> LastRun | None:
    """The last run that worked on something, from the ledger's rows, oldest first."""
    isolation, last = "", None
    for _, event, _, data in rows:
        if event == "isolation":
            isolation = str(data.get("level", ""))
        elif event == "run":
            last = LastRun(
                began=str(data.get("time", "")),
                ended="",
                items=data.get("items", 0),
                interrupted=False,
                isolation=isolation,
            )
        elif event == "run_ended" and last is not None:
            last = last.model_copy(
                update={
                    "ended": str(data.get("time", "")),
                    "interrupted": bool(data.get("interrupted")),
                }
            )
    return last
