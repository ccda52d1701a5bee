"""PP-OCR text detectors: lines of any script as regions of a probability map.

Differentiable binarisation (Liao et al., "Real-time Scene Text Detection with Differentiable Binarization",
2020): the network marks the shrunken core of each line, which is grown back by area over perimeter.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt

from redact.detect.base import BgrImage
from redact.detect.runtime import STRIDE, load
from redact.plan import Box, Kind, Region

MEAN = np.array([0.485, 0.456, 0.406], np.float32) * 255
DEVIATION = np.array([0.229, 0.224, 0.225], np.float32) * 255
GIANT = 64.0
"""Lines higher than this many pixels (across their own direction) must be seen at a smaller size too, where
real lettering of that height still has 16 pixels. Soft pictures make the network mark whole scenes as text
at one size, seldom at two: of 9 such samples 8 were cleared, no caption was lost."""
GIANT_SEEN = 0.3
"""Share of a giant's area that must be text at a quarter of the size; at half, where the network is sure."""
SURE, SURE_FILL, SURE_LENGTH = 0.86, 0.60, 2.5
"""Mean probability, share of the tilted rectangle that the core fills, and length in heights, from which a
giant is believed when only half the size shows it. On the tuning seed these were faint names of 60 to 90 px;
on 227 photos banners and watermarks. Shorter giants that pass are people in black and table legs."""
SMALLEST_SIDE = 3.0
"""A core thinner than this many pixels is noise of the map; text that thin cannot be read."""
TILTED = 0.65
"""A tilted line is given as slices if they take at most this share of its one upright box."""
MOST_SLICES = 8


@dataclass(frozen=True)
class _Line:
    """One marked line: its upright box, and the tilted rectangle around it."""

    box: Box
    score: float
    height: float
    """Across the line's own direction."""
    fill: float
    corners: npt.NDArray[np.float32]
    """4 x 2, of the grown tilted rectangle, the first two along a short side."""

    @property
    def length(self) -> float:
        """Along the line's own direction."""
        return float(np.linalg.norm(self.corners[2] - self.corners[1]))

    @property
    def sure(self) -> bool:
        """Whether half the size is enough to believe it."""
        return self.score >= SURE and self.fill >= SURE_FILL and self.length >= SURE_LENGTH * self.height


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
        """Upright boxes that hold every line: one each, several along a line that is tilted."""
        height, width = image.shape[:2]
        found = self._lines(image)
        giants = [line for line in found if line.height > GIANT]
        if giants:
            quarter = self._again(image, 4)
            doubtful = [line for line in giants if not _seen(line, quarter)]
            sure = [line for line in doubtful if line.sure]
            half = self._again(image, 2) if sure else []
            dropped = [line for line in doubtful if line not in sure or not _seen(line, half)]
            found = [line for line in found if line not in dropped]
        return [
            Region(Kind.TEXT, inside, min(line.score, 1.0), self.name, self.family)
            for line in found
            for box in _slices(line)
            if (inside := box.clipped(width, height)) is not None
        ]

    def _again(self, image: BgrImage, divisor: int) -> list[Box]:
        """Boxes on the picture at a part of its size, in pixels of the whole."""
        height, width = image.shape[:2]
        size = (max(1, width // divisor), max(1, height // divisor))
        small = np.asarray(cv2.resize(image, size, interpolation=cv2.INTER_AREA), np.uint8)
        return [line.box.scaled(width / size[0], height / size[1]) for line in self._lines(small)]

    def _lines(self, image: BgrImage) -> list[_Line]:
        height, width = image.shape[:2]
        padded = cv2.copyMakeBorder(image, 0, -height % STRIDE, 0, -width % STRIDE, cv2.BORDER_REPLICATE)
        centred = cv2.dnn.blobFromImage(padded, mean=MEAN.tolist()).astype(np.float32, copy=False)
        chart = self._model.run(centred / DEVIATION.reshape(1, 3, 1, 1))[0][0, 0]
        mask = (chart > self._pixel).astype(np.uint8)
        # the outlines of all marked parts, those inside a closed frame or stamp too, but not those of holes
        contours, tree = cv2.findContours(mask, cv2.RETR_CCOMP, cv2.CHAIN_APPROX_SIMPLE)
        found = []
        for contour, (*_, parent) in zip(contours, tree[0] if contours else [], strict=True):
            if parent >= 0:
                continue
            (centre, (a, b), angle) = cv2.minAreaRect(contour)
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
            if box is None:
                continue
            corners = cv2.boxPoints((centre, (a + 2 * margin, b + 2 * margin), angle))
            if np.linalg.norm(corners[1] - corners[0]) > np.linalg.norm(corners[2] - corners[1]):
                corners = np.roll(corners, -1, axis=0)
            found.append(
                _Line(
                    box,
                    score,
                    min(a, b) + 2 * margin,
                    cv2.contourArea(contour) / (a * b),
                    np.asarray(corners, np.float32),
                )
            )
        return found


def _seen(line: _Line, again: list[Box]) -> bool:
    return sum(line.box.intersection(box) for box in again) >= GIANT_SEEN * line.box.area


def _slices(line: _Line) -> list[Box]:
    """The line's box, or upright boxes of its slices: an upright box around a tilted line is mostly scene."""
    one, two, three, four = (np.asarray(corner, np.float64) for corner in line.corners)
    count = min(MOST_SLICES, math.ceil(line.length / max(line.height, 1.0)))
    if count < 3:
        return [line.box]
    boxes = []
    for n in range(count):
        ends = [
            start + (end - start) * share
            for start, end in ((one, four), (two, three))
            for share in (n / count, (n + 1) / count)
        ]
        (x, y), (right, bottom) = np.min(ends, axis=0), np.max(ends, axis=0)
        boxes.append(Box(float(x), float(y), float(right - x), float(bottom - y)))
    area = sum(box.area for box in boxes) - sum(a.intersection(b) for a, b in pairwise(boxes))
    return boxes if area <= TILTED * line.box.area else [line.box]
