"""Which sighting on one frame is which on another: constant-velocity prediction, greedy assignment.

Association runs forward through a shot; what no track took is then tried backwards from every track's start,
so that a face that was only faint at first is followed to where it entered.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from redact.media.pace import Pace, Reach
from redact.plan import Box

CLOSE = 0.2
"""Intersection over union with the predicted box from which a sighting continues a track."""
FAINT_CLOSE = 0.3
"""The same for a sighting that does not stand by itself."""
NEAR = 0.7
"""Or: distance of centres as a share of the size, growing with the time since the last sighting ..."""
NEAR_GROWTH = 0.03
LIKE = 2.5
"""... if neither area is more than this many times the other's."""
NOISE_GROWTH = 2.0
"""Faint sightings of large things end a track where they are this many times the area of its surest ones: on
soft film they swell until they fill the picture."""
VELOCITY_MEMORY = 5
"""Sightings over which the velocity is taken."""


@dataclass(frozen=True, slots=True)
class Sighting:
    """A fused detection on one frame."""

    box: Box
    score: float
    stands: bool
    """Whether it may start a track by itself."""
    sources: int
    """Bit mask of the runs that saw it, for the report."""


@dataclass
class Trail:
    """One track being built: sightings by frame."""

    seen: dict[int, Sighting] = field(default_factory=dict)
    frames: list[int] = field(default_factory=list)
    """Frames with a sighting, ascending."""

    def add(self, frame: int, sighting: Sighting) -> None:
        """Take a sighting beyond either end."""
        self.seen[frame] = sighting
        if not self.frames or frame > self.frames[-1]:
            self.frames.append(frame)
        else:
            self.frames.insert(0, frame)

    @property
    def first(self) -> int:
        """First frame with a sighting."""
        return self.frames[0]

    @property
    def last(self) -> int:
        """Last frame with a sighting."""
        return self.frames[-1]

    def predicted(self, frame: int) -> Box:
        """Where the box should be on a frame outside the trail, at the velocity of its nearer end."""
        forward = frame > self.first
        frames = self.frames
        end = frames[-VELOCITY_MEMORY:] if forward else frames[:VELOCITY_MEMORY]
        last = self.seen[end[-1] if forward else end[0]].box
        if len(end) < 2:
            return last
        a, b = self.seen[end[0]].box, self.seen[end[-1]].box
        steps = end[-1] - end[0]
        ahead = frame - (end[-1] if forward else end[0])
        dx = (b.x + b.w / 2 - a.x - a.w / 2) / steps
        dy = (b.y + b.h / 2 - a.y - a.h / 2) / steps
        # velocity is only trusted for a moment: a head that turned is not where it was heading
        limit = max(last.w, last.h)
        return last._replace(
            x=last.x + max(-limit, min(limit, dx * ahead)), y=last.y + max(-limit, min(limit, dy * ahead))
        )


def affinity(trail: Trail, frame: int, sighting: Sighting) -> float:
    """How well a sighting continues a trail: above 0 if it may, higher is better."""
    expected = trail.predicted(frame)
    nearest = trail.seen[trail.last if frame > trail.last else trail.first].box
    overlap = max(expected.iou(sighting.box), nearest.iou(sighting.box))
    if overlap >= (CLOSE if sighting.stands else FAINT_CLOSE):
        return 1.0 + overlap
    ratio = max(nearest.area, 1e-6) / max(sighting.box.area, 1e-6)
    if not sighting.stands or not 1 / LIKE <= ratio <= LIKE:
        return 0.0
    away = frame - trail.last if frame > trail.last else trail.first - frame
    size = (max(nearest.w, nearest.h) + max(sighting.box.w, sighting.box.h)) / 2
    reach = size * (NEAR + NEAR_GROWTH * away)
    dx = expected.x + expected.w / 2 - sighting.box.x - sighting.box.w / 2
    dy = expected.y + expected.h / 2 - sighting.box.y - sighting.box.h / 2
    distance: float = (dx * dx + dy * dy) ** 0.5
    return 1.0 - distance / reach if distance < reach else 0.0


def _started(frame: int, sighting: Sighting) -> Trail:
    trail = Trail()
    trail.add(frame, sighting)
    return trail


def _assign(trails: Sequence[Trail], frame: int, sightings: list[Sighting]) -> list[Sighting]:
    """Give each trail its best sighting, best pairs first; what is left over."""
    pairs = sorted(
        (
            (value, t, s)
            for t, trail in enumerate(trails)
            for s, sighting in enumerate(sightings)
            if (value := affinity(trail, frame, sighting)) > 0
        ),
        reverse=True,
    )
    used_trails: set[int] = set()
    used: set[int] = set()
    for _, t, s in pairs:
        if t not in used_trails and s not in used:
            trails[t].add(frame, sightings[s])
            used_trails.add(t)
            used.add(s)
    return [sighting for s, sighting in enumerate(sightings) if s not in used]


def associate(by_frame: Mapping[int, list[Sighting]], pace: Pace, gap: Reach, back: Reach) -> list[Trail]:
    """Trails of one shot. `by_frame` has the sightings of every frame that was looked at.

    `gap`: how long a trail may go unseen. `back`: how far it is followed backwards through unseen frames.
    """
    open_: list[Trail] = []
    closed: list[Trail] = []
    left: dict[int, list[Sighting]] = {}
    for frame in sorted(by_frame):
        going = [pace.within(gap, trail.last, frame) for trail in open_]
        closed += [trail for trail, goes in zip(open_, going, strict=True) if not goes]
        open_ = [trail for trail, goes in zip(open_, going, strict=True) if goes]
        rest = _assign(open_, frame, by_frame[frame])
        open_ += [_started(frame, sighting) for sighting in rest if sighting.stands]
        left[frame] = [sighting for sighting in rest if not sighting.stands]
    trails = closed + open_
    for trail in trails:
        _follow_back(trail, left, pace, back)
    return trails


def without_large_noise(trail: Trail, least: float, pace: Pace, reach: Reach) -> Trail:
    """The trail without faint sightings of faces larger than `least` pixels at its ends, out of `reach` of
    one that stands or much larger than all that stand. A face so large is hard to miss: minutes
    of faint ones are none. Between two that stand nothing is taken away.
    """
    sure = [frame for frame in trail.frames if trail.seen[frame].stands]
    first, last = sure[0], sure[-1]
    most = NOISE_GROWTH * max(trail.seen[frame].box.area for frame in sure)

    def kept(frame: int) -> bool:
        box = trail.seen[frame].box
        if first <= frame <= last or max(box.w, box.h) < least:
            return True
        near = pace.within(reach, first if frame < first else last, frame)
        return near and box.area <= most

    frames = [frame for frame in trail.frames if kept(frame)]
    return Trail({frame: trail.seen[frame] for frame in frames}, frames)


def _follow_back(trail: Trail, left: dict[int, list[Sighting]], pace: Pace, back: Reach) -> None:
    frame = trail.first - 1
    while frame >= 0 and pace.within(back, trail.first, frame):
        best = max(left.get(frame, []), key=lambda each: affinity(trail, frame, each), default=None)
        if best is not None and affinity(trail, frame, best) > 0:
            trail.add(frame, best)
            left[frame].remove(best)
        frame -= 1
