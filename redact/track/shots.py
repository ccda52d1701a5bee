"""Shots: where the picture cuts. PySceneDetect's content detector, fed one small frame at a time.

A false cut would stop a track's extension (a face could show), a missed one only covers a little more. So
shots shorter than `SHORTEST` are not shots: a camera flash makes two cuts around one bright frame, and a
track must run through it.
"""

from __future__ import annotations

import itertools

from scenedetect import FrameTimecode
from scenedetect.detectors import ContentDetector

from redact.detect.base import BgrImage

THRESHOLD = 27.0
"""PySceneDetect's default on its 0-255 scale of mean change in hue, saturation and brightness."""
SHORTEST = 8
"""Frames; about a third of a second."""
_ANY_RATE = 25.0  # the detector wants a clock, but only frame numbers are used


class ShotDetector:
    """Call `add` for every frame in order, then `shots`."""

    def __init__(self) -> None:
        self._detector = ContentDetector(threshold=THRESHOLD, min_scene_len=1)
        self._cuts: list[int] = []
        self._frames = 0

    def add(self, small: BgrImage) -> bool:
        """Take the next frame (any small size); True if it may be the first of a shot."""
        frame = self._frames
        self._frames += 1
        cuts = self._detector.process_frame(FrameTimecode(frame, _ANY_RATE), small)
        self._cuts += [cut.frame_num for cut in cuts]
        return frame == 0 or bool(cuts)

    def shots(self) -> list[tuple[int, int]]:
        """First and last frame (inclusive) of every shot; they tile all frames."""
        return shots_from_cuts(self._cuts, self._frames)


def shots_from_cuts(cuts: list[int], frames: int) -> list[tuple[int, int]]:
    """Shots between cuts (first frames of shots), without those shorter than `SHORTEST`."""
    if frames == 0:
        return []
    edges = [0, *sorted({cut for cut in cuts if 0 < cut < frames}), frames]
    short = {
        edge
        for first, after in itertools.pairwise(edges)
        if after - first < SHORTEST
        for edge in (first, after)
    }
    kept = [0, *(edge for edge in edges[1:-1] if edge not in short), frames]
    return [(first, after - 1) for first, after in itertools.pairwise(kept)]
