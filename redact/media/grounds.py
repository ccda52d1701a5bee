"""What detectors see of a partly transparent picture: the picture laid over grounds, one after another.

Transparency could hide a face or a name from detectors but not from readers of the file: black letters show
on a white page and white ones on a dark page, and a shape can lie in the alpha plane alone. So such a picture
is looked at over a dark and over a light ground, with nothing at less than half its opacity, and what every
look finds counts. Where it is half transparent over some area, lifting could also make two shades alike that
a page tells apart; there it is looked at as pages show it, too. Pictures are made a band of rows at a time,
and only when they are asked for.
"""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from functools import partial

import cv2
import numpy as np
import numpy.typing as npt

from redact.detect.base import BgrImage
from redact.media.base import DecodedFrame
from redact.media.picture import ArrayPicture, Pixels

DARK, LIGHT = 0, 255
OPAQUE = 250
"""Alpha from which a ground shines through by five levels at most, which nobody can read; lossy alpha planes
are full of such values."""
SOFT_SIDE = 7
"""Side of a square of partial transparency that is more than the smoothed edge of something."""
BAND_ROWS = 64


def decoded_frame(index: int, time: Fraction, pixels: Pixels, shown: Fraction = Fraction(0)) -> DecodedFrame:
    """The frame of `pixels` for analysis; with an alpha plane they must not be written to any more."""
    picture = ArrayPicture(visible(pixels))
    if pixels.shape[2] == 3 or pixels[:, :, 3].min(initial=255) >= OPAQUE:
        return DecodedFrame(index, time, picture, shown)
    return DecodedFrame(index, time, picture, shown, partial(_other_views, pixels))


def visible(pixels: Pixels) -> BgrImage:
    """H x W x 3 BGR of a picture over the one ground, dark or light, that is further from the mean of what it
    shows, nothing at less than half its opacity.
    """
    if pixels.shape[2] == 3:
        return pixels
    if pixels[:, :, 3].min(initial=255) == 255:
        return np.ascontiguousarray(pixels[:, :, :3])
    return _laid(pixels, _ground(pixels), _LIFTED)


def _other_views(pixels: Pixels) -> Iterator[ArrayPicture]:
    """The views that a see-through picture needs besides `visible`."""
    yield ArrayPicture(_laid(pixels, LIGHT + DARK - _ground(pixels), _LIFTED))
    if _is_soft(pixels):
        for ground in (LIGHT, DARK):
            yield ArrayPicture(_laid(pixels, ground, _AS_SHOWN))


def _ground(pixels: Pixels) -> int:
    shown = (pixels[:, :, 3] > 0).astype(np.uint8)
    return LIGHT if sum(cv2.mean(pixels, shown)[:3]) / 3 < 128 else DARK


def _is_soft(pixels: Pixels) -> bool:
    alpha = pixels[:, :, 3]
    partly = ((alpha > 0) & (alpha < OPAQUE)).astype(np.uint8)
    return bool(cv2.erode(partly, np.ones((SOFT_SIDE, SOFT_SIDE), np.uint8)).any())


Weights = npt.NDArray[np.float32]
"""256 shares of a pixel's colour in what is seen, by its alpha."""
_AS_SHOWN: Weights = (np.arange(256) / 255).astype(np.float32)
_LIFTED: Weights = np.where(_AS_SHOWN > 0, 0.5 + _AS_SHOWN / 2, 0).astype(np.float32)


def _laid(pixels: Pixels, ground: int, weights: Weights) -> BgrImage:
    laid = np.ascontiguousarray(pixels[:, :, :3])
    for top in range(0, len(laid), BAND_ROWS):
        alpha = pixels[top : top + BAND_ROWS, :, 3]
        if alpha.min(initial=255) == 255:
            continue
        band = laid[top : top + BAND_ROWS]
        weight = weights[alpha][:, :, None]
        band[...] = np.rint(band * weight + ground * (1 - weight))
    return laid


__all__ = ["decoded_frame", "visible"]
