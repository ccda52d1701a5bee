"""Looks at the decoded frames of a finished file for faces and text, on a cadence and on frames that matter.

Takes frames from a media handler, which is asked for all of them: a file that stops decoding half-way is
found out even where no frame is looked at.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Literal, Protocol

from redact.detect.base import Picture
from redact.detect.modes import (
    gate_face_ensemble,
    gate_people_ensemble,
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
from redact.gate.merge import FindingMerger, overlap_of_smaller, select
from redact.gate.second_look import SecondLook
from redact.gate.thresholds import HEAD_COVERED, PEOPLE_LOOKS, STILL_THERE, Looks
from redact.media.base import DecodedFrame
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
    ) -> None:
        """`cover_colour` (red, green, blue) is the policy's; None to take every finding at its word.
        `listed` reads the text that is seen, whether or not it is `counted` as a finding by itself."""
        self._detectors = detectors
        self._looks = looks
        self._focus = frozenset(focus)
        self._cover_colour = cover_colour
        self._listed, self._counted = listed, counted
        self._faces = FindingMerger(width, height)
        self._people = FindingMerger(width, height)
        self._text = FindingMerger(width, height)
        self._change = ChangeDetector()
        self._last_text: list[Region] = []
        self._focus_text = 0
        self.face_looks = 0
        self.people_looks = 0
        self.text_looks = 0
        self.text_same = 0

    def add(self, frame: DecodedFrame) -> None:
        """Look at one frame, if it is its turn."""
        index = frame.index
        focus = index in self._focus
        faces, text = self._detectors.faces, self._detectors.text
        if faces is not None and (focus or index % self._looks.faces == 0):
            seen = self._confirmed(frame.picture, select(faces.look(frame.picture)))
            self._faces.add(index, seen, 2 * self._looks.faces)
            if focus or self.face_looks % PEOPLE_LOOKS == 0:
                heads = self._bare_heads(frame.picture)
                self._people.add(index, heads, 2 * PEOPLE_LOOKS * self._looks.faces)
            self.face_looks += 1
        if text is None:
            return
        due = index % self._looks.text == 0
        if not due and focus and self._focus_text < FOCUS_TEXT_LOOKS + index // self._looks.text:
            self._focus_text += 1
            due = True
        if due:
            if self._change.changed(frame.picture):
                self.text_looks += 1
                self._last_text = self._see_text(text, frame.picture)
            else:
                self.text_same += 1  # the same picture: what was there is there still
            self._text.add(index, self._last_text, 2 * self._looks.text)
            if self._listed is not None:
                self._listed.add(index, 2 * self._looks.text)

    def _bare_heads(self, picture: Picture) -> list[Region]:
        """Heads of people seen by their bodies that lie under no cover."""
        people = self._detectors.people
        if people is None or self._cover_colour is None:
            return []
        self.people_looks += 1
        heads = select(people.look(picture))
        if not heads:
            return []
        covers = PastCovers(picture, self._cover_colour)
        return [head for head in heads if covers.share(head.box) < HEAD_COVERED]

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
            by = ", ".join(faces.describe())
            result.looks.append(Look(what="faces", by=by, frames=self.face_looks, of_frames=frames))
        if self.people_looks and self._detectors.people is not None:
            # over thousands of frames a covered body is once taken for another; a bare head is there again
            result.findings += [
                finding for finding in self._people.finish() if frames == 1 or finding.first != finding.last
            ]
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


def look_at_frames(
    frames: Iterable[DecodedFrame], gate: PixelGate, most: int, progress: Callable[[int], None]
) -> PixelResult:
    """Run `gate` over all frames; more than `most` frames end the look with a finding."""
    counted = 0
    for frame in frames:
        counted += 1
        if counted > most:
            result = gate.finish(counted)
            result.findings.append(Finding(kind=FindingKind.UNVERIFIABLE, detail="limits.max_frames"))
            return result
        gate.add(frame)
        progress(counted)
    return gate.finish(counted)
