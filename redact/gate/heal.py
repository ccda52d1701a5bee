"""Turns the gate's pixel findings into tracks that cover them, for one more round of rendering.

Only faces and text with a place can be healed; hidden data and broken files never are.
"""

from __future__ import annotations

from redact.findings import Finding, FindingKind, GateReport
from redact.gate.structure import MOVIES
from redact.gate.thresholds import (
    HEAL_FACE_PADDING,
    HEAL_MIN_PX,
    HEAL_MOST,
    HEAL_SMALL,
    HEAL_TEXT_PADDING,
    PEOPLE_LOOKS,
    Looks,
)
from redact.plan import Box, Kind, Origin, Span, Track
from redact.policy import Policy

HEALABLE = {
    FindingKind.FACE: Kind.FACE,
    FindingKind.FACE_EXPECTED: Kind.FACE,
    FindingKind.TEXT: Kind.TEXT,
    FindingKind.NAME: Kind.TEXT,
}


def heal_tracks(report: GateReport, policy: Policy) -> list[Track]:
    """One track for each finding that has a box, padded, and long enough to reach the looks around it.

    The thing may have come and gone between two looks, so a cover goes on for one look's distance on both
    sides (two for text, which fades), inside the frames of the file. Ids count from 1; `Plan.with_tracks`
    gives fresh ones.
    """
    movie = report.format in MOVIES
    looks = Looks.of(movie, report.frames, policy.gate)
    tracks: list[Track] = []
    for finding in report.findings:
        kind = HEALABLE.get(finding.kind)
        box = _padded(finding, policy, report)
        if kind is None or box is None or finding.first is None:
            continue
        if finding.kind is FindingKind.FACE_EXPECTED and policy.faces.expected_heads != "cover":
            continue
        picture = report.width * report.height
        if box.area > HEAL_MOST * picture or (
            kind is Kind.TEXT and Box(*finding.box or box).area > policy.text.max_area * picture
        ):
            continue  # it would blank the picture: a person decides
        reach = _distance(finding.kind, looks) if movie else 0
        last = finding.last if finding.last is not None else finding.first
        span = Span(
            first=max(finding.first - reach, 0),
            last=max(min(last + reach, report.frames - 1), finding.first),
            box=tuple(box),
            origin=Origin.GATE,
        )
        tracks.append(
            Track(id=len(tracks) + 1, kind=kind, score=finding.score, sources=("gate",), spans=(span,))
        )
    return tracks


def _distance(kind: FindingKind, looks: Looks) -> int:
    """Frames between two looks for such a thing; twice that for text, which fades."""
    if kind in (FindingKind.TEXT, FindingKind.NAME):
        return 2 * looks.text
    return looks.faces * (PEOPLE_LOOKS if kind is FindingKind.FACE_EXPECTED else 1)


def _padded(finding: Finding, policy: Policy, report: GateReport) -> Box | None:
    """The finding's box grown on each side, inside the picture; None if it has no place."""
    if finding.box is None:
        return None
    box = Box(*finding.box)
    if HEALABLE[finding.kind] is Kind.FACE:
        share = max(HEAL_FACE_PADDING, policy.faces.padding)
        if max(box.w, box.h) < HEAL_SMALL:
            share = max(2 * HEAL_FACE_PADDING, policy.faces.padding)
        dx, dy = share * box.w, share * box.h
    else:
        dx = dy = max(HEAL_TEXT_PADDING, policy.text.padding) * min(box.w, box.h)
    return box.grown(max(dx, HEAL_MIN_PX), max(dy, HEAL_MIN_PX)).clipped(report.width, report.height)
