"""Any frame of a file by its number, and the time of every frame: what a person looks at while reviewing.

Numbers are those of plans and of the gate: frames in display order, as the handler's own `frames` counts
them. Videos that allow it are jumped in; all others are decoded from the start. The last frames are kept in
memory, so that a step forward or back is quick. Nothing is written.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np

from redact.detect.base import Picture
from redact.errors import EncodeError, InputTooLargeError, UsageError
from redact.media.base import DecodedFrame
from redact.media.registry import handler_for
from redact.media.video_seek import NotSeekableError, SeekableVideo

QUALITY = 90
HIGHEST = 8192
"""Rows of a JPEG at most: a narrow, very high picture is made smaller than its width alone would ask for."""
KEPT_BYTES = 256 << 20
BYTES_PER_PIXEL, WITH_ALPHA = 4, 8
"""Of a kept frame: 4:2:0 in 10 bits, or BGR and something over; with an alpha plane also its source."""


class FrameReader:
    """The frames of one file, which stays open; it is opened again only to go back where that needs a decode
    from the start. Not thread-safe.
    """

    def __init__(self, path: Path, *, max_pixels: int, frames: int = 0, own: bool = False) -> None:
        """`frames`: how many a decode of the whole file gave, if there was one: a video is jumped in only if
        its packets are as many, or if nothing is known and it is `own`, one that this tool wrote.

        Raises:
            DamagedInputError, UnsupportedInputError: the file is broken or of a refused kind.
            InputTooLargeError: one frame has more than `max_pixels`.
        """
        self._path = path
        self._handler = handler_for(path)
        self.facts = self._handler.probe(path)
        if self.facts.width * self.facts.height > max_pixels:
            raise InputTooLargeError("A frame has more pixels than limits.max_pixels allows.")
        self._seekable: SeekableVideo | None = None
        if self.facts.kind == "video" and (frames or own):
            try:
                self._seekable = SeekableVideo(path, self.facts)
            except NotSeekableError:
                pass
            else:
                if frames not in (0, len(self._seekable)):
                    self._decode_from_start()
        each = WITH_ALPHA if self.facts.has_alpha else BYTES_PER_PIXEL
        self._most = KEPT_BYTES // (each * self.facts.width * self.facts.height)
        self._kept: OrderedDict[int, DecodedFrame] = OrderedDict()
        self._running: Iterator[DecodedFrame] = iter(())
        self._next = -1
        """The frame that `_running` gives next; -1: it gives none."""

    def _decode_from_start(self) -> None:
        if self._seekable is not None:
            self._seekable.close()
        self._seekable = None

    @property
    def count(self) -> int | None:
        """Number of frames, where it is known without decoding."""
        if self._seekable is not None:
            return len(self._seekable)
        return None if self.facts.kind == "video" else self.facts.frames

    def frame(self, index: int) -> DecodedFrame:
        """Frame number `index`.

        Raises:
            UsageError: there is no such frame.
            DamagedInputError: the file does not decode up to there.
        """
        if index < 0 or (self.count is not None and index >= self.count):
            raise _no_such_frame()
        if index in self._kept:
            self._kept.move_to_end(index)
            return self._kept[index]
        try:
            return self._reached(index)
        except NotSeekableError:
            self._decode_from_start()
            self._stop()
            return self._reached(index)

    def _reached(self, index: int) -> DecodedFrame:
        start = self._seekable.start(index) if self._seekable is not None else 0
        if not start <= self._next <= index:
            self._stop()
            self._running = (
                self._seekable.since(index)
                if self._seekable is not None
                else self._handler.frames(self._path, self.facts)
            )
            self._next = start
        try:
            for frame in self._running:
                self._next = frame.index + 1
                self._keep(frame)
                if frame.index == index:
                    return frame
        except Exception:
            self._stop()
            raise
        self._stop()
        raise _no_such_frame()

    def _stop(self) -> None:
        close = getattr(self._running, "close", None)
        if close is not None:
            close()
        self._running, self._next = iter(()), -1

    def _keep(self, frame: DecodedFrame) -> None:
        self._kept[frame.index] = frame
        while len(self._kept) > self._most:
            self._kept.popitem(last=False)

    def between(self, first: int, last: int) -> Iterator[DecodedFrame]:
        """Frames `first` to `last`, inclusive; see `frame`."""
        return (self.frame(index) for index in range(first, last + 1))

    def times(self) -> list[float]:
        """Seconds of every frame, from the start of the file's own clock.

        Raises:
            DamagedInputError: the file does not decode whole, where that is the only way to know.
        """
        if self._seekable is not None:
            return [float(time) for time in self._seekable.times()]
        return [float(frame.time) for frame in self._handler.frames(self._path, self.facts)]

    def close(self) -> None:
        """Let go of the file and of all frames."""
        self._stop()
        self._kept.clear()
        self._decode_from_start()


def _no_such_frame() -> UsageError:
    return UsageError("There is no frame of that number; frames are counted from 0.")


def jpeg_of(picture: Picture, width: int) -> bytes:
    """The picture as a new JPEG of at most `width` columns and HIGHEST rows."""
    side = max(picture.width, picture.height)
    side = max(1, min(side, side * width // picture.width, side * HIGHEST // picture.height))
    image = picture.bgr(side)
    over = max(image.shape[1] / width, image.shape[0] / HIGHEST)
    if over > 1:  # a squeezed film looks wider or higher than its samples are
        size = max(1, int(image.shape[1] / over)), max(1, int(image.shape[0] / over))
        image = np.asarray(cv2.resize(image, size, interpolation=cv2.INTER_AREA), np.uint8)
    done, data = cv2.imencode(".jpg", np.asarray(image), [cv2.IMWRITE_JPEG_QUALITY, QUALITY])
    if not done:
        raise EncodeError("The frame could not be encoded.")
    return data.tobytes()


__all__ = ["HIGHEST", "FrameReader", "jpeg_of"]
