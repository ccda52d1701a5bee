"""The numbers of tracking, each with its reason, in frames of the item at hand."""

from __future__ import annotations

from dataclasses import dataclass

from redact.policy import FacesPolicy, Policy, TextPolicy

HOLD_SECONDS = 0.5
"""Both ends of a face's track go on for this long: detectors lose a face some frames before it is gone."""
GAP_SECONDS = 1.5
"""A face that is not seen for this long and then again in its place was there all along."""
EDGE_SECONDS = 1.0
"""A track that begins this soon after a cut, or ends this soon before one, reaches the cut."""
TEXT_HOLD_SECONDS = 0.8
"""A caption fades in and out for up to this long; its cover goes on as long on both sides."""
TEXT_GAP_SECONDS = 1.5
"""A line that is not seen for this long and then again in its place was there all along."""
FALLBACK_RATE = 25.0


@dataclass(frozen=True)
class TrackSettings:
    """Everything the builder needs besides boxes."""

    faces: FacesPolicy
    text: TextPolicy
    hold: int
    gap: int
    edge: int
    text_hold: int = 20
    text_gap: int = 38
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
    longest_run: int = 250

    @classmethod
    def from_policy(cls, policy: Policy, frames_per_second: float) -> TrackSettings:
        """Settings for an item of that nominal rate; 0 means unknown."""
        rate = frames_per_second if frames_per_second > 0 else FALLBACK_RATE
        return cls(
            faces=policy.faces,
            text=policy.text,
            hold=max(4, round(HOLD_SECONDS * rate)),
            gap=max(8, round(GAP_SECONDS * rate)),
            edge=max(6, round(EDGE_SECONDS * rate)),
            text_hold=max(4, round(TEXT_HOLD_SECONDS * rate)),
            text_gap=max(6, round(TEXT_GAP_SECONDS * rate)),
        )
