"""No caption that stands for two frames or more slips between two looks, whatever it does.

The networks are replaced by one that sees light bars, so that these promises are about when and where it is
asked to look, and about what is covered in between.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from redact.detect.base import BgrImage
from redact.detect.ensemble import Run
from redact.detect.large_text import TextEnsemble
from redact.media.pace import Pace
from redact.media.picture import ArrayPicture
from redact.plan import Box, CoverIndex, Kind, Region
from redact.policy import Policy
from redact.track.builder import TrackBuilder
from redact.track.captions import running_band
from redact.track.settings import TrackSettings
from redact.track.text_looks import TextLooks

WIDTH, HEIGHT, FRAMES = 640, 360, 60
SIZE = (WIDTH, HEIGHT)


class Letters:
    """Sees what is nearly white, as a text network would see lines; counts the pixels it was shown."""

    name, family, kinds = "letters", "letters", frozenset({Kind.TEXT})

    def __init__(self) -> None:
        self.pixels = 0

    def detect(self, image: BgrImage) -> list[Region]:
        self.pixels += image.shape[0] * image.shape[1]
        white = cv2.dilate((image.min(axis=2) > 180).astype(np.uint8), np.ones((3, 25), np.uint8))
        count, _, stats, _ = cv2.connectedComponentsWithStats(white)
        return [
            Region(Kind.TEXT, Box(*map(float, stats[n, :4])), 0.9, self.name, self.family)
            for n in range(1, count)
            if stats[n, 3] > 5
        ]


@lru_cache
def wide() -> BgrImage:
    noise = np.random.default_rng(7).integers(20, 110, (HEIGHT // 8, WIDTH // 8 + 40, 3), dtype=np.uint8)
    return np.asarray(cv2.resize(noise, None, fx=8, fy=8, interpolation=cv2.INTER_CUBIC), np.uint8)


def scene(frame: int, moving: bool) -> BgrImage:
    shift = 4 * frame if moving else 0
    return np.ascontiguousarray(wide()[:, shift : shift + WIDTH])


Draw = Callable[[int], tuple[str, int, int, float]]
"""Text, left, bottom and opacity on a frame."""
WORDS = "ARAM ORINAKYAN"
MANNERS: dict[str, Draw] = {
    "fading": lambda n: (WORDS, 60, 320, float(np.clip(min((n - 8) / 10, (50 - n) / 10), 0, 1))),
    "sliding": lambda n: (WORDS, -300 + 24 * n, 320, 1.0),
    "rising": lambda n: (WORDS, 60, 430 - 5 * n, 1.0),
    "typing": lambda n: (WORDS[: max(0, (n - 10) // 2)], 60, 320, 1.0),
    "crawling": lambda n: (WORDS + "  " + WORDS, 640 - 12 * n, 340, 1.0),
    "changing in place": lambda n: (WORDS if n // 7 % 2 else "LILIT NMUSHYAN", 60, 320, 1.0),
}


def cover_of(draw: Draw, moving: bool) -> tuple[CoverIndex, list[tuple[int, np.ndarray]], int]:
    """What would be covered, the ink of every frame on which it can be read, and the pixels looked at."""
    network = Letters()
    looks = TextLooks(TextEnsemble((Run("letters", WIDTH),), {"letters": network}, lambda: network))
    builder = TrackBuilder(WIDTH, HEIGHT, TrackSettings.from_policy(Policy(), Pace.steady(25.0, FRAMES)))
    shown = []
    for frame in range(FRAMES):
        text, x, y, opacity = draw(frame)
        ink = np.zeros((HEIGHT, WIDTH), np.uint8)
        cv2.putText(ink, text, (x, y), cv2.FONT_HERSHEY_SIMPLEX, 0.9, (255,), 2, cv2.LINE_AA)
        share = ink[..., None] / 255.0 * opacity
        image = (scene(frame, moving) * (1 - share) + 250 * share).astype(np.uint8)
        if opacity >= 0.35 and (ink > 127).any():
            shown.append((frame, ink > 127))
        builder.add(frame, [])
        seen = looks.look(frame, ArrayPicture(image), whole=frame % 10 == 0)
        if seen is not None:
            builder.add_text(frame, seen)
    return CoverIndex(builder.finish([(0, FRAMES - 1)])), shown, network.pixels


def bare(index: CoverIndex, shown: list[tuple[int, np.ndarray]]) -> list[int]:
    frames = []
    for frame, ink in shown:
        mask = np.zeros(ink.shape, bool)
        for cover in index.at(frame):
            place = cover.box.snapped(*SIZE)
            if place is not None:
                mask[place[1] : place[3], place[0] : place[2]] = True
        if mask[ink].mean() < 0.9:
            frames.append(frame)
    return frames


@pytest.mark.parametrize("moving", [False, True])
@pytest.mark.parametrize("manner", MANNERS)
def test_no_frame_of_a_caption_is_bare(manner: str, moving: bool) -> None:
    index, shown, _ = cover_of(MANNERS[manner], moving)
    assert len(shown) > 10
    assert bare(index, shown) == []


@settings(max_examples=5, deadline=None)
@given(
    st.integers(1, FRAMES - 4), st.integers(2, 3), st.integers(20, 300), st.integers(40, 350), st.booleans()
)
def test_a_caption_of_two_frames_never_slips_between_two_looks(
    start: int, length: int, x: int, y: int, moving: bool
) -> None:
    index, shown, _ = cover_of(lambda frame: (WORDS, x, y, float(start <= frame < start + length)), moving)
    assert len(shown) == length
    assert bare(index, shown) == []


def test_a_still_scene_costs_no_looks_besides_the_cadence() -> None:
    _, _, pixels = cover_of(lambda _: ("", 0, 0, 0.0), moving=False)
    assert pixels <= (FRAMES // 10) * WIDTH * HEIGHT


def test_one_caption_in_a_still_scene_costs_looks_at_its_place_only() -> None:
    _, _, pixels = cover_of(MANNERS["changing in place"], moving=False)
    assert pixels <= 2 * (FRAMES // 10) * WIDTH * HEIGHT


def test_a_cover_stays_until_after_the_caption_is_gone() -> None:
    index, shown, _ = cover_of(lambda n: (WORDS, 60, 320, float(20 <= n < 40)), moving=False)
    _, ink = shown[0]
    for frame in (14, 19, 40, 45):
        assert bare(index, [(frame, ink)]) == []
    assert index.at(FRAMES - 1) == []


def test_a_crawl_is_covered_over_its_whole_band() -> None:
    boxes = [Box(600 - 12 * n, 320, min(250, 40 + 12 * n), 22) for n in range(40)]
    band = running_band(boxes, SIZE)
    assert band is not None
    assert band.right == WIDTH
    assert all(band.intersection(box) >= min(box.area, (WIDTH - box.x) * box.h) - 1e-6 for box in boxes)


def test_a_line_that_stands_has_no_band() -> None:
    assert running_band([Box(60, 320, 250 + n % 3, 22) for n in range(40)], SIZE) is None
