"""How far a cover reaches beyond what was detected. Padding is worth as much recall as a model."""

from __future__ import annotations

from redact.plan import Box
from redact.policy import FacesPolicy, TextPolicy


def pad_face(box: Box, policy: FacesPolicy) -> Box:
    """The face box grown on each side by a share of its own size, more for small faces, whose boxes waver."""
    share = policy.small_padding if max(box.w, box.h) < policy.small_below else policy.padding
    least = policy.min_padding_px
    return box.grown(max(box.w * share, least), max(box.h * share, least))


def pad_text(box: Box, policy: TextPolicy) -> Box:
    """The text box grown on each side by a share of the line's height: the whole band, not the word."""
    margin = max(min(box.w, box.h) * policy.padding, policy.min_padding_px)
    return box.grown(margin, margin)
