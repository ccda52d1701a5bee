"""YuNet: a small anchor-free face detector.

(Wu et al., "YuNet: A Tiny Millisecond-level Face Detector", 2023.)
"""

from __future__ import annotations

from pathlib import Path

import numpy as np

from redact.detect.base import BgrImage
from redact.detect.runtime import FloatArray, blob, load, suppress
from redact.plan import Box, Kind, Region

STRIDES = (8, 16, 32)


class YuNet:
    """Faces by YuNet 2023mar. See `redact.detect.base.Detector`."""

    name = "yunet"
    family = "yunet"
    kinds = frozenset({Kind.FACE})

    def __init__(self, weights: Path, floor: float, overlap: float) -> None:
        self._model = load(weights)
        self._floor, self._overlap = floor, overlap

    def detect(self, image: BgrImage) -> list[Region]:
        """Every face scoring at least the floor, near-duplicates dropped."""
        data = blob(image)
        columns = {stride: data.shape[3] // stride for stride in STRIDES}
        values = dict(zip(self._model.outputs, self._model.run(data), strict=True))
        boxes: list[FloatArray] = []
        scores: list[FloatArray] = []
        for stride in STRIDES:
            likely = np.clip(values[f"cls_{stride}"][0, :, 0], 0, 1) * np.clip(
                values[f"obj_{stride}"][0, :, 0], 0, 1
            )
            score = np.sqrt(likely)
            found = np.flatnonzero(score >= self._floor)
            row, column = np.divmod(found, columns[stride])
            offset = values[f"bbox_{stride}"][0, found]
            size = np.exp(offset[:, 2:4]) * stride
            centre = (np.stack([column, row], axis=1) + offset[:, :2]) * stride
            boxes.append(np.concatenate([centre - size / 2, size], axis=1).astype(np.float32))
            scores.append(score[found])
        every, score = np.concatenate(boxes), np.concatenate(scores)
        return [
            Region(Kind.FACE, Box(*map(float, every[n])), float(score[n]), self.name, self.family)
            for n in suppress(every, score, self._overlap)
        ]
