"""Where things are drawn: a film's timeline, and a picture's outline map. Pure geometry, no pixels.

Both take an item's report and give rectangles, lines of text and a sentence that says the same in words; the
page turns them into SVG. Whatever the item, a drawing has a bounded number of parts: what would be closer
than a hair on the timeline is drawn as one, and the exact frames are in the item's JSON.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from redact.findings import Finding
from redact.plan import Box, Kind
from redact.report.items import merged
from redact.report.models import Cover, ItemReport
from redact.report.words import counted, duration

WIDTH, GUTTER, EDGE = 720.0, 78.0, 6.0
BAR, STEP, ROW_GAP = 7.0, 9.0, 7.0
HAIR = 1.5
"""Stretches nearer than this are drawn as one: finer than a screen shows at the page's width."""
MOST_LANES = 6
MAP_SIDE = 300.0
MOST_BOXES = 400

Run = tuple[int, int]


@dataclass(frozen=True)
class Shape:
    """A rectangle. `look` is one of the page's style classes."""

    x: float
    y: float
    w: float
    h: float
    look: str


@dataclass(frozen=True)
class Label:
    """A line of text, by the left, middle or right end of its base line."""

    x: float
    y: float
    text: str
    anchor: str = "start"
    look: str = "quiet"


@dataclass
class Drawing:
    """One SVG."""

    width: float
    height: float
    title: str
    text: str
    """The same in words, for who cannot see it."""
    shapes: list[Shape] = field(default_factory=list)
    labels: list[Label] = field(default_factory=list)


def lanes(tracks: Iterable[Sequence[Run]], most: int = MOST_LANES) -> list[tuple[Run, ...]]:
    """Rows of runs in which no two tracks overlap; what fits in none of `most` lies on the last."""
    rows: list[list[Run]] = []
    for runs in sorted((tuple(runs) for runs in tracks if runs), key=lambda runs: (runs[0][0], runs[-1][1])):
        free = next((row for row in rows if row[-1][1] < runs[0][0]), None)
        if free is None and len(rows) < most:
            rows.append(list(runs))
        else:
            (free if free is not None else rows[-1]).extend(runs)
    return [merged(row) for row in rows]


class _Timeline:
    """Lays out one row of bars after the other, downwards."""

    def __init__(self, frames: int) -> None:
        self._scale = (WIDTH - GUTTER - EDGE) / frames
        self._last = frames - 1
        self.y = 4.0
        self.shapes: list[Shape] = []
        self.labels: list[Label] = []

    def row(self, name: str, rows: Sequence[Sequence[Run]], look: str) -> None:
        self.labels.append(Label(GUTTER - 10, self.y + BAR, name, "end"))
        for runs in rows:
            for x, w in self._bars(runs):
                self.shapes.append(Shape(x, self.y, w, BAR, look))
            self.y += STEP
        self.y += ROW_GAP

    def shots(self, shots: Sequence[Run]) -> None:
        self.labels.append(Label(GUTTER - 10, self.y + BAR, "shots", "end"))
        end = -1.0
        for n, (first, last) in enumerate(shots):
            x, w = self._place(first, last)
            if x + w - end >= HAIR:  # cuts every other frame would be thousands of lines on each other
                self.shapes.append(Shape(round(x, 1), self.y, round(max(w, 1.0), 1), BAR, f"shot{n % 2}"))
                end = x + w
        self.y += STEP + ROW_GAP

    def _place(self, first: int, last: int) -> tuple[float, float]:
        first, last = min(max(first, 0), self._last), min(max(last, 0), self._last)
        return GUTTER + first * self._scale, (last + 1 - first) * self._scale

    def _bars(self, runs: Sequence[Run]) -> list[tuple[float, float]]:
        bars: list[tuple[float, float]] = []
        for first, last in runs:
            x, w = self._place(first, last)
            x, w = min(x, WIDTH - EDGE - 2), max(w, 2.0)
            if bars and x - (bars[-1][0] + bars[-1][1]) < HAIR:
                bars[-1] = (bars[-1][0], max(bars[-1][0] + bars[-1][1], x + w) - bars[-1][0])
            else:
                bars.append((x, w))
        return [(round(x, 1), round(w, 1)) for x, w in bars]


def timeline(report: ItemReport) -> Drawing | None:
    """Shots, covers by kind and findings over the frames of a film or animation; None for a photo."""
    frames = report.output.frames
    if report.input.kind == "photo" or frames < 2:
        return None
    board = _Timeline(frames)
    board.shots(report.timeline.shots or ((0, frames - 1),))
    said = []
    for kind, keep, covers in _grouped(report.timeline.covers):
        rows = lanes(cover.runs for cover in covers)
        name = f"{kind.value} ×{len(covers)}" + (", kept" if keep else "")
        board.row(name, rows, "kept" if keep else kind.value)
        seen = sum(last + 1 - first for first, last in merged(run for cover in covers for run in cover.runs))
        did = "shown on purpose" if keep else "covered"
        said.append(f"{counted(kind, len(covers))} {did} on {min(seen, frames)} of {frames} frames")
    placed = [
        ((finding.first, finding.last if finding.last is not None else finding.first),)
        for finding in report.gate.findings
        if finding.first is not None
    ]
    if placed:
        board.row("findings", lanes(placed), "finding")
    plays = f", {duration(report.output.seconds)}" if report.output.seconds else ""
    board.labels.append(Label(GUTTER, board.y + 6, "frame 0"))
    board.labels.append(Label(WIDTH - EDGE, board.y + 6, f"frame {frames - 1}{plays}", "end"))
    count = len(report.timeline.shots) or 1
    text = "; ".join(
        [
            f"{frames} frames in {count} shot{'s' if count != 1 else ''}",
            *(said or ["nothing covered"]),
            f"{len(placed)} of {len(report.gate.findings)} findings belong to frames",
        ]
    )
    return Drawing(WIDTH, board.y + 12, f"Timeline of {report.item}", text + ".", board.shapes, board.labels)


def _grouped(covers: Iterable[Cover]) -> list[tuple[Kind, bool, list[Cover]]]:
    groups: dict[tuple[Kind, bool], list[Cover]] = {}
    for cover in covers:
        groups.setdefault((cover.kind, cover.keep), []).append(cover)
    return [
        (kind, keep, groups[kind, keep]) for kind in Kind for keep in (False, True) if (kind, keep) in groups
    ]


def place_map(report: ItemReport) -> Drawing | None:
    """Outlines over an empty frame: covers of a picture, and findings that have a place.

    For films it holds findings alone, and there is none without such a finding.
    """
    width, height = report.output.width, report.output.height
    if width < 1 or height < 1:
        return None
    scale = MAP_SIDE / max(width, height)
    covers = [
        (box, "kept" if cover.keep else cover.kind.value)
        for cover in report.timeline.covers
        for box in cover.boxes
    ]
    found = [
        (number, finding.box)
        for number, finding in enumerate(report.gate.findings, start=1)
        if _has_place(finding)
    ]
    still = report.output.frames == 1
    if not found and not still:
        return None
    drawing = Drawing(
        round(width * scale, 1),
        round(height * scale, 1),
        f"Map of {report.item}",
        f"An empty frame of {width} by {height} pixels with the outlines of "
        + (f"{len(covers)} covers and " if still else "")
        + f"{len(found)} of {len(report.gate.findings)} findings.",
    )
    for box, look in covers[:MOST_BOXES]:
        _outline(drawing, box, scale, look)
    for number, place in found[:MOST_BOXES]:
        shape = _outline(drawing, place, scale, "finding") if place is not None else None
        if shape is not None:
            drawing.labels.append(
                Label(shape.x + 3, min(shape.y + 12, drawing.height - 3), str(number), look="number")
            )
    if len(covers) > MOST_BOXES or len(found) > MOST_BOXES:
        drawing.text += f" Drawn are the first {MOST_BOXES} of each."
    return drawing


def _has_place(finding: Finding) -> bool:
    return finding.box is not None and all(map(math.isfinite, finding.box))


def _outline(
    drawing: Drawing, place: tuple[float, float, float, float], scale: float, look: str
) -> Shape | None:
    inside = Box(*place).scaled(scale, scale).clipped(drawing.width, drawing.height)
    if inside is None:
        return None
    shape = Shape(
        round(inside.x, 1),
        round(inside.y, 1),
        max(round(inside.w, 1), 1.5),
        max(round(inside.h, 1), 1.5),
        look,
    )
    drawing.shapes.append(shape)
    return shape
