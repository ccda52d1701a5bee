"""Numbers of the gate's pixel checks, each with its reason, and how often frames are looked at.

The gate has hysteresis: analysis covers from low scores on, the gate only reports what is surely there, so
that it finds what analysis missed without fighting over every shadow next to a cover.
"""

from __future__ import annotations

from dataclasses import dataclass

from redact.plan import Kind
from redact.policy import GatePolicy

FACE_SCORES: dict[str, float] = {
    # Model: the score at which it is believed alone. Measured on 100 hard photos with every labelled face and
    # every face of the analysis covered; share of photos on which it still saw "a face" at this score:
    "yunet": 0.40,  # 2 % (8 % at .3); sees 97 % of uncovered faces
    "centerface": 0.50,
    "blazeface_full": 0.55,  # 4 % (14 % at .4); sees 44 %
    # 19 % at .55, near faces only; up to .65 it takes headless bodies for huge ones
    "blazeface_short": 0.75,
    "blazepose": 0.75,  # at .65 it still saw people in a film all of whose heads were covered
}
FACE_SCORE = 0.50
"""For any other model."""
HEAD_COVERED = 0.4
"""Share of an expected head that must lie under solid covers."""
PEOPLE_LOOKS = 4
"""People are looked for at every n-th look for faces, and on focus frames."""
TILE_EXTRA = 0.10
"""A tile shows more detail and less of its surroundings: 23 % of those photos at .5, 8 % at .65."""
AGREED_SCORE = 0.25
"""Two families that see a face in one place need only this each (DESIGN.md, section 6): one per cent more
uncovered faces seen, at 4 % more covered photos with a finding; at .15 it were 14 %."""
TEXT_SCORE = 0.50
"""Analysis covers text from .25 on; below .5 the gate would fight over shadows next to covers."""
AGREED_IOU = 0.3

MIN_SIDE: dict[Kind, float] = {
    # Shorter side in pixels. Nobody recognises a face under 8 px; letters under 8 px are not read.
    Kind.FACE: 8.0,
    Kind.TEXT: 8.0,
}

SAME_OVERLAP = 0.5
"""Boxes of one kind on one frame that share this much of the smaller one are one finding."""
FOLLOW_IOU = 0.2
"""A box on a later frame goes on with a finding if it overlaps its last box this much."""
ALIKE, WALKED = 1.7, 4.0
"""Ratio of sides, and distance in sides, up to which two single sightings of heads are one that walks: at
1.5 m a second a head of 25 cm goes three sides between two looks half a second apart."""
MAX_UNION_GROWTH = 2.5
"""A finding is split before its union box is this many times its current box, so that healing stays local."""
MAX_PIXEL_FINDINGS = 500
"""After so many there is one more finding without a box, which only a person can clear."""

STILL_THERE = 0.3
"""Text that touches a cover stands if it is seen again, overlapping this much, with the covers filled."""

CHANGE_LONG_SIDE = 240
CHANGE_LEVELS = 10
"""A frame has changed if any 3x3 patch of its grey copy, 240 pixels long, differs by this many levels. A line
of 16 px text at 1080p changes its patches by 20 and more; compression noise stays under 5."""

HEAL_MOST = 0.35
"""Share of the picture; what is larger than this once it is padded is not healed but left to a person."""
HEAL_FACE_PADDING = 0.5
HEAL_TEXT_PADDING = 0.6
HEAL_SMALL = 32.0
"""Pixels of the longer side; smaller faces get twice the share."""
HEAL_MIN_PX = 8.0
"""Growth of a healed box on each side: share of a face's size, of a text's height, and the least in pixels.
More than the policy's padding, because the cover that was there before was not enough."""


@dataclass(frozen=True)
class Looks:
    """How often frames are looked at: every n-th for faces and for text."""

    faces: int
    text: int

    @classmethod
    def of(cls, movie: bool, frames: int, policy: GatePolicy) -> Looks:
        """Animations and short films are looked at on every frame; text in films on its own cadence.

        `frames` may be an estimate, 0 if unknown.
        """
        if not movie:
            return cls(1, 1)
        return cls(1 if 0 < frames <= policy.every_frame_below else policy.cadence, policy.text_cadence)
