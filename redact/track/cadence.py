"""Which looks an animation or a video gets on which frame. Pure: knows times and cuts, no picture.

Takes frames in order and says for each how closely faces are looked for, and whether text is looked for on
the whole picture. The light look for faces is on every frame.
"""

from __future__ import annotations

from dataclasses import dataclass

from redact.media.pace import LOOSE, Beat, Moment, Stills
from redact.plan import MediaFacts

FULL_FACES = (1 / 6, 1, 10)
"""Seconds, least and most frames between two full looks for faces: six a second of the film, and never more
frames apart than at 60 frames a second. Tracks are held for half a second on both sides of a sighting, so a
face that only the full look sees (in HD, one of 20 to 40 pixels) is covered between two looks unless it moves
fast. Where frames come slower than that, each is a picture of its own and gets one."""
WHOLE_TEXT = (1 / 2.5, 10, 24)
"""The same for looks at the whole picture for text. What changes in between is looked at where it does
(`redact.track.text_looks`), so that ten frames may lie between two of them however long they are shown."""
LONG = 2 / 24
"""Seconds from which a frame is shown as long as the shortest caption that must not slip through."""


@dataclass(frozen=True)
class Due:
    """What one frame gets besides the light look for faces."""

    cut: bool
    full: bool
    """The full look for faces."""
    still: bool
    """The look that a photo gets, and all that the full look sees."""
    turn: int
    """Number of the full look on the cadence, for what takes its turn there."""
    text: bool
    """A look at the whole picture for text."""
    long: bool
    """It is shown for so long that a caption may stand on it alone."""


class Cadence:
    """Call `at` for every frame of an item, in order."""

    def __init__(self, facts: MediaFacts) -> None:
        moving = facts.kind == "video"
        self._full = Beat(*FULL_FACES) if moving else Beat(0, 1, 1)
        self._text = Beat(*WHOLE_TEXT) if moving else Beat(0, 1, 1)
        self._stills = Stills(facts)
        self._turn = -1

    def at(self, now: Moment, cut: bool) -> Due:
        """What the frame gets; `cut`: it may be the first of a shot."""
        full, text = self._full.due(now), self._text.due(now)
        if full:
            self._full.take(now)
            self._turn += 1
        if text:
            self._text.take(now)
        still = self._stills.due(now, begins=cut)
        return Due(cut, full or cut, still, self._turn, text or cut, now.shown > LONG - LOOSE)


__all__ = ["Cadence", "Due"]
