"""What a cover is made of. Solid is one colour; mosaic and blur are a guess at what could be behind it.

Nothing of a covered face enters any style. Even a face's mean colour helps to find it again in a short list
of people, so mosaic and blur are made from the pixels around the cover, which the output shows anyway: a few
cells that go over from one edge to the other, with noise so that nobody takes them for the picture. Inputs
that differ only under their covers come out identical, whatever the style (tests/cover).
"""

from __future__ import annotations

import secrets
from typing import Literal

import cv2
import numpy as np
import numpy.typing as npt

from redact.plan import Box

Plane = npt.NDArray[np.unsignedinteger]
Values = npt.NDArray[np.float32]
CELLS = 6
"""Cells along each side."""
RING = 6
"""Samples beyond the cover's edge that the cells are made from."""
NOISE = 0.05
"""Standard deviation of the noise as a share of the full scale: enough to see that this is a cover."""

Key = tuple[int, Box]
"""First frame and box of a span: its noise is drawn once, so that covers do not flicker."""


class CellNoise:
    """The noise of every span seen so far in one render."""

    def __init__(self, source: np.random.Generator | None = None) -> None:
        self._source = source or np.random.default_rng(secrets.randbits(128))
        self._noise: dict[Key, Values] = {}

    def of(self, key: Key) -> Values:
        """CELLS x CELLS values around 0, as shares of the full scale."""
        if key not in self._noise:
            self._noise[key] = self._source.normal(0, NOISE, (CELLS, CELLS)).astype(np.float32)
        return self._noise[key]


def surrounding_cells(
    plane: Plane, hidden: npt.NDArray[np.bool_], area: tuple[int, int, int, int], fallback: float
) -> Values:
    """CELLS x CELLS values from what surrounds `area` (x0, y0, x1, y1) on a plane.

    `hidden` (the plane's shape) marks samples under any cover: they are never read. Each side of the ring is
    averaged in CELLS pieces; a cell mixes its four pieces by distance. Where nothing around may be read, it
    is `fallback`.
    """
    x0, y0, x1, y1 = area
    rows, columns = plane.shape
    sides: list[Values] = []
    bands = (
        (slice(max(y0 - RING, 0), y0), slice(x0, x1), 1),
        (slice(y1, min(y1 + RING, rows)), slice(x0, x1), 1),
        (slice(y0, y1), slice(max(x0 - RING, 0), x0), 0),
        (slice(y0, y1), slice(x1, min(x1 + RING, columns)), 0),
    )
    for down, across, axis in bands:
        sides.append(_pieces(plane[down, across], ~hidden[down, across], axis))
    known = np.concatenate(sides)
    known = known[~np.isnan(known)]
    middle = float(known.mean()) if len(known) else fallback
    top, bottom, left, right = (np.where(np.isnan(side), middle, side) for side in sides)
    along = (np.arange(CELLS, dtype=np.float32) + 0.5) / CELLS
    u, v = along[None, :], along[:, None]
    near = (1 / v, 1 / (1 - v), 1 / u, 1 / (1 - u))
    mixed = (
        near[0] * top[None, :]
        + near[1] * bottom[None, :]
        + near[2] * left[:, None]
        + near[3] * right[:, None]
    )
    return np.asarray(mixed / sum(near), np.float32)


def _pieces(band: Plane, readable: npt.NDArray[np.bool_], axis: int) -> Values:
    """Means of CELLS pieces of a band along `axis` (1: to the right, 0: downward); NaN where unknown."""
    means = np.full(CELLS, np.nan, np.float32)
    if band.size == 0:
        return means
    edges = np.linspace(0, band.shape[axis], CELLS + 1).round().astype(int)
    for n in range(CELLS):
        piece = (slice(None), slice(edges[n], edges[n + 1])) if axis else (slice(edges[n], edges[n + 1]),)
        chosen = band[piece][readable[piece]]
        if chosen.size:
            means[n] = chosen.mean()
    return means


def draw_cells(area: Plane, cells: Values, peak: int, mode: Literal["mosaic", "blur"]) -> None:
    """Fill `area` (h x w, any integer type up to `peak`) with the enlarged cells, in place."""
    how = cv2.INTER_NEAREST if mode == "mosaic" else cv2.INTER_CUBIC
    drawn = cv2.resize(cells, (area.shape[1], area.shape[0]), interpolation=how)
    area[...] = np.clip(np.round(drawn), 0, peak).astype(area.dtype)
