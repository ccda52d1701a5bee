"""Where sound holds speech: Silero's voice activity network on every channel, at several loudnesses.

Takes blocks of samples at 16 kHz and gives one likelihood for each 32 ms. It never learns what is said. The
network hears best at ordinary level: it misses what is much quieter, what is whispered unless it is quiet,
and what lies under music unless it is loud. So every signal is brought to several levels, and the highest
answer counts. Network and its framing (512 samples after 64 of context): Silero VAD 6, MIT.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import onnxruntime as ort

RATE = 16000
"""Samples a second that the network was trained on."""
WINDOW = 512
"""Samples for which it gives one answer."""
CONTEXT = 64
BLOCK = 128 * WINDOW
"""Samples that one call works through, about four seconds."""
LEVEL_REACH = 16
"""Windows on each side, half a second, whose loudest says how much a window is raised or lowered."""
GAINS = (1e-2, 1e3)
"""Bounds of that gain. A signal 60 dB lower than speech should be is still raised to it; under that lies what
8-bit and 16-bit sound cannot hold."""

FloatArray = npt.NDArray[np.float32]


@dataclass(frozen=True)
class EarSettings:
    """How one ear listens."""

    levels: tuple[float, ...]
    """Loudnesses (root mean square, full scale 1) that each signal is brought to, one pass for each."""
    lead: int
    """Samples of silence before the first, 0 to 511: another cut into windows."""


class SpeechNetwork:
    """The network's session; safe to share between threads."""

    def __init__(self, weights: Path) -> None:
        options = ort.SessionOptions()
        options.intra_op_num_threads = 1
        options.inter_op_num_threads = 1
        options.log_severity_level = 4
        options.add_session_config_entry("session.intra_op.allow_spinning", "0")
        self._session = ort.InferenceSession(str(weights), options, providers=["CPUExecutionProvider"])

    def run(self, windows: FloatArray, memory: tuple[FloatArray, FloatArray]) -> tuple[FloatArray, ...]:
        """Likelihoods of N x 576 samples in order, and the memory to hand to the next call (two arrays)."""
        return tuple(self._session.run(None, {"input": windows, "h": memory[0], "c": memory[1]}))


class _Pass:
    """One signal at one level, with the memory it carries from block to block."""

    def __init__(self, network: SpeechNetwork, level: float) -> None:
        self._network, self._level = network, level
        self._memory = (np.zeros((1, 1, 128), np.float32), np.zeros((1, 1, 128), np.float32))
        self._context = np.zeros(CONTEXT, np.float32)
        self._gain = 1.0

    def hear(self, windows: FloatArray) -> FloatArray:
        """Likelihoods of N x 512 samples."""
        levelled = (windows.reshape(-1) * self._gains(windows)).reshape(-1, WINDOW)
        levelled = np.clip(levelled, -1, 1).astype(np.float32)
        heads = np.concatenate((self._context[None], levelled[:-1, -CONTEXT:]))
        self._context = levelled[-1, -CONTEXT:].copy()
        likely, *memory = self._network.run(np.concatenate((heads, levelled), axis=1), self._memory)
        self._memory = (memory[0], memory[1])
        return likely.reshape(-1)

    def _gains(self, windows: FloatArray) -> FloatArray:
        loud = np.sqrt(np.mean(np.square(windows, dtype=np.float64), axis=1))
        padded = np.pad(loud, LEVEL_REACH, mode="edge")
        around = np.lib.stride_tricks.sliding_window_view(padded, 2 * LEVEL_REACH + 1).max(axis=1)
        gains = np.clip(self._level / np.maximum(around, 1e-9), *GAINS)
        steps = np.concatenate(([self._gain], gains))  # glides, for a step would click
        self._gain = float(gains[-1])
        places = np.arange(len(gains) * WINDOW) / WINDOW
        smooth: FloatArray = np.interp(places, np.arange(len(steps)), steps).astype(np.float32)
        return smooth


class Ear:
    """Listens to one item's sound from its start to its end."""

    def __init__(self, network: SpeechNetwork, settings: EarSettings, channels: int) -> None:
        self._channels = channels
        self._passes = [
            [_Pass(network, level) for level in settings.levels]
            for _ in range(channels + 1 if channels > 1 else 1)
        ]
        self._held = [np.zeros((channels, settings.lead), np.float32)]
        self._count = settings.lead

    def likelihoods(self, blocks: Iterable[FloatArray]) -> Iterator[FloatArray]:
        """One value from 0 to 1 for every 512 samples, in order; `blocks` are channels x samples at 16 kHz.

        The highest of all channels, their mix, and all levels. What is no number counts as speech.
        """
        for block in blocks:
            self._held.append(block)
            self._count += block.shape[1]
            if self._count >= BLOCK:
                whole = np.concatenate(self._held, axis=1)
                for _ in range(self._count // BLOCK):
                    yield self._heard(whole[:, :BLOCK])
                    whole = whole[:, BLOCK:]
                self._held, self._count = [whole], whole.shape[1]
        whole = np.concatenate(self._held, axis=1)
        if whole.shape[1]:
            yield self._heard(np.pad(whole, ((0, 0), (0, -whole.shape[1] % WINDOW))))

    def _heard(self, samples: FloatArray) -> FloatArray:
        signals = [samples.mean(axis=0), *samples] if self._channels > 1 else [samples[0]]
        answers = [
            each.hear(np.ascontiguousarray(signal, np.float32).reshape(-1, WINDOW))
            for signal, passes in zip(signals, self._passes, strict=True)
            for each in passes
        ]
        highest: FloatArray = np.max(np.nan_to_num(np.stack(answers), nan=1.0), axis=0)
        return highest


__all__ = ["CONTEXT", "RATE", "WINDOW", "Ear", "EarSettings", "SpeechNetwork"]
