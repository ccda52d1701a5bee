"""How fast a moving picture goes, by the times of its own frames: the one place where seconds become frames.

Takes frames in order, gives `Moment`s, says on which of them a look is due (`Beat`, `Stills`) and which
frames lie within so many seconds of another (`Pace`, `Reach`). What a container declares about its rate is
never asked: one frame held for a minute makes an average of any declared rate, and a header may say anything.

The rule: a span of time reaches over every frame that it really lasts for, at the place where it is, and
over a fixed number of frames where they come slowly; a look is due once a real time has passed, and after a
fixed number of frames where they come fast. Of seconds and frames, whichever covers more is taken. On films
of 24 to 60 steady frames a second that is the same as a constant rate gives.
"""

from __future__ import annotations

from array import array
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import NamedTuple

from redact.media.base import DecodedFrame
from redact.plan import MediaFacts

FASTEST = 240.0
"""Frames a second, the most that telephones record. A span of time reaches over no more frames than it would
at this rate, whatever times a file gives."""
LOOSE = 1e-6
"""Seconds that times may be off: rounding, never a step between frames."""
STILL = 0.5
"""Seconds from which a frame is a picture that people look at, and not one of a movement: as long as the text
looks of the gate lie apart at 25 frames a second."""


LARGE = 2000
"""Longer side in pixels of a moving picture above which a still frame of it is looked at like a photo: up to
here the looks that are made for HD see as much."""
FEW = 24
"""Animations of up to so many frames are a few photos rather than a film."""


class Moment(NamedTuple):
    """When a frame is shown."""

    number: int
    time: float
    """Seconds."""
    shown: float
    """Seconds until the next frame; of the last frame what the container says, or the step before it."""

    @property
    def middle(self) -> float:
        """The middle of the time for which it is shown."""
        return self.time + self.shown / 2

    @property
    def held(self) -> bool:
        """Whether it is shown for so long that it is a still."""
        return self.shown > STILL - LOOSE


def moments(frames: Iterable[DecodedFrame]) -> Iterator[tuple[DecodedFrame, Moment]]:
    """Every frame with its moment. Runs one frame behind `frames`, whose next time it has to know."""
    before: DecodedFrame | None = None
    step = 0.0
    for frame in frames:
        if before is not None:
            step = max(float(frame.time - before.time), 0.0)
            yield before, Moment(before.index, float(before.time), step)
        before = frame
    if before is not None:
        yield before, Moment(before.index, float(before.time), max(float(before.shown), step))


class Beat:
    """A look that is due when `seconds` have passed since the last one, but not before `least` frames and
    after `most` in any case."""

    def __init__(self, seconds: float, least: int, most: int) -> None:
        self._seconds, self._least, self._most = seconds, least, most
        self._last: Moment | None = None

    def due(self, now: Moment) -> bool:
        """Whether to look at this frame. It is not taken as looked at: see `take`."""
        if self._last is None:
            return True
        frames = now.number - self._last.number
        # by the middle of the frame: a look is where it lies nearest to its time, and one that is held has it
        late = now.middle - self._last.time > self._seconds - LOOSE
        return frames >= self._most or (frames >= self._least and late)

    def take(self, now: Moment) -> None:
        """This frame is looked at."""
        self._last = now


class Stills:
    """Which frames of a moving picture larger than `LARGE` are looked at as closely as a photo: the first of
    every shot, those that are held, one a second, and all of a short animation. Cuts that follow each other
    fast (flashes, strobes) share a look."""

    def __init__(self, facts: MediaFacts) -> None:
        self._large = max(facts.width, facts.height) > LARGE
        self._every = facts.kind == "animation" and facts.frames <= FEW
        self._owed = False
        self._steady = Beat(1.0, 1, 60)
        self._cuts = Beat(1 / 3, 1, 8)

    def due(self, now: Moment, *, begins: bool) -> bool:
        """Whether to look closely at this frame; call it for every one. `begins`: it may begin a shot. A look
        that a cut asks for and that comes too soon after the last one is made up for."""
        if not self._large:
            return False
        self._owed = self._owed or begins
        due = self._every or now.held or self._steady.due(now) or (self._owed and self._cuts.due(now))
        if due:
            self._owed = False
            self._steady.take(now)
            self._cuts.take(now)
        return due


@dataclass(frozen=True)
class Reach:
    """A span of time around a frame."""

    seconds: float
    least: int
    """Frames that it reaches over in any case, however long they are shown."""

    @property
    def most(self) -> int:
        """Frames that it never reaches beyond."""
        return max(self.least, round(self.seconds * FASTEST))


class Pace:
    """The times of all frames of an item, added in order as they are decoded."""

    def __init__(self, times: Iterable[float] = ()) -> None:
        self._times = array("d", times)

    @classmethod
    def steady(cls, rate: float, frames: int) -> Pace:
        """So many frames at a constant rate."""
        return cls(index / rate for index in range(frames))

    def add(self, now: Moment) -> None:
        """Take the next frame."""
        self._times.append(now.time)

    def within(self, reach: Reach, start: int, frame: int) -> bool:
        """Whether `frame` lies within `reach` of frame `start`, on either side of it. It does if more than
        half of the step that leads to it does."""
        away = abs(frame - start)
        if away <= reach.least:
            return True
        if away > reach.most:
            return False
        towards = frame - 1 if frame > start else frame + 1
        middle = (self._times[frame] + self._times[towards]) / 2
        return abs(middle - self._times[start]) < reach.seconds - LOOSE

    def after(self, reach: Reach, start: int) -> int:
        """How many frames after `start` lie within `reach`; beyond the last frame only the least."""
        return self._count(reach, start, 1)

    def before(self, reach: Reach, start: int) -> int:
        """The same for frames before it."""
        return self._count(reach, start, -1)

    def _count(self, reach: Reach, start: int, way: int) -> int:
        count = reach.least
        while 0 <= start + way * (count + 1) < len(self._times) and self.within(
            reach, start, start + way * (count + 1)
        ):
            count += 1
        return count


__all__ = ["Beat", "Moment", "Pace", "Reach", "Stills", "moments"]
