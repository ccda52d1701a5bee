"""Kept sound: laid on the clock, overwritten where the plan says, and encoded again; nothing else is carried.

Sound is read through a container of its own, so that it can be pulled up to where the picture is and both are
written side by side. The plan's edits are applied before anything mixes neighbouring samples (rate, disguise,
encoder), and once more after it.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from fractions import Fraction
from pathlib import Path

import av
import av.audio.stream
import av.container

from redact.errors import DamagedInputError
from redact.media.sound import DAMAGED_SOUND, SoundBlock, read_sound, sound_facts
from redact.media.sound_edit import SoundEditor
from redact.media.sound_filter import converted, disguised, made
from redact.plan import SoundEdit
from redact.policy import AudioPolicy

CODEC = "aac"
RATES = (96000, 88200, 64000, 48000, 44100, 32000, 24000, 22050, 16000, 12000, 11025, 8000)
LAYOUTS = frozenset({"mono", "stereo", "3.0", "4.0", "5.0", "5.1", "7.1"})


class AudioCopier:
    """Re-encodes the first audio stream of `path` into `output`, in step with the picture.

    Raises:
        UnsupportedInputError, DamagedInputError: the sound does not decode whole, now or in `advance`.
    """

    def __init__(
        self,
        path: Path,
        format_: str,
        output: av.container.OutputContainer,
        policy: AudioPolicy,
        edits: Sequence[SoundEdit],
    ) -> None:
        facts = sound_facts(path, format_)
        if facts is None:
            raise DamagedInputError(DAMAGED_SOUND)
        self._layout = facts.layout if facts.layout in LAYOUTS else "stereo"
        self._rate = facts.rate if facts.rate in RATES else 48000
        stream = output.add_stream(CODEC, rate=self._rate)
        assert isinstance(stream, av.audio.stream.AudioStream)
        stream.codec_context.layout = self._layout
        stream.codec_context.format = "fltp"
        stream.codec_context.bit_rate = policy.bitrate_kbps * 1000
        self._stream, self._output = stream, output
        blocks = SoundEditor(edits, facts.rate).all(read_sound(path, format_))
        blocks = converted(blocks, facts.rate, facts.layout, self._rate, self._layout)
        if policy.mode == "disguise":
            blocks = disguised(blocks, self._rate, self._layout)
        self._blocks: Iterator[SoundBlock] = SoundEditor(edits, self._rate).all(blocks)
        self._ahead: SoundBlock | None = None

    def advance(self, until: Fraction | None) -> None:
        """Write all sound that starts before `until` seconds, or all there is."""
        while True:
            if self._ahead is None:
                self._ahead = next(self._blocks, None)
            block = self._ahead
            if block is None:
                break
            if until is not None and Fraction(block.start, self._rate) >= until:
                return
            frame = made(block.samples, self._rate, self._layout, block.start)
            self._output.mux(self._stream.encode(frame))
            self._ahead = None
        if until is None:
            self._output.mux(self._stream.encode(None))
