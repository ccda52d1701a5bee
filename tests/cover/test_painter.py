"""Covers on pixels and planes: whole inside, nothing outside, nothing of the original left."""

from collections.abc import Iterable

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from redact.cover.colour import yuv_colour
from redact.cover.painter import CoverPainter
from redact.plan import Box, CoverIndex, Kind, Origin, Span, Track
from redact.policy import CoverPolicy

Image = npt.NDArray[np.unsignedinteger]
SUBSAMPLING = {"4:2:0": (2, 2), "4:2:2": (2, 1), "4:4:4": (1, 1), "4:1:1": (4, 1), "4:1:0": (4, 4)}
HUE = (200, 40, 10)

sizes = st.integers(1, 70)
boxes = st.builds(Box, st.floats(-20, 80), st.floats(-20, 80), st.floats(0.1, 60), st.floats(0.1, 60))
seeds = st.integers(0, 2**32 - 1)


def track(
    box: Box, *, kind: Kind = Kind.FACE, origin: Origin = Origin.DETECTED, last: int = 0, number: int = 1
) -> Track:
    return Track(id=number, kind=kind, spans=(Span(first=0, last=last, box=tuple(box), origin=origin),))


def painter(
    tracks: Iterable[Track], width: int, height: int, cover: CoverPolicy | None = None
) -> CoverPainter:
    return CoverPainter(CoverIndex(tracks), cover or CoverPolicy(colour=HUE), width, height)


def noise(seed: int, shape: tuple[int, ...], dtype: type = np.uint8, peak: int | None = None) -> Image:
    top = np.iinfo(dtype).max if peak is None else peak
    return np.random.default_rng(seed).integers(0, top + 1, shape, dtype=dtype)


def touched(box: Box, width: int, height: int) -> npt.NDArray[np.bool_]:
    """Pixels that any part of the box lies on."""
    x, y = np.arange(width), np.arange(height)
    return np.logical_and.outer((y + 1 > box.y) & (y < box.bottom), (x + 1 > box.x) & (x < box.right))


@given(sizes, sizes, boxes, seeds, st.sampled_from([(), (3,), (4,)]), st.sampled_from([np.uint8, np.uint16]))
def test_solid_covers_every_touched_pixel_and_stays_within_a_grid_cell_of_the_box(
    width: int, height: int, box: Box, seed: int, channels: tuple[int, ...], dtype: type
) -> None:
    before = noise(seed, (height, width, *channels), dtype)
    after = before.copy()
    painter([track(box)], width, height).bgr(0, after)
    flat = painter([track(Box(-1, -1, 99, 99))], width, height)
    paint = np.empty_like(before)
    paint[...] = before
    flat.bgr(0, paint)
    inside = touched(box, width, height)
    assert (after[inside] == paint[inside]).all()
    far = ~touched(box.grown(4, 4), width, height)
    assert (after[far] == before[far]).all()


def test_the_solid_colour_is_the_one_asked_for() -> None:
    image = np.zeros((8, 8, 3), np.uint8)
    painter([track(Box(0, 0, 8, 8))], 8, 8).bgr(0, image)
    assert image[3, 3].tolist() == [10, 40, 200]
    deep = np.zeros((8, 8, 3), np.uint16)
    painter([track(Box(0, 0, 8, 8))], 8, 8, CoverPolicy(colour=(255, 0, 0))).bgr(0, deep)
    assert deep[3, 3].tolist() == [0, 0, 65535]


def test_a_covered_pixel_is_opaque() -> None:
    image = np.zeros((8, 8, 4), np.uint8)
    painter([track(Box(0, 0, 4, 4))], 8, 8).bgr(0, image)
    assert (image[:4, :4, 3] == 255).all()
    assert (image[4:, 4:, 3] == 0).all()


@given(sizes, sizes, boxes, seeds, st.sampled_from(sorted(SUBSAMPLING)), st.sampled_from([8, 10, 12]))
def test_every_chroma_sample_of_a_covered_pixel_is_covered(
    width: int, height: int, box: Box, seed: int, subsampling: str, depth: int
) -> None:
    sx, sy = SUBSAMPLING[subsampling]
    dtype = np.uint8 if depth == 8 else np.uint16
    small = (-(-height // sy), -(-width // sx))
    peak = (1 << depth) - 1
    planes = [noise(seed + n, shape, dtype, peak) for n, shape in enumerate([(height, width), small, small])]
    before = [plane.copy() for plane in planes]
    painter([track(box)], width, height).yuv(0, planes, bit_depth=depth, full_range=False, matrix=1)
    wanted = yuv_colour(HUE, matrix=1, bit_depth=depth, full_range=False, height=height)
    inside = touched(box, width, height)
    far = ~touched(box.grown(4, 4), width, height)
    for plane, old, value, (fx, fy) in zip(planes, before, wanted, [(1, 1), (sx, sy), (sx, sy)], strict=True):
        shown = np.repeat(np.repeat(plane, fy, axis=0), fx, axis=1)[:height, :width]
        shown_before = np.repeat(np.repeat(old, fy, axis=0), fx, axis=1)[:height, :width]
        assert (shown[inside] == value).all()
        assert (shown[far] == shown_before[far]).all()


@given(
    st.lists(boxes, min_size=1, max_size=4),
    seeds,
    seeds,
    st.sampled_from(["solid", "mosaic", "blur"]),
    st.sampled_from(["bgr", "yuv420", "yuv444"]),
)
@settings(max_examples=150)
def test_frames_that_differ_only_under_covers_come_out_identical_in_every_style(
    found: list[Box], one: int, two: int, mode: str, layout: str
) -> None:
    width, height = 64, 48
    tracks = [track(each, number=n + 1) for n, each in enumerate(found)]
    inside = np.zeros((height, width), bool)
    for box in found:
        inside |= touched(box, width, height)
    drawn = []
    for seed in (one, two):
        if layout == "bgr":
            planes = [noise(one, (height, width, 3))]
            planes[0][inside] = noise(seed, (height, width, 3))[inside]
        else:
            step = 2 if layout == "yuv420" else 1
            planes = []
            for number, factor in enumerate((1, step, step)):
                shape = (height // factor, width // factor)
                under = inside.reshape(shape[0], factor, shape[1], factor).any(axis=(1, 3))
                plane = noise(one + number, shape)
                plane[under] = noise(seed + number, shape)[under]
                planes.append(plane)
        brush = CoverPainter(
            CoverIndex(tracks), CoverPolicy(mode=mode), width, height, np.random.default_rng(7)
        )
        if layout == "bgr":
            brush.bgr(0, planes[0])
        else:
            brush.yuv(0, planes, bit_depth=8, full_range=False, matrix=1)
        drawn.append(planes)
    for first, second in zip(*drawn, strict=True):
        assert (first == second).all()


@pytest.mark.parametrize("mode", ["mosaic", "blur"])
@pytest.mark.parametrize(
    "always_solid",
    [
        {"kind": Kind.TEXT},
        {"kind": Kind.CODE},
        {"kind": Kind.FACE, "origin": Origin.GATE},
    ],
)
def test_text_and_what_the_gate_still_saw_are_solid_in_every_style(
    mode: str, always_solid: dict[str, Kind | Origin]
) -> None:
    image = noise(1, (64, 64, 3))
    cover = CoverPolicy(mode=mode, colour=HUE)
    # a face lies over it: the solid cover must still be on top
    tracks = [track(Box(8, 8, 32, 32), **always_solid), track(Box(0, 0, 60, 60), number=2)]
    painter(tracks, 64, 64, cover).bgr(0, image)
    assert (image[8:40, 8:40] == (10, 40, 200)).all()
    assert len(np.unique(image[44:60, 44:60].reshape(-1, 3), axis=0)) >= 1
    assert not (image[44:60, 44:60] == (10, 40, 200)).all()


def test_nothing_is_drawn_on_frames_without_a_span() -> None:
    image = noise(3, (32, 32, 3))
    before = image.copy()
    brush = painter([track(Box(4, 4, 8, 8), last=2)], 32, 32)
    brush.bgr(3, image)
    assert (image == before).all()


@pytest.mark.parametrize(
    ("matrix", "full", "white", "red"),
    [
        (1, False, (235, 128, 128), (63, 102, 240)),
        (6, False, (235, 128, 128), (81, 90, 240)),
        (6, True, (255, 128, 128), (76, 85, 255)),
        (0, True, (255, 255, 255), (0, 0, 255)),
    ],
)
def test_colours_in_planes_are_those_of_the_standards(
    matrix: int, full: bool, white: tuple[int, ...], red: tuple[int, ...]
) -> None:
    def colour(rgb: tuple[int, int, int]) -> tuple[int, ...]:
        return yuv_colour(rgb, matrix=matrix, bit_depth=8, full_range=full, height=1080)

    assert colour((255, 255, 255)) == white
    assert colour((255, 0, 0)) == red


def test_an_unspecified_matrix_is_guessed_as_players_do() -> None:
    for height, matrix in ((480, 6), (1080, 1)):
        guess = yuv_colour(HUE, matrix=2, bit_depth=8, full_range=False, height=height)
        assert guess == yuv_colour(HUE, matrix=matrix, bit_depth=8, full_range=False, height=height)
