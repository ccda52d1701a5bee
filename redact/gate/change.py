"""Tells whether a frame has changed enough since the last text look for another one to be worth its cost."""

from __future__ import annotations

from collections.abc import Iterable

import cv2
import numpy as np
import numpy.typing as npt

from redact.detect.base import Picture
from redact.gate.thresholds import CHANGE_LEVELS, CHANGE_LONG_SIDE


class ChangeDetector:
    """Compares frames with the last one that was looked at, so that slow fades add up and are seen."""

    def __init__(self) -> None:
        self._references: list[npt.NDArray[np.uint8]] = []

    def changed(self, pictures: Iterable[Picture]) -> bool:
        """True for the first frame and for every frame of which one of the `pictures` that show it (see
        `DecodedFrame.looks`) differs visibly from the reference, or that has more or fewer of them.

        A frame that differs becomes the new reference: the caller is expected to look at it.
        """
        now = [_small(picture) for picture in pictures]
        if len(now) == len(self._references) and all(map(_alike, now, self._references)):
            return False
        self._references = now
        return True


def _small(picture: Picture) -> npt.NDArray[np.uint8]:
    grey = cv2.cvtColor(picture.bgr(CHANGE_LONG_SIDE), cv2.COLOR_BGR2GRAY)
    return np.asarray(cv2.blur(grey, (3, 3)), dtype=np.uint8)


def _alike(one: npt.NDArray[np.uint8], other: npt.NDArray[np.uint8]) -> bool:
    return one.shape == other.shape and int(cv2.absdiff(one, other).max()) < CHANGE_LEVELS
