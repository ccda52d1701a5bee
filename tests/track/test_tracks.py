"""Tracks: no frame between a face's first and last sighting is bare, and nothing crosses a cut."""

import itertools
import time

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from redact.media.pace import Pace, Reach
from redact.plan import Box, CoverIndex, Kind, MediaFacts, OutputSpec, Plan, Region, SourceDigest, Track
from redact.policy import Policy
from redact.track.associate import Sighting, Trail, without_large_noise
from redact.track.builder import TrackBuilder, tracks_for_photo
from redact.track.settings import HOLD, HOLD_AT_EDGE, TrackSettings
from redact.track.shots import ShotDetector, shots_from_cuts

WIDTH, HEIGHT, FRAMES = 640, 360, 80
PACE = Pace.steady(25.0, 3000)
SETTINGS = TrackSettings.from_policy(Policy(), PACE)
HELD, HELD_AT_EDGE = PACE.after(HOLD, 0), PACE.after(HOLD_AT_EDGE, 0)


def _region(box: Box, score: float = 0.8, kind: Kind = Kind.FACE) -> Region:
    return Region(kind, box, score, "yunet@640", "yunet")


def _built(
    truth: dict[int, Box], seen: set[int], shots: list[tuple[int, int]], score: float = 0.8
) -> list[Track]:
    builder = TrackBuilder(WIDTH, HEIGHT, SETTINGS)
    for frame in range(FRAMES):
        builder.add(frame, [_region(truth[frame], score)] if frame in seen and frame in truth else [])
    return builder.finish(shots)


def _covered(index: CoverIndex, frame: int, box: Box) -> float:
    """Share of the box (inside the picture) under covers."""
    mask = np.zeros((HEIGHT, WIDTH), bool)
    for cover in index.at(frame):
        snapped = cover.box.snapped(WIDTH, HEIGHT)
        if snapped:
            x0, y0, x1, y1 = snapped
            mask[y0:y1, x0:x1] = True
    inside = box.snapped(WIDTH, HEIGHT, step=1)
    if inside is None:
        return 1.0
    x0, y0, x1, y1 = inside
    return float(mask[y0:y1, x0:x1].mean())


@st.composite
def motions(draw: st.DrawFn) -> dict[int, Box]:
    """A face that moves and grows smoothly, up to a fifth of its size a frame."""
    size = draw(st.floats(16, 120))
    x, y = draw(st.floats(0, WIDTH - size)), draw(st.floats(0, HEIGHT - size))
    vx, vy = (draw(st.floats(-0.2, 0.2)) * size for _ in range(2))
    growth = draw(st.floats(0.99, 1.01))
    truth = {}
    for frame in range(FRAMES):
        truth[frame] = Box(x, y, size, size)
        x, y, size = x + vx, y + vy, size * growth
    return {frame: box for frame, box in truth.items() if box.clipped(WIDTH, HEIGHT)}


@given(motions(), st.sets(st.integers(0, FRAMES - 1), min_size=2, max_size=FRAMES))
@settings(max_examples=60, deadline=None)
def test_no_frame_between_two_near_sightings_is_uncovered(truth: dict[int, Box], seen: set[int]) -> None:
    visible = sorted(frame for frame in seen if frame in truth)
    index = CoverIndex(_built(truth, seen, [(0, FRAMES - 1)]))
    for a, b in itertools.pairwise(visible):
        if b - a <= 5:
            for frame in range(a, b + 1):
                assert _covered(index, frame, truth[frame]) >= 0.9, (frame, a, b)


@given(motions(), st.integers(8, FRAMES - 9), st.sets(st.integers(0, FRAMES - 1), min_size=1))
@settings(max_examples=40, deadline=None)
def test_no_span_crosses_a_cut(truth: dict[int, Box], cut: int, seen: set[int]) -> None:
    shots = [(0, cut - 1), (cut, FRAMES - 1)]
    for track in _built(truth, seen, shots):
        assert any(first <= track.first and track.last <= last for first, last in shots)


@given(motions(), st.sets(st.integers(0, FRAMES - 1), min_size=1))
@settings(max_examples=40, deadline=None)
def test_the_spans_of_a_track_leave_no_frame_out(truth: dict[int, Box], seen: set[int]) -> None:
    for track in _built(truth, seen, [(0, FRAMES - 1)]):
        index = CoverIndex([track])
        inside = [frame for frame in range(track.first, track.last + 1) if not index.at(frame)]
        assert inside == []


def test_a_still_face_is_covered_before_it_was_first_seen_and_after_it_was_last_seen() -> None:
    truth = dict.fromkeys(range(FRAMES), Box(100, 100, 50, 50))
    index = CoverIndex(_built(truth, {40}, [(0, FRAMES - 1)]))
    assert all(_covered(index, frame, truth[frame]) == 1.0 for frame in range(40 - HELD, 41 + HELD))


@pytest.mark.parametrize(
    ("box", "held"),
    [
        (Box(4, 120, 80, 80), HELD_AT_EDGE),
        (Box(550, 120, 80, 80), HELD_AT_EDGE),
        (Box(300, 270, 80, 80), HELD_AT_EDGE),
        (Box(300, 120, 80, 80), HELD),
    ],
    ids=["left", "right", "bottom", "middle"],
)
def test_who_comes_in_or_goes_out_at_the_edge_is_covered_for_longer(box: Box, held: int) -> None:
    (track,) = _built(dict.fromkeys(range(FRAMES), box), {39, 40}, [(0, FRAMES - 1)])
    assert (track.first, track.last) == (39 - held, 40 + held)


def test_a_face_found_soon_after_a_cut_is_covered_from_the_cut_on() -> None:
    truth = dict.fromkeys(range(FRAMES), Box(100, 100, 50, 50))
    index = CoverIndex(_built(truth, {50}, [(0, 29), (30, FRAMES - 1)]))
    assert _covered(index, 30, truth[30]) == 1.0
    assert index.at(29) == []


def test_a_faint_face_is_followed_back_but_starts_no_track_alone() -> None:
    truth = dict.fromkeys(range(FRAMES), Box(100, 100, 50, 50))
    builder = TrackBuilder(WIDTH, HEIGHT, SETTINGS)
    for frame in range(FRAMES):
        builder.add(frame, [_region(truth[frame], 0.8 if frame >= 60 else 0.15)])
    (track,) = builder.finish([(0, FRAMES - 1)])
    assert (track.first, track.last) == (0, FRAMES - 1)
    assert _built(truth, set(range(FRAMES)), [(0, FRAMES - 1)], score=0.15) == []


def test_two_faces_that_cross_stay_covered() -> None:
    builder = TrackBuilder(WIDTH, HEIGHT, SETTINGS)
    left = {n: Box(20 + 6 * n, 100, 60, 60) for n in range(FRAMES)}
    right = {n: Box(560 - 6 * n, 110, 60, 60) for n in range(FRAMES)}
    for frame in range(FRAMES):
        hidden = abs(left[frame].x - right[frame].x) < 40
        builder.add(
            frame, [_region(left[frame])] if hidden else [_region(left[frame]), _region(right[frame])]
        )
    index = CoverIndex(builder.finish([(0, FRAMES - 1)]))
    for frame in range(FRAMES):
        for truth in (left, right):
            assert _covered(index, frame, truth[frame]) >= 0.9


@pytest.mark.parametrize("cadence", [4, 8])
def test_a_caption_is_covered_from_before_the_first_look_that_saw_it_to_after_the_last(cadence: int) -> None:
    builder = TrackBuilder(WIDTH, HEIGHT, SETTINGS)
    caption = Box(40, 300, 400, 30)
    shown = range(21, 61)
    for frame in range(FRAMES):
        builder.add(frame, [])
        if frame % cadence == 0:
            builder.add_text(frame, [_region(caption, kind=Kind.TEXT)] if frame in shown else [])
    index = CoverIndex(builder.finish([(0, FRAMES - 1)]))
    for frame in shown:
        assert _covered(index, frame, caption) == 1.0


def test_a_plan_of_two_minutes_stays_small_and_quick() -> None:
    builder = TrackBuilder(WIDTH, HEIGHT, SETTINGS)
    noise = np.random.default_rng(0)
    started = time.process_time()
    for frame in range(3000):
        jitter = noise.normal(0, 1.5, (5, 4))
        builder.add(
            frame,
            [_region(Box(100 * n + j[0], 100 + j[1], 60 + j[2], 60 + j[3])) for n, j in enumerate(jitter)],
        )
    tracks = builder.finish([(0, 2999)])
    assert len(tracks) == 5
    plan = Plan(
        item="abcd",
        source=SourceDigest(salt="0" * 32, sha256="0" * 64),
        media=MediaFacts(kind="video", format="mp4", width=WIDTH, height=HEIGHT, frames=3000),
        tracks=tuple(tracks),
        output=OutputSpec(format="mp4"),
    )
    assert len(plan.to_json()) < 120_000
    assert time.process_time() - started < 30


def test_shots_tile_all_frames_and_a_flash_is_no_shot() -> None:
    assert shots_from_cuts([30], 80) == [(0, 29), (30, 79)]
    assert shots_from_cuts([30, 31], 80) == [(0, 79)]
    assert shots_from_cuts([0, 80, 200], 80) == [(0, 79)]
    assert shots_from_cuts([], 0) == []


@given(st.lists(st.integers(0, 120), max_size=12), st.integers(1, 100))
def test_shots_always_tile(cuts: list[int], frames: int) -> None:
    shots = shots_from_cuts(cuts, frames)
    assert shots[0][0] == 0
    assert shots[-1][1] == frames - 1
    assert all(before[1] + 1 == after[0] for before, after in itertools.pairwise(shots))


def test_a_cut_between_two_pictures_is_found_where_it_is() -> None:
    noise = np.random.default_rng(1)
    first = noise.integers(0, 120, (90, 160, 3), dtype=np.uint8)
    second = 255 - first // 3
    detector = ShotDetector()
    starts = [frame for frame in range(60) if detector.add(first if frame < 25 else second)]
    assert starts == [0, 25]
    assert detector.shots() == [(0, 24), (25, 59)]


def test_a_photo_has_a_track_for_everything_that_stands() -> None:
    faces = [_region(Box(10, 10, 40, 40), 0.9), _region(Box(200, 10, 40, 40), 0.15)]
    text = [_region(Box(10, 300, 200, 20), 0.3, Kind.TEXT)]
    tracks = tracks_for_photo(faces, text, WIDTH, HEIGHT, Policy())
    assert [track.kind for track in tracks] == [Kind.FACE, Kind.TEXT]


def trail(sightings: dict[int, tuple[float, bool]]) -> Trail:
    made = Trail()
    for frame, (size, stands) in sorted(sightings.items()):
        made.add(frame, Sighting(Box(0, 0, size, size), 0.5 if stands else 0.2, stands, 1))
    return made


def test_large_faint_sightings_far_from_a_sure_one_end_no_trail() -> None:
    made = trail({0: (200, False), 40: (200, False), 55: (200, False), 60: (200, True), 90: (200, False)})
    assert without_large_noise(made, 90, PACE, Reach(0.5, 4)).frames == [55, 60]


def test_small_faint_ones_and_what_lies_between_sure_ones_stay() -> None:
    small = trail({0: (30, False), 60: (30, True), 99: (30, False)})
    assert without_large_noise(small, 90, PACE, Reach(0.5, 4)).frames == [0, 60, 99]
    between = trail({0: (200, True), 50: (200, False), 100: (200, True)})
    assert without_large_noise(between, 90, PACE, Reach(0.5, 4)).frames == [0, 50, 100]


def test_faint_ones_that_swell_end_a_track() -> None:
    made = trail({50: (100, True), 52: (130, False), 54: (150, False)})
    assert without_large_noise(made, 90, PACE, Reach(0.5, 4)).frames == [50, 52]
    within = trail({50: (100, True), 52: (150, False), 54: (100, True)})
    assert without_large_noise(within, 90, PACE, Reach(0.5, 4)).frames == [50, 52, 54]
