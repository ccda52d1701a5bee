"""PP-OCR text detectors: lines of any script as regions of a probability map.

Differentiable binarisation (Liao et al., "Real-time Scene Text Detection with Differentiable Binarization",
2020): the network marks the shrunken core of each line, which is grown back by area over perimeter.
"""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np

from redact.detect.base import BgrImage
from redact.detect.runtime import STRIDE, load
from redact.plan import Box, Kind, Region

MEAN = np.array([0.485, 0.456, 0.406], np.float32) * 255
DEVIATION = np.array([0.229, 0.224, 0.225], np.float32) * 255
GIANT = 64.0
"""Regions taller (or, turned, wider) than this many pixels must be seen at a quarter of the size too, where
real lettering of that height still has 16 pixels. Soft pictures make the network mark whole scenes as text
at one size, seldom at two: of 9 such samples 8 were cleared, no caption was lost."""
GIANT_SEEN = 0.3
"""Share of a giant's area that must be text at the small size."""
SMALLEST_SIDE = 3.0
"""A core thinner than this many pixels is noise of the map; text that thin cannot be read."""


class TextDetector:
    """Text lines by one PP-OCR network. See `redact.detect.base.Detector`.

    `pixel` is the probability from which a pixel of the map counts, `floor` the mean probability a line
    needs, `grow` the factor on area over perimeter.
    """

    family = "ppocr"
    kinds = frozenset({Kind.TEXT})

    def __init__(self, name: str, weights: Path, pixel: float, floor: float, grow: float) -> None:
        self.name = name
        self._model = load(weights)
        self._pixel, self._floor, self._grow = pixel, floor, grow

    def detect(self, image: BgrImage) -> list[Region]:
        """Upright boxes around every line, tilted ones included whole."""
        found = self._lines(image)
        giants = [region for region in found if min(region.box.w, region.box.h) > GIANT]
        if not giants:
            return found
        height, width = image.shape[:2]
        small = cv2.resize(image, (max(1, width // 4), max(1, height // 4)), interpolation=cv2.INTER_AREA)
        again = [
            region.box.scaled(width / small.shape[1], height / small.shape[0])
            for region in self._lines(np.asarray(small, np.uint8))
        ]
        return [
            region
            for region in found
            if region not in giants
            or sum(region.box.intersection(box) for box in again) >= GIANT_SEEN * region.box.area
        ]

    def _lines(self, image: BgrImage) -> list[Region]:
        height, width = image.shape[:2]
        padded = cv2.copyMakeBorder(image, 0, -height % STRIDE, 0, -width % STRIDE, cv2.BORDER_REPLICATE)
        centred = cv2.dnn.blobFromImage(padded, mean=MEAN.tolist()).astype(np.float32, copy=False)
        chart = self._model.run(centred / DEVIATION.reshape(1, 3, 1, 1))[0][0, 0]
        mask = (chart > self._pixel).astype(np.uint8)
        contours, _ = cv2.findContours(mask, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_SIMPLE)
        found = []
        for contour in contours:
            (_, (a, b), _) = cv2.minAreaRect(contour)
            if min(a, b) < SMALLEST_SIDE:
                continue
            x, y, w, h = cv2.boundingRect(contour)
            inside = np.zeros((h, w), np.uint8)
            cv2.drawContours(inside, [contour], -1, 1, cv2.FILLED, offset=(-x, -y))
            score = float(cv2.mean(chart[y : y + h, x : x + w], inside)[0])
            if score < self._floor:
                continue
            margin = self._grow * a * b / (2 * (a + b))
            box = Box(float(x), float(y), float(w), float(h)).grown(margin, margin).clipped(width, height)
            if box is not None:
                found.append(Region(Kind.TEXT, box, min(score, 1.0), self.name, self.family))
        return found
