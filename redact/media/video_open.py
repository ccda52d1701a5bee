"""Opening a video: one protocol, one named demuxer, one video stream, and an inventory of everything else.

Also the structural check that the file is all there: a file cut short can decode without a single error.
"""

from __future__ import annotations

import contextlib
import struct
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path
from typing import Literal

import av
import av.container
import av.video.stream

from redact.errors import DamagedInputError, UnsupportedInputError
from redact.media.ffmpeg import address
from redact.media.source import open_regular
from redact.plan import StreamFacts

DEMUXERS = {"mp4": "mov", "mov": "mov", "mkv": "matroska", "webm": "matroska", "avi": "avi"}
OPTIONS = {"protocol_whitelist": "file"}
MOV_OPTIONS = {"enable_drefs": "0", "use_absolute_path": "0"}
DAMAGED = "The video does not decode completely and without errors."

StreamKind = Literal["video", "audio", "subtitle", "data", "attachment", "cover", "timecode", "other"]


@contextlib.contextmanager
def open_input(path: Path, format_: str, *, whole: bool = False) -> Iterator[av.container.InputContainer]:
    """The container of a file whose format is known by content.

    `whole`: also what an edit list hides from players; times are then not those of the pictures.

    Raises:
        DamagedInputError: it is cut short, or cannot be opened, or fails while it is open.
    """
    check_whole(path, format_)
    options = OPTIONS | (MOV_OPTIONS if DEMUXERS[format_] == "mov" else {})
    if whole and DEMUXERS[format_] == "mov":
        options |= {"ignore_editlist": "1"}
    try:
        with av.open(
            address(path), format=DEMUXERS[format_], options=options, metadata_errors="replace"
        ) as container:
            yield container
    except (av.FFmpegError, EOFError) as error:
        raise DamagedInputError(DAMAGED) from error


def pick_video(container: av.container.InputContainer) -> av.video.stream.VideoStream:
    """The one video stream that is rebuilt: the default one, else the first; never a cover picture.

    Raises:
        UnsupportedInputError: there is none, or it is of no known codec.
    """
    streams = [stream for stream in container.streams.video if not _is_cover(stream)]
    if not streams:
        raise UnsupportedInputError("The file holds no video stream.")
    picked = next(
        (stream for stream in streams if stream.disposition & av.stream.Disposition.default), streams[0]
    )
    if picked.codec_context is None:  # PyAV's word for a codec that nothing here decodes
        raise UnsupportedInputError("The video is of a codec that is not handled, or damaged in its head.")
    return picked


def _is_cover(stream: av.stream.Stream) -> bool:
    flags = av.stream.Disposition.attached_pic | av.stream.Disposition.timed_thumbnails
    return bool(stream.disposition & flags)


def _kind(stream: av.stream.Stream) -> StreamKind:
    if stream.type == "video":
        return "cover" if _is_cover(stream) else "video"
    if stream.type == "data":
        return "timecode" if "timecode" in stream.metadata else "data"
    known: dict[str, StreamKind] = {"audio": "audio", "subtitle": "subtitle", "attachment": "attachment"}
    return known.get(stream.type, "other")


def inventory(container: av.container.InputContainer, keep_audio: bool) -> tuple[StreamFacts, ...]:
    """Every stream of the container, and which of them are rebuilt."""
    video = pick_video(container)
    audio = container.streams.audio[0].index if keep_audio and container.streams.audio else None
    facts = []
    for stream in container.streams:
        context = getattr(stream, "codec_context", None)
        codec = "".join(c for c in (context.name if context else "") if c.isalnum() or c in "_.-")[:32]
        facts.append(StreamFacts(kind=_kind(stream), codec=codec, kept=stream.index in (video.index, audio)))
    return tuple(facts)


def exact(value: Fraction | None, fallback: Fraction) -> Fraction:
    """The value if it is there and positive."""
    return value if value is not None and value > 0 else fallback


def check_whole(path: Path, format_: str) -> None:
    """Hold the outermost sizes that the container declares against the file's length.

    Raises:
        DamagedInputError: it declares more bytes than there are.
    """
    with open_regular(path) as source:
        length = source.seek(0, 2)
        source.seek(0)
        if DEMUXERS[format_] == "mov":
            at = 0
            while at + 8 <= length:
                source.seek(at)
                head = source.read(16)
                size = int(struct.unpack_from(">I", head)[0])
                if size == 1 and len(head) == 16:
                    size = int(struct.unpack_from(">Q", head, 8)[0])
                if size == 0:
                    return  # the last box runs to the end of the file
                if size < 8 or at + size > length:
                    raise DamagedInputError("The file is cut short or broken: a box reaches beyond its end.")
                at += size
        elif format_ == "avi":
            head = source.read(8)
            if 8 + int(struct.unpack_from("<I", head, 4)[0]) > length + 1:
                raise DamagedInputError("The file is cut short: less is there than its header declares.")
        else:
            _check_segment(source.read(4096), length)


def _vint(data: bytes, at: int, keep_marker: bool) -> tuple[int, int]:
    """EBML variable-length number at `at`: (value, bytes). Unknown sizes come back as -1."""
    first = data[at] if at < len(data) else 0
    width = 9 - first.bit_length()
    if not first or at + width > len(data):
        raise DamagedInputError("The file is broken: an element's size cannot be read.")
    raw = int.from_bytes(data[at : at + width], "big")
    if keep_marker:
        return raw, width
    value = raw & ((1 << 7 * width) - 1)
    return (-1 if value == (1 << 7 * width) - 1 else value), width


def _check_segment(head: bytes, length: int) -> None:
    at = 0
    for _ in range(8):  # the EBML header, then the segment, perhaps with void elements before it
        identity, width = _vint(head, at, keep_marker=True)
        size, more = _vint(head, at + width, keep_marker=False)
        start = at + width + more
        if identity == 0x18538067:
            if size >= 0 and start + size > length:
                raise DamagedInputError("The file is cut short: less is there than its header declares.")
            return
        if size < 0:
            break
        at = start + size
    raise DamagedInputError("The file is broken: it has no segment.")
