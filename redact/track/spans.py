"""From trails to covers: gaps filled, ends extended, boxes padded, and frames gathered into steady spans."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from dataclasses import dataclass

from redact.media.pace import Reach
from redact.plan import Box, Origin, Span
from redact.track.associate import Trail
from redact.track.settings import AT_EDGE, EDGE, HOLD, HOLD_AT_EDGE, TrackSettings

Pad = Callable[[Box], Box]
_WORSE = (Origin.DETECTED, Origin.INTERPOLATED, Origin.EXTENDED, Origin.REVIEWER)


@dataclass(frozen=True, slots=True)
class Placed:
    """A box on one frame and how it came there."""

    box: Box
    origin: Origin


def _mix(a: Box, b: Box, share: float) -> Box:
    return Box(*(p + (q - p) * share for p, q in zip(a, b, strict=True)))


def _drifted(box: Box, away: int, settings: TrackSettings) -> Box:
    share = min(settings.drift * away, settings.most_drift)
    return box.grown(box.w * share, box.h * share)


def _reach(box: Box, size: tuple[int, int]) -> Reach:
    """How long a track goes on that begins or ends with this box in a picture of that size."""
    near = AT_EDGE * max(box.w, box.h)
    inside = box.x > near and box.y > near and box.right < size[0] - near and box.bottom < size[1] - near
    return HOLD if inside else HOLD_AT_EDGE


def fill(
    trail: Trail, shot: tuple[int, int], size: tuple[int, int], settings: TrackSettings
) -> dict[int, Placed]:
    """A box for every frame from the extended start to the extended end of a trail, within its shot.

    `size` is the picture's width and height.
    """
    frames = trail.frames
    placed = {frame: Placed(trail.seen[frame].box, Origin.DETECTED) for frame in frames}
    for a, b in itertools.pairwise(frames):
        for frame in range(a + 1, b):
            box = _mix(trail.seen[a].box, trail.seen[b].box, (frame - a) / (b - a))
            away = min(frame - a, b - frame)
            placed[frame] = Placed(_drifted(box, away, settings), Origin.INTERPOLATED)
    first, last = frames[0], frames[-1]
    pace = settings.pace
    before, after = (_reach(trail.seen[frame].box, size) for frame in (first, last))
    start = shot[0] if pace.within(EDGE, first, shot[0]) else max(shot[0], first - pace.before(before, first))
    end = shot[1] if pace.within(EDGE, last, shot[1]) else min(shot[1], last + pace.after(after, last))
    for frame in (*range(start, first), *range(last + 1, end + 1)):
        nearest = trail.seen[first if frame < first else last].box
        away = first - frame if frame < first else frame - last
        # where it was and where it was heading: a head stops as suddenly as it moves
        box = nearest.union(trail.predicted(frame))
        placed[frame] = Placed(_drifted(box, away, settings), Origin.EXTENDED)
    return placed


def gather(placed: dict[int, Placed], pad: Pad, size: tuple[int, int], settings: TrackSettings) -> list[Span]:
    """Spans that tile the frames of `placed` without a gap.

    One box serves a run of frames: the union of their padded boxes and of the neighbours on either side, so
    that what moves between two frames is inside. `size` is the picture's width and height; a run that lies
    outside the picture gives no span.
    """
    frames = sorted(placed)
    padded = {frame: pad(placed[frame].box) for frame in frames}
    around = {}
    for frame in frames:
        box = padded[frame]
        for neighbour in (frame - 1, frame + 1):
            if neighbour in padded:
                box = box.union(padded[neighbour])
        around[frame] = box
    spans: list[Span] = []
    start = frames[0]
    union, largest = around[start], around[start].area
    smallest = largest

    def close(last: int) -> None:
        origin = max((placed[n].origin for n in range(start, last + 1)), key=_WORSE.index)
        inside = union.clipped(*size)
        if inside is not None:
            x, y, w, h = (round(value, 2) for value in inside)
            if w > 0 and h > 0:
                spans.append(Span(first=start, last=last, box=(x, y, w, h), origin=origin))

    for frame in frames[1:]:
        grown, most = union.union(around[frame]), max(largest, around[frame].area)
        least = min(smallest, around[frame].area)
        together = (
            grown.area <= settings.run_growth * most
            and most <= settings.run_spread * least
            and frame - start < settings.longest_run
            and (placed[frame].origin is Origin.EXTENDED) == (placed[start].origin is Origin.EXTENDED)
        )
        if together:
            union, largest, smallest = grown, most, least
        else:
            close(frame - 1)
            start, union, largest = frame, around[frame], around[frame].area
            smallest = largest
    close(frames[-1])
    return spans
