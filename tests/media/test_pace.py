"""Seconds and frames: whatever times a file gives, no span covers less than it says, no look is late."""

import itertools
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from redact.media.base import DecodedFrame
from redact.media.pace import FASTEST, Beat, Moment, Pace, Reach, Stills, moments
from redact.media.picture import ArrayPicture
from redact.plan import MediaFacts
from redact.track.cadence import FULL_FACES, WHOLE_TEXT, Cadence, Due
from redact.track.settings import EDGE, GAP, HOLD, TEXT_GAP, TEXT_HOLD

ORDINARY = [Fraction(24000, 1001), 24, 25, Fraction(30000, 1001), 30, 48, 50, Fraction(60000, 1001), 60]
REACHES = st.sampled_from([HOLD, GAP, EDGE, TEXT_HOLD, TEXT_GAP])
PICTURE = ArrayPicture(np.zeros((2, 2, 3), np.uint8))


def film(times: list[Fraction], last: Fraction = Fraction(0)) -> list[Moment]:
    """Moments of frames at these times, as a handler would give them."""
    frames = [
        DecodedFrame(n, time, PICTURE, last if n == len(times) - 1 else Fraction(0))
        for n, time in enumerate(times)
    ]
    return [moment for _, moment in moments(frames)]


@st.composite
def any_times(draw: st.DrawFn) -> list[Fraction]:
    """Stretches of any pace, from a tenth of a millisecond to a minute a frame."""
    step = st.sampled_from([Fraction(1, 10_000), Fraction(1, 1000), Fraction(1, 240), Fraction(1, 60)])
    step |= st.sampled_from([Fraction(1, 25), Fraction(1, 10), Fraction(1), Fraction(60)])
    step |= st.fractions(Fraction(1, 1000), Fraction(2), max_denominator=1000)
    stretches = draw(st.lists(st.tuples(step, st.integers(1, 120)), min_size=1, max_size=5))
    steps = [each for each, count in stretches for _ in range(count)]
    return list(itertools.accumulate(steps, initial=draw(st.sampled_from([Fraction(0), Fraction(7200)]))))


@given(any_times(), REACHES, st.data())
def test_a_span_reaches_over_every_frame_of_its_time_and_never_less_than_its_frames(
    times: list[Fraction], reach: Reach, data: st.DataObject
) -> None:
    pace = Pace(map(float, times))
    start = data.draw(st.integers(0, len(times) - 1))
    for frame, time in enumerate(times):
        away = abs(frame - start)
        inside = pace.within(reach, start, frame)
        if away <= reach.least or (abs(time - times[start]) < reach.seconds - 1e-5 and away <= reach.most):
            assert inside, (start, frame)
        if away > reach.most:
            assert not inside
    assert pace.after(reach, start) >= reach.least
    ends = start - pace.before(reach, start), start + pace.after(reach, start)
    assert [n for n in range(len(times)) if pace.within(reach, start, n)] == list(
        range(max(ends[0], 0), min(ends[1], len(times) - 1) + 1)
    )


@given(st.integers(1, int(FASTEST)), st.integers(2, 60), st.integers(0, 300), REACHES)
def test_frames_held_for_minutes_shorten_no_span_where_the_film_runs(
    rate: int, running: int, held: int, reach: Reach
) -> None:
    steps = [Fraction(60)] * held + [Fraction(1, rate)] * running + [Fraction(60)] * held
    pace = Pace(map(float, itertools.accumulate(steps, initial=Fraction(0))))
    asked = min(running, int(reach.seconds * rate))
    assert pace.after(reach, held) >= asked
    assert pace.before(reach, held + running) >= asked


@given(any_times(), st.sampled_from([FULL_FACES, WHOLE_TEXT]))
def test_no_look_is_later_than_its_time_or_than_its_most_frames(
    times: list[Fraction], numbers: tuple[float, int, int]
) -> None:
    seconds, least, most = numbers
    beat, looked = Beat(*numbers), []
    for now in film(times):
        if beat.due(now):
            beat.take(now)
            looked.append(now)
        last = looked[-1]
        assert now.number - last.number < most
        assert now.number - last.number < least or now.middle - last.time <= seconds
    assert all(b.number - a.number >= least for a, b in itertools.pairwise(looked))


@pytest.mark.parametrize("ticks", [None, 1000])
@pytest.mark.parametrize("rate", ORDINARY)
def test_films_of_24_to_60_frames_a_second_are_spanned_and_looked_at_as_at_a_constant_rate(
    rate: Fraction, ticks: int | None
) -> None:
    times = [n / Fraction(rate) for n in range(400)]
    if ticks:
        times = [Fraction(round(time * ticks), ticks) for time in times]
    pace = Pace(map(float, times))
    for reach, seconds in [(HOLD, 0.5), (EDGE, 1.0), (TEXT_HOLD, 0.8), (GAP, 1.5), (TEXT_GAP, 1.5)]:
        wanted = round(seconds * float(rate))
        assert (pace.after(reach, 150), pace.before(reach, 150)) == (wanted, wanted), reach
    cadence = cadence_of("video")
    dues = [cadence.at(now, cut=False) for now in film(times)]
    full, text = max(3, round(float(rate) / 6)), max(10, round(float(rate) / 2.5))
    assert [n for n, due in enumerate(dues) if due.full] == list(range(0, 400, full))
    assert [n for n, due in enumerate(dues) if due.text] == list(range(0, 400, text))
    assert [due.turn for due in dues if due.full] == list(range(len(range(0, 400, full))))
    assert not any(due.long or due.still for due in dues)


def cadence_of(kind: str, width: int = 1920, rate: tuple[int, int] = (25, 1), frames: int = 1) -> Cadence:
    return Cadence(
        MediaFacts.model_validate(
            {
                "kind": kind,
                "format": "mkv" if kind == "video" else "webp",
                "width": width,
                "height": 1080,
                "frames": frames,
                "frame_rate": rate,
            }
        )
    )


@settings(max_examples=20)
@given(any_times(), st.tuples(st.integers(0, 10**6), st.integers(1, 10**6)))
def test_what_a_container_declares_about_its_rate_changes_nothing(
    times: list[Fraction], rate: tuple[int, int]
) -> None:
    declared, honest = cadence_of("video", rate=rate), cadence_of("video")
    assert [declared.at(now, cut=False) for now in film(times)] == [
        honest.at(now, cut=False) for now in film(times)
    ]


def test_the_last_frame_is_shown_as_long_as_the_file_says_and_no_shorter_than_the_one_before() -> None:
    times = [Fraction(n, 25) for n in range(5)]
    assert film(times, Fraction(60))[-1].held
    assert film(times)[-1].shown == pytest.approx(0.04)
    assert not any(moment.held for moment in film(times))
    assert film([Fraction(0)], Fraction(5)) == [Moment(0, 0.0, 5.0)]
    assert film([]) == []


def closely(due: list[Due]) -> list[int]:
    return [n for n, each in enumerate(due) if each.still]


def seen(cadence: Cadence, now: list[Moment], cuts: set[int] | None = None) -> list[Due]:
    return [cadence.at(each, cut=each.number in (cuts or {0})) for each in now]


RUNNING = film([Fraction(n, 25) for n in range(200)])


def test_large_films_are_looked_at_closely_at_every_cut_and_once_a_second_others_never() -> None:
    assert closely(seen(cadence_of("video"), RUNNING, {0, 60})) == []
    large = closely(seen(cadence_of("video", 3840), RUNNING[:120], {0, 60}))
    assert large == [0, 25, 50, 60, 85, 110]


def test_a_film_that_cuts_on_every_frame_shares_its_close_looks() -> None:
    assert closely(seen(cadence_of("video", 3840), RUNNING, set(range(200)))) == list(range(0, 200, 8))


def test_a_cut_just_after_a_close_look_gets_one_as_soon_as_may_be() -> None:
    assert closely(seen(cadence_of("video", 3840), RUNNING, {0, 3}))[:3] == [0, 8, 33]


def test_large_stills_in_moving_formats_are_looked_at_closely() -> None:
    held = film([Fraction(0), Fraction(1, 25), Fraction(2, 25), Fraction(10), Fraction(12)])
    assert closely(seen(cadence_of("video", 3840), held)) == [0, 2, 3, 4]
    assert closely(seen(cadence_of("video", 3840), film([Fraction(0)]))) == [0]
    flicker = film([Fraction(n, 20) for n in range(12)])
    assert closely(seen(cadence_of("animation", 3840, frames=12), flicker)) == list(range(12))
    assert closely(seen(cadence_of("animation", 3840, frames=500), flicker)) == [0]


def test_stills_are_told_from_pictures_of_a_movement_by_their_time_alone() -> None:
    stills = Stills(MediaFacts(kind="video", format="mp4", width=3840, height=2160))
    slow = film([Fraction(n) for n in range(6)])
    assert [stills.due(now, begins=False) for now in slow] == [True] * 6
