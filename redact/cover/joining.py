"""Covers of one photo seen together: one that lies in another is not a second thing, and no strip stays bare
between two that almost touch. Pure; what was covered stays covered.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from redact.plan import Box

DOUBLE = 0.8
DOUBLE_GROWTH = 1.2
"""A cover with this share inside a larger one is the same thing seen twice, and becomes part of it if that
grows it to at most this many times its area. On 443 photos: 3.8 and 3.7 instead of 4.1 extras an image on the
two halves, 0.02 % more of the picture covered. A smaller share makes one cover of neighbours in crowds."""
GAP = 8.0
GAP_SHARE = 0.25
"""Bare pixels between two covers that face each other over at least half the smaller one's side: up to this
many, and this share of that side, are covered too. A turned face was seen there as two, and four columns of
it stayed bare between them."""

Boxes = npt.NDArray[np.float64]
"""N x 4: left, top, right, bottom."""


def _edges(boxes: Sequence[Box]) -> Boxes:
    return np.array([(box.x, box.y, box.right, box.bottom) for box in boxes], np.float64).reshape(-1, 4)


def _box(edges: npt.NDArray[np.float64]) -> Box:
    left, top, right, bottom = (float(edge) for edge in edges)
    return Box(left, top, right - left, bottom - top)


def doubles(boxes: Sequence[Box]) -> list[list[int]]:
    """Positions in `boxes` in groups: of each, the largest and all that are the same thing seen again."""
    edges = _edges(boxes)
    areas = np.array([box.area for box in boxes])
    groups: list[list[int]] = []
    shapes = np.empty((0, 4))
    for n in np.argsort(-areas, kind="stable"):
        common = np.clip(
            np.minimum(shapes[:, 2:], edges[n, 2:]) - np.maximum(shapes[:, :2], edges[n, :2]), 0, None
        )
        whole = np.hstack([np.minimum(shapes[:, :2], edges[n, :2]), np.maximum(shapes[:, 2:], edges[n, 2:])])
        before = np.prod(shapes[:, 2:] - shapes[:, :2], axis=1)
        after = np.prod(whole[:, 2:] - whole[:, :2], axis=1)
        same = (np.prod(common, axis=1) >= DOUBLE * areas[n]) & (after <= DOUBLE_GROWTH * before)
        if same.any():
            into = int(np.flatnonzero(same)[0])
            groups[into].append(int(n))
            shapes[into] = whole[into]
        else:
            groups.append([int(n)])
            shapes = np.vstack([shapes, edges[n]])
    return groups


def union(boxes: Sequence[Box]) -> Box:
    """The smallest box that holds all of them; there must be one."""
    edges = _edges(boxes)
    return _box(np.concatenate([edges[:, :2].min(axis=0), edges[:, 2:].max(axis=0)]))


def without_gaps(boxes: Sequence[Box]) -> list[Box]:
    """The boxes in their order, some drawn out to a neighbour they almost touch."""
    edges = _edges(boxes)
    sides = edges[:, 2:] - edges[:, :2]
    grown = edges.copy()
    for n, (x0, y0, x1, y1) in enumerate(edges):
        for axis, (low, high, near, far) in enumerate(((y0, y1, x1, x0), (x0, x1, y1, y0))):
            across = 1 - axis
            facing = np.minimum(edges[:, 2 + across], high) - np.maximum(edges[:, across], low)
            smaller = np.minimum(sides[:, across], high - low)
            most = np.minimum(GAP, GAP_SHARE * smaller)
            for edge, gaps, sign in (
                (2 + axis, edges[:, axis] - near, 1),
                (axis, far - edges[:, 2 + axis], -1),
            ):
                # the lower of the two is drawn out, so that as little as can be is covered besides
                close = (
                    (gaps > 0) & (gaps <= most) & (facing >= smaller / 2) & (sides[:, across] >= high - low)
                )
                if close.any():
                    reach = edges[n, edge] + sign * gaps[close].max()
                    grown[n, edge] = max(grown[n, edge], reach) if sign > 0 else min(grown[n, edge], reach)
    return [_box(each) for each in grown]
