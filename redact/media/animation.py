"""Animated GIF, WebP and APNG: every frame covered and written as a full frame.

Frame count, each frame's duration and the loop count are those of the source, and are read back from the
finished file. One frame is in memory at a time.
"""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from pathlib import Path

from redact.errors import EncodeError, InputError, OutputError
from redact.media.animation_reader import AnimationReader, decoded_frames, timeline_of
from redact.media.animwrite import WRITERS
from redact.media.base import Painter, Progress, RenderedFacts
from redact.media.encode import ENCODE_ERRORS
from redact.media.picture import erase_hidden
from redact.media.source import read_photo
from redact.media.still import DECODE_ERRORS, open_image
from redact.media.timeline import Timeline
from redact.metadata.rights import Rights, rights_from_bytes
from redact.plan import MediaFacts, OutputSpec, SoundEdit

DURATION_TOLERANCE_MS = Fraction(1, 100)
"""Pillow tells durations as floats of milliseconds."""


class AnimationHandler(AnimationReader):
    """Handler of animated pictures."""

    def render(
        self,
        path: Path,
        facts: MediaFacts,
        spec: OutputSpec,
        painter: Painter,
        target: Path,
        progress: Progress | None = None,
        sound: Sequence[SoundEdit] = (),
    ) -> RenderedFacts:
        """Cover every frame and write the animation to `target` (must not exist) in the source's format.

        Raises:
            DamagedInputError: the input does not decode whole.
            EncodeError: the encoder failed, or what it wrote has other frames, durations or loops.
            OutputError: `target` cannot be written.
        """
        if spec.format != facts.format:
            raise EncodeError("An animation is written in its own format only.")
        data = read_photo(path)
        timeline = timeline_of(data, facts.format)
        rights = rights_from_bytes(data, facts.format) if spec.keep_rights else Rights()
        rights = rights.without(spec.drop_rights)
        shown = Timeline(
            facts.width, facts.height, timeline.delays, timeline.loop, lossless=timeline.lossless
        )
        try:
            with target.open("xb") as sink:
                writer = WRITERS[facts.format](sink, shown, spec, rights)
                writer.start()
                for index, pixels in enumerate(decoded_frames(data, facts.format, timeline)):
                    painter.bgr(index, pixels)
                    erase_hidden(pixels)
                    try:
                        writer.add(pixels, timeline.delays[index])
                    except ENCODE_ERRORS as error:
                        if isinstance(error, OSError) and error.errno is not None:
                            raise
                        raise EncodeError("A frame could not be encoded.") from error
                    if progress is not None:
                        progress(index + 1, len(timeline.delays))
                writer.finish()
        except OSError as error:
            raise OutputError("The output file cannot be written; is the disk full?") from error
        _verify(read_photo(target), facts.format, shown)
        return RenderedFacts(frames=len(timeline.delays))


def _verify(data: bytes, name: str, wanted: Timeline) -> None:
    """Hold the finished file against what was asked for, with our reader and with Pillow's.

    Raises:
        EncodeError: frames, durations, loops or size differ.
    """
    durations = []
    try:
        found = timeline_of(data, name)
        image = open_image(data, name)
        for index in range(int(getattr(image, "n_frames", 1))):
            image.seek(index)
            image.load()
            durations.append(Fraction(image.info.get("duration", 0)))
    except (InputError, *DECODE_ERRORS) as error:
        raise EncodeError("The written animation cannot be read back.") from error
    loop = wanted.loop if name == "gif" else wanted.loop or 0
    same = (found.width, found.height, found.delays, found.loop) == (
        wanted.width,
        wanted.height,
        wanted.delays,
        loop,
    )
    expected = [seconds * 1000 for seconds in wanted.durations()]
    close = len(durations) == len(expected) and all(
        abs(a - b) <= DURATION_TOLERANCE_MS for a, b in zip(durations, expected, strict=True)
    )
    if not same or not close:
        raise EncodeError("The written animation has other frames or durations than its source.")


__all__ = ["AnimationHandler"]
