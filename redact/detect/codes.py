"""QR codes and bar codes, found by ZXing's C++ port. What a code says is never kept: only where it is.

Codes are text too: a badge's code can hold a name, a number or an address. Families of detectors confirm each
other nowhere here, because a code that was located by its own check sums is certain.
"""

from __future__ import annotations

import math

import cv2
import numpy as np
import zxingcpp

from redact.detect.base import BgrImage
from redact.plan import Box, Kind, Region

_Format = zxingcpp.BarcodeFormat
LINEAR = (
    _Format.EAN13,
    _Format.EAN8,
    _Format.UPCA,
    _Format.UPCE,
    _Format.Code128,
    _Format.Code39,
    _Format.Code93,
    _Format.ITF,
    _Format.DataBar,
    _Format.DataBarExp,
)
MATRIX = (_Format.QRCode, _Format.MicroQRCode, _Format.RMQRCode, _Format.DataMatrix, _Format.Aztec)
STACKED = (_Format.PDF417, _Format.MicroPDF417)
"""Codabar, Telepen and film edges are left out: their check is so weak that fences and blinds pass it."""
READ, LOCATED = 0.95, 0.70
"""Scores: read whole, check sums and all; or only located, the content being too blurred to be read."""
QUIET = 0.08
"""Growth on each side, as a share of the longer side: the place of a code ends at the middle of its outer
modules."""
BARS_HIGH = 0.45
"""Half the height of a linear code in lengths, from which its cover is drawn: the reader gives the row it
read, not the bars; those of an EAN-13 are 0.69 of the length, those of a label less."""


class CodeDetector:
    """QR, Data Matrix, Aztec, PDF417 and linear codes. See `redact.detect.base.Detector`."""

    family = "zxing"
    kinds = frozenset({Kind.CODE})

    def __init__(self, name: str = "zxing") -> None:
        self.name = name
        self._formats = zxingcpp.BarcodeFormats([*LINEAR, *MATRIX, *STACKED])

    def detect(self, image: BgrImage) -> list[Region]:
        """Upright boxes around every code, at any angle, quiet zone included."""
        grey = np.ascontiguousarray(cv2.cvtColor(image, cv2.COLOR_BGR2GRAY))
        height, width = grey.shape
        found = []
        for code in zxingcpp.read_barcodes(
            grey, formats=self._formats, binarizer=zxingcpp.Binarizer.LocalAverage, return_errors=True
        ):
            linear = code.format in LINEAR
            if not code.valid and linear:
                continue  # without its check sum any row of stripes is one
            box = _place(code.position, linear).clipped(width, height)
            if box is not None:
                score = READ if code.valid else LOCATED
                found.append(Region(Kind.CODE, box, score, self.name, self.family))
        return found


def _place(position: zxingcpp.Position, linear: bool) -> Box:
    corners = [
        (float(corner.x), float(corner.y))
        for corner in (position.top_left, position.top_right, position.bottom_right, position.bottom_left)
    ]
    if linear:
        corners += _bars(corners)
    xs, ys = [x for x, _ in corners], [y for _, y in corners]
    box = Box(min(xs), min(ys), max(max(xs) - min(xs), 1.0), max(max(ys) - min(ys), 1.0))
    quiet = QUIET * max(box.w, box.h)
    return box.grown(quiet, quiet)


def _bars(corners: list[tuple[float, float]]) -> list[tuple[float, float]]:
    """Ends of the bars of a linear code, of which the reader tells the row that it read."""
    (ax, ay), (bx, by), (cx, cy), (dx, dy) = corners
    left, right = ((ax + dx) / 2, (ay + dy) / 2), ((bx + cx) / 2, (by + cy) / 2)
    length = math.dist(left, right)
    if length == 0:
        return []
    across = ((left[1] - right[1]) / length, (right[0] - left[0]) / length)
    reach = BARS_HIGH * length
    return [
        (x + sign * reach * across[0], y + sign * reach * across[1])
        for x, y in (left, right)
        for sign in (-1, 1)
    ]
