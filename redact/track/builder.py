"""Collects what analysis saw, frame by frame and in little memory, and makes the plan's tracks of it."""

from __future__ import annotations

from array import array
from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Iterator, Sequence
from functools import partial

from redact.cover.bands import banded
from redact.cover.joining import doubles, union, without_gaps
from redact.cover.padding import pad_face, pad_text, to_near_edges
from redact.detect.fusion import Cluster, FusionRule, cluster
from redact.detect.modes import FACE_FUSION, VIDEO_FACE_FUSION
from redact.detect.overlay import strays
from redact.plan import Box, Kind, Origin, Region, Span, Track
from redact.policy import Policy
from redact.track.associate import Sighting, Trail, associate, without_large_noise
from redact.track.captions import caption_frames, unbroken
from redact.track.settings import GAP, HOLD, TEXT_GAP, TEXT_HOLD, TrackSettings
from redact.track.spans import fill, gather

TEXT_FUSION = FusionRule(
    strong=0.0, weak=0.0, overlap=0.3, large_strong=0.0, join_score=0.0, join_share=0.0, join_area=4.0
)
"""Every text region stands, and nothing of it is left out of the union: its detector has a floor of its own,
and where one network sees a word and another the whole line, the line is covered."""
LARGE_NOISE = 0.25
"""Share of the picture's shorter side from which faint faces do not lengthen a track for long: on soft film
YuNet goes on for seconds seeing half a room as a faint face."""


class _Sightings:
    """Sightings by frame in flat arrays: 40 bytes each, so that hours of video fit in memory."""

    def __init__(self) -> None:
        self._frames = array("l")
        self._values = array("f")
        self._sources = array("Q")
        self.looked: list[int] = []

    def add(self, frame: int, sightings: Iterable[Sighting]) -> None:
        self.looked.append(frame)
        for sighting in sightings:
            self._frames.append(frame)
            self._values.extend((*sighting.box, sighting.score, float(sighting.stands)))
            self._sources.append(sighting.sources)

    def between(self, first: int, last: int) -> dict[int, list[Sighting]]:
        """Sightings of the looked-at frames from `first` to `last`, inclusive."""
        found: dict[int, list[Sighting]] = {frame: [] for frame in self.looked if first <= frame <= last}
        for n, frame in enumerate(self._frames):
            if first <= frame <= last:
                x, y, w, h, score, stands = self._values[6 * n : 6 * n + 6]
                found[frame].append(Sighting(Box(x, y, w, h), score, stands > 0, self._sources[n]))
        return found


class TrackBuilder:
    """Takes the regions of an item's frames in ascending order; `finish` gives its tracks.

    `width` and `height` are those of the displayed picture, in whose pixels all regions are.
    """

    def __init__(self, width: int, height: int, settings: TrackSettings) -> None:
        self._size = (width, height)
        self._settings = settings
        self._faces, self._text = _Sightings(), _Sightings()
        self._names: list[str] = []

    def _sightings(self, regions: Sequence[Region], rule: FusionRule) -> Iterator[Sighting]:
        for group in cluster(regions, rule, self._size):
            sources = 0
            for member in group.members:
                if member.source not in self._names:
                    self._names.append(member.source)
                sources |= 1 << min(self._names.index(member.source), 63)
            yield Sighting(group.box, group.score, group.stands, sources)

    def add(self, frame: int, regions: Sequence[Region]) -> None:
        """Faces seen on a frame; every frame is looked at."""
        self._faces.add(frame, self._sightings(regions, VIDEO_FACE_FUSION))

    def add_text(self, frame: int, regions: Sequence[Region]) -> None:
        """All text known to be on a frame that was looked at."""
        self._text.add(frame, self._sightings(banded(regions), TEXT_FUSION))

    def finish(self, shots: Sequence[tuple[int, int]]) -> list[Track]:
        """Tracks of the whole item, faces first. No track crosses a shot's edge."""
        tracks: list[Track] = []
        settings = self._settings
        for shot in shots:
            trails = associate(self._faces.between(*shot), settings.pace, GAP, HOLD)
            for trail in trails:
                trail = without_large_noise(  # noqa: PLW2901
                    trail, LARGE_NOISE * min(self._size), settings.pace, HOLD
                )
                spans = gather(
                    fill(trail, shot, self._size, settings),
                    partial(_pad_moving, settings=settings),
                    self._size,
                    settings,
                )
                self._append(tracks, Kind.FACE, trail, spans)
        for shot in shots:
            for trail, spans in self._text_in(shot):
                self._append(tracks, Kind.TEXT, trail, spans)
        return tracks

    def _text_in(self, shot: tuple[int, int]) -> Iterator[tuple[Trail, list[Span]]]:
        looked = self._text.between(*shot)
        settings = self._settings
        trails = associate(looked, settings.pace, TEXT_GAP, TEXT_GAP)
        frames = sorted(looked)
        for trail in (part for whole in trails for part in unbroken(whole)):
            if settings.text.mode == "captions" and strays([each.box for each in trail.seen.values()]):
                continue
            at, to = bisect_left(frames, trail.first), bisect_right(frames, trail.last)
            near = (frames[at - 1] if at else shot[0] - 1, frames[to] if to < len(frames) else shot[1] + 1)
            hold = (settings.pace.before(TEXT_HOLD, trail.first), settings.pace.after(TEXT_HOLD, trail.last))
            placed = caption_frames(trail, shot, hold, near, self._size)
            pad = partial(pad_text, policy=settings.text)
            yield trail, gather(placed, pad, self._size, settings)

    def _append(self, tracks: list[Track], kind: Kind, trail: Trail, spans: list[Span]) -> None:
        if not spans:
            return
        mask = 0
        for sighting in trail.seen.values():
            mask |= sighting.sources
        sources = tuple(name for n, name in enumerate(self._names) if mask >> min(n, 63) & 1)
        score = min(1.0, max(sighting.score for sighting in trail.seen.values()))
        tracks.append(
            Track(id=len(tracks) + 1, kind=kind, score=round(score, 4), sources=sources, spans=tuple(spans))
        )


def _pad_moving(box: Box, settings: TrackSettings) -> Box:
    waver = settings.small_waver if max(box.w, box.h) < settings.small else settings.waver
    return pad_face(box, settings.faces).grown(waver * box.w, waver * box.h)


def tracks_for_photo(
    faces: Sequence[Region], text: Sequence[Region], width: int, height: int, policy: Policy
) -> list[Track]:
    """Tracks of a single picture: one for every thing whose group, or groups, stand."""
    rule_for_faces = FACE_FUSION.get(policy.faces.mode, FusionRule())  # off: there are none
    drawn: list[tuple[Kind, Box, list[Cluster]]] = []
    found = [
        (pad_face(group.box, policy.faces).widened(*group.waver), group)
        for group in cluster(faces, rule_for_faces, (width, height))
        if group.stands
    ]
    near = [to_near_edges(cover, group.box, width, height) for cover, group in found]
    together = doubles(near)
    covers = without_gaps([union([near[n] for n in each]) for each in together])
    for cover, each in zip(covers, together, strict=True):
        drawn.append((Kind.FACE, cover, [found[n][1] for n in each]))
    for group in cluster(banded(text), TEXT_FUSION, (width, height)):
        if group.stands:
            drawn.append((group.members[0].kind, pad_text(group.box, policy.text), [group]))
    tracks: list[Track] = []
    for kind, cover, groups in drawn:
        inside = cover.clipped(width, height)
        if inside is None:
            continue
        span = Span(first=0, last=0, box=tuple(inside), origin=Origin.DETECTED)
        sources = tuple(sorted({member.source for group in groups for member in group.members}))
        score = min(1.0, round(max(group.score for group in groups), 4))
        tracks.append(Track(id=len(tracks) + 1, kind=kind, score=score, sources=sources, spans=(span,)))
    return tracks
