"""Covers of a line's parts become one band, and the band never leaves out what a part covered."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from redact.cover.bands import banded
from redact.plan import Box, Kind, Region


def text(x: float, y: float, w: float, h: float) -> Region:
    return Region(Kind.TEXT, Box(x, y, w, h), 0.9, "test", "test")


SIZES = st.floats(4, 200)
PLACES = st.floats(0, 1000)
LINES = st.lists(st.builds(text, PLACES, PLACES, SIZES, SIZES), max_size=12)


@given(LINES)
def test_no_part_of_a_region_is_lost(lines: list[Region]) -> None:
    made = banded(lines)
    for line in lines:
        assert any(each.box.intersection(line.box) >= 0.999 * line.box.area for each in made)


@given(LINES)
def test_there_are_never_more_regions_than_before(lines: list[Region]) -> None:
    assert len(banded(lines)) <= len(lines)


def test_words_of_one_line_are_covered_as_one() -> None:
    (band,) = banded([text(100, 500, 120, 30), text(240, 498, 200, 34), text(460, 502, 90, 28)])
    assert band.box == Box(100, 498, 450, 34)


def test_a_name_and_the_role_under_it_have_one_width() -> None:
    name, role = banded([text(100, 500, 150, 30), text(102, 536, 400, 26)])
    assert (name.box.x, name.box.right) == (role.box.x, role.box.right) == (100, 502)


def test_lines_far_apart_stay_apart() -> None:
    lines = [text(100, 100, 150, 30), text(400, 100, 150, 30), text(100, 300, 300, 30)]
    assert banded(lines) == sorted(lines, key=lambda line: line.box.x)


def test_slices_of_a_tilted_line_are_not_blown_up_to_its_upright_box() -> None:
    slices = [text(100 + 40 * n, 100 + 22 * n, 52, 40) for n in range(8)]
    union = slices[0].box.union(slices[-1].box)
    assert sum(each.box.area for each in banded(slices)) < 0.8 * union.area


def test_codes_are_left_as_they_are() -> None:
    code = Region(Kind.CODE, Box(100, 100, 90, 90), 0.9, "zxing", "zxing")
    assert code in banded([code, text(195, 120, 90, 60)])
