"""Looking at single frames, and following what is drawn on them: the workers' jobs, and checks of answers.

A worker keeps the last file it looked at open, under a key that the parent made from what the system says
of the file. So the next frame of the same film needs no second opening, and no second copy of a film that
lies on another disk. Nothing is written: frames and times come back through the pipe.
"""

from __future__ import annotations

import json
import math
import struct
from array import array
from collections.abc import Callable, Iterable, Mapping, Sequence
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pydantic import TypeAdapter, ValidationError

from redact.errors import RedactError
from redact.plan import Box, Kind, Origin, Span
from redact.track.keys import KeyFrame
from redact.workers import Job, ProgressCallback, Reply

if TYPE_CHECKING:
    from redact.media.frame_at import FrameReader

MAX_WIDTH = 4096
MAX_HEIGHT = 8192
MAX_FRAME_BYTES = 64 << 20
_APP0, _DQT, _SOF0, _DHT, _SOS = 0xE0, 0xDB, 0xC0, 0xC4, 0xDA


SPANS = TypeAdapter(tuple[Span, ...])


def looking_jobs(*, own: bool) -> Mapping[str, Job]:
    """`frame`, `times` and `follow`, on inputs or on `own` finished files. Imports the media libraries: call
    it in a child only.
    """
    from redact.media.frame_at import FrameReader, jpeg_of
    from redact.track.follow import follow

    held: dict[str, FrameReader] = {}

    def reader(request: Mapping[str, Any]) -> FrameReader | None:
        """The file of the request; None if it is not held and was not handed over."""
        key: str = request["key"]
        if request["path"] and (not key or key not in held):
            while held:
                held.popitem()[1].close()
            held[key] = FrameReader(
                Path(request["path"]), max_pixels=request["max_pixels"], frames=request["frames"], own=own
            )
        return held.get(key) if key or request["path"] else None

    def from_open_file(request: Mapping[str, Any], answer: Callable[[FrameReader], bytes]) -> bytes | None:
        found = reader(request)
        if found is None:
            return None
        try:
            return answer(found)
        except RedactError:
            if request["path"]:
                raise
            return None  # perhaps for want of the file: it is asked for again, with it

    def frame(request: Mapping[str, Any], _: ProgressCallback) -> bytes | None:
        index, width = request["index"], request["width"]
        return from_open_file(request, lambda found: jpeg_of(found.frame(index).picture, width))

    def times(request: Mapping[str, Any], _: ProgressCallback) -> bytes | None:
        return from_open_file(request, lambda found: array("d", found.times()).tobytes())

    def followed(request: Mapping[str, Any], progress: ProgressCallback) -> bytes | None:
        keys = [KeyFrame(frame, Box(*box)) for frame, *box in json.loads(request["keys"])]
        first, last, kind = request["first"], request["last"], Kind(request["kind"])

        def spans(found: FrameReader) -> bytes:
            pictures = (each.picture for each in found.between(first, last))
            size = found.facts.width, found.facts.height
            return SPANS.dump_json(
                follow(
                    pictures,
                    keys,
                    first,
                    last,
                    size,
                    kind,
                    lambda done, total: progress("follow", done, total),
                )
            )

        return from_open_file(request, spans)

    return {"frame": frame, "times": times, "follow": followed}


def file_key(path: Path, *, follow: bool) -> str:
    """What stands for the file's present content, without its name; empty if it cannot be told."""
    try:
        facts = path.stat(follow_symlinks=follow)
    except OSError:
        return ""
    return f"{facts.st_dev}-{facts.st_ino}-{facts.st_size}-{facts.st_mtime_ns}-{facts.st_mode}"


def is_plain_jpeg(untrusted: Reply, width: int) -> bool:
    """Whether the answer is one baseline JPEG as our encoder writes it, at most that wide, and nothing more.

    Only its head is read; no pixel is decoded here.
    """
    if not isinstance(untrusted, bytes) or len(untrusted) > MAX_FRAME_BYTES:
        return False
    if not untrusted.startswith(b"\xff\xd8") or not untrusted.endswith(b"\xff\xd9"):
        return False
    at, framed = 2, False
    while at + 4 <= len(untrusted):
        mark, marker, length = struct.unpack_from(">BBH", untrusted, at)
        body = untrusted[at + 4 : at + 2 + length]
        if mark != 0xFF or length < 2 or len(body) != length - 2:
            return False
        if marker == _SOS:
            return framed
        if marker == _SOF0:
            if framed or len(body) != 15:
                return False
            rows, columns = struct.unpack_from(">HH", body, 1)
            framed = 0 < rows <= MAX_HEIGHT and 0 < columns <= width
            if not framed:
                return False
        elif marker not in (_APP0, _DQT, _DHT) or (marker == _APP0 and not body.startswith(b"JFIF\x00")):
            return False
        at += 2 + length
    return False


def read_times(untrusted: Reply, most: int) -> tuple[float, ...] | None:
    """The answer as the times of at most `most` frames; None if it is none."""
    if not isinstance(untrusted, bytes) or not untrusted or len(untrusted) % 8 or len(untrusted) > 8 * most:
        return None
    times = array("d", untrusted)
    if not all(map(math.isfinite, times)) or not _never_falls(times):
        return None
    return tuple(times)


def write_keys(keys: Sequence[KeyFrame]) -> str:
    """Key frames as text for the job `follow`."""
    return json.dumps([[key.frame, *key.box] for key in keys], allow_nan=False)


def read_spans(untrusted: Reply, keys: Sequence[KeyFrame], first: int, last: int) -> tuple[Span, ...] | None:
    """The answer as spans that a reviewer may be shown as followed; None if it is no such thing.

    They tile the frames from `first` to `last`, and on the key frames they touch the boxes that were drawn.
    """
    if not isinstance(untrusted, bytes):
        return None
    try:
        spans = SPANS.validate_json(untrusted)
    except (ValidationError, RecursionError):
        return None
    expected = first
    for span in spans:
        if span.first != expected or span.last > last or span.origin is not Origin.REVIEWER:
            return None
        expected = span.last + 1
    if expected != last + 1:
        return None
    for key in keys:
        box = next(Box(*span.box) for span in spans if span.first <= key.frame <= span.last)
        if box.intersection(key.box) <= 0:
            return None
    return spans


def _never_falls(times: Iterable[float]) -> bool:
    return all(a <= b for a, b in pairwise(times))


__all__ = [
    "MAX_FRAME_BYTES",
    "MAX_WIDTH",
    "file_key",
    "is_plain_jpeg",
    "looking_jobs",
    "read_spans",
    "read_times",
    "write_keys",
]
