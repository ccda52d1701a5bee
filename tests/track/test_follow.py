"""What a person drew a box around stays covered: on moving textures of known place."""

import math
from collections.abc import Callable, Sequence

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from redact.errors import UsageError
from redact.media.picture import ArrayPicture
from redact.plan import Box, Kind, Origin, Span
from redact.track import follow as follow_module
from redact.track.follow import follow
from redact.track.keys import Guess, KeyFrame, between, held, kept_inside

SIZE = (256, 144)
FRAMES = 51


def texture(seed: int, width: int, height: int, contrast: float = 60.0) -> np.ndarray:
    """H x W x 3: soft blobs of a few pixels."""
    noise = np.random.default_rng(seed).normal(0, 1, (height, width)).astype(np.float32)
    soft = cv2.GaussianBlur(noise, (0, 0), 2.0)
    grey = np.clip(120 + contrast * soft / soft.std(), 0, 255).astype(np.uint8)
    return np.repeat(grey[..., None], 3, axis=2)


def scene(place: Callable[[int], Box], *, frames: int = FRAMES, bar: tuple[int, int] = (0, 0)) -> list:
    """Pictures with one textured thing, whose box on frame n is `place(n)`, before a panning background."""
    thing, behind = texture(1, 64, 64, 70), texture(2, SIZE[0] + 64, SIZE[1] + 8, 35)
    pictures = []
    for n in range(frames):
        image = behind[n // 8 : n // 8 + SIZE[1], n // 4 : n // 4 + SIZE[0]].copy()
        x, y, w, h = place(n)
        warp = np.array([[w / 64, 0, x], [0, h / 64, y]], np.float32)
        drawn = cv2.warpAffine(thing, warp, SIZE)
        shown = cv2.warpAffine(np.full((64, 64), 255, np.uint8), warp, SIZE) > 127
        image[shown] = drawn[shown]
        image[:, bar[0] : bar[1]] = 30
        pictures.append(ArrayPicture(image))
    return pictures


def drawn(place: Callable[[int], Box], frames: Sequence[int]) -> list[KeyFrame]:
    return [KeyFrame(frame, place(frame)) for frame in frames]


def covered(spans: Sequence[Span], frame: int, box: Box) -> float:
    """Share of what is in the picture of the box that the frame's span covers."""
    (span,) = (span for span in spans if span.first <= frame <= span.last)
    inside = box.clipped(*SIZE)
    return 1.0 if inside is None else Box(*span.box).intersection(inside) / inside.area


def tiled(spans: Sequence[Span]) -> list[int]:
    return [frame for span in spans for frame in range(span.first, span.last + 1)]


def sideways(n: int) -> Box:
    return Box(20 + 3.2 * n, 50 + 12 * math.sin(n / 6), 30, 36)


def nearer(n: int) -> Box:
    side = 24 * 1.02**n
    return Box(90 + n - side / 2, 70 - side / 2, side, 1.2 * side)


def swinging(n: int) -> Box:
    return Box(110 + 60 * math.sin(n / 9), 50 + 25 * math.cos(n / 7), 32, 32)


def still(n: int) -> Box:
    return Box(100, 60, 20, 14)


MOTIONS = [sideways, nearer, swinging, still]


@pytest.mark.parametrize("place", MOTIONS)
def test_smooth_motion_stays_covered_between_key_frames_a_second_apart(place: Callable[[int], Box]) -> None:
    keys = drawn(place, range(0, FRAMES, 25))
    spans = follow(scene(place), keys, 0, FRAMES - 1, SIZE, Kind.FACE)
    assert tiled(spans) == list(range(FRAMES))
    assert {span.origin for span in spans} == {Origin.REVIEWER}
    shares = [covered(spans, n, place(n)) for n in range(FRAMES)]
    assert min(shares) >= 0.95
    assert sum(share >= 0.99 for share in shares) >= 0.95 * FRAMES
    assert all(covered(spans, key.frame, key.box) == 1 for key in keys)
    # and not by covering everything
    areas = [(span.last - span.first + 1) * span.box[2] * span.box[3] for span in spans]
    assert sum(areas) <= 3 * sum(place(n).area for n in range(FRAMES))


@pytest.mark.parametrize("place", [sideways, swinging])
@pytest.mark.parametrize("key", [0, 25, FRAMES - 1])
def test_one_key_frame_is_followed_both_ways(place: Callable[[int], Box], key: int) -> None:
    spans = follow(scene(place), drawn(place, [key]), 0, FRAMES - 1, SIZE, Kind.FACE)
    assert tiled(spans) == list(range(FRAMES))
    assert sum(covered(spans, n, place(n)) >= 0.95 for n in range(FRAMES)) >= 0.95 * FRAMES


def test_what_passes_behind_something_is_covered_when_it_comes_out() -> None:
    spans = follow(
        scene(sideways, bar=(90, 130)), drawn(sideways, [0]), 0, FRAMES - 1, SIZE, Kind.FACE
    )  # fmt: skip
    out = [n for n in range(FRAMES) if sideways(n).x >= 130]
    assert len(out) > 10
    assert all(covered(spans, n, sideways(n)) >= 0.95 for n in out)


def test_what_cannot_be_seen_is_covered_on_the_straight_line_and_around_it() -> None:
    def place(n: int) -> Box:
        return Box(20 + 3 * n, 40 + n, 30, 30)

    dark = [ArrayPicture(np.full((SIZE[1], SIZE[0], 3), 20, np.uint8))] * FRAMES
    spans = follow(dark, drawn(place, [0, FRAMES - 1]), 0, FRAMES - 1, SIZE, Kind.FACE)
    assert all(covered(spans, n, place(n)) == 1 for n in range(FRAMES))
    middle = place(25)
    assert covered(spans, 25, middle.grown(8, 8)) == 1


def test_beyond_a_cut_the_box_is_held_and_grown() -> None:
    other = ArrayPicture(255 - texture(9, *SIZE) // 4)
    pictures = [*scene(swinging, frames=20), *[other] * 20]
    spans = follow(pictures, drawn(swinging, [5]), 0, 39, SIZE, Kind.FACE)
    assert tiled(spans) == list(range(40))
    assert all(covered(spans, n, swinging(n)) >= 0.95 for n in range(20))
    assert all(covered(spans, n, swinging(19)) == 1 for n in range(20, 40))


def test_a_thing_that_enters_is_covered_from_the_edge_on() -> None:
    def place(n: int) -> Box:
        return Box(-30 + 2 * n, 60, 30, 30)

    spans = follow(scene(place), drawn(place, [30, 50]), 0, FRAMES - 1, SIZE, Kind.HEAD)
    assert sum(covered(spans, n, place(n)) >= 0.95 for n in range(FRAMES)) >= 0.95 * FRAMES


def test_what_the_edge_cuts_on_its_key_frame_is_covered_when_it_has_come_in() -> None:
    def place(n: int) -> Box:
        return Box(-12 + 2 * n, 60, 30, 30)

    half = KeyFrame(0, Box(0, 60, 18, 30))
    spans = follow(scene(place, frames=20), [half], 0, 19, SIZE, Kind.FACE)
    assert all(covered(spans, n, place(n)) >= 0.95 for n in range(20))


def test_frames_are_counted_from_the_first_that_is_asked_for() -> None:
    pictures = scene(sideways)[10:30]
    spans = follow(pictures, drawn(sideways, [20]), 10, 29, SIZE, Kind.FACE)
    assert tiled(spans) == list(range(10, 30))
    assert covered(spans, 20, sideways(20)) == 1
    with pytest.raises(UsageError, match="no frame"):
        follow(pictures, drawn(sideways, [20]), 10, 30, SIZE, Kind.FACE)


def test_progress_goes_up_to_its_end() -> None:
    steps: list[tuple[int, int]] = []
    pictures = scene(still, frames=12)
    keys = drawn(still, [2, 9])
    follow(pictures, keys, 0, 11, SIZE, Kind.TEXT, lambda *step: steps.append(step))
    assert steps == sorted(set(steps))
    assert steps[-1] == (36, 36)


@given(st.integers(1, 15_000), st.integers(16, 8000), st.integers(16, 8000), st.floats(1, 4000))
def test_however_long_a_stretch_its_frames_fit_in_memory(
    count: int, width: int, height: int, side: float
) -> None:
    long_side = follow_module._long_side([KeyFrame(0, Box(0, 0, side, side))], count, (width, height))
    assert 1 <= long_side <= max(width, height)
    area = long_side**2 * min(width, height) / max(width, height)
    assert count * area <= follow_module.MOST_BYTES


boxes = st.builds(Box, *[st.floats(0, 200)] * 2, *[st.floats(5, 60)] * 2)


@settings(max_examples=30)
@given(boxes, boxes, st.data())
def test_reconciled_walks_meet_both_key_frames_whatever_they_saw(a: Box, b: Box, data: st.DataObject) -> None:
    length = 10

    def walk(start: Box, frames: range) -> dict[int, Guess]:
        guesses = st.builds(Guess, boxes, st.floats(0, 9), st.booleans())
        found = {frame: data.draw(guesses) for frame in frames}
        return found | {frames[0]: Guess(start, 0.0, True)}

    found = between(
        KeyFrame(0, a), KeyFrame(length, b), walk(a, range(length + 1)), walk(b, range(length, -1, -1))
    )
    assert sorted(found) == list(range(1, length))
    assert all(box.w > 0 and box.h > 0 and math.isfinite(sum(box)) for box in found.values())


@settings(max_examples=30)
@given(boxes, boxes)
def test_two_walks_that_saw_nothing_give_a_line_with_a_growing_margin(a: Box, b: Box) -> None:
    blind = {n: Guess(a, 0.0, n == 0) for n in range(11)}, {n: Guess(b, 0.0, n == 10) for n in range(11)}
    found = between(KeyFrame(0, a), KeyFrame(10, b), *blind)
    for n in range(1, 10):
        x, y, w, h = (p + (q - p) * n / 10 for p, q in zip(a, b, strict=True))
        margin = 0.05 * min(n, 10 - n) * max(w, h)
        assert tuple(found[n]) == pytest.approx(tuple(Box(x, y, w, h).grown(margin, margin)), abs=1e-6)


def test_a_walk_that_ends_elsewhere_is_not_believed_after_it_lost_the_thing() -> None:
    a, b = Box(0, 0, 20, 20), Box(200, 0, 20, 20)
    stuck = Box(0, 300, 20, 20)
    lost = {n: Guess(a if n < 3 else stuck, 0.0, True, a if n >= 3 else None) for n in range(11)}
    sure = {n: Guess(Box(20 * n, 0, 20, 20), 0.0, True) for n in range(11)}
    found = between(KeyFrame(0, a), KeyFrame(10, b), lost, sure)
    assert all(found[n] == pytest.approx(sure[n].box) for n in range(3, 10))


def test_two_walks_that_differ_are_both_covered() -> None:
    a, b = Box(0, 0, 20, 20), Box(100, 0, 20, 20)
    up = {n: Guess(Box(10 * n, 5 * min(n, 10 - n), 20, 20), 0.0, True) for n in range(11)}
    down = {n: Guess(Box(10 * n, -5 * min(n, 10 - n), 20, 20), 0.0, True) for n in range(11)}
    found = between(KeyFrame(0, a), KeyFrame(10, b), up, down)
    for n in range(1, 10):
        for walk in (up, down):
            assert found[n].intersection(walk[n].box) == pytest.approx(400)


@given(boxes.map(lambda box: box._replace(x=box.x * 9 - 900, y=box.y * 9 - 900)))
def test_some_of_a_box_always_stays_in_the_picture(box: Box) -> None:
    inside = kept_inside(box, SIZE).clipped(*SIZE)
    assert inside is not None
    assert min(inside.w / box.w, inside.h / box.h) >= 0.249
    assert held(box, [3])[3].area > box.area
