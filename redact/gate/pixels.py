"""Looks at the decoded frames of a finished file for faces and text, on a cadence and on frames that matter.

Takes frames from a media handler, which is asked for all of them: a file that stops decoding half-way is
found out even where no frame is looked at.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Literal, Protocol

from redact.detect.base import Picture
from redact.detect.modes import (
    gate_face_ensemble,
    gate_people_ensemble,
    gate_still_ensemble,
    gate_text_ensemble,
    second_look_faces,
    second_look_text,
)
from redact.detect.overlay import overlay_like
from redact.detect.weights import ModelStore
from redact.findings import Finding, FindingKind, Look
from redact.gate.change import ChangeDetector
from redact.gate.covers import PastCovers
from redact.gate.listed import ListedText
from redact.gate.merge import FindingMerger, joined, overlap_of_smaller, seen_again, select
from redact.gate.second_look import SecondLook
from redact.gate.thresholds import HEAD_COVERED, PEOPLE_LOOKS, STILL_THERE, Looks
from redact.media.base import DecodedFrame
from redact.media.pace import Moment, Stills, moments
from redact.plan import Box, Kind, Region
from redact.policy import Policy

Counted = Literal["all", "captions", "codes", "none"]
"""Uncovered text that is a finding by itself, whatever it says; in `captions`, codes are too."""

FOCUS_TEXT_LOOKS = 8
"""Text looks on focus frames beyond one for every text cadence."""


class Ensemble(Protocol):
    """What the gate asks of a set of detectors."""

    def look(self, picture: Picture, places: Sequence[Box] | None = None) -> list[Region]:
        """Every region on the picture, in its own pixels; of tiles, only those at `places` are looked at."""

    def describe(self) -> list[str]:
        """Name and scale of every detector."""


@dataclass(frozen=True)
class GateDetectors:
    """The ensembles that look; None where the policy does not ask for a look."""

    faces: Ensemble | None
    text: Ensemble | None
    second: SecondLook | None = None
    """Confirms what they see; None to take every sighting at its word."""
    people: Ensemble | None = None
    """Sees people by their bodies; their heads must lie under solid covers."""
    still: Ensemble | None = None
    """Sees faces on those frames of a large video that are looked at like a photo; None: `faces` does."""

    @classmethod
    def load(cls, policy: Policy, store: ModelStore, *, standalone: bool, video: bool) -> GateDetectors:
        """Ensembles for one kind of file.

        Raises:
            ModelError: weights are missing or altered.
        """
        return cls(
            gate_face_ensemble(store, standalone=standalone, video=video) if policy.gate.faces else None,
            gate_text_ensemble(store) if policy.gate.text else None,
            SecondLook(lambda: second_look_faces(store), lambda: second_look_text(store)),
            gate_people_ensemble(store) if policy.gate.faces and looks_for_people(policy) else None,
            gate_still_ensemble(store) if policy.gate.faces and video and not standalone else None,
        )


def looks_for_people(policy: Policy) -> bool:
    """Only solid covers can be told from bare heads, so the gate looks for people only with these."""
    return policy.faces.expected_heads != "off" and policy.cover.mode == "solid"


@dataclass
class PixelResult:
    """What the look at the frames gave."""

    frames: int = 0
    findings: list[Finding] = field(default_factory=list)
    looks: list[Look] = field(default_factory=list)


class PixelGate:
    """One pass over the frames of one file."""

    def __init__(
        self,
        width: int,
        height: int,
        detectors: GateDetectors,
        looks: Looks,
        focus: Sequence[int] = (),
        cover_colour: tuple[int, int, int] | None = None,
        listed: ListedText | None = None,
        *,
        counted: Counted = "all",
        stills: Stills | None = None,
    ) -> None:
        """`cover_colour` (red, green, blue) is the policy's; None to take every finding at its word.
        `listed` reads the text that is seen, whether or not it is `counted` as a finding by itself.
        `stills` says which frames are looked at like photos; None: none."""
        self._detectors = detectors
        self._looks = looks
        self._focus = frozenset(focus)
        self._cover_colour = cover_colour
        self._listed, self._counted, self._stills = listed, counted, stills
        self._faces = FindingMerger(width, height)
        self._people = FindingMerger(width, height)
        self._text = FindingMerger(width, height)
        self._change = ChangeDetector()
        self._last_text: list[Region] = []
        self._focus_text = 0
        self.face_looks = 0
        self.still_looks = 0
        self.people_looks = 0
        self.text_looks = 0
        self.text_same = 0

    def add(self, frame: DecodedFrame, moment: Moment) -> None:
        """Look at one frame, if it is its turn. Frames that are held are looked at in any case."""
        index = frame.index
        focus = index in self._focus or moment.held
        faces, text = self._detectors.faces, self._detectors.text
        close = self._stills is not None and self._stills.due(moment, begins=focus)
        if faces is not None and (focus or close or index % self._looks.faces == 0):
            if close and self._detectors.still is not None:
                self.still_looks += 1
                faces = self._detectors.still
            seen = on_all_looks(frame, partial(self._see_faces, faces))
            self._faces.add(index, seen, 2 * self._looks.faces)
            if focus or self.face_looks % PEOPLE_LOOKS == 0:
                heads = self._bare_heads(frame)
                self._people.add(index, heads, 2 * PEOPLE_LOOKS * self._looks.faces)
            self.face_looks += 1
        if text is None:
            return
        due = index % self._looks.text == 0
        if not due and moment.held:
            due = True
        elif not due and focus and self._focus_text < FOCUS_TEXT_LOOKS + index // self._looks.text:
            self._focus_text += 1
            due = True
        if due:
            if self._change.changed(frame.looks()):
                self.text_looks += 1
                if self._listed is not None:
                    self._listed.begin()
                self._last_text = on_all_looks(frame, partial(self._see_text, text))
            else:
                self.text_same += 1  # the same picture: what was there is there still
            self._text.add(index, self._last_text, 2 * self._looks.text)
            if self._listed is not None:
                self._listed.add(index, 2 * self._looks.text)

    def _see_faces(self, faces: Ensemble, picture: Picture) -> list[Region]:
        return self._confirmed(picture, select(faces.look(picture)))

    def _bare_heads(self, frame: DecodedFrame) -> list[Region]:
        """Heads of people seen by their bodies that lie under no cover."""
        people, colour = self._detectors.people, self._cover_colour
        if people is None or colour is None:
            return []
        self.people_looks += 1

        def bare(picture: Picture) -> list[Region]:
            heads = select(people.look(picture))
            if not heads:
                return []
            covers = PastCovers(picture, colour)
            return [head for head in heads if covers.share(head.box) < HEAD_COVERED]

        return on_all_looks(frame, bare)

    def _confirmed(self, picture: Picture, regions: list[Region]) -> list[Region]:
        second = self._detectors.second
        return second.confirmed(picture, regions) if second is not None else regions

    def _counts(self, picture: Picture, region: Region) -> bool:
        """Whether text is a finding by itself; a code always is, where text is looked for at all."""
        if self._counted in ("all", "none") or region.kind is not Kind.TEXT:
            return self._counted != "none"
        return self._counted == "captions" and overlay_like(picture, region)

    def _see_text(self, text: Ensemble, picture: Picture) -> list[Region]:
        """Text on the picture, without what only the corners of covers look like."""
        seen = text.look(picture)
        if self._listed is not None:
            self._listed.look(picture, select(seen))
        regions = self._confirmed(picture, select([each for each in seen if self._counts(picture, each)]))
        if self._cover_colour is None or not regions:
            return regions
        past = PastCovers(picture, self._cover_colour)
        doubtful = [each for each in regions if each.kind is Kind.TEXT and past.touched(each.box)]
        if not doubtful:
            return regions
        again = select(text.look(past, [each.box for each in doubtful]))
        return [
            region
            for region in regions
            if region not in doubtful
            or any(overlap_of_smaller(region.box, other.box) >= STILL_THERE for other in again)
        ]

    def finish(self, frames: int) -> PixelResult:
        """Findings and looks, after `frames` frames."""
        result = PixelResult(frames)
        faces, text = self._detectors.faces, self._detectors.text
        if faces is not None:
            result.findings += self._faces.finish()
            rows = [(faces, self.face_looks - self.still_looks), (self._detectors.still, self.still_looks)]
            for ensemble, looks in rows:
                if ensemble is not None and (looks or (ensemble is faces and not self.face_looks)):
                    by = ", ".join(ensemble.describe())
                    result.looks.append(Look(what="faces", by=by, frames=looks, of_frames=frames))
        if self.people_looks and self._detectors.people is not None:
            heads, reach = self._people.finish(), 2 * PEOPLE_LOOKS * self._looks.faces
            result.findings += heads if frames == 1 else seen_again(heads, reach)
            by = ", ".join(self._detectors.people.describe())
            result.looks.append(Look(what="people", by=by, frames=self.people_looks, of_frames=frames))
        if text is not None:
            result.findings += self._text.finish()
            by = ", ".join(text.describe())
            if self.text_same:
                by += f" ({self.text_same} more frames not looked at: unchanged since the last look)"
            what = {"all": "text", "captions": "captions", "codes": "codes, and text to read"}.get(
                self._counted, "text to read"
            )
            result.looks.append(Look(what=what, by=by, frames=self.text_looks, of_frames=frames))
        if self._listed is not None and text is not None:
            found, look = self._listed.finish(frames)
            result.findings += found
            result.looks.append(look)
        return result


def on_all_looks(frame: DecodedFrame, see: Callable[[Picture], list[Region]]) -> list[Region]:
    """What is seen on any picture of the frame; of a see-through frame, which has several, joined."""
    seen = [see(picture) for picture in frame.looks()]
    return seen[0] if len(seen) == 1 else joined([region for each in seen for region in each])


def look_at_frames(
    frames: Iterable[DecodedFrame], gate: PixelGate, most: int, progress: Callable[[int], None]
) -> PixelResult:
    """Run `gate` over all frames; more than `most` frames end the look with a finding."""
    counted = 0
    for frame, moment in moments(frames):
        counted += 1
        if counted > most:
            result = gate.finish(counted)
            result.findings.append(Finding(kind=FindingKind.UNVERIFIABLE, detail="limits.max_frames"))
            return result
        gate.add(frame, moment)
        progress(counted)
    return gate.finish(counted)
