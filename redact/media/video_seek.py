"""Any frame of a video without decoding all before it: a table of all frames' times, and jumps to key frames.

The table is read from packets alone. Nothing rests on it unseen: each frame that comes out after a jump must
have the time that the table gives to its number, or the video is not one to jump in, and its reader must
decode it from the start as analysis and the gate do.
"""

from __future__ import annotations

from array import array
from bisect import bisect_left, bisect_right
from collections.abc import Iterator
from contextlib import ExitStack
from fractions import Fraction
from itertools import pairwise
from pathlib import Path

import av
import av.container
import av.video.stream

from redact.errors import DamagedInputError
from redact.media.base import DecodedFrame
from redact.media.video_decode import decode
from redact.media.video_open import DEMUXERS, exact, open_input, pick_video
from redact.media.video_picture import Scalers, VideoPicture
from redact.plan import MediaFacts

ONE_PICTURE_A_PACKET = frozenset({"h264", "hevc", "av1", "vp9", "prores", "mjpeg", "dnxhd", "ffv1", "png"})
"""Codecs whose packets each give one picture and bear its time. VP8 has some that show nothing."""
TIMED = frozenset({"mov", "matroska"})
"""Demuxers that know every packet's time of display. AVI counts in coding order."""


class NotSeekableError(Exception):
    """Packets do not tell which frame is which. Never leaves redact.media."""


class SeekableVideo:
    """One video held open. Not thread-safe."""

    def __init__(self, path: Path, facts: MediaFacts) -> None:
        """Read the table.

        Raises:
            NotSeekableError: it has to be decoded from the start.
            DamagedInputError: it cannot be opened, or is cut short.
        """
        if facts.interlaced or DEMUXERS[facts.format] not in TIMED:
            raise NotSeekableError
        self._facts, self._scalers = facts, Scalers()
        with ExitStack() as opened:
            self._container = opened.enter_context(open_input(path, facts.format))
            self._stream = pick_video(self._container)
            if self._stream.codec_context.codec.canonical_name not in ONE_PICTURE_A_PACKET:
                raise NotSeekableError
            self._tick = exact(self._stream.time_base, Fraction(1, 1000))
            self._pts, self._keys = _table(self._container, self._stream)
            # a film cut out of a longer one may begin with packets that no decoder shows
            next(self.since(0))
            self._opened = opened.pop_all()

    def __len__(self) -> int:
        """Number of frames."""
        return len(self._pts)

    def times(self) -> list[Fraction]:
        """Presentation time of every frame, in seconds."""
        return [pts * self._tick for pts in self._pts]

    def start(self, index: int) -> int:
        """The frame that a jump to frame `index` begins with: at or before it."""
        return bisect_left(self._pts, self._key(index))

    def _key(self, index: int) -> int:
        return self._keys[max(0, bisect_right(self._keys, self._pts[index]) - 1)]

    def since(self, index: int) -> Iterator[DecodedFrame]:
        """Every frame from `start(index)` on. A later call ends an earlier one's.

        Raises:
            NotSeekableError: what comes out is not what the table says, or does not decode from there.
        """
        key, expected = self._key(index), self.start(index)
        try:
            self._container.seek(key, stream=self._stream, backward=True)
            for frame in decode(self._container, self._stream, deinterlace=False, since=key):
                if expected >= len(self._pts) or frame.pts != self._pts[expected]:
                    raise NotSeekableError
                picture = VideoPicture(frame, self._facts, self._scalers)
                yield DecodedFrame(expected, frame.pts * self._tick, picture)
                expected += 1
        except (av.FFmpegError, EOFError, DamagedInputError) as error:
            raise NotSeekableError from error
        if expected != len(self._pts):
            raise NotSeekableError

    def close(self) -> None:
        """Let go of the file."""
        self._opened.close()


def _table(
    container: av.container.InputContainer, stream: av.video.stream.VideoStream
) -> tuple[array[int], array[int]]:
    """Times of all frames, and of all key frames (also of those that an edit list hides), each rising."""
    times, keys = array("q"), array("q")
    for packet in container.demux(stream):
        if not packet.size:
            continue
        if packet.pts is None or packet.is_corrupt:
            raise NotSeekableError
        if packet.is_keyframe:
            keys.append(packet.pts)
        if not packet.is_discard:
            times.append(packet.pts)
    times, keys = array("q", sorted(times)), array("q", sorted(keys))
    rising = all(a < b for a, b in pairwise(times))
    if not times or not keys or keys[0] > times[0] or not rising:
        raise NotSeekableError
    return times, keys


__all__ = ["NotSeekableError", "SeekableVideo"]
