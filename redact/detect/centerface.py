"""CenterFace: faces as points of a heat map.

(Xu et al., "CenterFace: Joint Face Detection and Alignment Using Face as Point", 2019.)
"""

from __future__ import annotations

from pathlib import Path

import numpy as np

from redact.detect.base import BgrImage
from redact.detect.runtime import blob, load, suppress
from redact.plan import Box, Kind, Region

STRIDE = 4


class CenterFace:
    """Faces by CenterFace. See `redact.detect.base.Detector`."""

    name = "centerface"
    family = "centerface"
    kinds = frozenset({Kind.FACE})

    def __init__(self, weights: Path, floor: float, overlap: float) -> None:
        self._model = load(weights)
        self._floor, self._overlap = floor, overlap

    def detect(self, image: BgrImage) -> list[Region]:
        """Every face scoring at least the floor, near-duplicates dropped."""
        heat, scale, offset, _ = self._model.run(blob(image, rgb=True))
        row, column = np.nonzero(heat[0, 0] >= self._floor)
        score = heat[0, 0, row, column]
        height = np.exp(scale[0, 0, row, column]) * STRIDE
        width = np.exp(scale[0, 1, row, column]) * STRIDE
        y = (row + offset[0, 0, row, column] + 0.5) * STRIDE - height / 2
        x = (column + offset[0, 1, row, column] + 0.5) * STRIDE - width / 2
        boxes = np.stack([x, y, width, height], axis=1).astype(np.float32)
        return [
            Region(Kind.FACE, Box(*map(float, boxes[n])), float(score[n]), self.name, self.family)
            for n in suppress(boxes, score, self._overlap)
        ]
