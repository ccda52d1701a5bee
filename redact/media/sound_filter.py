"""Sound at another rate or layout, and voices shifted: blocks in, blocks out, in step to the sample.

libswresample and ffmpeg's filters do the work, in this process; whatever they refuse is an error, and what
they return is counted against what they were given.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from fractions import Fraction

import av
import av.audio.frame
import av.filter
import numpy as np

from redact.errors import UnsupportedInputError
from redact.media.sound import Samples, SoundBlock

SHIFT = Fraction(4, 5)
"""The disguise lowers pitch and formants to this share, almost four semitones: voices sound like another
person's and stay clear. Whoever shifts them back hears them as they were."""
UNFIT = "The sound's channels or rate cannot be converted; audio.mode remove leaves it out."


@contextmanager
def _converting() -> Iterator[None]:
    try:
        yield
    except (av.FFmpegError, ValueError) as error:
        raise UnsupportedInputError(UNFIT) from error


def made(samples: Samples, rate: int, layout: str, start: int) -> av.audio.frame.AudioFrame:
    """A new frame of these samples, packed (PyAV reads beyond eight planes); `start` is in samples."""
    frame = av.audio.frame.AudioFrame.from_ndarray(
        np.ascontiguousarray(samples.T, np.float32).reshape(1, -1), format="flt", layout=layout
    )
    frame.sample_rate, frame.pts, frame.time_base = rate, start, Fraction(1, rate)
    return frame


def _unpacked(frame: av.audio.frame.AudioFrame) -> Samples:
    packed = np.asarray(frame.to_ndarray(), np.float32)
    return packed.reshape(-1, frame.layout.nb_channels).T


def converted(
    blocks: Iterable[SoundBlock], rate: int, layout: str, new_rate: int, new_layout: str
) -> Iterator[SoundBlock]:
    """The blocks at another rate and layout; as they are if neither differs.

    Raises:
        UnsupportedInputError: there is no way from one layout to the other.
    """
    if (rate, layout) == (new_rate, new_layout):
        yield from blocks
        return
    with _converting():
        resampler = av.AudioResampler(format="flt", layout=new_layout, rate=new_rate)
    at: int | None = None
    for block in blocks:
        if at is None:
            at = round(Fraction(block.start * new_rate, rate))
        with _converting():
            frames = resampler.resample(made(block.samples, rate, layout, block.start))
        for frame in frames:
            yield SoundBlock(at, _unpacked(frame))
            at += frame.samples
    if at is not None:
        with _converting():
            frames = resampler.resample(None)
        for frame in frames:
            yield SoundBlock(at, _unpacked(frame))
            at += frame.samples


def disguised(blocks: Iterable[SoundBlock], rate: int, layout: str) -> Iterator[SoundBlock]:
    """The same sound with every voice lower, as long as before. Reversible: a courtesy, no protection.

    Raises:
        UnsupportedInputError: the filters refuse this sound.
    """
    with _converting():
        graph = av.filter.Graph()
        source = graph.add_abuffer(sample_rate=rate, format="flt", layout=layout, time_base=Fraction(1, rate))
        steps = [
            graph.add("asetrate", str(round(rate * SHIFT))),
            graph.add("aresample", str(rate)),
            graph.add("atempo", str(float(1 / SHIFT))),
            graph.add("aformat", f"sample_fmts=flt:sample_rates={rate}:channel_layouts={layout}"),
            graph.add("abuffersink"),
        ]
        graph.link_nodes(source, *steps).configure()
    given = taken = 0
    start: int | None = None
    channels = 0
    for block in blocks:
        start = block.start if start is None else start
        channels = block.samples.shape[0]
        given += block.samples.shape[1]
        with _converting():
            graph.push(made(block.samples, rate, layout, block.start))
        for samples in _pulled(graph):
            part = samples[:, : given - taken]  # what runs ahead of its input would be no sound of this place
            if part.shape[1]:
                yield SoundBlock(start + taken, part)
                taken += part.shape[1]
    if start is None:
        return
    with _converting():
        graph.push(None)
    for samples in _pulled(graph):
        part = samples[:, : given - taken]
        if part.shape[1]:
            yield SoundBlock(start + taken, part)
            taken += part.shape[1]
    if taken < given:
        yield SoundBlock(start + taken, np.zeros((channels, given - taken), np.float32))


def _pulled(graph: av.filter.Graph) -> list[Samples]:
    found: list[Samples] = []
    while True:
        try:
            frame = graph.pull()
        except (av.error.BlockingIOError, av.error.EOFError):
            return found
        assert isinstance(frame, av.audio.frame.AudioFrame)
        found.append(_unpacked(frame))


__all__ = ["SHIFT", "converted", "disguised", "made"]
