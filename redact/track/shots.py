"""Shots: where the picture cuts, from one small frame at a time.

The measure is the mean change of hue, saturation and brightness between neighbouring frames, the one that
PySceneDetect's content detector made common. A false cut would stop a track's extension (a face could show),
a missed one only covers a little more. So shots shorter than `SHORTEST` are not shots: a camera flash makes
two cuts around one bright frame, and a track must run through it.
"""

from __future__ import annotations

from itertools import pairwise

import cv2
import numpy as np
import numpy.typing as npt

from redact.detect.base import BgrImage

THRESHOLD = 27.0
"""Mean change on a scale of 0 to 255; the customary value for hard cuts. Dissolves stay below it."""
SHORTEST = 8
"""Frames; about a third of a second."""


class ShotDetector:
    """Call `add` for every frame in order, then `shots`."""

    def __init__(self) -> None:
        self._cuts: list[int] = []
        self._frames = 0
        self._last: npt.NDArray[np.uint8] | None = None

    def add(self, small: BgrImage) -> bool:
        """Take the next frame (any small size, the same each time); True if it may be the first of a shot."""
        frame = self._frames
        self._frames += 1
        hsv = np.asarray(cv2.cvtColor(small, cv2.COLOR_BGR2HSV), np.uint8)
        last, self._last = self._last, hsv
        if last is None:
            return True
        if float(cv2.absdiff(hsv, last).mean()) < THRESHOLD:
            return False
        self._cuts.append(frame)
        return True

    def shots(self) -> list[tuple[int, int]]:
        """First and last frame (inclusive) of every shot; they tile all frames."""
        return shots_from_cuts(self._cuts, self._frames)


def shots_from_cuts(cuts: list[int], frames: int) -> list[tuple[int, int]]:
    """Shots between cuts (first frames of shots), without those shorter than `SHORTEST`."""
    if frames == 0:
        return []
    edges = [0, *sorted({cut for cut in cuts if 0 < cut < frames}), frames]
    short = {edge for first, after in pairwise(edges) if after - first < SHORTEST for edge in (first, after)}
    kept = [0, *(edge for edge in edges[1:-1] if edge not in short), frames]
    return [(first, after - 1) for first, after in pairwise(kept)]
