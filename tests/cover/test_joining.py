"""Covers that are joined hide at least what they hid apart."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from redact.cover.joining import doubles, union, without_gaps
from redact.plan import Box

SIZE = 80
BOXES = st.lists(
    st.builds(
        Box,
        st.integers(0, SIZE - 20).map(float),
        st.integers(0, SIZE - 20).map(float),
        st.integers(1, 20).map(float),
        st.integers(1, 20).map(float),
    ),
    max_size=8,
)


def _drawn(boxes: list[Box]) -> np.ndarray:
    mask = np.zeros((SIZE, SIZE), bool)
    for box in boxes:
        x0, y0, x1, y1 = (int(value) for value in (box.x, box.y, box.right, box.bottom))
        mask[y0:y1, x0:x1] = True
    return mask


@given(BOXES)
def test_every_box_is_in_one_group_and_nothing_is_uncovered(boxes: list[Box]) -> None:
    groups = doubles(boxes)
    assert sorted(n for group in groups for n in group) == list(range(len(boxes)))
    joined = [union([boxes[n] for n in group]) for group in groups]
    assert not (_drawn(boxes) & ~_drawn(joined)).any()
    assert not (_drawn(joined) & ~_drawn(without_gaps(joined))).any()


@given(BOXES)
def test_a_box_grows_by_eight_pixels_at_most_on_each_side(boxes: list[Box]) -> None:
    for before, after in zip(boxes, without_gaps(boxes), strict=True):
        assert before.x - 8 <= after.x <= before.x
        assert before.y - 8 <= after.y <= before.y
        assert before.right <= after.right <= before.right + 8
        assert before.bottom <= after.bottom <= before.bottom + 8


def test_a_small_box_in_a_large_one_is_no_second_thing() -> None:
    assert doubles([Box(30, 30, 10, 10), Box(0, 0, 38, 40)]) == [[1, 0]]


def test_neighbours_that_overlap_stay_two() -> None:
    assert len(doubles([Box(0, 0, 40, 40), Box(25, 0, 40, 40)])) == 2


def test_a_double_that_would_grow_its_cover_much_stays_alone() -> None:
    assert len(doubles([Box(0, 0, 40, 40), Box(35, 0, 30, 0.1)])) == 2
    assert len(doubles([Box(0, 0, 20, 100), Box(2, 30, 22, 20)])) == 1


def test_a_strip_between_two_that_face_each_other_is_covered_from_either_side() -> None:
    for boxes in (
        [Box(0, 0, 30, 30), Box(34, 2, 40, 40)],
        [Box(34, 2, 40, 40), Box(0, 0, 30, 30)],
        [Box(0, 0, 30, 30), Box(2, 35, 40, 40)],
        [Box(2, 35, 40, 40), Box(0, 0, 30, 30)],
    ):
        small = min(without_gaps(boxes), key=lambda box: box.area)
        large = max(boxes, key=lambda box: box.area)
        assert small.x + small.w == large.x or small.y + small.h == large.y


def test_a_wide_gap_and_a_corner_stay_open() -> None:
    apart = [Box(0, 0, 30, 30), Box(39, 0, 30, 30)]
    corner = [Box(0, 0, 30, 30), Box(33, 28, 30, 30)]
    small = [Box(0, 0, 8, 8), Box(11, 0, 8, 8)]
    for boxes in (apart, corner, small):
        assert without_gaps(boxes) == boxes


def test_nothing_gives_nothing() -> None:
    assert doubles([]) == []
    assert without_gaps([]) == []
