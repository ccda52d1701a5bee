"""Tells text laid over the picture (lower thirds, straps, tickers, subtitles) from text in the scene.

For `text.mode = "captions"` alone, which is weaker than covering every line: a sign, a badge or a document
stays readable, and a caption in an unusual place may too. In doubt a line counts as laid over.
"""

from __future__ import annotations

import cv2
import numpy as np

from redact.detect.base import BgrImage, Picture, scale_to
from redact.plan import Box, Kind, Region

ZONES = ((0.0, 0.18), (0.60, 1.0))
"""Parts of the height in which captions stand: straps and place names at the top, everything else below."""
HIGHEST = 0.14
"""Share of the picture's height; higher lettering is a title card or part of the scene."""
UPRIGHT = 1.2
"""Least length in heights of a line that runs across; pieces of tilted and upright lines are shorter."""
LONG_SIDE = 960
CONTRAST, FLAT_LEVELS, FLAT_SHARE = 90.0, 10, 0.45
"""Outside the zones only a line on a bar counts: its brightest and darkest tenths are so many levels apart,
and so large a share of it lies within so many levels of one value, the bar's."""
STRAYS = 1.0
"""Heights by which a line may move down or up and across in one shot: overlays stand, run along a row or roll
along a column; what strays both ways is part of a scene that moves."""


def overlay_like(picture: Picture, region: Region) -> bool:
    """Whether a region of text looks laid over the picture; codes never do."""
    if region.kind is not Kind.TEXT:
        return False
    image = picture.bgr(LONG_SIDE)
    box, height = region.box.scaled(*scale_to(image, picture)), image.shape[0]
    if box.w < UPRIGHT * box.h or box.h > HIGHEST * height:
        return False
    middle = (box.y + box.h / 2) / height
    return any(top <= middle <= bottom for top, bottom in ZONES) or _on_a_bar(image, box)


def _on_a_bar(image: BgrImage, box: Box) -> bool:
    place = box.snapped(image.shape[1], image.shape[0], 1)
    if place is None:
        return False
    x0, y0, x1, y1 = place
    grey = cv2.cvtColor(np.ascontiguousarray(image[y0:y1, x0:x1]), cv2.COLOR_BGR2GRAY)
    dark, light = np.percentile(grey, (10, 90))
    if light - dark < CONTRAST:
        return False
    counts = np.bincount(grey.ravel(), minlength=256).astype(np.float64)
    window = np.convolve(counts, np.ones(2 * FLAT_LEVELS + 1), mode="same")
    return bool(window.max() >= FLAT_SHARE * grey.size)


def strays(boxes: list[Box]) -> bool:
    """Whether a line moved with a scene rather than as an overlay does."""
    height = sorted(box.h for box in boxes)[len(boxes) // 2]
    xs, ys = [box.x for box in boxes], [box.y + box.h / 2 for box in boxes]
    return min(max(xs) - min(xs), max(ys) - min(ys)) > STRAYS * height
