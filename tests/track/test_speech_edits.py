"""From likelihoods to silence: every window that may be speech lies inside, with its margins."""

from fractions import Fraction
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from redact.plan import Origin, SoundEdit
from redact.track.speech import SPEECH, SpeechSettings, speech_edits

RATE, WINDOW = 16000, 512
likelihoods = st.lists(st.one_of(st.floats(0, 1), st.just(float("nan"))), max_size=200)


@given(likelihoods, st.integers(-(10**6), 10**9), st.floats(0.01, 0.99))
def test_every_window_of_speech_is_silenced_with_its_margins(
    values: list[float], start: int, likely: float
) -> None:
    settings = SpeechSettings(likely, SPEECH.before_s, SPEECH.after_s, SPEECH.merge_s)
    edits = speech_edits(values, start, WINDOW, RATE, settings)
    before, after = settings.before_s * RATE, settings.after_s * RATE
    for index, value in enumerate(values):
        if not value < likely:
            first = start + index * WINDOW
            assert any(e.start <= first - before and first + WINDOW + after <= e.end for e in edits)
    for edit in edits:
        assert (edit.kind, edit.origin, edit.time_base) == ("mute", Origin.DETECTED, (1, RATE))
    assert all(two.start - one.end > settings.merge_s * RATE for one, two in pairwise(edits))


@given(likelihoods, st.floats(0.1, 0.5), st.floats(0.1, 0.5))
def test_a_lower_bar_never_silences_less(values: list[float], one: float, two: float) -> None:
    def held(likely: float) -> tuple[SoundEdit, ...]:
        return speech_edits(
            values, 0, WINDOW, RATE, SpeechSettings(likely, SPEECH.before_s, SPEECH.after_s, SPEECH.merge_s)
        )

    wide, narrow = held(min(one, two)), held(max(one, two))
    for edit in narrow:
        assert any(each.start <= edit.start and edit.end <= each.end for each in wide)


def test_no_speech_is_no_edit() -> None:
    assert speech_edits([0.0] * 100, 0, WINDOW, RATE) == ()
    assert speech_edits([], 0, WINDOW, RATE) == ()


def test_an_edit_covers_every_sample_it_touches() -> None:
    edit = SoundEdit(kind="mute", start=1, end=2, time_base=(1, 3))
    assert edit.samples(48000) == (16000, 32000)
    assert edit.samples(44100) == (14700, 29400)
    assert edit.samples(8000) == (2666, 5334)
    with pytest.raises(ValueError, match="after it starts"):
        SoundEdit(kind="mute", start=2, end=2, time_base=(1, 3))
    assert Fraction(*edit.time_base) == Fraction(1, 3)
