"""Mosaic and blur: what is drawn follows from a few coarse numbers, taken once a span."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from redact.cover.padding import pad_face, pad_text
from redact.cover.painter import CoverPainter
from redact.cover.styles import CELLS, LEVELS, NOISE, CellMemory, draw_cells
from redact.plan import Box, CoverIndex, Kind, Origin, Span, Track
from redact.policy import CoverPolicy, FacesPolicy, TextPolicy

KEY = (0, 0, (0.0, 0.0, 64.0, 64.0))
boxes = st.builds(Box, st.floats(0, 500), st.floats(0, 500), st.floats(1, 400), st.floats(1, 400))


def styled(mode: str, frames: list[np.ndarray]) -> list[np.ndarray]:
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
def test_later_frames_of_a_span_add_nothing_of_the_face(mode: str) -> None:
    frames = [np.random.default_rng(n).integers(0, 256, (64, 64, 3), np.uint8) for n in range(5)]
    drawn = styled(mode, frames)
    for each in drawn[1:]:
        assert (each[8:56, 8:56] == drawn[0][8:56, 8:56]).all()


@pytest.mark.parametrize("mode", ["mosaic", "blur"])
def test_the_same_face_looks_different_in_every_render(mode: str) -> None:
    frame = np.random.default_rng(1).integers(0, 256, (64, 64, 3), np.uint8)
    one, two = styled(mode, [frame])[0], styled(mode, [frame])[0]
    assert (one[8:56, 8:56] != two[8:56, 8:56]).any()


def test_a_mosaic_holds_no_more_than_its_cells() -> None:
    area = np.random.default_rng(2).integers(0, 256, (48, 80), np.uint8)
    draw_cells(area, CellMemory().cells(KEY, area, 255), "mosaic")
    assert len(np.unique(area)) <= CELLS * CELLS
    for row in np.array_split(area, CELLS):
        for cell in np.array_split(row, CELLS, axis=1):
            assert (cell == cell[0, 0]).all()


def test_cells_are_levels_plus_noise_that_covers_what_lies_between_levels() -> None:
    class Silent(np.random.Generator):
        def normal(self, *args: object, **kwargs: object) -> np.ndarray:  # type: ignore[override]
            return np.zeros((CELLS, CELLS))

    area = np.random.default_rng(3).integers(0, 256, (64, 64), np.uint8)
    quiet = CellMemory(Silent(np.random.PCG64(0))).cells(KEY, area, 255)
    assert set(np.round(quiet.ravel(), 2)) <= {round(255 * n / (LEVELS - 1), 2) for n in range(LEVELS)}
    loud = CellMemory().cells(KEY, np.full((64, 64), 128, np.uint8), 255)
    assert 0.3 * NOISE * 255 < loud.std() < 3 * NOISE * 255


def test_blur_is_made_of_the_cells_alone() -> None:
    # two areas with the same cells but other pixels are drawn the same
    cells = CellMemory().cells(KEY, np.full((64, 64), 90, np.uint8), 255)
    one = np.random.default_rng(4).integers(0, 256, (64, 64), np.uint8)
    two = np.zeros((64, 64), np.uint8)
    draw_cells(one, cells, "blur")
    draw_cells(two, cells, "blur")
    assert (one == two).all()


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


def test_small_faces_get_more() -> None:
    faces = FacesPolicy()
    small = pad_face(Box(100, 100, 20, 20), faces)
    assert small.w == pytest.approx(20 * (1 + 2 * faces.small_padding))
