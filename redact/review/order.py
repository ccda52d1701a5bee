"""Which item a person should see first. Pure: findings and the size of the file in, a key to sort by out.

The rule, in this order: what must not be published at all; then by the gravest kind of finding (the table);
among equals by how much of it there is, see `extent`; then the item with more findings, then the older one.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from redact.findings import SEVERITY, Finding, FindingKind, Verdict

GRAVEST_FIRST: tuple[tuple[FindingKind, str], ...] = (
    (FindingKind.FACE, "somebody can be recognised by it, at once and by machines"),
    (FindingKind.SPEECH, "voices are recognised, and names are spoken"),
    (FindingKind.SOUND, "the same may be in it, and only a person can hear that"),
    (FindingKind.FACE_EXPECTED, "a head under no cover: a face that the detectors missed is likeliest there"),
    (FindingKind.NAME, "a name that is known, or what looks like one"),
    (FindingKind.TEXT, "letters that may be a name"),
    (FindingKind.UNVERIFIABLE, "nothing can be ruled out, and nothing was seen"),
    (FindingKind.NOTE, "analysis asks for a look; nothing was seen on the finished file"),
)
"""Every kind that a person can let pass, and why it stands where it stands."""
_RANK = {kind: rank for rank, (kind, _) in enumerate(GRAVEST_FIRST)}

LARGE_SHARE = 1 / 64
"""Share of the picture from which a box counts as large: an eighth of either side, a face at a few metres."""
LONG_FRAMES = 50
"""Frames from which a run counts as long: two seconds, enough for anybody to see it."""
LEAST = 0.25
"""What the smallest box, and a single frame of a film, still count."""


@dataclass(frozen=True)
class Picture:
    """What extents are measured against."""

    width: int
    height: int
    frames: int


def extent(finding: Finding, picture: Picture) -> float:
    """How much of it there is, 0 to 1: its score, times how large its box is, times how long it lasts.

    What has no box or no frames is taken for large or long: it belongs to the whole file.
    """
    size = length = 1.0
    if finding.box is not None and picture.width > 0 and picture.height > 0:
        share = finding.box[2] * finding.box[3] / (picture.width * picture.height)
        size = min(1.0, max(0.0, share) / LARGE_SHARE)
    if finding.first is not None and finding.last is not None and picture.frames > 1:
        length = min(1.0, (finding.last - finding.first + 1) / min(LONG_FRAMES, picture.frames))
    return finding.score * (LEAST + (1 - LEAST) * size) * (LEAST + (1 - LEAST) * length)


def riskiest_first(
    findings: Sequence[Finding], picture: Picture, time: str, item: str
) -> tuple[int, int, float, int, str, str]:
    """Sort key of an item: the smallest is the one to look at first. `time` is when it was released."""
    blocked = any(SEVERITY[finding.kind] is Verdict.BLOCK for finding in findings)
    last = len(GRAVEST_FIRST)
    rank = min((_RANK.get(finding.kind, -1) for finding in findings), default=last)
    most = max(
        (extent(finding, picture) for finding in findings if _RANK.get(finding.kind, -1) == rank), default=0.0
    )
    return 0 if blocked else 1, rank, -most, -len(findings), time, item
