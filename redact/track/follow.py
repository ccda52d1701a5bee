"""Follows what a person drew a box around: key frames and pictures in, spans out that hold it on every frame.

Never finds anything by itself and never leaves a frame out: between `first` and `last` the person said that
the thing is there. Where it is not seen, and beyond a cut, the box is held and grown.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from functools import partial
from itertools import islice, pairwise

import cv2
import numpy as np

from redact.detect.base import Picture
from redact.errors import UsageError
from redact.media.pace import Pace
from redact.plan import Box, Kind, Origin, Span
from redact.policy import Policy
from redact.track.keys import (
    Guess,
    KeyFrame,
    between,
    beyond,
    check_inside,
    checked_keys,
    held,
    kept_inside,
    way,
)
from redact.track.settings import TrackSettings
from redact.track.shots import ShotDetector
from redact.track.spans import Placed, gather
from redact.track.walk import Grey, walk

WANTED = 40
"""Pixels of a small frame that the shorter side of the smallest box should have: enough to look at."""
SMALLEST, LARGEST = 240, 1600
"""Long side of a small frame."""
MOST_BYTES = 256 << 20
"""Of all small frames together; of a long stretch they are smaller."""
LEAST = 96
SHOT_LONG_SIDE = 160
SPEED_OVER = 4
"""Frames before a key frame over which the speed is taken with which a walk leaves it."""
PADDING = {Kind.FACE: 0.06, Kind.HEAD: 0.06, Kind.TEXT: 0.03, Kind.CODE: 0.03}
"""Growth on each side besides what is unsure, of the size: faces turn, and lines of text do not."""
LEAST_PADDING = 2.0
RUN_GROWTH, RUN_SPREAD, LONGEST_RUN = 1.2, 1.6, 50
"""See `TrackSettings`: a person wants to see the box where the thing is."""

Progress = Callable[[int, int], None]
"""Called with (steps done, steps in all): a frame is read once and looked for at most twice."""


def follow(
    pictures: Iterable[Picture],
    keys: Sequence[KeyFrame],
    first: int,
    last: int,
    size: tuple[int, int],
    kind: Kind,
    progress: Progress | None = None,
) -> tuple[Span, ...]:
    """Spans of one thing that tile the frames from `first` to `last`.

    `pictures` are those of these frames in order; `size` is their width and height.

    Raises:
        UsageError: the key frames cannot be followed (see `checked_keys`), or there are fewer pictures.
    """
    ordered = checked_keys(keys, first, last)
    check_inside(ordered, size)
    steps = _Steps(3 * (last - first + 1), progress)
    greys, shots = _small(pictures, last - first + 1, _long_side(ordered, last - first + 1, size), steps)
    scale = greys[0].shape[1] / size[0], greys[0].shape[0] / size[1]
    small = [KeyFrame(key.frame - first, key.box.scaled(*scale)) for key in ordered]
    placed = {
        first + number: Placed(kept_inside(box.scaled(1 / scale[0], 1 / scale[1]), size), Origin.REVIEWER)
        for number, box in _boxes(greys, small, shots, steps).items()
    }
    for key in ordered:
        placed[key.frame] = Placed(key.box, Origin.REVIEWER)
    steps.end()
    settings = replace(
        TrackSettings.from_policy(Policy(), Pace()),
        run_growth=RUN_GROWTH,
        run_spread=RUN_SPREAD,
        longest_run=LONGEST_RUN,
    )
    return tuple(gather(placed, partial(_padded, share=PADDING[kind]), size, settings))


class _Steps:
    """Counts what was done and tells of it."""

    def __init__(self, total: int, progress: Progress | None) -> None:
        self._done, self._total, self._progress = 0, total, progress

    def one(self) -> None:
        self._done += 1
        if self._progress is not None and self._done < self._total:
            self._progress(self._done, self._total)

    def end(self) -> None:
        if self._progress is not None:
            self._progress(self._total, self._total)


def _padded(box: Box, share: float) -> Box:
    return box.grown(max(share * box.w, LEAST_PADDING), max(share * box.h, LEAST_PADDING))


def _long_side(keys: Sequence[KeyFrame], count: int, size: tuple[int, int]) -> int:
    """Of the small frames: so much that the box can be looked at, and that all of them fit in memory."""
    native = max(size)
    wanted = native * WANTED / min(min(key.box.w, key.box.h) for key in keys)
    fitting = native * (MOST_BYTES / (count * size[0] * size[1])) ** 0.5
    return max(1, int(min(native, max(SMALLEST, min(wanted, LARGEST)), max(LEAST, fitting))))


def _small(
    pictures: Iterable[Picture], count: int, side: int, steps: _Steps
) -> tuple[list[Grey], list[tuple[int, int]]]:
    """The first `count` pictures, small and grey, and the shots among them."""
    greys: list[Grey] = []
    cuts = ShotDetector()
    for picture in islice(pictures, count):
        greys.append(np.asarray(cv2.cvtColor(picture.bgr(side), cv2.COLOR_BGR2GRAY), np.uint8))
        cuts.add(picture.bgr(SHOT_LONG_SIDE))
        steps.one()
    if len(greys) < count:
        raise UsageError("There is no frame of that number; frames are counted from 0.")
    return greys, cuts.shots()


def _boxes(
    greys: Sequence[Grey], keys: Sequence[KeyFrame], shots: Sequence[tuple[int, int]], steps: _Steps
) -> dict[int, Box]:
    """A box for every frame. All boxes are in pixels of the small frames, and frames counted from theirs."""
    shot_of = {frame: shot for shot in shots for frame in range(shot[0], shot[1] + 1)}
    size = greys[0].shape[1], greys[0].shape[0]
    boxes = {key.frame: key.box for key in keys}

    def walked(key: KeyFrame, end: int, before: int = -1) -> dict[int, Guess]:
        """`before`: a frame on the other side of the key frame, which may tell how fast the thing goes."""
        speed = (0.0, 0.0)
        if before in boxes and shot_of[before] == shot_of[key.frame]:
            dx, dy = way(boxes[before], key.box)
            speed = dx / abs(key.frame - before), dy / abs(key.frame - before)
        return walk(greys, key.frame, end, key.box, speed, steps.one)

    for a, b in pairwise(keys):
        if shot_of[a.frame] == shot_of[b.frame]:
            boxes |= between(a, b, walked(a, b.frame), walked(b, a.frame))
            continue
        cut, next_cut = shot_of[a.frame][1], shot_of[b.frame][0]
        onward, back = walked(a, cut, a.frame - SPEED_OVER), walked(b, next_cut)
        boxes |= beyond(onward, range(a.frame + 1, cut + 1), a, size)
        boxes |= beyond(back, range(next_cut, b.frame), b, size)
        boxes |= held(boxes[cut].union(boxes[next_cut]), range(cut + 1, next_cut))
    first, last = keys[0], keys[-1]
    start, end = shot_of[first.frame][0], shot_of[last.frame][1]
    back, onward = walked(first, start, first.frame + SPEED_OVER), walked(last, end, last.frame - SPEED_OVER)
    boxes |= beyond(back, range(start, first.frame), first, size)
    boxes |= beyond(onward, range(last.frame + 1, end + 1), last, size)
    boxes |= held(boxes[start], range(start)) | held(boxes[end], range(end + 1, len(greys)))
    return boxes


__all__ = ["follow"]
