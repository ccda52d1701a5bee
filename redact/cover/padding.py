"""How far a cover reaches beyond what was detected. Padding is worth as much recall as a model."""

from __future__ import annotations

from redact.plan import Box
from redact.policy import FacesPolicy, TextPolicy

SMALL_FACE = 32.0
"""Pixels of the longer side. What is smaller and near the picture's edge is often a face that the edge cuts,
of which a detector saw the inner part."""
NEAR_EDGE = 0.25
"""Share of the cover's side. On 443 photos: one face saved in each half; for faces of all sizes the same rule
saves no more and covers 1 % more of the picture."""


def pad_face(box: Box, policy: FacesPolicy) -> Box:
    """The face box grown on each side by a share of its own size."""
    return box.grown(
        max(box.w * policy.padding, policy.min_padding_px), max(box.h * policy.padding, policy.min_padding_px)
    )


def to_near_edges(cover: Box, face: Box, width: int, height: int) -> Box:
    """The cover, drawn out to those edges of a `width` x `height` picture that a small face's cover almost
    reaches.
    """
    if max(face.w, face.h) > SMALL_FACE:
        return cover
    dx, dy = NEAR_EDGE * cover.w, NEAR_EDGE * cover.h
    left = 0.0 if cover.x < dx else cover.x
    top = 0.0 if cover.y < dy else cover.y
    right = float(width) if width - cover.right < dx else cover.right
    bottom = float(height) if height - cover.bottom < dy else cover.bottom
    return Box(left, top, right - left, bottom - top)


ALONG, ALONG_MOST = 0.7, 48.0
"""Growth at both ends of a line, in heights, and the most in pixels: the ends of faint lines are seen last.
On the tuning seed of `bench/text.py` a look by the tiny network covers 97.9 % of lines with it, 97.5 % with
the same growth on all sides, and 97.6 % with twice that on all sides, which paints half as much again."""


def pad_text(box: Box, policy: TextPolicy) -> Box:
    """The text box grown on each side by a share of the line's height, and by more at the line's ends."""
    height = min(box.w, box.h)
    margin = max(height * policy.padding, policy.min_padding_px)
    end = max(margin, min(ALONG * height, ALONG_MOST))
    return box.grown(end, margin) if box.w >= box.h else box.grown(margin, end)
