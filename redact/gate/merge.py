"""Makes findings of regions: thresholds, agreement between families, and one finding for one thing over time.

Pure functions and one small accumulator on pure data; knows nothing of pixels or files.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

from redact.findings import Finding, FindingKind
from redact.gate.thresholds import (
    AGREED_IOU,
    AGREED_SCORE,
    ALIKE,
    FACE_SCORE,
    FACE_SCORES,
    FOLLOW_IOU,
    MAX_PIXEL_FINDINGS,
    MAX_UNION_GROWTH,
    MIN_SIDE,
    SAME_OVERLAP,
    TEXT_SCORE,
    TILE_EXTRA,
    WALKED,
)
from redact.plan import Box, Kind, Region

FINDING_KINDS = {
    Kind.FACE: FindingKind.FACE,
    Kind.HEAD: FindingKind.FACE_EXPECTED,
    Kind.TEXT: FindingKind.TEXT,
    Kind.CODE: FindingKind.TEXT,
}
_UNSAFE = re.compile(r"[^A-Za-z0-9_.:@/+\- ]")


def select(regions: Iterable[Region]) -> list[Region]:
    """Regions that are worth a finding: sure enough alone, or seen by two families, and large enough."""
    regions = list(regions)
    chosen = []
    for region in regions:
        kind = Kind.FACE if region.kind is Kind.HEAD else region.kind
        if min(region.box.w, region.box.h) < MIN_SIDE.get(kind, MIN_SIDE[Kind.TEXT]):
            continue
        if kind is not Kind.FACE:
            sure = region.score >= TEXT_SCORE
        else:
            sure = region.score >= face_score(region.source)
            sure = sure or (region.score >= AGREED_SCORE and _confirmed(region, regions))
        if sure:
            chosen.append(region)
    return joined(chosen)


def face_score(source: str) -> float:
    """The score at which a run, named `model@size` with `+t` for tiles, is believed alone."""
    model, _, run = source.partition("@")
    return FACE_SCORES.get(model, FACE_SCORE) + (TILE_EXTRA if "+t" in run else 0.0)


def _confirmed(region: Region, regions: list[Region]) -> bool:
    return any(
        other.family != region.family
        and other.kind is region.kind
        and other.score >= AGREED_SCORE
        and other.box.iou(region.box) >= AGREED_IOU
        for other in regions
    )


def joined(regions: list[Region]) -> list[Region]:
    """One region, their union, for those of one kind that lie on each other. The surest gives its name."""
    found: list[Region] = []
    for region in sorted(regions, key=lambda each: -each.score):
        for place, known in enumerate(found):
            if known.kind is region.kind and overlap_of_smaller(known.box, region.box) >= SAME_OVERLAP:
                found[place] = known._replace(box=known.box.union(region.box))
                break
        else:
            found.append(region)
    return found


def overlap_of_smaller(one: Box, other: Box) -> float:
    """Common area as a share of the smaller box, 0 to 1."""
    smaller = min(one.area, other.area)
    return one.intersection(other) / smaller if smaller > 0 else 0.0


@dataclass
class _Open:
    """A finding that may still go on."""

    kind: Kind
    first: int
    last: int
    latest: Box
    union: Box
    score: float
    source: str


class FindingMerger:
    """Collects selected regions frame by frame, in ascending order, and joins those of one thing."""

    def __init__(self, width: int, height: int) -> None:
        self._size = (width, height)
        self._open: list[_Open] = []
        self._closed: list[_Open] = []
        self._overflow = False

    def add(self, frame: int, regions: Iterable[Region], reach: int) -> None:
        """Take the regions of one frame. A finding last seen up to `reach` frames ago may go on."""
        ended = [each for each in self._open if each.last < frame - reach]
        self._open = [each for each in self._open if each.last >= frame - reach]
        self._closed += ended
        for region in regions:
            inside = region.box.clipped(*self._size)
            if inside is None:
                continue
            best = max(
                (each for each in self._open if each.kind is region.kind),
                key=lambda each: each.latest.iou(inside),
                default=None,
            )
            if best is not None and best.latest.iou(inside) >= FOLLOW_IOU:
                union = best.union.union(inside)
                if union.area <= MAX_UNION_GROWTH * inside.area:
                    best.last, best.latest, best.union = frame, inside, union
                    best.score = max(best.score, region.score)
                    continue
            if len(self._open) + len(self._closed) >= MAX_PIXEL_FINDINGS:
                self._overflow = True
                continue
            self._open.append(_Open(region.kind, frame, frame, inside, inside, region.score, region.source))

    def finish(self) -> list[Finding]:
        """Every finding, by first frame."""
        found = [_finding(each) for each in sorted(self._closed + self._open, key=lambda each: each.first)]
        if self._overflow:
            found.append(Finding(kind=FindingKind.FACE, detail="more than can be listed"))
        return found


def seen_again(findings: Iterable[Finding], reach: int) -> list[Finding]:
    """Those that are more than one sighting: in thousands of frames a covered body is once taken for another.

    A single one counts too if another, up to `reach` frames away, lies within `WALKED` of its sides and is
    much of its size: a head that walks has left its place between two looks. What has no place counts.
    """
    every = list(findings)
    return [
        each
        for each in every
        if each.first != each.last
        or each.first is None
        or any(_walked(each, other, reach) for other in every if other is not each)
    ]


def _walked(one: Finding, other: Finding, reach: int) -> bool:
    if one.box is None or other.box is None or one.first is None or other.first is None or other.last is None:
        return False
    a, b = Box(*one.box), Box(*other.box)
    apart = max(one.first - other.last, other.first - one.first)  # `one` is a single sighting
    larger, smaller = max(a.w, a.h, b.w, b.h), min(max(a.w, a.h), max(b.w, b.h))
    away = max(abs(a.x + a.w / 2 - b.x - b.w / 2), abs(a.y + a.h / 2 - b.y - b.h / 2))
    return 0 < apart <= reach and larger <= ALIKE * smaller and away <= WALKED * larger


def _finding(seen: _Open) -> Finding:
    return Finding(
        kind=FINDING_KINDS[seen.kind],
        detail=_UNSAFE.sub("_", seen.source)[:96],
        score=min(max(seen.score, 0.0), 1.0),
        first=seen.first,
        last=seen.last,
        box=tuple(seen.union),
    )
