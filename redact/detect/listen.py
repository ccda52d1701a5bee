"""Listening to a file: its first audio stream, decoded, brought to 16 kHz and heard. Two tables of settings.

Takes a video and gives one likelihood of speech for each 32 ms, and where the first of them lies. Analysis
and the gate listen with different settings: what slips between windows or levels once does not twice.
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from itertools import chain
from pathlib import Path

import numpy as np
import numpy.typing as npt

from redact.detect.speech import RATE, WINDOW, Ear, EarSettings, SpeechNetwork
from redact.errors import UnsupportedInputError
from redact.media.sound import read_sound, sound_facts
from redact.media.sound_filter import UNFIT, converted

ANALYSIS_EAR = EarSettings(levels=(0.2, 0.1, 0.02), lead=0)
"""0.2 hears real voices under music as loud as they are (four recordings: 75 to 100 % of their speech, 48 to
93 % without it), 0.02 hears whispering in a quiet room (79 %; 50 % without it); 0.1 is ordinary speech."""
GATE_EAR = EarSettings(levels=(0.15, 0.05, 0.03), lead=256)
"""Half a window off, at levels that analysis does not use."""

LAYOUTS = ("mono", "stereo", "3.0", "4.0", "5.0", "5.1", "6.1", "7.1")
"""A layout for each number of channels. Only the number counts: from one to the same nothing is mixed."""


@dataclass(frozen=True)
class Heard:
    """What an ear heard of one file."""

    likelihoods: npt.NDArray[np.float32]
    """One for each 512 samples."""
    start: int
    """Place of the first window's first sample, in samples at 16 kHz since time zero of the file's clock."""

    @property
    def seconds(self) -> float:
        """Length of what was heard."""
        return len(self.likelihoods) * WINDOW / RATE


def listen(
    path: Path, format_: str, network: SpeechNetwork, settings: EarSettings, *, whole: bool = False
) -> Heard | None:
    """Hear the whole of a file's first audio stream; None if it has none. `whole`: see `read_sound`.

    Raises:
        UnsupportedInputError: more than eight channels, or no decoder.
        DamagedInputError: the sound does not decode whole.
    """
    facts = sound_facts(path, format_)
    if facts is None:
        return None
    if facts.channels > len(LAYOUTS):
        raise UnsupportedInputError(UNFIT)
    blocks = read_sound(path, format_, whole=whole)
    first = next(blocks)
    start = round(Fraction(first.start * RATE, facts.rate)) - settings.lead
    layout = LAYOUTS[facts.channels - 1]
    at_16k = converted(chain((first,), blocks), facts.rate, layout, RATE, layout)
    ear = Ear(network, settings, facts.channels)
    heard = list(ear.likelihoods(block.samples for block in at_16k))
    return Heard(np.concatenate(heard) if heard else np.empty(0, np.float32), start)


__all__ = ["ANALYSIS_EAR", "GATE_EAR", "Heard", "listen"]
