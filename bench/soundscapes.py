"""Mixtures of speech and other sound whose truth is known: which milliseconds hold speech. For `bench.sound`.

Speech is synthetic (`bench.espeak`), in Armenian, Russian and English; the names in it belong to nobody.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction

import av
import numpy as np
import numpy.typing as npt

from bench import espeak
from redact.media.sound import SoundBlock
from redact.media.sound_filter import converted

RATE = 48000
SECONDS = 24
FRAME = RATE // 100
AUDIBLE_DB = -35.0
"""A hundredth of a second holds speech if it is at most this much quieter than the loud parts of it."""

SENTENCES: dict[str, tuple[str, ...]] = {
    "hy": (
        "Բարև, մամ ջան, ես եմ՝ Արամ Օրինակյանը։",
        "Ես լավ եմ, ամեն ինչ լավ է, մի անհանգստացեք։",
        "Անահիտ Օրինակյանին ասեք, որ շուտով տուն կգամ։",
    ),
    "ru": (
        "Мама, это я, Арам Оринакян, у меня всё хорошо.",
        "Ждите меня дома, я скоро вернусь.",
        "Передайте привет Анаит Оринакян и всем соседям.",
    ),
    "en": (
        "Mother, it is me, Aram Orinakyan, and I am well.",
        "Wait for me at home, I will be back soon.",
        "Say hello to Anahit Orinakyan and to all the neighbours.",
    ),
}
CROWD = (
    ("de", "Wir warten hier schon seit heute Morgen auf die Nachricht."),
    ("tr", "Bugün burada çok kalabalık, herkes bekliyor."),
    ("fr", "On ne sait pas encore quand ils vont arriver."),
    ("it", "Ci sono molte persone davanti alla porta."),
)
Wave = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Scene:
    """One mixture, mono at `RATE`."""

    samples: Wave
    speech: npt.NDArray[np.bool_]
    """One for each hundredth of a second."""
    sentences: tuple[tuple[float, float], ...]
    """Start and end of each, in seconds."""


def _spoken(text: str, voice: str, rng: np.random.Generator) -> Wave:
    said = espeak.say(text, voice, int(rng.integers(140, 190)), int(rng.integers(35, 65)))
    blocks = converted([SoundBlock(0, said[None])], espeak.RATE, "mono", RATE, "mono")
    return np.concatenate([block.samples[0] for block in blocks]).astype(np.float64)


def _room(speech: Wave, rng: np.random.Generator) -> Wave:
    """The speech with the echo of a room of 0.4 s."""
    count = int(0.4 * RATE)
    echo = rng.standard_normal(count) * np.exp(-6.9 * np.arange(count) / count) * 0.02
    echo[0] = 1
    size = len(speech) + count
    return np.fft.irfft(np.fft.rfft(speech, size) * np.fft.rfft(echo, size), size)[: len(speech)]


def _pink(count: int, rng: np.random.Generator) -> Wave:
    spectrum = np.fft.rfft(rng.standard_normal(count))
    return np.fft.irfft(spectrum / np.sqrt(np.maximum(np.arange(len(spectrum)), 20)), count)


def _hum(count: int, rng: np.random.Generator) -> Wave:
    time = np.arange(count) / RATE
    hum = sum(np.sin(2 * np.pi * 50 * n * time + rng.random()) / n for n in range(1, 7))
    pink = _pink(count, rng)
    return np.asarray(pink / pink.std() + 0.4 * hum)


def _music(count: int, rng: np.random.Generator) -> Wave:
    music = np.zeros(count)
    time = np.arange(RATE) / RATE
    for start in range(0, count, RATE // 2):
        tones = rng.choice([110, 220, 262, 330, 392, 440, 523, 659], 3, replace=False)
        chord = sum(np.sin(2 * np.pi * tone * n * time) / n for tone in tones for n in (1, 2, 3, 4))
        part = (chord * np.exp(-3 * time))[: count - start]
        music[start : start + len(part)] += part
    for start in range(0, count, RATE // 4):
        part = (2 * rng.standard_normal(RATE // 8) * np.exp(-np.arange(RATE // 8) / 900))[: count - start]
        music[start : start + len(part)] += part
    return music


def _applause(count: int, rng: np.random.Generator) -> Wave:
    clap = np.exp(-np.arange(1200) / 180)
    made = np.zeros(count + 1200)
    for start in rng.integers(0, count, count // 480):
        made[start : start + 1200] += rng.standard_normal(1200) * clap * rng.random()
    return made[:count]


def _crowd(count: int, rng: np.random.Generator) -> Wave:
    made = np.zeros(count)
    for speaker in range(10):
        language, text = CROWD[speaker % len(CROWD)]
        said = _room(_spoken(text, f"{language}+{'f2' if speaker % 2 else 'm3'}", rng), rng)
        whole = np.tile(np.pad(said, (0, int(rng.integers(0, RATE)))), count // len(said) + 2)
        made += np.roll(whole, int(rng.integers(0, len(whole))))[:count]
    return made


NOISES: dict[str, Callable[[int, np.random.Generator], Wave]] = {
    "room": _hum,
    "music": _music,
    "applause": _applause,
    "crowd": _crowd,
}


def scene(language: str, variant: str, noise: str, snr: float, level: float, seed: int) -> Scene:
    """Three sentences with pauses of one to four seconds over one kind of noise.

    `snr` is speech to noise in dB while somebody speaks, `level` the loudness of the speech (full scale 1).
    """
    rng = np.random.default_rng(seed)
    count = SECONDS * RATE
    speech, at, sentences = np.zeros(count), RATE, []
    for text in SENTENCES[language]:
        said = _spoken(text, language + variant, rng)[: count - at]
        speech[at : at + len(said)] = said
        sentences.append((at / RATE, (at + len(said)) / RATE))
        at += len(said) + int(rng.integers(RATE, 4 * RATE))
    speech = _room(speech, rng)
    loud = np.sqrt(np.square(speech.reshape(-1, FRAME)).mean(axis=1))
    truth = 20 * np.log10(np.maximum(loud, 1e-9) / np.percentile(loud[loud > 1e-4], 90)) > AUDIBLE_DB
    speech *= level / np.sqrt(np.square(speech.reshape(-1, FRAME)[truth]).mean())
    other = NOISES[noise](count, rng)
    other *= level / other.std() * 10 ** (-snr / 20)
    return Scene(np.clip(speech + other, -1, 1), truth, tuple(sentences))


def quiet_noise(noise: str, level: float, seed: int) -> Wave:
    """The noise alone."""
    rng = np.random.default_rng(seed)
    made = NOISES[noise](SECONDS * RATE, rng)
    return made * level / made.std()


def write_film(samples: Wave, target: str) -> None:
    """A Matroska file with a tiny picture and the samples as 16-bit sound."""
    with av.open(target, "w", format="matroska") as output:
        picture = output.add_stream("ffv1", rate=2)
        picture.width, picture.height, picture.pix_fmt = 64, 48, "yuv420p"
        sound = output.add_stream("pcm_s16le", rate=RATE, layout="mono")
        frame = av.AudioFrame.from_ndarray(
            (samples * 32767).astype(np.int16)[None], format="s16", layout="mono"
        )
        frame.sample_rate, frame.pts, frame.time_base = RATE, 0, Fraction(1, RATE)
        for index in range(2 * SECONDS):
            shown = av.VideoFrame.from_ndarray(np.full((72, 64), 90, np.uint8), format="yuv420p")
            shown.pts = index
            output.mux(picture.encode(shown))
        output.mux(picture.encode(None))
        output.mux(sound.encode(frame))
        output.mux(sound.encode(None))
