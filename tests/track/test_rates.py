"""At no pace of the frames is a line bare between two looks, or a face that turns away for a moment.

The looks are those of analysis: its cadence, its text looks and its tracks. Only the networks are replaced.
"""

import itertools
from fractions import Fraction

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from redact.detect.base import BgrImage
from redact.detect.ensemble import Run
from redact.detect.large_text import TextEnsemble
from redact.media.base import DecodedFrame
from redact.media.pace import Pace, moments
from redact.media.picture import ArrayPicture
from redact.plan import Box, CoverIndex, Kind, MediaFacts, Region
from redact.policy import Policy
from redact.track.builder import TrackBuilder
from redact.track.cadence import Cadence
from redact.track.settings import TrackSettings
from redact.track.text_looks import TextLooks

WIDTH, HEIGHT = 480, 270
LINE = Box(60, 200, 180, 20)
FACE = Box(300, 60, 50, 50)
FACTS = MediaFacts(kind="video", format="mp4", width=WIDTH, height=HEIGHT, frame_rate=(97, 50))


class Line:
    """Sees the one line that there may be, with the score that it was given."""

    name, family, kinds = "line", "line", frozenset({Kind.TEXT})

    def __init__(self, score: float) -> None:
        self._score = score

    def detect(self, image: BgrImage) -> list[Region]:
        rows, columns = np.nonzero(image[..., 0] > 128)
        if not len(rows):
            return []
        x, y = float(columns.min()), float(rows.min())
        box = Box(x, y, float(columns.max()) + 1 - x, float(rows.max()) + 1 - y)
        return [Region(Kind.TEXT, box, self._score, self.name, self.family)]


def drawn(line: bool) -> ArrayPicture:
    image = np.full((HEIGHT, WIDTH, 3), 40, np.uint8)
    if line:
        for x in range(int(LINE.x), int(LINE.right), 12):
            cv2.rectangle(image, (x, int(LINE.y)), (x + 5, int(LINE.bottom) - 1), (250, 250, 250), -1)
    return ArrayPicture(image)


WITH, WITHOUT = drawn(True), drawn(False)


def bare(times: list[Fraction], shown: set[int], score: float, box: Box = LINE) -> list[int]:
    """Frames of `shown`, on which the line is, that are not covered."""
    network, pace = Line(score), Pace()
    looks = TextLooks(TextEnsemble((Run("line", WIDTH),), {"line": network}, lambda: network))
    builder = TrackBuilder(WIDTH, HEIGHT, TrackSettings.from_policy(Policy(), pace))
    cadence = Cadence(FACTS)
    frames = (DecodedFrame(n, time, WITH if n in shown else WITHOUT) for n, time in enumerate(times))
    for frame, now in moments(frames):
        pace.add(now)
        due = cadence.at(now, cut=frame.index == 0)
        builder.add(frame.index, [])
        seen = looks.look(frame.index, frame.picture, whole=due.text, long=due.long)
        if seen is not None:
            builder.add_text(frame.index, seen)
    index = CoverIndex(builder.finish([(0, len(times) - 1)]))
    return [
        n
        for n in sorted(shown)
        if not any(cover.box.intersection(box) >= 0.99 * box.area for cover in index.at(n))
    ]


@pytest.mark.parametrize("score", [0.9, 0.5, 0.3])
@pytest.mark.parametrize("rate", [1, 2, 5, 6, 10, 25])
def test_a_line_that_stands_is_never_bare_between_two_looks(rate: int, score: float) -> None:
    times = [Fraction(n, rate) for n in range(60)]
    assert bare(times, set(range(60)), score) == []
    assert bare(times, set(range(11, 19)), score) == [], "seen by one look only"
    assert bare(times, set(range(3, 48)), score) == []


@pytest.mark.parametrize("rate", [1, 2, 5, 6, 10])
@pytest.mark.parametrize("frame", [1, 4, 5, 9, 29])
def test_a_line_on_one_slow_frame_is_covered_there(rate: int, frame: int) -> None:
    assert bare([Fraction(n, rate) for n in range(30)], {frame}, 0.4) == []


@settings(max_examples=25, deadline=None)
@given(
    st.lists(
        st.tuples(st.sampled_from([1, 2, 5, 12, 25, 60, 1000]), st.integers(2, 30)), min_size=1, max_size=4
    ),
    st.integers(0, 60),
    st.integers(2, 60),
    st.sampled_from([0.9, 0.4]),
)
def test_a_line_is_never_bare_whatever_the_pace(
    stretches: list[tuple[int, int]], first: int, length: int, score: float
) -> None:
    steps = [Fraction(1, rate) for rate, count in stretches for _ in range(count)]
    times = list(itertools.accumulate(steps, initial=Fraction(0)))
    first %= len(times) - 1
    assert bare(times, set(range(first, min(first + length, len(times)))), score) == []


def face_bare(times: list[Fraction], unseen: set[int]) -> list[int]:
    """Frames on which a face that stands still is not covered; no look sees it on those of `unseen`."""
    builder = TrackBuilder(WIDTH, HEIGHT, TrackSettings.from_policy(Policy(), Pace(map(float, times))))
    for n in range(len(times)):
        builder.add(n, [] if n in unseen else [Region(Kind.FACE, FACE, 0.8, "yunet@640", "yunet")])
    index = CoverIndex(builder.finish([(0, len(times) - 1)]))
    return [n for n in range(len(times)) if not any(c.box.intersection(FACE) > 2499 for c in index.at(n))]


RUNNING = [Fraction(n, 25) for n in range(125)]
AWAY = set(range(60, 75))


@pytest.mark.parametrize(
    "times",
    [
        RUNNING,
        [*RUNNING, Fraction(65)],
        [*(Fraction(2 * n) for n in range(-200, 0)), *RUNNING],
        [*(Fraction(2 * n) for n in range(-20, 0)), *RUNNING, *(Fraction(5 + 10 * n) for n in range(300))],
    ],
    ids=["steady", "one frame held for a minute", "after slides", "between slides"],
)
def test_a_head_that_turns_away_is_covered_whatever_else_the_film_holds(times: list[Fraction]) -> None:
    start = times.index(Fraction(0))
    assert face_bare(times, {start + n for n in AWAY}) == []
    ends = {start + n for n in range(90, 125)}
    assert all(n >= start + 102 for n in face_bare(times, ends) if n < start + 125)
