"""Decoded pictures in memory: the raster that is painted and encoded, and the scaled views detectors get.

Colour that no viewer shows, under full transparency, is erased at once; how detectors see what is partly
transparent is `redact.media.grounds`: what is written was looked at.
"""

from __future__ import annotations

import threading
from dataclasses import dataclass
from typing import Literal

import cv2
import numpy as np
import numpy.typing as npt

from redact.detect.base import BgrImage

Pixels = npt.NDArray[np.uint8]
"""H x W x 3 or 4, uint8, BGR or BGRA (alpha not premultiplied), sRGB, display orientation."""


@dataclass(frozen=True)
class Raster:
    """One decoded picture, ready for display."""

    pixels: Pixels
    grey: bool = False
    """The source has no colour: red, green and blue are equal everywhere."""
    lossless: bool = True
    """The source's coding is lossless."""

    @property
    def width(self) -> int:
        """In pixels."""
        return int(self.pixels.shape[1])

    @property
    def height(self) -> int:
        """In pixels."""
        return int(self.pixels.shape[0])


def oriented(pixels: Pixels, orientation: int) -> Pixels:
    """`pixels` turned for display; `orientation` is EXIF's number, 1 to 8."""
    if orientation in (5, 6, 7, 8):
        pixels = cv2.transpose(pixels)  # type: ignore[assignment]
    # after the transposition: 6 is a clockwise quarter turn, 8 the other way, 7 both axes
    flips = {2: 1, 6: 1, 3: -1, 7: -1, 4: 0, 8: 0}
    if orientation in flips:
        pixels = cv2.flip(pixels, flips[orientation])  # type: ignore[assignment]
    return pixels


ROTATIONS: dict[int, tuple[Literal[0, 90, 180, 270], bool]] = {
    1: (0, False),
    2: (0, True),
    3: (180, False),
    4: (180, True),
    5: (90, True),
    6: (90, False),
    7: (270, True),
    8: (270, False),
}
"""EXIF orientation as (clockwise turn, mirrored left to right afterwards), the words of MediaFacts."""


def erase_hidden(pixels: Pixels) -> None:
    """Set the colour of fully transparent pixels to black, in place. No-op without alpha."""
    if pixels.shape[2] == 4:
        pixels[pixels[:, :, 3] == 0] = 0


class ArrayPicture:
    """A `Picture` over an array. Scaled versions are kept; safe to share between threads."""

    def __init__(self, image: BgrImage) -> None:
        self._levels: dict[int, BgrImage] = {max(image.shape[:2]): image}
        self._native = max(image.shape[:2])
        self._shape = image.shape
        self._lock = threading.Lock()

    @property
    def width(self) -> int:
        """Displayed width in pixels."""
        return int(self._shape[1])

    @property
    def height(self) -> int:
        """Displayed height in pixels."""
        return int(self._shape[0])

    def bgr(self, long_side: int | None = None) -> BgrImage:
        """The picture with its longer side at `long_side` pixels (None: native). Never write into it."""
        with self._lock:
            return self._level(long_side or self._native)

    def _level(self, side: int) -> BgrImage:
        if side in self._levels:
            return self._levels[side]
        if side > self._native:
            source, how = self._levels[self._native], cv2.INTER_LINEAR
        else:
            # Halving is cheap (an exact 2 x 2 mean), so a small size is reached through a chain of halves
            # that all sizes share; the last step is a true area mean of less than two to one.
            half = self._native
            while half // 2 >= side:
                half //= 2
            source, how = (
                self._levels[self._native] if half == self._native else self._half(half),
                cv2.INTER_AREA,
            )
            if half == side:
                return self._levels[side]
        return self._resized(source, side, how)

    def _half(self, side: int) -> BgrImage:
        if side in self._levels:
            return self._levels[side]
        parent = self._native
        while parent // 2 != side:
            parent //= 2
        source = self._levels[self._native] if parent == self._native else self._half(parent)
        return self._resized(source, side, cv2.INTER_AREA)

    def _resized(self, source: BgrImage, side: int, how: int) -> BgrImage:
        scale = side / self._native
        size = (max(1, round(self.width * scale)), max(1, round(self.height * scale)))
        image: BgrImage = np.asarray(cv2.resize(source, size, interpolation=how), dtype=np.uint8)
        self._levels[side] = image
        return image
