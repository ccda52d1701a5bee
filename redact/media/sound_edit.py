"""Overwriting stretches of sound: silence or a tone, exact to the sample, and nothing of what was there.

Takes blocks of samples and the plan's edits, gives new blocks. Every output sample depends on its own input
sample and its place only, so nothing of a stretch can reach beyond it; fades lie outside.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

import numpy as np

from redact.media.sound import Samples, SoundBlock
from redact.plan import SoundEdit

TONE_HZ = 1000
TONE_LEVEL = 0.1
"""The bleep of broadcasting, at -20 dBFS."""
FADE_S = 0.005
"""The sound next to a stretch fades, and so does the tone inside it: without that both ends would click."""

Stretch = tuple[int, int]
"""First sample, and first sample after it."""


def stretches(edits: Iterable[SoundEdit], rate: int) -> list[Stretch]:
    """The edits' samples at `rate`, in order; what touches or overlaps is one stretch."""
    merged: list[Stretch] = []
    for start, end in sorted(edit.samples(rate) for edit in edits):
        if merged and start <= merged[-1][1]:
            merged[-1] = (merged[-1][0], max(end, merged[-1][1]))
        else:
            merged.append((start, end))
    return merged


class SoundEditor:
    """Applies the edits of one item to its sound at one rate. Keeps no state between blocks."""

    def __init__(self, edits: Sequence[SoundEdit], rate: int) -> None:
        self._rate = rate
        self._fade = max(1, round(FADE_S * rate))
        self._gone = stretches(edits, rate)
        self._tones = stretches((edit for edit in edits if edit.kind == "bleep"), rate)

    def edited(self, block: SoundBlock) -> SoundBlock:
        """A new block: zeros or the tone on every sample of every edit, all other samples as they were
        but for the fades."""
        count = block.samples.shape[1]
        end = block.start + count
        gone = [
            each for each in self._gone if each[0] < end + self._fade and each[1] > block.start - self._fade
        ]
        if not gone:
            return block
        samples = block.samples * self._envelope(block.start, count, gone)
        for first, last in gone:
            samples[:, max(first - block.start, 0) : max(last - block.start, 0)] = 0
        for first, last in self._tones:
            a, b = max(first, block.start), min(last, end)
            if a < b:
                samples[:, a - block.start : b - block.start] = self._tone(a, b, first, last)
        return SoundBlock(block.start, samples)

    def all(self, blocks: Iterable[SoundBlock]) -> Iterator[SoundBlock]:
        """Every block, edited."""
        return map(self.edited, blocks)

    def _envelope(self, start: int, count: int, gone: Sequence[Stretch]) -> Samples:
        places = np.arange(start, start + count, dtype=np.int64)
        envelope = np.ones(count, np.float32)
        for first, last in gone:
            distance = np.maximum(first - places, places - last + 1)
            envelope = np.minimum(envelope, np.clip(distance / self._fade, 0, 1)).astype(np.float32)
        return envelope

    def _tone(self, start: int, end: int, first: int, last: int) -> Samples:
        places = np.arange(start, end, dtype=np.int64)
        wave = TONE_LEVEL * np.sin(2 * np.pi * TONE_HZ * (places % self._rate) / self._rate)
        edge = np.minimum(places - first, last - 1 - places) / self._fade
        tone: Samples = (wave * np.clip(edge, 0, 1)).astype(np.float32)
        return tone


__all__ = ["SoundEditor", "stretches"]
