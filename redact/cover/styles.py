"""What a cover is made of. Solid is one colour; mosaic and blur are made of a few coarse cells.

Nothing can be rebuilt from a solid cover. Mosaic and blur are a courtesy to the eye for faces: the region is
reduced to 4 x 4 means per plane, each rounded to one of 5 levels, plus noise that depends on a secret of this
run and not on the picture, so that what is drawn follows from at most 16 coarse numbers. The cells are taken
once per span and held, because averaging over frames would undo per-frame noise. `blur` is the smooth
interpolation of the same cells, never a filter over the original.
"""

from __future__ import annotations

import secrets
from typing import Literal

import cv2
import numpy as np
import numpy.typing as npt

Plane = npt.NDArray[np.unsignedinteger]
CELLS = 4
LEVELS = 5
NOISE = 0.06
"""Standard deviation of the noise as a share of the full scale: about a third of a level."""

Key = tuple[int, int, tuple[float, float, float, float]]
"""First frame, plane number and box of a span."""


class CellMemory:
    """The cells of every span seen so far in one render, and the secret their noise is drawn from."""

    def __init__(self, noise: np.random.Generator | None = None) -> None:
        self._noise = noise or np.random.default_rng(secrets.randbits(128))
        self._cells: dict[Key, npt.NDArray[np.float32]] = {}

    def cells(self, key: Key, area: Plane, peak: int) -> npt.NDArray[np.float32]:
        """CELLS x CELLS values from 0 to `peak`, taken from `area` (h x w) the first time a key is seen."""
        if key not in self._cells:
            means = cv2.resize(area.astype(np.float32), (CELLS, CELLS), interpolation=cv2.INTER_AREA)
            step = peak / (LEVELS - 1)
            coarse = np.round(means / step) * step
            noise = self._noise.normal(0, NOISE * peak, (CELLS, CELLS))
            self._cells[key] = np.clip(coarse + noise, 0, peak).astype(np.float32)
        return self._cells[key]


def draw_cells(area: Plane, cells: npt.NDArray[np.float32], mode: Literal["mosaic", "blur"]) -> None:
    """Fill `area` (h x w, any integer type) with the enlarged cells, in place."""
    how = cv2.INTER_NEAREST if mode == "mosaic" else cv2.INTER_CUBIC
    drawn = cv2.resize(cells, (area.shape[1], area.shape[0]), interpolation=how)
    limits = np.iinfo(area.dtype)
    area[...] = np.clip(np.round(drawn), limits.min, limits.max).astype(area.dtype)
