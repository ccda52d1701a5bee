"""The numbers of tracking, each with its reason: spans of time by the frames' own times, and growths."""

from __future__ import annotations

import math
from dataclasses import dataclass

from redact.media.pace import Pace, Reach
from redact.policy import FacesPolicy, Policy, TextPolicy
from redact.track.cadence import WHOLE_TEXT
from redact.track.text_looks import EVERY

HOLD = Reach(0.5, 4)
"""Both ends of a face's track go on for this long: detectors lose a face some frames before it is gone."""
AT_EDGE, HOLD_AT_EDGE = 0.25, Reach(1.0, 6)
"""... and for this long where they lie within this share of their size from the picture's edge: who comes in
or goes out is cut off by it for a while, and a part of a face is seen late. (A head that was a third in sight
stood bare for a frame, and as a sliver for three more, before its track began.)"""
GAP = Reach(1.505, 8)
"""A face that is not seen for this long and then again in its place was there all along. (38 frames of 25 a
second, the half frame rounded up.)"""
EDGE = Reach(1.0, 6)
"""A track that begins this soon after a cut, or ends this soon before one, reaches the cut."""
TEXT_HOLD = Reach(0.8, 4)
"""A caption fades in and out for up to this long; its cover goes on as long on both sides."""
TEXT_GAP = Reach(1.505, WHOLE_TEXT[2] + EVERY)
"""A line that is not seen for this long and then again in its place was there all along. Never less than from
one look at the whole picture to the next: it is the same line that both see."""


@dataclass(frozen=True)
class TrackSettings:
    """Everything the builder needs besides boxes."""

    faces: FacesPolicy
    text: TextPolicy
    pace: Pace
    """The item's frames; the builder asks for those that it was given."""
    drift: float = 0.03
    """Growth of an extended or interpolated box per frame away from the nearest sighting, of its size."""
    most_drift: float = 0.5
    """Largest such growth on each side."""
    waver: float = 0.05
    small_waver: float = 0.25
    """Growth of a face's box on each side besides its padding, of its size: few runs look at one frame, and
    their boxes waver, those of small faces most."""
    small: float = 32.0
    """Longer side in pixels under which a face is small."""
    run_growth: float = 1.35
    """One box serves a run of frames while their union is at most this much larger than the largest."""
    run_spread: float = math.inf
    """... and while the largest box is at most this many times the smallest."""
    longest_run: int = 250

    @classmethod
    def from_policy(cls, policy: Policy, pace: Pace) -> TrackSettings:
        """Settings for an item whose frames come at that pace."""
        return cls(faces=policy.faces, text=policy.text, pace=pace)
