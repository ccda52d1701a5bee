"""A voice out of numbers, and small films that carry sound. No recording, no synthesiser, nobody's voice.

The voice is a textbook's: overtones under three resonances for each vowel, and a hiss between them.
The network takes it for speech as surely as it does a person's.
"""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import numpy.typing as npt

RATE = 48000
VOWELS = ((730, 1090, 2440), (270, 2290, 3010), (300, 870, 2240), (530, 1840, 2480), (570, 840, 2410))
"""The first three resonances of five vowels, Hz (Peterson and Barney 1952, rounded)."""


def voice(seconds: float, seed: int = 1, rate: int = RATE) -> npt.NDArray[np.float32]:
    """Babble at half of full scale: samples at `rate`."""
    rng = np.random.default_rng(seed)
    count, parts, made, phase = round(seconds * rate), [], 0, 0.0
    while made < count:
        long = int(rate * rng.uniform(0.09, 0.2))
        pitch = np.linspace(rng.uniform(105, 150), rng.uniform(95, 135), long)
        turns = phase + np.cumsum(pitch / rate)
        phase, formants = turns[-1], VOWELS[rng.integers(len(VOWELS))]
        vowel = np.zeros(long)
        for overtone in range(1, 40):
            tone = pitch * overtone
            near = sum(
                share / (1 + ((tone - formant) / (50 + formant * 0.04)) ** 2)
                for formant, share in zip(formants, (1, 0.6, 0.3), strict=True)
            )
            vowel += near * (tone < 7000) / overtone**0.5 * np.sin(2 * np.pi * overtone * turns)
        hiss = int(rate * rng.uniform(0.02, 0.07))
        parts += [
            vowel * np.sqrt(np.sin(np.pi * np.arange(long) / long)),
            0.15 * rng.standard_normal(hiss) * np.hanning(hiss),
        ]
        made += long + hiss
    babble = np.concatenate(parts)[:count]
    return (0.5 * babble / np.abs(babble).max()).astype(np.float32)


def noise(seconds: float, seed: int = 1, level: float = 0.02, rate: int = RATE) -> npt.NDArray[np.float32]:
    """White noise."""
    rng = np.random.default_rng(seed)
    return (level * rng.standard_normal(round(seconds * rate))).astype(np.float32)


def film(
    path: Path,
    sound: npt.NDArray[np.float32],
    *,
    rate: int = RATE,
    layout: str = "mono",
    codec: str = "pcm_f32le",
    start: Fraction = Fraction(0),
    seconds: float | None = None,
    hole: tuple[float, float] | None = None,
) -> Path:
    """A film with a grey picture of ten frames a second; the container goes by the path's suffix.

    `sound` is samples or channels x samples; it begins at `start`. `seconds` is how long the picture lasts,
    as long as the sound by default. A `hole` (seconds before it, seconds it lasts) delays what follows.
    """
    channels = np.atleast_2d(sound)
    with av.open(str(path), "w") as target:
        picture = target.add_stream("libx264", rate=10, options={"preset": "ultrafast"})
        picture.width, picture.height, picture.pix_fmt = 64, 48, "yuv420p"
        track = target.add_stream(codec, rate=rate, layout=layout)
        track.time_base = Fraction(1, rate)
        step = 1024
        for at in range(0, channels.shape[1], step):
            block = av.AudioFrame.from_ndarray(
                np.ascontiguousarray(channels[:, at : at + step].T).reshape(1, -1),
                format="flt",
                layout=layout,
            )
            late = round(hole[1] * rate) if hole and at >= hole[0] * rate else 0
            block.sample_rate, block.time_base = rate, Fraction(1, rate)
            block.pts = at + late + round(start * rate)
            for ready in av.AudioResampler(format=track.format.name, layout=layout, rate=rate).resample(
                block
            ):
                target.mux(track.encode(ready))
        target.mux(track.encode(None))
        for index in range(max(1, round(10 * (seconds or channels.shape[1] / rate)))):
            frame = av.VideoFrame.from_ndarray(np.full((72, 64), 90, np.uint8), format="yuv420p")
            frame.pts, frame.time_base = index, Fraction(1, 10)
            target.mux(picture.encode(frame))
        target.mux(picture.encode(None))
    return path


def heard(path: Path) -> tuple[npt.NDArray[np.float32], float, int]:
    """Channels x samples as a player presents them, the time of the first in seconds, and the rate."""
    with av.open(str(path)) as container:
        frames = list(container.decode(audio=0))
    packer = av.AudioResampler(format="flt")
    packed = [each.to_ndarray() for frame in frames for each in packer.resample(frame)]
    channels = frames[0].layout.nb_channels
    return (
        np.concatenate(packed, axis=1).reshape(-1, channels).T,
        float(frames[0].time),
        frames[0].sample_rate,
    )
