"""Decides on which frames of a video text is looked for, and in which part of the picture.

Takes frames in order and gives, for frames that were looked at, all text known to be on them: what a look
saw, and outside the part looked at what an earlier look saw and nothing has touched since. The whole picture
is looked at on a cadence and at cuts; in between, every second frame on which edges came or went is looked at
there, and every frame that is shown for long. A caption that stands for two frames brings edges and is on one
of any two neighbouring frames, so no look can jump over it.
"""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np
import numpy.typing as npt

from redact.detect.base import Picture
from redact.detect.large_text import TextEnsemble
from redact.plan import Box, Region

Grid = npt.NDArray[np.bool_]

LONG_SIDE = 480
"""Lines of 16 px in 1080p are 4 px high here, and still edges."""
CELL = 8
EDGE = 20
"""Grey levels between neighbours from which there is an edge. Letters of the faintest captions that can be
read differ by 28 from their ground; film grain at this size by less than 10."""
CHANGED = 12
"""Levels by which an edge must grow or fade, within two pixels of its place, to have come or gone."""
CELL_SHARE = 0.08
"""Share of a cell's pixels with such edges: 5 of 64, one stroke of a letter."""
EVERY = 2
"""Frames between two looks at what changed: two frames is the shortest caption that must not slip through."""
WHOLE = 0.45
"""Share of the picture from which the whole of it is looked at."""
MARGIN = 3 * CELL
"""Growth of what changed, in pixels of the small picture: networks need some surroundings."""
MOST_PARTS = 4


class TextLooks:
    """Call `look` for every frame of an item, in order."""

    def __init__(self, ensemble: TextEnsemble) -> None:
        self._ensemble = ensemble
        self._edges: npt.NDArray[np.uint8] | None = None
        self._known: list[Region] = []
        self._last = -EVERY

    def look(self, frame: int, picture: Picture, *, whole: bool, long: bool = False) -> list[Region] | None:
        """All text on the frame, or None if it was not looked at: then nothing came or went since the last
        look, or that look was on the frame before.

        `whole`: look at the whole picture, as on the cadence and at cuts. `long`: the frame is shown for so
        long that a caption may stand on it alone.
        """
        if not whole and not long and frame - self._last < EVERY:
            return None
        edges = _edges(picture)
        if whole or self._edges is None or self._edges.shape != edges.shape:
            return self._whole(frame, picture, edges)
        changed = _changed(self._edges, edges)
        if not changed.any():
            return None
        parts = self._parts(changed, edges, picture)
        if sum(part.area for part in parts) >= WHOLE * picture.width * picture.height:
            return self._whole(frame, picture, edges)
        seen = [region for part in parts for region in self._ensemble.look_within(picture, part)]
        untouched = [
            region
            for region in self._known
            if all(region.box.intersection(part) < region.box.area / 2 for part in parts)
        ]
        _take_over(self._edges, edges, parts, picture)
        self._known = untouched + seen
        self._last = frame
        return list(self._known)

    def _whole(self, frame: int, picture: Picture, edges: npt.NDArray[np.uint8]) -> list[Region]:
        self._edges, self._last = edges, frame
        self._known = self._ensemble.look(picture)
        return list(self._known)

    def _parts(self, changed: Grid, edges: npt.NDArray[np.uint8], picture: Picture) -> list[Box]:
        """Rectangles of the picture around what changed, with the known text that they touch whole."""
        sx, sy = picture.width / edges.shape[1], picture.height / edges.shape[0]
        count, _, stats, _ = cv2.connectedComponentsWithStats(changed.astype(np.uint8), connectivity=8)
        parts = []
        for n in range(1, count):
            x, y, w, h = (int(value) * CELL for value in stats[n, :4])
            part = Box(x - MARGIN, y - MARGIN, w + 2 * MARGIN, h + 2 * MARGIN).scaled(sx, sy)
            for region in self._known:
                if part.intersection(region.box) > 0:
                    part = part.union(region.box.grown(MARGIN * sx, MARGIN * sy))
            inside = part.clipped(picture.width, picture.height)
            if inside is not None:
                parts.append(inside)
        return _merged(parts)


def _merged(parts: Sequence[Box]) -> list[Box]:
    """Few rectangles that do not overlap and hold all of `parts`."""
    merged: list[Box] = []
    for part in sorted(parts, key=lambda each: each.y):
        while True:
            touching = [each for each in merged if each.intersection(part) > 0]
            if not touching:
                break
            merged = [each for each in merged if each not in touching]
            for each in touching:
                part = part.union(each)  # noqa: PLW2901
        merged.append(part)
    while len(merged) > MOST_PARTS:
        pairs = [(one, other) for n, one in enumerate(merged) for other in merged[:n]]
        one, other = min(pairs, key=lambda pair: pair[0].union(pair[1]).area)
        rest = [each for each in merged if each not in (one, other)]
        return _merged([*rest, one.union(other)])
    return merged


def _edges(picture: Picture) -> npt.NDArray[np.uint8]:
    """Difference of the lightest and the darkest neighbour of every pixel, H x W."""
    grey = cv2.cvtColor(picture.bgr(LONG_SIDE), cv2.COLOR_BGR2GRAY)
    return np.asarray(cv2.morphologyEx(grey, cv2.MORPH_GRADIENT, np.ones((3, 3), np.uint8)), np.uint8)


def _changed(before: npt.NDArray[np.uint8], after: npt.NDArray[np.uint8]) -> Grid:
    """Cells in which edges came or went; those that only moved by a pixel or two do not count."""
    around = np.ones((5, 5), np.uint8)
    came = (after > EDGE) & (cv2.subtract(after, cv2.dilate(before, around)) > CHANGED)
    went = (before > EDGE) & (cv2.subtract(before, cv2.dilate(after, around)) > CHANGED)
    height, width = before.shape
    size = (-(-width // CELL), -(-height // CELL))
    padded = np.zeros((size[1] * CELL, size[0] * CELL), np.float32)
    padded[:height, :width] = came | went
    return np.asarray(cv2.resize(padded, size, interpolation=cv2.INTER_AREA) > CELL_SHARE)


def _take_over(
    before: npt.NDArray[np.uint8], after: npt.NDArray[np.uint8], parts: Sequence[Box], picture: Picture
) -> None:
    """Remember the new edges where the picture was looked at, and only there: slow fades add up."""
    sx, sy = before.shape[1] / picture.width, before.shape[0] / picture.height
    for part in parts:
        place = part.scaled(sx, sy).snapped(before.shape[1], before.shape[0], 1)
        if place is not None:
            x0, y0, x1, y1 = place
            before[y0:y1, x0:x1] = after[y0:y1, x0:x1]


__all__ = ["TextLooks"]
