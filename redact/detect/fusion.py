"""Fusing what several detectors saw: which boxes show one thing, and whether that thing stands. Pure.

Agreement between families is free recall: what two families see faintly is kept, what one family sees
faintly is not (DESIGN.md, section 6). In video, where few boxes show a face, the cover holds the union of
the raw boxes. In photos a dozen do: there each edge of the cover is where they put it on the average, moved
outward by how much they differ. That covers the same faces as the union and leaves out its outliers.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from redact.plan import Box, Kind, Region


@dataclass(frozen=True)
class FusionRule:
    """When a cluster stands. See the table in `redact.detect.modes` for the values and their reasons."""

    strong: float = 0.40
    """One detection of this score stands alone."""
    weak: float = 0.10
    """Detections of two families stand together from this score."""
    overlap: float = 0.40
    """Intersection over union from which two boxes show one thing."""
    inside: float = 0.75
    """Share of the smaller box inside the larger from which they do, if `reach` allows."""
    reach: float = 3.0
    """Largest ratio of areas of two boxes of one thing; keeps a wild box from swallowing its neighbours."""
    join_score: float = 0.15
    join_share: float = 0.5
    join_area: float = 1.5
    """What the union takes in besides the best box: members of this score, of this share of the best one's,
    and of at most this many times its area. On the same photos: no face lost by these limits, 2 % less of the
    picture covered wrongly. Less area (1.3) saves half a per cent more and loses a face."""
    large: float = 0.4
    large_strong: float = 0.60
    large_weak: float = 0.15
    """For boxes larger than this share of the picture's shorter side: a real face that large scores high,
    and a wrong cover that large spoils the picture. On the same photos: no face lost, 3 % less of the
    picture covered wrongly."""
    spread: float = 0.0
    """0: the box is the union. Else: its edges are the members' means, weighted by score, and `Cluster.waver`
    is this many times their standard deviation."""
    fewest: int = 1
    sure: float = 0.60
    total: float = 0.0
    """A face that scores less than `sure` must have been seen by `fewest` runs, whose best scores add up to
    `total`: noise is seen by few looks, and faintly. Not for pictures with a longer side above `many_looks`,
    at which fewer runs look."""
    many_looks: int = 1400
    person_strong: float = 0.65
    person_weak: float = 0.60
    """The same for heads that a person detector expects, whose scores run higher. Their boxes are
    cruder than a face's: they confirm a face and leave its box alone; without one they are the cover."""
    head_over_face: float = 6.0
    """A head larger than a face in it by more than this factor of areas is somebody else's, nearer."""


@dataclass(frozen=True)
class Cluster:
    """Detections of one thing."""

    box: Box
    """Union or mean of the members' raw boxes, but for faint or much larger ones (see `FusionRule`)."""
    waver: tuple[float, float, float, float]
    """Pixels by which the left, top, right and bottom edge may lie further out than `box` has them."""
    score: float
    """Best member's; a face's, if there is one."""
    members: tuple[Region, ...]
    """Best first, faces before people."""
    stands: bool


def cluster(regions: Sequence[Region], rule: FusionRule, picture: tuple[int, int]) -> list[Cluster]:
    """Group `regions` (faces and heads, or text) around the strongest ones; every region is in one group.

    `picture` is its width and height in pixels.

    Groups that do not stand are returned too: in video they may continue a track.
    """
    if not regions:
        return []
    order = sorted(range(len(regions)), key=lambda n: (_of_person(regions[n]), -regions[n].score))
    boxes = np.array([regions[n].box for n in order], np.float64)
    areas = np.maximum(boxes[:, 2] * boxes[:, 3], 1e-9)
    ends = boxes[:, :2] + boxes[:, 2:]
    free = np.ones(len(order), bool)
    found = []
    for seed in range(len(order)):
        if not free[seed]:
            continue
        size = np.minimum(ends, ends[seed]) - np.maximum(boxes[:, :2], boxes[seed, :2])
        common = np.clip(size[:, 0], 0, None) * np.clip(size[:, 1], 0, None)
        overlap = common / (areas + areas[seed] - common)
        within = common / np.minimum(areas, areas[seed])
        ratio = np.maximum(areas, areas[seed]) / np.minimum(areas, areas[seed])
        same = free & ((overlap >= rule.overlap) | ((within >= rule.inside) & (ratio <= rule.reach)))
        same[seed] = True
        free &= ~same
        found.append(_made([regions[order[n]] for n in np.flatnonzero(same)], rule, picture))
    faces = [group.box for group in found if group.stands and not _of_person(group.members[0])]
    return [
        replace(group, stands=False) if group.stands and _has_a_face(group, faces, rule) else group
        for group in found
    ]


def _has_a_face(group: Cluster, faces: list[Box], rule: FusionRule) -> bool:
    """Whether this is a head whose face has a cover."""
    return _of_person(group.members[0]) and any(
        group.box.holds_centre(face) and group.box.area <= rule.head_over_face * face.area for face in faces
    )


def _of_person(region: Region) -> bool:
    return region.kind is Kind.HEAD


def _union(shapes: list[Region], rule: FusionRule) -> Box:
    box, best = shapes[0].box, shapes[0].score
    largest, faintest = rule.join_area * box.area, max(rule.join_score, rule.join_share * best)
    for shape in shapes[1:]:
        if shape.score >= faintest and shape.box.area <= largest:
            box = box.union(shape.box)
    return box


def _spread(shapes: list[Region], rule: FusionRule) -> tuple[Box, tuple[float, float, float, float]]:
    """Mean edges of the shapes, and how far they stray."""
    seen = [shape for shape in shapes if shape.score >= rule.join_score] or shapes[:1]
    weights = np.array([shape.score for shape in seen])
    edges = np.array([(*shape.box[:2], shape.box.right, shape.box.bottom) for shape in seen])
    mean = np.average(edges, axis=0, weights=weights)
    stray = rule.spread * np.sqrt(np.average((edges - mean) ** 2, axis=0, weights=weights))
    left, top, right, bottom = (float(edge) for edge in mean)
    a, b, c, d = (float(value) for value in stray)
    return Box(left, top, right - left, bottom - top), (a, b, c, d)


def _seen_enough(members: list[Region], rule: FusionRule, picture: tuple[int, int]) -> bool:
    """Whether enough runs saw this face, or one surely."""
    if members[0].score >= rule.sure or _of_person(members[0]) or max(picture) > rule.many_looks:
        return True
    runs: dict[str, float] = {}
    for member in members:
        if not _of_person(member):
            runs[member.source] = max(runs.get(member.source, 0.0), member.score)
    return len(runs) >= rule.fewest and sum(runs.values()) >= rule.total


def _made(members: list[Region], rule: FusionRule, picture: tuple[int, int]) -> Cluster:
    best = members[0].score
    # a head's box is cruder than a face's: only where there is no face it gives the shape
    shapes = [member for member in members if _of_person(member) == _of_person(members[0])]
    box, waver = _spread(shapes, rule) if rule.spread else (_union(shapes, rule), (0.0, 0.0, 0.0, 0.0))
    large = max(members[0].box.w, members[0].box.h) > rule.large * min(picture)
    strong, weak = (rule.large_strong, rule.large_weak) if large else (rule.strong, rule.weak)
    families = {
        member.family
        for member in members
        if member.score >= (rule.person_weak if _of_person(member) else weak)
    }
    alone = best >= (rule.person_strong if _of_person(members[0]) else strong)
    stands = (alone or len(families) >= 2) and _seen_enough(members, rule, picture)
    return Cluster(box, waver, best, tuple(members), stands)
