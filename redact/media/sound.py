"""Reading sound: the first audio stream of a video, decoded and laid on the clock sample by sample.

Takes a file and gives blocks of float samples that follow each other without a hole, at the stream's own rate
and channels, so that analysis, rendering and the gate count the same samples. Never guesses: what does not
decode whole is an error.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import av
import av.audio.frame
import av.audio.stream
import av.container
import numpy as np
import numpy.typing as npt
from av.codec.context import Flags2

from redact.errors import DamagedInputError, UnsupportedInputError
from redact.media.video_open import exact, open_input

Samples = npt.NDArray[np.float32]
"""Channels x samples, float32; full scale is -1 to 1."""

TOLERANCE_S = Fraction(1, 50)
"""Times that wander by less than this are jitter of the container's clock, not gaps."""
LONGEST_GAP_S = 3600
LONGEST_S = 24 * 3600
"""A longer hole, or longer sound, is a broken clock: no clip has it, and filling it would not end."""
USUAL_LAYOUTS = ("mono", "stereo", "2.1", "4.0", "5.0", "5.1", "6.1", "7.1")
"""By number of channels, for files that do not say (most PCM)."""
MAX_LEVEL = 4.0
"""Decoders go a little beyond full scale; what float samples hold beyond this is clipped."""
DAMAGED_SOUND = "The sound does not decode completely and without errors; audio.mode remove leaves it out."
UNKNOWN_SOUND = "The sound is of a kind that cannot be decoded; audio.mode remove leaves it out."


@dataclass(frozen=True)
class SoundFacts:
    """How the samples of `read_sound` are to be taken."""

    rate: int
    """Samples a second."""
    layout: str
    """Name of the channel layout, e.g. `stereo`; the usual one of so many channels if the file names none."""
    channels: int


@dataclass(frozen=True)
class SoundBlock:
    """Some samples. Every block starts where the one before ended."""

    start: int
    """Place of its first sample, in samples since time zero of the file's clock; may be negative."""
    samples: Samples


def sound_facts(path: Path, format_: str) -> SoundFacts | None:
    """Rate and channels of the first audio stream; None if there is none.

    They are those of the first decoded frame: what headers say is wrong for some AAC.

    Raises:
        UnsupportedInputError: there is one, and no decoder for it, or it has more than eight channels.
        DamagedInputError: the file cannot be opened, or nothing in it decodes.
    """
    with open_input(path, format_) as container:
        if not container.streams.audio:
            return None
        for frame in _frames(container, _stream(container)):
            return _facts(frame)
    raise DamagedInputError(DAMAGED_SOUND)


def _stream(container: av.container.InputContainer) -> av.audio.stream.AudioStream:
    stream = container.streams.audio[0]
    if getattr(stream, "codec_context", None) is None:  # there is no decoder
        raise UnsupportedInputError(UNKNOWN_SOUND)
    return stream


def _frames(
    container: av.container.InputContainer, stream: av.audio.stream.AudioStream
) -> Iterator[av.audio.frame.AudioFrame]:
    try:
        for packet in container.demux(stream):
            if packet.is_corrupt:
                raise DamagedInputError(DAMAGED_SOUND)
            for frame in packet.decode():
                if frame.is_corrupt:
                    raise DamagedInputError(DAMAGED_SOUND)
                yield frame
    except (av.FFmpegError, EOFError) as error:
        raise DamagedInputError(DAMAGED_SOUND) from error


def _facts(frame: av.audio.frame.AudioFrame) -> SoundFacts:
    layout, channels = frame.layout.name, int(frame.layout.nb_channels)
    if not frame.sample_rate or not 1 <= channels <= len(USUAL_LAYOUTS):
        raise UnsupportedInputError(UNKNOWN_SOUND)
    if layout.endswith("channels"):
        layout = USUAL_LAYOUTS[channels - 1]
    return SoundFacts(frame.sample_rate, layout, channels)


def read_sound(path: Path, format_: str, *, whole: bool = False) -> Iterator[SoundBlock]:
    """All samples of the first audio stream, as players present them; holes are filled with silence.

    `whole`: every sample that lies in the file, also those that an edit list or a skip count tells players to
    leave out; places are then not those of the pictures.

    Raises:
        UnsupportedInputError: no decoder, more than eight channels, or they or the rate change on the way.
        DamagedInputError: it does not decode whole, holds no sample or numbers that are none, or its clock
            makes no sense.
    """
    facts: SoundFacts | None = None
    with open_input(path, format_, whole=whole) as container:
        stream = _stream(container)
        if whole:
            stream.codec_context.flags2 |= Flags2.skip_manual
        packer = av.AudioResampler(format="flt")
        for frame in _frames(container, stream):
            if facts is None:
                facts = _facts(frame)
                clock = _Clock(facts.rate)
            yield from clock.placed(frame, _samples(frame, facts, packer))
    if facts is None:
        raise DamagedInputError(DAMAGED_SOUND)


def _samples(frame: av.audio.frame.AudioFrame, facts: SoundFacts, packer: av.AudioResampler) -> Samples:
    if frame.sample_rate != facts.rate or frame.layout.nb_channels != facts.channels:
        raise UnsupportedInputError(
            "The sound changes its rate or channels on the way; audio.mode remove leaves it out."
        )
    # packed, since PyAV reads beyond the planes of eight channels
    try:
        raw = np.concatenate([packed.to_ndarray() for packed in packer.resample(frame)], axis=1)
    except (av.FFmpegError, ValueError) as error:
        raise DamagedInputError(DAMAGED_SOUND) from error
    samples = raw.reshape(-1, facts.channels).T.astype(np.float32)
    if samples.shape[1] != frame.samples:
        raise DamagedInputError(DAMAGED_SOUND)
    if not np.isfinite(samples).all():
        raise DamagedInputError(DAMAGED_SOUND)
    return np.clip(samples, -MAX_LEVEL, MAX_LEVEL)


class _Clock:
    """Lays frames on the clock: holes become silence, what overlaps is cut."""

    def __init__(self, rate: int) -> None:
        self._rate = rate
        self.at: int | None = None
        """Where the next sample goes; None before the first."""
        self._first = 0

    def placed(self, frame: av.audio.frame.AudioFrame, samples: Samples) -> Iterator[SoundBlock]:
        start = self.at
        if frame.pts is not None:
            start = round(frame.pts * exact(frame.time_base, Fraction(1, self._rate)) * self._rate)
        if self.at is None:
            self.at = self._first = start or 0
        off = (start if start is not None else self.at) - self.at
        if off > LONGEST_GAP_S * self._rate or self.at - self._first > LONGEST_S * self._rate:
            raise DamagedInputError(DAMAGED_SOUND)
        if off > TOLERANCE_S * self._rate:
            for done in range(0, off, self._rate):
                count = min(self._rate, off - done)
                yield self._block(np.zeros((samples.shape[0], count), np.float32))
        elif -off > TOLERANCE_S * self._rate:
            samples = samples[:, -off:]
        if samples.shape[1]:
            yield self._block(samples)

    def _block(self, samples: Samples) -> SoundBlock:
        assert self.at is not None
        block = SoundBlock(self.at, samples)
        self.at += samples.shape[1]
        return block


__all__ = ["Samples", "SoundBlock", "SoundFacts", "read_sound", "sound_facts"]
