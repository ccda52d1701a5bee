"""Looks past solid covers: their sharp corners make a text detector see letters where there are none.

A finding of text that touches a cover must be seen again on a copy of the picture in which covers are filled
smoothly from what surrounds them; what is only an edge of a cover vanishes there. Done for finished files of
any origin: the hook must pass what this tool has covered, whoever hands it over. What that costs is lettering
in the cover's very colour with strokes as thick as `SOLID_SIDE`, which is filled like a cover.
"""

from __future__ import annotations

import cv2
import numpy as np
import numpy.typing as npt

from redact.detect.base import BgrImage, Picture
from redact.plan import Box

WORK_LONG_SIDE = 960
SOLID_LEVELS = 12
"""Levels by which a covered pixel may differ from the cover's colour after encoding."""
SOLID_SIDE = 16
"""Least side of a cover in the working picture. Strokes of letters are thinner unless the letters are some
100 px high there; such lettering is larger than a cover's edge and is seen next to the fill."""
EDGE = 4
"""Pixels around a cover that encoding blends with it."""
SHARP_EDGE = 8
"""The same at a larger size, where an edge is softened over one block of the encoder at most."""
NEAR = 0.3
"""A cover this close, in heights of the text box, may have made it."""
LEAST_WEIGHT = 1e-3


class PastCovers:
    """One picture with its solid covers found and filled. Coordinates are those of `picture`."""

    def __init__(self, picture: Picture, colour: tuple[int, int, int]) -> None:
        self._picture = picture
        self._colour = colour
        self._size = (picture.width, picture.height)
        self._image = picture.bgr(WORK_LONG_SIDE)
        self._solid = _solid(self._image, colour)
        self._filled: BgrImage | None = None

    @property
    def width(self) -> int:
        """As that of the picture."""
        return self._size[0]

    @property
    def height(self) -> int:
        """As that of the picture."""
        return self._size[1]

    def touched(self, box: Box) -> bool:
        """Whether a box has a cover in it or close to its edge."""
        rows, columns = self._solid.shape
        near = NEAR * min(box.w, box.h)
        scaled = box.grown(near, near).scaled(columns / self.width, rows / self.height)
        inside = scaled.snapped(columns, rows, 1)
        if inside is None:
            return False
        x0, y0, x1, y1 = inside
        return bool(self._solid[y0:y1, x0:x1].any())

    def share(self, box: Box) -> float:
        """Share of a box that lies under covers, 0 to 1; 1 for a box outside the picture."""
        rows, columns = self._solid.shape
        inside = box.scaled(columns / self.width, rows / self.height).snapped(columns, rows, 1)
        if inside is None:
            return 1.0
        x0, y0, x1, y1 = inside
        return float((self._solid[y0:y1, x0:x1] > 0).mean())

    def bgr(self, long_side: int | None = None) -> BgrImage:
        """The picture with its covers filled, as `Picture.bgr`.

        What is no cover is as sharp as in the picture; only the fill comes from the working size.
        """
        if self._filled is None:
            self._filled = _fill(self._image, self._solid)
        sharp = self._picture.bgr(long_side)
        if sharp.shape == self._filled.shape:
            return self._filled
        size = sharp.shape[1], sharp.shape[0]
        resized = np.asarray(cv2.resize(self._filled, size, interpolation=cv2.INTER_AREA), dtype=np.uint8)
        if max(size) < max(self._filled.shape):
            return resized
        covers = _solid(sharp, self._colour, max(sharp.shape) / WORK_LONG_SIDE)
        return np.where(covers[..., None] > 0, resized, sharp)


def _solid(image: BgrImage, colour: tuple[int, int, int], scale: float = 1.0) -> npt.NDArray[np.uint8]:
    """255 where the picture shows a large patch of the cover's colour (red, green, blue) and its edge.

    `scale`: pixels of the image for one of the working size; what counts as large grows with it, the width of
    an edge does not.
    """
    bgr = np.array(colour[::-1], np.int16)
    low = tuple(int(level) for level in np.clip(bgr - SOLID_LEVELS, 0, 255))
    high = tuple(int(level) for level in np.clip(bgr + SOLID_LEVELS, 0, 255))
    mask = cv2.inRange(image, low, high)
    side = round(SOLID_SIDE * scale)
    square = cv2.getStructuringElement(cv2.MORPH_RECT, (side, side))
    mask = cv2.morphologyEx(mask, cv2.MORPH_OPEN, square)
    edge = EDGE if scale == 1 else SHARP_EDGE
    around = cv2.getStructuringElement(cv2.MORPH_RECT, (2 * edge + 1, 2 * edge + 1))
    return np.asarray(cv2.dilate(mask, around), dtype=np.uint8)


def _fill(image: BgrImage, solid: npt.NDArray[np.uint8]) -> BgrImage:
    """The picture with `solid` filled from its surroundings, ever more coarsely towards the middle.

    Push-pull over an image pyramid (Gortler et al. 1996, The Lumigraph, section 3.4).
    """
    weight = (solid == 0).astype(np.float32)
    levels = [(image.astype(np.float32) * weight[..., None], weight)]
    while min(levels[-1][1].shape) > 2:
        colour, known = levels[-1]
        size = (max(known.shape[1] // 2, 1), max(known.shape[0] // 2, 1))
        levels.append(
            (
                cv2.resize(colour, size, interpolation=cv2.INTER_AREA),
                cv2.resize(known, size, interpolation=cv2.INTER_AREA),
            )
        )
    colour, known = levels[-1]
    filled = colour / np.maximum(known, LEAST_WEIGHT)[..., None]
    for colour, known in reversed(levels[:-1]):
        below = cv2.resize(filled, (known.shape[1], known.shape[0]), interpolation=cv2.INTER_LINEAR)
        share = np.minimum(known, 1)[..., None]
        own = colour / np.maximum(known, LEAST_WEIGHT)[..., None]
        filled = share * own + (1 - share) * below
    return np.asarray(np.clip(filled + 0.5, 0, 255), dtype=np.uint8)
