"""Reads animated GIF, WebP and APNG: every frame composited to the full canvas, with its exact time.

The half of the animation handler that writes nothing. One frame is in memory at a time (and the file's
bytes). The hidden default picture that an APNG may have beside its animation is not one of its frames.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path

from PIL import GifImagePlugin

from redact.errors import DamagedInputError, UnsupportedInputError
from redact.media.base import DecodedFrame
from redact.media.blocks import Blocks, take_apart
from redact.media.colour import profile_of, to_srgb
from redact.media.grounds import decoded_frame
from redact.media.picture import ROTATIONS, Pixels, erase_hidden, oriented
from redact.media.sniff import identify
from redact.media.source import read_photo
from redact.media.still import DAMAGED, DECODE_ERRORS, open_image, to_array
from redact.media.timeline import Timeline, read_timeline
from redact.plan import MediaFacts

# Frames as full colour from the first one on: with palettes Pillow would return frames in different modes.
GifImagePlugin.LOADING_STRATEGY = GifImagePlugin.LoadingStrategy.RGB_ALWAYS

WEBP_SIDE = 16383
"""Largest side of one picture in the format; a canvas may be larger, but no frame can be written for it."""
UNSAID = Fraction(1, 10)
"""Seconds for which players show a frame without a duration."""
LARGEST_TIME_BASE = 10**9
"""APNG denominators may have no sensible common multiple; beyond this, facts count microseconds."""


class AnimationReader:
    """Reader of animated pictures."""

    kind = "animation"

    def probe(self, path: Path) -> MediaFacts:
        """Read size, frames, durations and loop from the block structure; no pixel is decoded.

        Raises:
            DamagedInputError, UnsupportedInputError: the file is broken or of a refused variant.
        """
        data, name = read_photo(path), identify(path)
        timeline = timeline_of(data, name)
        blocks = take_apart(data, name)
        width, height = _shown_size(timeline, blocks)
        if name == "webp" and max(width, height) > WEBP_SIDE:
            raise UnsupportedInputError(f"An animated WebP with a side of more than {WEBP_SIDE} pixels.")
        rotation, mirrored = ROTATIONS[blocks.orientation]
        base = math.lcm(*(per_second for _, per_second in timeline.delays))
        if base > LARGEST_TIME_BASE:
            base = 10**6
        total = sum(timeline.durations(), Fraction(0))
        rate = (len(timeline.delays) / total if total else 1 / UNSAID).limit_denominator(1001)
        return MediaFacts(
            kind="animation",
            format=name,
            width=width,
            height=height,
            frames=len(timeline.delays),
            rotation=rotation,
            mirrored=mirrored,
            codec=name,
            pixel_format="RGBA",
            time_base=(1, base),
            duration_ticks=round(total * base),
            frame_rate=(rate.numerator, rate.denominator),
            has_alpha=True,
            loop=timeline.loop,
        )

    def frames(self, path: Path, facts: MediaFacts) -> Iterator[DecodedFrame]:
        """Every frame, composited to the full canvas.

        Raises:
            DamagedInputError: on the first frame that does not decode.
        """
        data = read_photo(path)
        timeline = timeline_of(data, facts.format)
        time = Fraction(0)
        durations = timeline.durations()
        for index, pixels in enumerate(decoded_frames(data, facts.format, timeline)):
            shown = durations[index] or UNSAID
            yield decoded_frame(index, time, pixels, shown)
            time += shown


def timeline_of(data: bytes, name: str) -> Timeline:
    """Timeline of an animation's bytes. Raises DamagedInputError."""
    timeline = read_timeline(data, name)
    if timeline is None:
        raise DamagedInputError(DAMAGED)
    return timeline


def _shown_size(timeline: Timeline, blocks: Blocks) -> tuple[int, int]:
    turned = blocks.orientation >= 5
    return (timeline.height, timeline.width) if turned else (timeline.width, timeline.height)


def decoded_frames(data: bytes, name: str, timeline: Timeline) -> Iterator[Pixels]:
    """H x W x 4 BGRA of every frame in display orientation; each array is the caller's to write into."""
    blocks = take_apart(data, name)
    profile = profile_of(blocks)
    image = open_image(blocks.pixels, name)
    first = 1 if timeline.hidden_first else 0
    for index in range(len(timeline.delays)):
        try:
            image.seek(first + index)
            image.load()
            shown = to_srgb(image, profile)
            pixels = to_array(shown if shown.mode == "RGBA" else shown.convert("RGBA"))
        except DECODE_ERRORS as error:
            raise DamagedInputError(DAMAGED) from error
        pixels = pixels[: timeline.height, : timeline.width]
        if pixels.shape[:2] != (timeline.height, timeline.width):
            raise DamagedInputError("A frame decodes to another size than the header says.")
        pixels = oriented(pixels.copy(), blocks.orientation)
        erase_hidden(pixels)
        yield pixels


__all__ = ["AnimationReader", "decoded_frames", "timeline_of"]
