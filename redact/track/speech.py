"""From likelihoods of speech to the stretches of sound that are silenced. Pure functions on numbers.

Takes one likelihood for each window and gives sound edits with margins; never shortens what it was given.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from fractions import Fraction

from redact.plan import Origin, SoundEdit


@dataclass(frozen=True)
class SpeechSettings:
    """When a window counts as speech, and how far around it sound is silenced.

    Measured by `python -m bench sound`.
    """

    likely: float
    """A window with at least this is speech."""
    before_s: Fraction
    """Silenced before a window: first consonants are heard late, and a name may open a sentence."""
    after_s: Fraction
    """Silenced after a window: endings fade below what the network hears, and rooms echo."""
    merge_s: Fraction
    """Two stretches closer than this are one: a gap this short holds words more often than anything else."""


SPEECH = SpeechSettings(
    # under loud music .2 silenced 69 % of the speech of the worst real recording, .15 75 %, .1 77 %; but at
    # .1 up to 17 % of music without any voice is silenced too
    likely=0.15,
    before_s=Fraction(2, 5),
    after_s=Fraction(1, 2),
    merge_s=Fraction(3, 4),
)


def speech_edits(
    likelihoods: Iterable[float], start: int, window: int, rate: int, settings: SpeechSettings = SPEECH
) -> tuple[SoundEdit, ...]:
    """Mutes over every window that is speech. `start` is the place of the first window's first sample, in
    samples since time zero at `rate` a second; `window` its length in samples.

    The edits are in order, do not touch, and count in ticks of 1 / `rate` seconds.
    """
    before, after, gap = (
        int(each * rate) for each in (settings.before_s, settings.after_s, settings.merge_s)
    )
    spans: list[list[int]] = []
    for index, likely in enumerate(likelihoods):
        if not likely < settings.likely:  # what is no number is speech
            first = start + index * window
            low, high = first - before, first + window + after
            if spans and low - spans[-1][1] <= gap:
                spans[-1][1] = high
            else:
                spans.append([low, high])
    return tuple(
        SoundEdit(kind="mute", start=low, end=high, time_base=(1, rate), origin=Origin.DETECTED)
        for low, high in spans
    )


__all__ = ["SPEECH", "SpeechSettings", "speech_edits"]
