"""Kept sound: decoded, laid on the clock sample by sample, and encoded again; nothing else of it is carried.

Sound is read through a container of its own, so that it can be pulled up to where the picture is and both are
written side by side.
"""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path

import av
import av.audio.frame
import av.audio.stream
import av.container
import numpy as np
import numpy.typing as npt

from redact.errors import DamagedInputError
from redact.media.video_open import DAMAGED, exact, open_input

CODEC = "aac"
RATES = (96000, 88200, 64000, 48000, 44100, 32000, 24000, 22050, 16000, 12000, 11025, 8000)
LAYOUTS = frozenset({"mono", "stereo", "3.0", "4.0", "5.0", "5.1", "7.1"})
TOLERANCE_S = Fraction(1, 50)
"""Times that wander by less than this are jitter of the container's clock, not gaps."""


class AudioCopier:
    """Re-encodes the first audio stream of `path` into `output`, in step with the picture."""

    def __init__(self, path: Path, format_: str, output: av.container.OutputContainer, kbps: int) -> None:
        self._path, self._format = path, format_
        self._output = output
        with open_input(path, format_) as container:
            source = container.streams.audio[0].codec_context
            layout = source.layout.name if source.layout.name in LAYOUTS else "stereo"
            rate = source.sample_rate if source.sample_rate in RATES else 48000
        stream = output.add_stream(CODEC, rate=rate)
        assert isinstance(stream, av.audio.stream.AudioStream)
        stream.codec_context.layout = layout
        stream.codec_context.format = "fltp"
        stream.codec_context.bit_rate = kbps * 1000
        self._stream, self._rate, self._layout = stream, rate, layout
        self._frames = self._decoded()
        self._ahead: av.audio.frame.AudioFrame | None = None
        self._written = 0
        self._started = False

    def _decoded(self) -> Iterator[av.audio.frame.AudioFrame]:
        """Frames in the output's format, on its clock: `pts` in samples, gaps filled with silence."""
        resampler = av.AudioResampler(format="fltp", layout=self._layout, rate=self._rate)
        with open_input(self._path, self._format) as container:
            source = container.streams.audio[0]
            for packet in container.demux(source):
                if packet.is_corrupt:
                    raise DamagedInputError(DAMAGED)
                for frame in packet.decode():
                    assert isinstance(frame, av.audio.frame.AudioFrame)
                    if frame.is_corrupt:
                        raise DamagedInputError(DAMAGED)
                    for made in resampler.resample(frame):
                        yield from self._placed(made)
            for made in resampler.resample(None):
                yield from self._placed(made)

    def _placed(self, frame: av.audio.frame.AudioFrame) -> Iterator[av.audio.frame.AudioFrame]:
        samples = np.asarray(frame.to_ndarray(), np.float32)
        if frame.pts is not None:
            start = round(frame.pts * exact(frame.time_base, Fraction(1, self._rate)) * self._rate)
            if not self._started:
                self._written = start
            off = start - self._written
            if off > TOLERANCE_S * self._rate:
                yield self._made(np.zeros((samples.shape[0], off), np.float32))
            elif -off > TOLERANCE_S * self._rate:
                samples = samples[:, -off:]
        self._started = True
        if samples.shape[1]:
            yield self._made(samples)

    def _made(self, samples: npt.NDArray[np.float32]) -> av.audio.frame.AudioFrame:
        frame = av.audio.frame.AudioFrame.from_ndarray(
            np.ascontiguousarray(samples, np.float32), format="fltp", layout=self._layout
        )
        frame.sample_rate = self._rate
        frame.pts, frame.time_base = self._written, Fraction(1, self._rate)
        self._written += samples.shape[1]
        return frame

    def advance(self, until: Fraction | None) -> None:
        """Write all sound that starts before `until` seconds, or all there is."""
        while True:
            if self._ahead is None:
                self._ahead = next(self._frames, None)
            frame = self._ahead
            if frame is None:
                break
            assert frame.pts is not None
            if until is not None and Fraction(frame.pts, self._rate) >= until:
                return
            self._output.mux(self._stream.encode(frame))
            self._ahead = None
        if until is None:
            self._output.mux(self._stream.encode(None))

    def close(self) -> None:
        """Close the input."""
        close = getattr(self._frames, "close", None)
        if close is not None:
            close()
