"""Which findings a reviewed plan answers for: faces inside a kept track, while it is there."""

from __future__ import annotations

import pytest

from redact.findings import Finding, FindingKind, GateReport, Look, Verdict
from redact.gate.kept import without_kept
from redact.plan import (
    Kind,
    MediaFacts,
    Origin,
    OutputSpec,
    Plan,
    SourceDigest,
    Span,
    Track,
)

SPANS = (
    Span(first=0, last=9, box=(100, 100, 80, 80), origin=Origin.REVIEWER),
    Span(first=10, last=19, box=(120, 100, 80, 80), origin=Origin.REVIEWER),
)


def plan(*tracks: Track) -> Plan:
    return Plan(
        item="abcd2345wxyz",
        policy="own-reporter",
        policy_digest="0" * 64,
        source=SourceDigest(salt="0" * 32, sha256="0" * 64),
        media=MediaFacts(kind="video", format="mp4", width=640, height=480, frames=50),
        tracks=tracks,
        output=OutputSpec(format="mp4"),
    )


def report(*findings: Finding) -> GateReport:
    return GateReport(
        format="mp4", width=640, height=480, frames=50, looks=(Look(what="faces", by="x"),), findings=findings
    )


def seen(first: int, last: int, x: float = 120, kind: FindingKind = FindingKind.FACE) -> Finding:
    return Finding(kind=kind, first=first, last=last, box=(x, 110, 50, 50))


KEPT = plan(Track(id=1, kind=Kind.FACE, spans=SPANS, keep=True))


@pytest.mark.parametrize(("first", "last"), [(0, 0), (3, 17), (0, 19)])
def test_a_face_in_a_kept_track_is_no_finding_but_is_counted(first: int, last: int) -> None:
    judged = without_kept(report(seen(first, last)), KEPT)
    assert judged.verdict is Verdict.PUBLISH
    assert [(look.what, look.frames) for look in judged.looks][1:] == [("faces shown on purpose", 1)]


@pytest.mark.parametrize(
    "finding",
    [
        seen(15, 20),  # it goes on after the track has ended
        seen(30, 31),
        seen(3, 4, x=160),  # half outside
        seen(3, 17, x=90),  # outside on the later frames
        seen(3, 4, kind=FindingKind.TEXT),
        Finding(kind=FindingKind.FACE, detail="more than can be listed"),
    ],
)
def test_everything_else_stays_a_finding(finding: Finding) -> None:
    assert without_kept(report(finding), KEPT).findings == (finding,)


def test_a_track_that_is_not_marked_answers_for_nothing() -> None:
    unmarked = plan(Track(id=1, kind=Kind.FACE, spans=SPANS))
    before = report(seen(3, 4))
    assert without_kept(before, unmarked) == before


def test_a_kept_track_is_not_covered_and_text_cannot_be_kept() -> None:
    assert KEPT.covers().at(5) == []
    with pytest.raises(ValueError, match="only faces"):
        Track(id=1, kind=Kind.TEXT, spans=SPANS, keep=True)
