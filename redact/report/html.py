"""The page a person reads: one self-contained HTML file over all items of an output folder.

Pictures come from published output pixels alone; an item in review shows none, because what it was held back
for may be in them. The template escapes every value, and the page's own policy forbids it to load anything or
to run any script but the one inside it (sorting and filtering; everything else works without).
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from itertools import groupby
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined, Template
from markupsafe import Markup

from redact.findings import Finding, FindingKind
from redact.plan import Kind
from redact.report.models import ItemLine, ItemReport, LookedFor, RunReport, Standing
from redact.report.shapes import Drawing, place_map, timeline
from redact.report.summary import State, findings_of
from redact.report.words import FINDINGS, NOTES, REASONS, SOUNDS, STAGES, STANDINGS, counted, duration

_PAGE = Path(__file__).parent / "page"


@dataclass(frozen=True)
class FindingView:
    """A finding in words."""

    number: int
    words: str
    detail: str
    where: str
    severity: str


@dataclass(frozen=True)
class ItemView:
    """An item as the page shows it."""

    line: ItemLine
    report: ItemReport | None
    facts: str
    covered: str
    sound: str
    took: str
    """Time by stage, in words; empty if it is not known."""
    outcome: str
    """What came of it, in a sentence."""
    findings: tuple[FindingView, ...]
    timeline: Drawing | None
    map: Drawing | None
    preview: str
    """Base64 of a JPEG of the published output, or empty."""

    @property
    def pixels(self) -> int:
        """Size to sort by."""
        return self.report.output.width * self.report.output.height if self.report is not None else 0


def _finding(number: int, finding: Finding) -> FindingView:
    words, detail = FINDINGS[finding.kind], finding.detail
    if finding.kind is FindingKind.NOTE and detail in NOTES:
        words, detail = f"{words}: {NOTES[detail]}", ""
    where = ""
    if finding.first is not None:
        where = f"frame {finding.first}"
        if finding.last not in (None, finding.first):
            where = f"frames {finding.first} to {finding.last}"
    return FindingView(number, words, detail, where, finding.severity.value)


def covers_in_words(covers: Mapping[Kind, int]) -> str:
    """`3 faces, 1 text`."""
    return ", ".join(counted(kind, covers[kind]) for kind in Kind if covers.get(kind))


def _facts(report: ItemReport) -> str:
    output = report.output
    became = "" if report.input.format == output.format else f" to {output.format}"
    parts = [report.input.kind, f"{report.input.format}{became}", f"{output.width}×{output.height}"]
    if output.frames > 1:
        parts.append(f"{output.frames:,} frames")
    if output.seconds:
        parts.append(duration(output.seconds))
    return ", ".join(parts)


def _sound(report: ItemReport) -> str:
    mode = report.covered.sound.mode
    if mode == "remove" and "audio" not in report.input.streams_dropped:
        return "there was none"
    return SOUNDS.get(mode, mode)


def _outcome(line: ItemLine) -> str:
    words = STANDINGS[line.standing]
    if line.standing is Standing.FAILED:
        return f"{REASONS.get(line.reason, line.reason)} Nothing was kept."
    if line.standing is Standing.ACCEPTED and len(line.approved_by) > 1:
        return f"{words} Reviewers {' and '.join(line.approved_by)}."
    if line.standing is Standing.REVIEW and line.approvals > 1:
        by = f", {len(line.approved_by)} did: {' and '.join(line.approved_by)}" if line.approved_by else ""
        return f"{words} {line.approvals} people must approve it{by}."
    if line.reviewer and line.standing in (Standing.ACCEPTED, Standing.REJECTED):
        return f"{words} Reviewer {line.reviewer}."
    return words


def _view(line: ItemLine, state: State, report: ItemReport | None) -> ItemView:
    gone = line.standing in (Standing.FAILED, Standing.REJECTED)
    report = None if gone else report
    findings = () if gone else findings_of(state, report)
    spent = report.processing.seconds if report is not None else {}
    return ItemView(
        line=line,
        report=report,
        facts=_facts(report) if report is not None else "",
        covered=covers_in_words(line.covers),
        sound=_sound(report) if report is not None else "",
        took=", ".join(
            f"{words} {duration(spent[stage])}" for stage, words in STAGES.items() if stage in spent
        ),
        outcome=_outcome(line),
        findings=tuple(_finding(n, finding) for n, finding in enumerate(findings, start=1)),
        timeline=timeline(report) if report is not None else None,
        map=place_map(report) if report is not None else None,
        preview=report.preview_jpeg if report is not None and line.standing is Standing.PUBLISH else "",
    )


def _hash(text: str) -> str:
    """What the page's policy calls an inline style or script."""
    return "sha256-" + base64.b64encode(hashlib.sha256(text.encode()).digest()).decode("ascii")


def _by_what(looks: tuple[LookedFor, ...]) -> Iterator[tuple[str, list[LookedFor]]]:
    for what, group in groupby(looks, key=lambda look: look.what):
        yield what, list(group)


@lru_cache(maxsize=1)
def _template() -> tuple[Template, str, str]:
    environment = Environment(
        loader=FileSystemLoader(_PAGE),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    style, script = ((_PAGE / name).read_text(encoding="utf-8") for name in ("report.css", "report.js"))
    return environment.get_template("index.html.j2"), style, script


def index_page(run: RunReport, states: Mapping[str, State], reports: Mapping[str, ItemReport]) -> str:
    """HTML text of the page; `states` is the ledger's last word on each of the run's items."""
    template, style, script = _template()
    views = [_view(line, states[line.item], reports.get(line.item)) for line in run.items]
    return template.render(
        run=run,
        items=views,
        shown=[view for view in views if view.preview],
        standings=[(standing, run.counts[standing], STANDINGS[standing]) for standing in Standing],
        looked_for=list(_by_what(run.looked_for)),
        covers=covers_in_words({kind: sum(view.line.covers.get(kind, 0) for view in views) for kind in Kind}),
        seconds=sum(view.line.seconds for view in views),
        kinds=list(Kind),
        duration=duration,
        # these two files are ours: the only text that goes in unescaped
        style=Markup(style),
        script=Markup(script),
        style_hash=_hash(style),
        script_hash=_hash(script),
    )
