"""Text regions of one picture drawn out to bands: one box for a line, one width for stacked lines.

A cover as long as a word tells how long a name is; with a closed list of names that is often the name. Takes
and gives regions of one picture; pure, and never makes a region smaller.
"""

from __future__ import annotations

from collections.abc import Sequence

from redact.plan import Box, Kind, Region

SAME_LINE = 0.6
"""Common height, as a share of the lower box, from which two boxes lie on one line."""
LIKE_HEIGHT = 1.8
"""Largest ratio of heights of two parts of one line; capitals beside small letters differ by 1.4."""
GAP = 1.2
"""Heights between two parts of one line: a word space is 0.3, a stretch that was too faint to be seen is a
letter or three."""
MOST_RISE = 1.3
"""Height of the joined box, in heights of the higher part: slices of a tilted line stay apart."""
STACKED_GAP, ALIGNED = 0.8, 1.0
"""Heights between two lines of one caption, and by which their left edges or centres may differ. Detection
grows boxes by nearly half a height each, so what it gives as touching is a line's space apart."""


def banded(regions: Sequence[Region]) -> list[Region]:
    """The text among `regions`, parts of a line joined and stacked lines as wide as the widest; others as
    they are."""
    lines = [region for region in regions if region.kind is Kind.TEXT]
    rest = [region for region in regions if region.kind is not Kind.TEXT]
    return rest + _widened(_joined(lines))


def _joined(lines: list[Region]) -> list[Region]:
    """Greedy from left to right, until nothing joins any more."""
    joined: list[Region] = []
    for line in sorted(lines, key=lambda each: each.box.x):
        known = next((n for n, each in enumerate(joined) if _one_line(each.box, line.box)), None)
        if known is None:
            joined.append(line)
            continue
        best = max(joined[known], line, key=lambda each: each.score)
        joined[known] = best._replace(box=joined[known].box.union(line.box))
    return joined if len(joined) == len(lines) else _joined(joined)


def _one_line(one: Box, other: Box) -> bool:
    low, high = sorted((one.h, other.h))
    if low <= 0 or high > LIKE_HEIGHT * low:
        return False
    common = min(one.bottom, other.bottom) - max(one.y, other.y)
    gap = max(one.x, other.x) - min(one.right, other.right)
    return common >= SAME_LINE * low and gap <= GAP * low and one.union(other).h <= MOST_RISE * high


def _widened(lines: list[Region]) -> list[Region]:
    """Each line as wide as the lines right above and below it; lines that stand upright are left alone."""
    widened = []
    for line in lines:
        box = line.box
        for other in lines:
            if other is not line and _stacked(line.box, other.box):
                left = min(box.x, other.box.x)
                box = Box(left, box.y, max(box.right, other.box.right) - left, box.h)
        widened.append(line._replace(box=box))
    return widened


def _stacked(one: Box, other: Box) -> bool:
    if one.w < one.h or other.w < other.h:
        return False
    low, high = sorted((one.h, other.h))
    if low <= 0 or high > LIKE_HEIGHT * low:
        return False
    gap = max(one.y, other.y) - min(one.bottom, other.bottom)
    aligned = min(abs(one.x - other.x), abs(one.x + one.w / 2 - other.x - other.w / 2)) <= ALIGNED * high
    return -low / 2 <= gap <= STACKED_GAP * low and aligned
