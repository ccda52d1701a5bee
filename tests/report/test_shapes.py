"""Timelines and maps: nothing covered is left out, nothing is drawn outside, and no item makes them huge."""

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st
from report_samples import DIGEST, cover, face, gate, photo, report

from redact.plan import Kind
from redact.report.items import merged
from redact.report.models import OutputFacts, Timeline
from redact.report.shapes import (
    EDGE,
    GUTTER,
    MOST_BOXES,
    MOST_LANES,
    WIDTH,
    Drawing,
    lanes,
    place_map,
    timeline,
)

RUN = st.tuples(st.integers(0, 200), st.integers(0, 30)).map(lambda run: (run[0], run[0] + run[1]))
TRACKS = st.lists(st.lists(RUN, min_size=1, max_size=4).map(merged), max_size=25)


def _frames(runs: object) -> set[int]:
    return {frame for first, last in runs for frame in range(first, last + 1)}  # type: ignore[attr-defined]


@given(st.lists(RUN))
def test_merging_keeps_every_frame_and_leaves_no_neighbours(runs: list[tuple[int, int]]) -> None:
    result = merged(runs)
    assert _frames(result) == _frames(runs)
    assert all(after[0] > before[1] + 1 for before, after in pairwise(result))


@given(TRACKS)
def test_every_covered_frame_is_in_some_lane(tracks: list[tuple[tuple[int, int], ...]]) -> None:
    rows = lanes(tracks)
    assert len(rows) <= MOST_LANES
    assert _frames(run for row in rows for run in row) == _frames(run for track in tracks for run in track)


def test_tracks_that_overlap_lie_under_each_other() -> None:
    assert lanes([((0, 5),), ((3, 9),), ((6, 9),)]) == [((0, 9),), ((3, 9),)]


def _drawn(drawing: Drawing | None, look: str) -> list[tuple[float, float]]:
    assert drawing is not None
    return [(shape.x, shape.x + shape.w) for shape in drawing.shapes if shape.look == look]


def test_a_gap_in_a_cover_is_seen_on_the_timeline() -> None:
    made = timeline(report("film0000", "REVIEW", gate=gate(face(31, 39))))
    (first, gap), (again, end) = _drawn(made, "face")
    assert first == GUTTER
    assert end == WIDTH - EDGE
    ((begins, ends),) = _drawn(made, "finding")
    assert gap <= begins + 0.1 and ends <= again + 0.1, "the finding lies in the gap"
    assert len(_drawn(made, "shot0")) == len(_drawn(made, "shot1")) == 1


def test_a_film_of_ten_thousand_covers_stays_a_small_drawing() -> None:
    frames = 20_000
    covers = tuple(cover(Kind.FACE, (2 * n, 2 * n)) for n in range(frames // 2))
    made = timeline(
        report(
            "film0000",
            output=OutputFacts(sha256=DIGEST, format="mp4", width=64, height=36, frames=frames),
            timeline=Timeline(shots=tuple((n, n) for n in range(frames)), covers=covers),
            gate=gate(*(face(n, n) for n in range(0, frames, 7))),
        )
    )
    assert made is not None
    assert 0 < len(made.shapes) < 1500
    assert all(shape.x >= GUTTER and shape.x + shape.w <= WIDTH - EDGE + 2 for shape in made.shapes)


def test_a_photo_has_a_map_and_no_timeline() -> None:
    made = photo("photo000", "REVIEW", gate=gate(face(0, 0, (900, 600, 600, 600)), face(0, 0)))
    assert timeline(made) is None
    drawing = place_map(made)
    assert drawing is not None
    assert (drawing.width, drawing.height) == (300, 200)
    assert [(shape.look, shape.x, shape.y, shape.w, shape.h) for shape in drawing.shapes] == [
        ("face", 75, 50, 30, 40),
        ("finding", 225, 150, 75, 50),
    ], "what reaches beyond the frame is cut"
    assert [label.text for label in drawing.labels] == ["1"]
    assert "1 covers and 1 of 2 findings" in drawing.text


def test_places_that_are_no_places_are_not_drawn() -> None:
    nowhere = [(float("nan"), 0, 5, 5), (float("inf"), 0, 5, 5), (5000, 5000, 10, 10), (-20, -20, 5, 5)]
    drawing = place_map(photo("photo000", "REVIEW", gate=gate(*(face(0, 0, box) for box in nowhere))))
    assert drawing is not None
    assert [shape.look for shape in drawing.shapes] == ["face"]


def test_a_film_has_a_map_only_for_findings_with_a_place() -> None:
    assert place_map(report("film0000")) is None
    assert place_map(report("film0000", "REVIEW", gate=gate(face(1, 2)))) is None
    drawing = place_map(report("film0000", "REVIEW", gate=gate(face(1, 2, (0, 0, 64, 36)))))
    assert drawing is not None
    assert [shape.look for shape in drawing.shapes] == ["finding"]


def test_a_crowd_is_drawn_up_to_a_bound_and_says_so() -> None:
    boxes = tuple((float(n % 100), float(n // 100), 5.0, 5.0) for n in range(3 * MOST_BOXES))
    drawing = place_map(photo("photo000", timeline=Timeline(covers=(cover(Kind.FACE, (0, 0), boxes=boxes),))))
    assert drawing is not None
    assert len(drawing.shapes) == MOST_BOXES
    assert f"the first {MOST_BOXES}" in drawing.text
