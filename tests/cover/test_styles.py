"""Mosaic and blur: made from what surrounds the cover, with noise that is drawn once a span."""

from typing import Literal

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given
from hypothesis import strategies as st

from redact.cover.padding import pad_face, pad_text, to_near_edges
from redact.cover.painter import CoverPainter
from redact.cover.styles import CELLS, CellNoise, draw_cells, surrounding_cells
from redact.plan import Box, CoverIndex, Kind, Origin, Span, Track
from redact.policy import CoverPolicy, FacesPolicy, TextPolicy

Image = npt.NDArray[np.uint8]
boxes = st.builds(Box, st.floats(0, 500), st.floats(0, 500), st.floats(1, 400), st.floats(1, 400))


def noise(seed: int, shape: tuple[int, ...] = (64, 64, 3)) -> Image:
    return np.random.default_rng(seed).integers(0, 256, shape, np.uint8)


def styled(mode: Literal["mosaic", "blur"], frames: list[Image]) -> list[Image]:
    span = Span(first=0, last=len(frames) - 1, box=(8, 8, 48, 48), origin=Origin.DETECTED)
    track = Track(id=1, kind=Kind.FACE, spans=(span,))
    brush = CoverPainter(CoverIndex([track]), CoverPolicy(mode=mode), 64, 64)
    drawn = []
    for number, frame in enumerate(frames):
        copy = frame.copy()
        brush.bgr(number, copy)
        drawn.append(copy)
    return drawn


@pytest.mark.parametrize("mode", ["mosaic", "blur"])
def test_a_face_that_moves_under_a_cover_changes_nothing(mode: Literal["mosaic", "blur"]) -> None:
    frames = [noise(0) for _ in range(5)]
    for number, frame in enumerate(frames):
        frame[8:56, 8:56] = noise(number + 1, (48, 48, 3))
    drawn = styled(mode, frames)
    for each in drawn[1:]:
        assert (each == drawn[0]).all()


@pytest.mark.parametrize("mode", ["mosaic", "blur"])
def test_the_noise_is_another_in_every_render(mode: Literal["mosaic", "blur"]) -> None:
    one, two = styled(mode, [noise(1)])[0], styled(mode, [noise(1)])[0]
    assert (one[8:56, 8:56] != two[8:56, 8:56]).any()


def test_cells_go_over_from_what_is_on_one_side_to_the_other() -> None:
    plane = np.zeros((60, 60), np.uint8)
    plane[:, 30:] = 200
    hidden = np.zeros((60, 60), bool)
    hidden[10:50, 10:50] = True
    plane[10:50, 10:50] = 77
    cells = surrounding_cells(plane, hidden, (10, 10, 50, 50), 5)
    assert (np.diff(cells, axis=1) >= 0).all()
    assert cells[:, 0].max() < 60
    assert cells[:, -1].min() > 140


def test_what_lies_under_another_cover_is_never_read() -> None:
    plane = np.full((60, 60), 100, np.uint8)
    hidden = np.zeros((60, 60), bool)
    hidden[20:40, 20:40] = True
    hidden[20:40, 40:50] = True
    plane[20:40, 40:50] = 255
    cells = surrounding_cells(plane, hidden, (20, 20, 40, 40), 5)
    assert np.abs(cells - 100).max() < 1e-3


def test_where_nothing_is_visible_the_cover_has_its_plain_colour() -> None:
    plane = noise(2, (20, 20))
    hidden = np.ones((20, 20), bool)
    assert np.abs(surrounding_cells(plane, hidden, (0, 0, 20, 20), 5) - 5).max() < 1e-3


def test_a_mosaic_has_so_many_cells_and_no_more() -> None:
    area = noise(3, (48, 84))
    cells = 128 + 255 * CellNoise().of((0, Box(0, 0, 84, 48)))
    draw_cells(area, cells, 255, "mosaic")
    assert len(np.unique(area)) <= CELLS * CELLS
    for row in np.array_split(area, CELLS):
        for cell in np.array_split(row, CELLS, axis=1):
            assert (cell == cell[0, 0]).all()


def test_values_stay_within_the_depth_of_the_plane() -> None:
    area = np.zeros((12, 12), np.uint16)
    draw_cells(area, np.full((CELLS, CELLS), 5000, np.float32), 1023, "blur")
    assert (area == 1023).all()


@given(boxes)
def test_padding_holds_the_box_and_grows_with_it(box: Box) -> None:
    faces, text = FacesPolicy(), TextPolicy()
    for padded, least in (
        (pad_face(box, faces), faces.min_padding_px),
        (pad_text(box, text), text.min_padding_px),
    ):
        slack = 1e-6
        assert padded.x <= box.x - least + slack
        assert padded.y <= box.y - least + slack
        assert padded.right >= box.right + least - slack
        assert padded.bottom >= box.bottom + least - slack
    assert pad_face(box, faces).w >= box.w * (1 + 2 * faces.padding) - 1e-6


def test_a_small_face_near_the_edge_is_covered_to_the_edge() -> None:
    face = Box(5, 100, 20, 20)
    cover = face.grown(3, 5)
    assert to_near_edges(cover, face, 640, 480) == Box(0, 95, 28, 30)
    right = Box(610, 455, 20, 20)
    assert to_near_edges(right.grown(5, 5), right, 640, 480) == Box(605, 450, 35, 30)
    inner = Box(60, 100, 20, 20)
    assert to_near_edges(inner.grown(5, 5), inner, 640, 480) == inner.grown(5, 5)
    large = Box(5, 100, 40, 40)
    assert to_near_edges(large.grown(3, 5), large, 640, 480) == large.grown(3, 5)


@given(boxes)
def test_reaching_for_the_edge_uncovers_nothing(box: Box) -> None:
    cover = box.grown(5, 5).clipped(2000, 2000)
    if cover is not None:
        assert to_near_edges(cover, box, 2000, 2000).union(cover) == to_near_edges(cover, box, 2000, 2000)
