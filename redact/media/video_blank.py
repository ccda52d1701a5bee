"""Blanks what lies under covers in decoded frames, before fields are merged or colours are scaled.

Those mix each sample with its neighbours and with the frames around, so what a cover hides would tint what
stands beside it. Frames are copied where the decoder still needs them; their content under a cover becomes
one value, and the cover itself is drawn later, on what is encoded.
"""

from __future__ import annotations

from collections.abc import Callable, Container, Iterator, Sequence
from fractions import Fraction

import av.video.frame
import numpy as np
from av.video.format import VideoFormat, VideoFormatComponent
from av.video.plane import VideoPlane

from redact.media.base import Rectangle
from redact.media.orientation import as_stored
from redact.plan import MediaFacts

WORDS = {1: np.uint8, 2: np.uint16}
REPACKED = "bgr24"
"""Same samples for what is not stored in whole bytes, by palette or from the bottom up."""


def blanked(
    frames: Iterator[av.video.frame.VideoFrame],
    covered: Callable[[int], Sequence[Rectangle]],
    facts: MediaFacts,
    whole: Container[str],
) -> Iterator[av.video.frame.VideoFrame]:
    """The frames, the n-th without what `covered(n)` hides: rectangles in pixels of the displayed picture.

    Frames of which no sample is mixed with another, those of a pixel format in `whole`, stay as they are.
    """
    # a turned picture of odd size has its last colour sample first: the grid of covers lies askew on it
    askew = (facts.rotation or facts.mirrored) and (facts.width % 2 or facts.height % 2)
    for number, frame in enumerate(frames):
        if frame.format.name in whole and not facts.interlaced and not askew:
            yield frame
            continue
        rectangles = covered(number)
        if _is_repacked(frame):
            times = frame.pts, frame.time_base
            frame = frame.reformat(format=REPACKED, threads=1)  # noqa: PLW2901
            frame.pts, frame.time_base = times
        if rectangles:
            frame.make_writable()
            stored = [as_stored(each, facts) for each in rectangles]
            for index, plane in enumerate(frame.planes):
                parts = [each for each in frame.format.components if each.plane == index]
                _blank(plane, frame.format, parts, stored)
        yield frame


def _is_repacked(frame: av.video.frame.VideoFrame) -> bool:
    odd = frame.format.has_palette or frame.format.is_bit_stream
    return odd or any(plane.line_size < 0 for plane in frame.planes)


def _blank(
    plane: VideoPlane,
    format_: VideoFormat,
    parts: Sequence[VideoFormatComponent],
    rectangles: Sequence[Rectangle],
) -> None:
    """Set every sample of the plane, which holds `parts`, that a rectangle (in pixels of the stored frame)
    touches to one value."""
    bits = parts[0].bits
    if format_.is_planar:
        # several components of a plane lie side by side and have its subsampling, as in NV12
        step = Fraction(len(parts) * (1 if bits <= 8 else 2 if bits <= 16 else 4))
    else:
        step = Fraction(format_.padded_bits_per_pixel, 8)
    across = -(-format_.width // plane.width)
    down = -(-format_.height // plane.height)
    word = 2 if bits > 8 and step % 2 == 0 else 1
    # the middle of the scale is grey in YUV and in RGB, and leaves no colour at the cover's edge
    value = 1 << (bits - 1) if word == 2 and bits <= 16 else 128
    lines = np.frombuffer(memoryview(plane), np.uint8).reshape(plane.height, -1)
    for x0, y0, x1, y1 in rectangles:
        start, end = (int(-(-x // across) * step) for x in (x0 // across * across, x1))
        part = lines[y0 // down : -(-y1 // down), start : min(end, lines.shape[1])]
        part.view(WORDS[word])[...] = value
