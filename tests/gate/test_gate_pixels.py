"""From regions to findings to healing tracks: thresholds, merging in time, cadence, and what is skipped."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from fractions import Fraction

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from redact.detect.base import BgrImage, Picture
from redact.findings import Finding, FindingKind, GateReport
from redact.gate.change import ChangeDetector
from redact.gate.heal import heal_tracks
from redact.gate.merge import FindingMerger, select
from redact.gate.pixels import GateDetectors, PixelGate, look_at_frames
from redact.gate.thresholds import AGREED_SCORE, FACE_SCORE, Looks
from redact.media.base import DecodedFrame
from redact.media.pace import Stills
from redact.plan import Box, Kind, MediaFacts, Origin, Region
from redact.policy import Policy

WIDTH, HEIGHT = 320, 180


class Still:
    """A picture made of one array."""

    def __init__(self, image: BgrImage) -> None:
        self._image = image

    @property
    def width(self) -> int:
        return int(self._image.shape[1])

    @property
    def height(self) -> int:
        return int(self._image.shape[0])

    def bgr(self, long_side: int | None = None) -> BgrImage:
        if long_side is None:
            return self._image
        scale = long_side / max(self.width, self.height)
        size = (max(round(self.width * scale), 1), max(round(self.height * scale), 1))
        return np.asarray(cv2.resize(self._image, size, interpolation=cv2.INTER_AREA), dtype=np.uint8)


class Scripted:
    """Sees what the script says for the n-th look."""

    def __init__(self, script: Sequence[list[Region]] = (), always: list[Region] | None = None) -> None:
        self._script = iter(script)
        self._always = always or []
        self.looks = 0

    def look(self, picture: Picture, places: Sequence[Box] | None = None) -> list[Region]:
        self.looks += 1
        return next(self._script, self._always)

    def describe(self) -> list[str]:
        return ["scripted@whole"]


def face(x: float = 50, score: float = 0.9, family: str = "a", size: float = 40) -> Region:
    return Region(Kind.FACE, Box(x, 50, size, size), score, "scripted@whole", family)


def text(y: float = 100, score: float = 0.9, height: float = 20) -> Region:
    return Region(Kind.TEXT, Box(20, y, 200, height), score, "scripted@whole", "ocr")


def plain(level: int = 0) -> Still:
    return Still(np.full((HEIGHT, WIDTH, 3), level, np.uint8))


def film(pictures: Sequence[Picture]) -> Iterator[DecodedFrame]:
    for index, picture in enumerate(pictures):
        yield DecodedFrame(index, Fraction(index, 25), picture)


def run(
    pictures: Sequence[Picture],
    faces: Scripted | None,
    texts: Scripted | None,
    looks: Looks,
    focus: Sequence[int] = (),
) -> tuple[list[Finding], int]:
    gate = PixelGate(WIDTH, HEIGHT, GateDetectors(faces, texts), looks, focus)
    result = look_at_frames(film(pictures), gate, 10_000, lambda _done: None)
    return result.findings, result.frames


def test_one_sure_face_is_a_finding_and_one_unsure_face_is_not() -> None:
    sure, unsure = FACE_SCORE, FACE_SCORE - 0.01
    assert len(select([face(score=sure)])) == 1
    assert select([face(score=unsure)]) == []


def test_two_families_that_agree_need_less_than_one() -> None:
    assert len(select([face(score=AGREED_SCORE, family="a"), face(52, AGREED_SCORE, "b")])) == 1
    assert select([face(score=AGREED_SCORE, family="a"), face(52, AGREED_SCORE, "a")]) == []
    assert select([face(score=AGREED_SCORE, family="a"), face(200, AGREED_SCORE, "b")]) == []


def test_specks_are_no_findings() -> None:
    assert select([face(size=5), text(height=7)]) == []


def test_a_face_seen_by_three_detectors_is_one_finding() -> None:
    (region,) = select([face(50, 0.9, "a"), face(54, 0.8, "b"), face(47, 0.7, "c")])
    assert (region.box.x, region.box.right, region.score) == (47, 94, 0.9)


def test_a_face_through_time_is_one_finding_with_its_union() -> None:
    merger = FindingMerger(WIDTH, HEIGHT)
    for frame in range(0, 12, 3):
        merger.add(frame, [face(50 + frame)], reach=6)
    (finding,) = merger.finish()
    assert (finding.first, finding.last, finding.box) == (0, 9, (50, 50, 49, 40))


def test_a_gap_in_time_makes_two_findings() -> None:
    merger = FindingMerger(WIDTH, HEIGHT)
    for frame in (0, 3, 30, 33):
        merger.add(frame, [face()], reach=6)
    assert [(each.first, each.last) for each in merger.finish()] == [(0, 3), (30, 33)]


def test_a_face_that_crosses_the_picture_is_healed_where_it_was() -> None:
    merger = FindingMerger(WIDTH, HEIGHT)
    for frame in range(24):
        merger.add(frame, [face(10 * frame)], reach=2)
    findings = merger.finish()
    assert len(findings) > 1
    assert all(finding.box is not None and finding.box[2] < WIDTH / 2 for finding in findings)


def test_more_findings_than_can_be_listed_still_send_to_review() -> None:
    merger = FindingMerger(100_000, HEIGHT)
    merger.add(0, [face(60 * n) for n in range(600)], reach=1)
    findings = merger.finish()
    assert findings[-1].box is None
    assert len(findings) == 501


boxes = st.builds(Box, st.floats(-20, 300), st.floats(-20, 160), st.floats(8, 120), st.floats(8, 90))


@given(st.lists(st.tuples(st.integers(0, 3), st.lists(boxes, max_size=4)), max_size=20))
@settings(max_examples=80, deadline=None)
def test_every_region_lies_in_a_finding_at_its_time(steps: list[tuple[int, list[Box]]]) -> None:
    merger = FindingMerger(WIDTH, HEIGHT)
    frame, seen = 0, []
    for step, found in steps:
        frame += step + 1
        regions = [Region(Kind.FACE, box, 0.9, "x", "x") for box in found]
        merger.add(frame, regions, reach=3)
        seen += [(frame, inside) for box in found if (inside := box.clipped(WIDTH, HEIGHT))]
    findings = merger.finish()
    for at, box in seen:
        holders = [each for each in findings if each.first <= at <= each.last and each.box is not None]
        assert any(Box(*each.box).intersection(box) >= 0.999 * box.area for each in holders)


def test_frames_are_looked_at_on_the_cadence_and_in_focus() -> None:
    faces = Scripted()
    run([plain()] * 20, faces, None, Looks(faces=6, text=12), focus=(7, 19))
    assert faces.looks == len({0, 6, 12, 18} | {7, 19})


def test_text_is_not_looked_for_twice_in_the_same_picture_but_is_still_there() -> None:
    texts = Scripted(always=[text()])
    findings, _ = run([plain(80)] * 37, None, texts, Looks(faces=3, text=12))
    assert texts.looks == 1
    assert [(each.first, each.last) for each in findings] == [(0, 36)]


def test_a_caption_that_appears_is_looked_at() -> None:
    blank = np.full((1080, 1920, 3), 90, np.uint8)
    captioned = blank.copy()
    cv2.putText(captioned, "Orinakyan", (300, 900), cv2.FONT_HERSHEY_SIMPLEX, 0.6, (200, 200, 200), 1)
    change = ChangeDetector()
    assert change.changed([Still(blank)])
    assert not change.changed([Still(blank)])
    noisy = np.clip(blank + np.random.default_rng(1).normal(0, 4, blank.shape), 0, 255).astype(np.uint8)
    assert not change.changed([Still(noisy)])
    assert change.changed([Still(captioned)])


def test_a_slow_fade_is_seen_in_the_end() -> None:
    change = ChangeDetector()
    assert sum(change.changed([plain(level)]) for level in range(60, 120, 2)) >= 5


def test_short_films_are_looked_at_on_every_frame_and_long_ones_on_the_cadence() -> None:
    gate = Policy().gate
    assert Looks.of(True, gate.every_frame_below, gate).faces == 1
    assert Looks.of(True, gate.every_frame_below + 1, gate).faces == gate.cadence
    assert Looks.of(True, 0, gate).faces == gate.cadence
    assert Looks.of(False, 5000, gate) == Looks(1, 1)


def report(*findings: Finding, frames: int = 1000, kind: str = "mp4") -> GateReport:
    return GateReport(format=kind, width=WIDTH, height=HEIGHT, frames=frames, findings=findings)


def found(kind: FindingKind, first: int, last: int, box: tuple[float, float, float, float]) -> Finding:
    return Finding(kind=kind, score=0.7, first=first, last=last, box=box)


def test_healing_reaches_the_looks_around_a_finding_and_grows_its_box() -> None:
    policy = Policy()
    tracks = heal_tracks(
        report(
            found(FindingKind.FACE, 30, 36, (100, 50, 40, 40)),
            found(FindingKind.TEXT, 60, 60, (20, 100, 200, 20)),
        ),
        policy,
    )
    (face_span,), (text_span,) = tracks[0].spans, tracks[1].spans
    assert (face_span.first, face_span.last) == (30 - policy.gate.cadence, 36 + policy.gate.cadence)
    reach = 2 * policy.gate.text_cadence  # a caption also fades in and out between looks
    assert (text_span.first, text_span.last) == (60 - reach, 60 + reach)
    assert face_span.box == (80, 30, 80, 80)
    assert text_span.box[1] <= 100 - 8
    assert text_span.box[3] >= 20 + 16
    assert [track.kind for track in tracks] == [Kind.FACE, Kind.TEXT]
    assert all(span.origin is Origin.GATE for track in tracks for span in track.spans)


def test_healing_stays_inside_the_film_and_the_picture() -> None:
    (track,) = heal_tracks(report(found(FindingKind.FACE, 0, 999, (-10, 40, 60, 60))), Policy())
    assert (track.first, track.last, track.spans[0].box) == (0, 999, (0, 10, 80, 120))


def test_what_would_blank_the_picture_is_left_to_a_person() -> None:
    assert heal_tracks(report(found(FindingKind.FACE, 0, 9, (0, 0, 320, 180))), Policy()) == []


def test_healing_a_photo_stays_on_its_one_frame() -> None:
    data = report(found(FindingKind.TEXT, 0, 0, (20, 100, 200, 20)), frames=1, kind="jpeg")
    (track,) = heal_tracks(data, Policy())
    assert (track.first, track.last) == (0, 0)


@pytest.mark.parametrize(
    "kind", [kind for kind in FindingKind if kind not in (FindingKind.FACE, FindingKind.TEXT)]
)
def test_only_faces_and_text_are_healed(kind: FindingKind) -> None:
    assert heal_tracks(report(Finding(kind=kind)), Policy()) == []
    assert heal_tracks(report(Finding(kind=FindingKind.FACE)), Policy()) == []


LARGE = MediaFacts(kind="video", format="mp4", width=3840, height=2160)


def closely(times: Sequence[Fraction], facts: MediaFacts, focus: Sequence[int] = ()) -> tuple[int, int]:
    """Looks at the frames of a film by the gate's usual detectors, and by those for large stills."""
    usual, still = Scripted(), Scripted()
    gate = PixelGate(
        WIDTH, HEIGHT, GateDetectors(usual, None, still=still), Looks(3, 12), focus, stills=Stills(facts)
    )
    frames = [DecodedFrame(index, time, plain()) for index, time in enumerate(times)]
    result = look_at_frames(iter(frames), gate, 1000, lambda _done: None)
    assert [look.frames for look in result.looks] == [looks for looks in (usual.looks, still.looks) if looks]
    return usual.looks, still.looks


def test_large_films_are_looked_at_like_photos_at_shots_and_once_a_second() -> None:
    running = [Fraction(index, 25) for index in range(50)]
    # every third frame is looked at; 25, a second after the first look like at a photo, and 14 come to them
    assert closely(running, LARGE) == (16, 2)
    assert closely(running, LARGE, [14]) == (15, 3)
    small = LARGE.model_copy(update={"width": 1920, "height": 1080})
    assert closely(running, small, [14]) == (18, 0)


def test_a_large_film_of_one_frame_is_looked_at_like_a_photo() -> None:
    assert closely([Fraction(0)], LARGE) == (0, 1)


def test_a_frame_that_is_held_is_looked_at_whatever_its_number() -> None:
    texts, faces = Scripted(always=[text()]), Scripted(always=[face()])
    gate = PixelGate(WIDTH, HEIGHT, GateDetectors(faces, texts), Looks(1000, 1000))
    times = [Fraction(index, 25) if index < 6 else 60 + Fraction(index, 25) for index in range(12)]
    frames = [DecodedFrame(index, time, plain(9 * index)) for index, time in enumerate(times)]
    result = look_at_frames(iter(frames), gate, 1000, lambda _done: None)
    assert (texts.looks, faces.looks) == (2, 2), "the first frame and the one that stays for a minute"
    assert {(each.kind, each.first, each.last) for each in result.findings} == {
        (FindingKind.FACE, 0, 5),
        (FindingKind.TEXT, 0, 5),
    }


def person(score: float = 0.9) -> Region:
    return Region(Kind.HEAD, Box(100, 40, 60, 60), score, "blazepose@224", "blazepose")


def heads_seen(
    picture: Picture, score: float = 0.9, colour: tuple[int, int, int] = (0, 0, 0)
) -> list[Finding]:
    detectors = GateDetectors(Scripted(), None, people=Scripted(always=[person(score)]))
    gate = PixelGate(WIDTH, HEIGHT, detectors, Looks(1, 1), cover_colour=colour)
    return look_at_frames(film([picture]), gate, 10, lambda _done: None).findings


def test_a_person_whose_head_is_under_no_cover_is_a_finding() -> None:
    (finding,) = heads_seen(plain(90))
    assert (finding.kind, finding.box) == (FindingKind.FACE_EXPECTED, (100, 40, 60, 60))
    assert heads_seen(plain(90), score=0.6) == []


def test_in_a_film_a_bare_head_must_be_seen_twice() -> None:
    def seen(*looks: bool) -> int:
        people = Scripted([[person()] if there else [] for there in looks])
        detectors = GateDetectors(Scripted(), None, people=people)
        gate = PixelGate(WIDTH, HEIGHT, detectors, Looks(1, 1), cover_colour=(0, 0, 0))
        frames = 4 * len(looks)
        return len(look_at_frames(film([plain(90)] * frames), gate, frames, lambda _done: None).findings)

    assert seen(False, True, False) == 0
    assert seen(False, True, True) == 1


def test_a_bare_head_that_walks_on_between_two_looks_is_seen_twice() -> None:
    def seen(*steps: int) -> list[tuple[int, int]]:
        people = Scripted([[person()._replace(box=Box(10 + step, 40, 30, 30))] for step in steps])
        detectors = GateDetectors(Scripted(), None, people=people)
        gate = PixelGate(WIDTH, HEIGHT, detectors, Looks(1, 1), cover_colour=(0, 0, 0))
        frames = 4 * len(steps)
        found = look_at_frames(film([plain(90)] * frames), gate, frames, lambda _done: None).findings
        return [(finding.first or 0, finding.last or 0) for finding in found]

    assert seen(0, 60) == [(0, 0), (4, 4)]
    assert seen(0, 130) == []


def test_a_person_whose_head_is_covered_is_none() -> None:
    image = np.full((HEIGHT, WIDTH, 3), 90, np.uint8)
    image[44:100, 104:160] = (30, 20, 10)
    assert heads_seen(Still(image), colour=(10, 20, 30)) == []
    assert len(heads_seen(Still(image), colour=(200, 20, 30))) == 1


def test_people_are_looked_for_less_often_than_faces_but_on_every_focus_frame() -> None:
    people = Scripted()
    gate = PixelGate(
        WIDTH, HEIGHT, GateDetectors(Scripted(), None, people=people), Looks(1, 1), (5,), (0, 0, 0)
    )
    result = look_at_frames(film([plain()] * 9), gate, 10, lambda _done: None)
    assert people.looks == 4  # frames 0, 4, 8 and 5
    assert [(look.what, look.frames) for look in result.looks] == [("faces", 9), ("people", 4)]


@pytest.mark.parametrize(("wish", "covered"), [("cover", 1), ("review", 0)])
def test_a_bare_head_is_covered_or_left_to_a_person_as_the_policy_says(wish: str, covered: int) -> None:
    policy = Policy.model_validate({"faces": {"expected_heads": wish}})
    (finding,) = heads_seen(plain(90))
    report = GateReport(format="jpeg", width=WIDTH, height=HEIGHT, frames=1, findings=(finding,))
    tracks = heal_tracks(report, policy)
    assert len(tracks) == covered
    assert all(track.kind is Kind.FACE for track in tracks)
