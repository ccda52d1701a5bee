"""Tells whether a frame has changed enough since the last text look for another one to be worth its cost."""

from __future__ import annotations

import cv2
import numpy as np
import numpy.typing as npt

from redact.detect.base import Picture
from redact.gate.thresholds import CHANGE_LEVELS, CHANGE_LONG_SIDE


class ChangeDetector:
    """Compares frames with the last one that was looked at, so that slow fades add up and are seen."""

    def __init__(self) -> None:
        self._reference: npt.NDArray[np.uint8] | None = None

    def changed(self, picture: Picture) -> bool:
        """True for the first frame and for every frame that differs visibly from the reference.

        A frame that differs becomes the new reference: the caller is expected to look at it.
        """
        image = picture.bgr(CHANGE_LONG_SIDE)
        grey = cv2.blur(cv2.cvtColor(image, cv2.COLOR_BGR2GRAY), (3, 3))
        known = self._reference
        if (
            known is not None
            and known.shape == grey.shape
            and int(cv2.absdiff(known, grey).max()) < CHANGE_LEVELS
        ):
            return False
        self._reference = np.asarray(grey, dtype=np.uint8)
        return True
