"""How much of the picture text covers take: what blanks it is for a person to look at. Pure."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from redact.plan import CoverIndex, Kind, Track
from redact.policy import TextPolicy

GRID = 96
"""Cells along the longer side of the picture, on which overlapping covers are counted once."""
BAND_SOURCE = "band"
"""Source of the track that the policy's fixed band makes. It is asked for, so it is not counted."""
LARGE_TEXT = "large_text_region"
"""The plan's note."""


def text_shares(tracks: Sequence[Track], width: int, height: int) -> tuple[float, float]:
    """Largest share of a `width` x `height` picture under one text cover, and under all on one frame."""
    text = [
        track for track in tracks if track.kind in (Kind.TEXT, Kind.CODE) and BAND_SOURCE not in track.sources
    ]
    spans = [span for track in text for span in track.spans]
    one = max((span.box[2] * span.box[3] for span in spans), default=0.0) / (width * height)
    step = max(width, height) / GRID
    shape = (max(1, round(height / step)), max(1, round(width / step)))
    index, most = CoverIndex(text), 0.0
    # what is covered grows only where a span begins
    for frame in sorted({span.first for span in spans}):
        cells = np.zeros(shape, bool)
        for cover in index.at(frame):
            x, y, w, h = (value / step for value in cover.box)
            cells[round(y) : round(y + h), round(x) : round(x + w)] = True
        most = max(most, float(cells.mean()))
    return one, max(one, most)


def area_notes(tracks: Sequence[Track], width: int, height: int, policy: TextPolicy) -> list[str]:
    """A note if one text cover, or all of a frame together, take more than the policy allows."""
    one, together = text_shares(tracks, width, height)
    return [LARGE_TEXT] if one > policy.max_area or together > policy.max_area_together else []
