"""Decoding a video stream frame by frame, strictly: whole, in order, the same in analysis and in rendering.

A frame that does not decode cleanly, a time that does not go forward, a size that changes: each ends the item
with an error. Interlaced frames become progressive ones here, one for one, so both passes see the same.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from fractions import Fraction
from queue import Full, Queue
from typing import Generic, TypeVar

import av
import av.container
import av.filter
import av.video.frame
import av.video.stream

from redact.errors import DamagedInputError, UnsupportedInputError
from redact.media.video_open import DAMAGED, exact

DEPTH = 4
"""Decoded frames that may wait: enough for decoding and encoding to overlap, about 12 MB at 1080p."""
MAX_GAP_S = 24 * 3600
"""Seconds between two frames beyond which a time is a broken one: no muxer can hold it."""
T = TypeVar("T")
Frames = Iterator[av.video.frame.VideoFrame]


class Prefetch(Generic[T]):
    """Iterates over `source` in a thread of its own, at most `depth` items ahead.

    An exception in the source is raised here. Leaving the `with` block ends the thread.
    """

    def __init__(self, source: Iterator[T], depth: int = DEPTH) -> None:
        self._queue: Queue[tuple[T | None, BaseException | None]] = Queue(depth)
        self._stop = threading.Event()
        self._source = source
        self._thread = threading.Thread(target=self._work, name="decode", daemon=True)

    def _work(self) -> None:
        failure: BaseException | None = None
        try:
            for item in self._source:
                if not self._put((item, None)):
                    return
        except BaseException as error:  # noqa: BLE001 - handed to the consumer, who raises it
            failure = error
        self._put((None, failure))

    def _put(self, entry: tuple[T | None, BaseException | None]) -> bool:
        while not self._stop.is_set():
            try:
                self._queue.put(entry, timeout=0.1)
            except Full:
                continue
            return True
        return False

    def __enter__(self) -> Iterator[T]:
        self._thread.start()
        return self._items()

    def _items(self) -> Iterator[T]:
        while True:
            item, failure = self._queue.get()
            if failure is not None:
                raise failure
            if item is None:
                return
            yield item

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join()


def decode(
    container: av.container.InputContainer,
    stream: av.video.stream.VideoStream,
    *,
    deinterlace: bool,
    since: int | None = None,
    first: Callable[[Frames], Frames] | None = None,
) -> Frames:
    """Every frame in display order, with `pts` in `stream.time_base`.

    `since`: after a seek to a key frame, the key frame's `pts`. What comes before it is passed over: those
    frames lean on a group of pictures that was not decoded. `first`: what is done to the decoder's frames,
    one for one, before fields are merged.

    Raises:
        DamagedInputError: an error of the decoder, a frame it could only patch up, or times that do not rise.
        UnsupportedInputError: the frame size or pixel format changes on the way.
    """
    frames = _decode(container, stream, since)
    if first is not None:
        frames = first(frames)
    return _checked(_deinterlaced(frames, stream) if deinterlace else frames)


def _decode(
    container: av.container.InputContainer, stream: av.video.stream.VideoStream, since: int | None
) -> Iterator[av.video.frame.VideoFrame]:
    if not stream.codec_context.is_open:
        stream.thread_type = "AUTO"
    # frames that could not be decoded whole must come out, to be seen, instead of being dropped quietly
    stream.codec_context.flags |= int(av.codec.context.Flags.output_corrupt)
    step = 1 / exact(stream.average_rate, Fraction(25)) / exact(stream.time_base, Fraction(1, 1000))
    previous: int | None = None
    for packet in container.demux(stream):
        if packet.is_corrupt:
            raise DamagedInputError(DAMAGED)
        for frame in packet.decode():
            assert isinstance(frame, av.video.frame.VideoFrame)
            if since is not None and frame.pts is not None and frame.pts < since:
                continue
            if frame.is_corrupt:
                raise DamagedInputError(DAMAGED)
            if frame.pts is None:
                # AVI gives no times to some frames: its rate is constant by definition
                frame.pts = frame.dts if frame.dts is not None else round((previous or 0) + step)
            previous = frame.pts
            yield frame


def _checked(frames: Iterator[av.video.frame.VideoFrame]) -> Iterator[av.video.frame.VideoFrame]:
    shape: tuple[int, int, str] | None = None
    last: int | None = None
    for frame in frames:
        found = (frame.width, frame.height, frame.format.name)
        if shape is not None and found != shape:
            raise UnsupportedInputError("The frame size or pixel format changes within the video; split it.")
        shape = found
        if frame.pts is None or (last is not None and frame.pts <= last):
            raise DamagedInputError("Frame times do not rise; repair the file's timestamps first.")
        if last is not None and (frame.pts - last) * exact(frame.time_base, Fraction(1, 1000)) > MAX_GAP_S:
            raise DamagedInputError("Frames are more than a day apart; repair the file's timestamps first.")
        last = frame.pts
        yield frame
    if shape is None:
        raise DamagedInputError("The video holds no frame.")


def _deinterlaced(
    frames: Iterator[av.video.frame.VideoFrame], stream: av.video.stream.VideoStream
) -> Iterator[av.video.frame.VideoFrame]:
    """One progressive frame for each frame; those not flagged as interlaced pass unchanged (bwdif)."""
    graph: av.filter.Graph | None = None
    for frame in frames:
        if graph is None:
            graph = av.filter.Graph()
            source = graph.add_buffer(
                width=frame.width, height=frame.height, format=frame.format, time_base=stream.time_base
            )
            bwdif = graph.add("bwdif", "mode=send_frame:parity=auto:deint=interlaced")
            sink = graph.add("buffersink")
            source.link_to(bwdif)
            bwdif.link_to(sink)
            graph.configure()
        graph.push(frame)
        yield from _pulled(graph, stream)
    if graph is not None:
        graph.push(None)
        yield from _pulled(graph, stream)


def _pulled(
    graph: av.filter.Graph, stream: av.video.stream.VideoStream
) -> Iterator[av.video.frame.VideoFrame]:
    while True:
        try:
            frame = graph.pull()
        except (BlockingIOError, EOFError):
            return
        assert isinstance(frame, av.video.frame.VideoFrame)
        tick, ours = exact(frame.time_base, Fraction(1, 1000)), exact(stream.time_base, Fraction(1, 1000))
        if frame.pts is not None and tick != ours:
            frame.pts = round(frame.pts * tick / ours)
            frame.time_base = ours
        yield frame
