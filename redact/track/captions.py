"""One caption through time: which box is covered on which frame, from a trail of sightings. Pure.

Networks see a caption some frames after it has begun to fade in and lose it before it is gone, so its cover
goes on for a while on both sides. A line that grows or runs along its own row, typed on or crawling, is
covered over its whole run from first to last: its band, not the letters that happen to be there.
"""

from __future__ import annotations

import itertools

from redact.plan import Box, Origin
from redact.track.associate import Trail
from redact.track.spans import Placed

SAME_ROW = 0.6
"""Heights by which a line that runs along its row may stray from it: camera shake, and boxes that waver."""
RUNS = 1.0
"""Heights by which one of its ends must move, from which a line is running or growing."""
TO_EDGE = 2.0
"""Heights from the picture's edge within which the band of a running line is drawn out to it: that is where
it comes from or goes to."""


LOST, STILL, LIKE_HEIGHT = 6, 0.3, 1.3
"""Frames after which a line must be seen in the place where it was last, and the share of the smaller box
that must be common; and the largest ratio of heights of a line that moved on before. Noise comes and goes all
over a soft picture, and must not be joined into a large cover."""
LONG, LOW = 1.5, 0.15
"""A running line is at least so many heights long, and so low as a share of the picture's height."""
FAINT = 0.5
"""A line that scored no more than this, and on one look only, is held for half as long: it may be a shadow,
and a faint caption that stands is met by other looks."""


def unbroken(trail: Trail) -> list[Trail]:
    """The trail cut where it jumps: seen again after a while, and elsewhere."""
    parts = [Trail()]
    for frame in trail.frames:
        part = parts[-1]
        if part.frames and not _goes_on(part.seen[part.last].box, trail.seen[frame].box, frame - part.last):
            part = Trail()
            parts.append(part)
        part.add(frame, trail.seen[frame])
    return parts


def _goes_on(before: Box, now: Box, frames: int) -> bool:
    if before.intersection(now) >= STILL * min(before.area, now.area):
        return True
    low, high = sorted((before.h, now.h))
    return frames <= LOST and high <= LIKE_HEIGHT * low


def caption_frames(
    trail: Trail, shot: tuple[int, int], hold: tuple[int, int], looks: tuple[int, int], size: tuple[int, int]
) -> dict[int, Placed]:
    """A box for every frame from `hold` frames before the first sighting to as many after the last.

    `looks` are those before the first and after the last sighting, which did not see it: up to them nothing
    came or went, so the cover goes on as far at least. `size` is the picture's width and height; nothing goes
    beyond the `shot` (first and last frame).
    """
    seen = trail.frames
    first, last = seen[0], seen[-1]
    before, after = hold
    if len(seen) == 1 and trail.seen[first].score <= FAINT:
        before, after = before // 2, after // 2
    start = max(shot[0], min(first - before, looks[0] + 1))
    end = min(shot[1], max(last + after, looks[1] - 1))
    band = running_band([trail.seen[frame].box for frame in seen], size)
    placed: dict[int, Placed] = {}

    def put(frames: range, box: Box, origin: Origin) -> None:
        for frame in frames:
            placed[frame] = Placed(band or box, origin)

    put(range(start, first), trail.seen[first].box, Origin.EXTENDED)
    put(range(last + 1, end + 1), trail.seen[last].box, Origin.EXTENDED)
    for a, b in itertools.pairwise(seen):
        between = trail.seen[a].box.union(trail.seen[b].box)
        put(range(a + 1, b), between, Origin.INTERPOLATED)
    for frame in seen:
        put(range(frame, frame + 1), trail.seen[frame].box, Origin.DETECTED)
    return placed


def running_band(boxes: list[Box], size: tuple[int, int]) -> Box | None:
    """The whole band of a line that runs or grows along its row, or None if it stands or moves otherwise."""
    height = sorted(box.h for box in boxes)[len(boxes) // 2]
    if height > LOW * size[1] or max(box.w for box in boxes) < LONG * height:
        return None
    middles = [box.y + box.h / 2 for box in boxes]
    if max(middles) - min(middles) > SAME_ROW * height or max(box.h for box in boxes) > 1.6 * height:
        return None
    moved = max(
        max(box.x for box in boxes) - min(box.x for box in boxes),
        max(box.right for box in boxes) - min(box.right for box in boxes),
    )
    if moved < RUNS * height:
        return None
    band = boxes[0]
    for box in boxes[1:]:
        band = band.union(box)
    left = 0.0 if band.x < TO_EDGE * height else band.x
    right = float(size[0]) if size[0] - band.right < TO_EDGE * height else band.right
    return Box(left, band.y, right - left, band.h)
