"""Scores covers from pixels: which part of the input is no longer there in the output.

Knows nothing of plans or detectors, and takes any tool's output: solid boxes, blurred ellipses, mosaics. Per
pixel the local structure of input and output is compared in 9 x 9 windows: a pixel is covered if what was
around it there cannot be told from the output any more. A window that was flat in the input shows nothing to
recover, so it counts as covered only if its colour was replaced too.
"""

from __future__ import annotations

import cv2
import numpy as np
import numpy.typing as npt

Image = npt.NDArray[np.uint8]
Mask = npt.NDArray[np.bool_]
WINDOW = 9
STRUCTURE = 0.5
"""Correlation between input and output windows under which the structure is gone."""
DETAIL_KEPT = 0.35
"""Share of the input's local contrast under which it is gone too: blur keeps shape and loses contrast."""
FLAT = 2.0
"""Grey levels of local contrast under which a window has no structure; there the change decides."""
ALTERED = 4.0
"""Mean change in grey levels over 5 x 5 pixels from which a patch counts as touched."""
REPLACED = 16.0
"""Mean change in grey levels that re-encoding a photo does not reach."""


def _mean(values: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
    return np.asarray(cv2.blur(values, (WINDOW, WINDOW)), np.float32)


def covered(before: Image, after: Image) -> Mask:
    """H x W mask of covered pixels. Both images are H x W x 3 uint8 of the same size.

    Raises:
        ValueError: the sizes differ.
    """
    if before.shape != after.shape:
        raise ValueError("input and output differ in size")
    a = cv2.cvtColor(before, cv2.COLOR_BGR2GRAY).astype(np.float32)
    b = cv2.cvtColor(after, cv2.COLOR_BGR2GRAY).astype(np.float32)
    mean_a, mean_b = _mean(a), _mean(b)
    var_a = np.maximum(_mean(a * a) - mean_a**2, 0)
    var_b = np.maximum(_mean(b * b) - mean_b**2, 0)
    both = _mean(a * b) - mean_a * mean_b
    correlation = both / np.sqrt(np.maximum(var_a * var_b, 1e-3))
    contrast = np.sqrt(var_b / np.maximum(var_a, 1e-3))
    change = _mean(np.abs(before.astype(np.float32) - after.astype(np.float32)).max(axis=2))
    structured = np.sqrt(var_a) >= FLAT
    gone = (correlation < STRUCTURE) | (contrast < DETAIL_KEPT)
    return np.asarray(np.where(structured, gone & (change > FLAT), change > REPLACED), np.bool_)


def altered(before: Image, after: Image) -> Mask:
    """Pixels that were changed at all, by more than encoding a photo again does: the mildest measure.

    Says nothing on whether a face can still be recognised; for tools that blur, beside `covered`.
    """
    # luma alone: encoders halve the resolution of colour, which would count as change
    change = cv2.absdiff(cv2.cvtColor(before, cv2.COLOR_BGR2GRAY), cv2.cvtColor(after, cv2.COLOR_BGR2GRAY))
    mask = (cv2.blur(change.astype(np.float32), (5, 5)) > ALTERED).astype(np.uint8)
    # flat skin under a blur hardly changes: holes inside a changed patch belong to it
    return np.asarray(
        cv2.morphologyEx(mask, cv2.MORPH_CLOSE, np.ones((WINDOW, WINDOW), np.uint8)) > 0, np.bool_
    )


def painted(after: Image, colour: tuple[int, int, int] = (0, 0, 0), tolerance: int = 10) -> Mask:
    """Pixels in a block of the cover's colour at least 8 x 8 large: the exact measure for solid covers.

    Counts a face in a black part of the picture as covered only where the output is flat black, which is
    what a solid cover leaves; used together with `covered` for tools that paint.
    """
    near = np.abs(after.astype(np.int16) - np.array(colour[::-1], np.int16)).max(axis=2) <= tolerance
    block = cv2.morphologyEx(near.astype(np.uint8), cv2.MORPH_OPEN, np.ones((8, 8), np.uint8))
    return np.asarray(block > 0, np.bool_)


def share(mask: Mask, box: tuple[int, int, int, int]) -> float:
    """Covered share of a box (x, y, w, h), of the part of it that lies inside the picture."""
    x, y, w, h = box
    area = mask[max(y, 0) : y + h, max(x, 0) : x + w]
    return float(area.mean()) if area.size else 1.0
