"""Key frames that a person drew, and how what was seen between them becomes one box a frame. No pixels.

Two walks look at every stretch between two key frames, one from either side. Both are bent so that they meet
the key frame they did not start from; where they differ, both boxes are covered; where neither saw the thing,
a straight line is taken, and the box grows with every frame that nothing is known of.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from redact.errors import UsageError
from redact.plan import MAX_COORDINATE, Box

MOST_FRAMES = 15_000
"""Frames of one request, all of which are in memory: ten minutes at 25 a second."""
MOST_KEYS = 500
BLIND_GROWTH = 0.05
"""Growth on each side, of the size, for every frame away from the last one on which the thing was seen."""
MOST_GROWTH = 0.75
"""Largest such growth on each side."""
CUT_GROWTH = 0.25
"""Growth of a box that is held beyond a cut: a person said that the thing is there, not where."""
BENT = 0.3
"""Walks that both missed their end by this share of the size went another way than the thing ..."""
BENT_GROWTH = 0.35
"""... and the box grows by this share of the smaller miss, a size at most, and most in the middle."""
CUT_OFF = 0.4
"""Share of its size by which a thing may be larger than the part of it that was in the picture."""
LEAST_INSIDE = 0.25
"""Share of a box's sides that stays in the picture: what walks out may walk in again."""


@dataclass(frozen=True, slots=True)
class KeyFrame:
    """A box drawn on one frame, in pixels of the displayed picture."""

    frame: int
    box: Box


@dataclass(frozen=True, slots=True)
class Guess:
    """Where a walk thinks the thing is on one frame."""

    box: Box
    margin: float
    """How far on each side it may be wrong, in pixels."""
    seen: bool
    """False: nothing like it was found; the box is a memory."""
    gone_on: Box | None = None
    """Where it would be had it gone on as before, while it is not recognised in `box`."""


Walk = Mapping[int, Guess]
"""By frame; the key frame it starts from is in it."""


def checked_keys(keys: Sequence[KeyFrame], first: int, last: int) -> list[KeyFrame]:
    """The key frames in order of time, if they can be followed from frame `first` to frame `last`.

    Raises:
        UsageError: there are none or too many, two are on one frame, one is not between `first` and `last`
            or is no box, or the stretch is too long.
    """
    ordered = sorted(keys, key=lambda key: key.frame)
    if not 1 <= len(ordered) <= MOST_KEYS or len({key.frame for key in ordered}) != len(ordered):
        raise UsageError(f"Draw 1 to {MOST_KEYS} boxes to be followed, one on a frame.")
    if not 0 <= first <= ordered[0].frame or ordered[-1].frame > last:
        raise UsageError("A box lies outside of the frames that it is to be followed on.")
    if last - first >= MOST_FRAMES:
        raise UsageError(f"At most {MOST_FRAMES} frames are followed at once; do it in parts.")
    for key in ordered:
        if not all(abs(value) <= MAX_COORDINATE for value in key.box) or min(key.box.w, key.box.h) < 1:
            raise UsageError("A box to be followed is at least one pixel wide and high.")
    return ordered


def check_inside(keys: Sequence[KeyFrame], size: tuple[int, int]) -> None:
    """See that every box shows at least a pixel of a picture of that width and height.

    Raises:
        UsageError: one does not.
    """
    for key in keys:
        inside = key.box.clipped(*size)
        if inside is None or min(inside.w, inside.h) < 1:
            raise UsageError("A box lies outside of the picture.")


def _mix(a: Box, b: Box, share: float) -> Box:
    return Box(*(p + (q - p) * share for p, q in zip(a, b, strict=True)))


def way(a: Box, b: Box) -> tuple[float, float]:
    """From the centre of `a` to that of `b`."""
    return b.x + b.w / 2 - a.x - a.w / 2, b.y + b.h / 2 - a.y - a.h / 2


def _grown(box: Box, margin: float) -> Box:
    return box.grown(margin, margin)


def _side(box: Box) -> float:
    return max(box.w, box.h)


def between(a: KeyFrame, b: KeyFrame, onward: Walk, back: Walk) -> dict[int, Box]:
    """A box for every frame after `a` and before `b`, whose walks each cover them all."""
    side = max(_side(a.box), _side(b.box))
    forth, miss = _bent(a, b, onward, side)
    home, other_miss = _bent(b, a, back, side)
    bent = BENT_GROWTH * min(miss, other_miss, side)
    if bent <= BENT_GROWTH * BENT * side:
        bent = 0.0
    boxes: dict[int, Box] = {}
    for frame in range(a.frame + 1, b.frame):
        share = (frame - a.frame) / (b.frame - a.frame)
        seen = []
        if frame in forth:
            seen.append(_grown(forth[frame], onward[frame].margin * (1 - share)))
        if frame in home:
            seen.append(_grown(home[frame], back[frame].margin * share))
        if seen:
            boxes[frame] = _grown(seen[0].union(seen[-1]), bent * 4 * share * (1 - share))
        else:
            boxes[frame] = _blind(frame, forth, home)
    return boxes


def _bent(a: KeyFrame, b: KeyFrame, walk: Walk, side: float) -> tuple[dict[int, Box], float]:
    """The boxes of a walk from `a` to `b` on frames on which it saw the thing, and how far it missed `b`.

    A small miss is drift: it is taken back little by little. A walk that ends more than a `side` away went
    wrong somewhere, at the latest where it first did not recognise the thing: it is not believed from there.
    """
    step = 1 if b.frame > a.frame else -1
    end = walk[b.frame].box
    dx, dy = way(end, b.box)
    missed = max(float((dx * dx + dy * dy) ** 0.5), abs(end.w - b.box.w), abs(end.h - b.box.h))
    boxes: dict[int, Box] = {}
    for frame in range(a.frame, b.frame, step):
        guess = walk[frame]
        if missed > side:
            if not guess.seen or guess.gone_on is not None:
                break
            boxes[frame] = guess.box
        elif guess.seen:
            share = (frame - a.frame) / (b.frame - a.frame)
            x, y, w, h = (v + (q - p) * share for v, p, q in zip(guess.box, end, b.box, strict=True))
            boxes[frame] = Box(x, y, max(w, 0.25 * guess.box.w), max(h, 0.25 * guess.box.h))
    return boxes, missed


def _blind(frame: int, forth: Mapping[int, Box], home: Mapping[int, Box]) -> Box:
    """On the straight line between where the thing was last seen and where it is next seen, grown."""
    since = max(n for n in forth if n < frame)
    until = min(n for n in home if n > frame)
    box = _mix(forth[since], home[until], (frame - since) / (until - since))
    away = min(frame - since, until - frame)
    return _grown(box, min(BLIND_GROWTH * away, MOST_GROWTH) * _side(box))


def beyond(walk: Walk, frames: Sequence[int], key: KeyFrame, size: tuple[float, float]) -> dict[int, Box]:
    """A box for frames that only one walk covers, going away from its key frame. `size` is the picture's.

    What the edge of the picture cut on the key frame is larger than what was drawn: it comes in behind it.
    """
    x, y, w, h = key.box
    reach = tuple(CUT_OFF * cut for cut in (x <= 1, y <= 1, x + w >= size[0] - 1, y + h >= size[1] - 1))
    boxes = {}
    for frame in frames:
        guess = walk[frame]
        left, top, right, bottom = (share * _side(guess.box) for share in reach)
        box = guess.box.widened(left, top, right, bottom)
        boxes[frame] = _grown(box if guess.gone_on is None else box.union(guess.gone_on), guess.margin)
    return boxes


def held(box: Box, frames: Sequence[int]) -> dict[int, Box]:
    """The box on frames of which nothing is known: they lie beyond a cut."""
    return {frame: _grown(box, CUT_GROWTH * _side(box)) for frame in frames}


def kept_inside(box: Box, size: tuple[int, int]) -> Box:
    """The box, moved until a share of it is in the picture, whose width and height `size` is."""
    x = min(max(box.x, -(1 - LEAST_INSIDE) * box.w), size[0] - LEAST_INSIDE * box.w)
    y = min(max(box.y, -(1 - LEAST_INSIDE) * box.h), size[1] - LEAST_INSIDE * box.h)
    return box._replace(x=x, y=y)


__all__ = [
    "MOST_FRAMES",
    "MOST_GROWTH",
    "Guess",
    "KeyFrame",
    "Walk",
    "between",
    "beyond",
    "check_inside",
    "checked_keys",
    "held",
    "kept_inside",
    "way",
]
