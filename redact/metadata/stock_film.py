"""Takes stock of a film: its streams, tags, chapters, attachments and captions, through PyAV.

Opens one file through one named demuxer, decodes a bounded number of frames to see whether captions or
messages ride in them, and names only tags that are in its own tables.
"""

from __future__ import annotations

import mmap
from itertools import islice
from pathlib import Path
from typing import Any

import av
import av.container
import av.video.frame

from redact.errors import DamagedInputError
from redact.media.source import open_regular
from redact.media.video_open import DEMUXERS, inventory, open_input, pick_video
from redact.metadata.inventory import Fate, Stock, What
from redact.metadata.stock_boxes import take_boxes
from redact.metadata.stock_photo import take_trailing
from redact.plan import StreamFacts

FRAMES_LOOKED_AT = 250
"""Captions and messages are in every second of a stream if they are in it at all."""
MUXERS_OWN = frozenset(
    # tags that a demuxer makes up from what every file has
    {"major_brand", "minor_version", "compatible_brands", "vendor_id", "duration", "rotate"}
)
TAGS: dict[str, What] = {
    **dict.fromkeys(("creation_time", "date", "year", "date_recorded", "date_released"), What.DATE),
    **dict.fromkeys(("title", "comment", "description", "synopsis", "genre", "album", "show", "lyrics",
                     "keywords", "subject", "summary", "grouping", "name", "filename"), What.WORDS),
    **dict.fromkeys(("author", "composer", "director", "performer", "actor", "album_artist", "producer",
                     "camera_operator", "encoded_by"), What.PEOPLE),
    **dict.fromkeys(("location", "location-eng", "loci", "recording_location"), What.PLACE),
    **dict.fromkeys(("encoder", "make", "model", "software", "handler_name"), What.CAMERA),
    **dict.fromkeys(("artist", "copyright"), What.RIGHTS),
    "timecode": What.DATE,
    "language": What.WORDS,
}  # fmt: skip
CONSTANT_TAGS = {
    "handler_name": frozenset({"VideoHandler", "SoundHandler", ""}),
    "language": frozenset({"und", ""}),
}
SIDE_DATA = {
    "A53_CC": (What.CAPTIONS, "closed captions"),
    "SEI_UNREGISTERED": (What.UNKNOWN, "message in the pictures"),
    "GOP_TIMECODE": (What.DATE, "timecode in the pictures"),
    "S12M_TIMECODE": (What.DATE, "timecode in the pictures"),
}
STREAM_KINDS = {
    "subtitle": (What.CAPTIONS, "subtitle stream"),
    "attachment": (What.ATTACHMENT, "attached file"),
    "cover": (What.THUMBNAIL, "cover picture"),
    "data": (What.STREAM, "data stream"),
    "timecode": (What.DATE, "timecode stream"),
    "video": (What.SECOND_PICTURE, "second video stream"),
    "audio": (What.STREAM, "sound"),
    "other": (What.STREAM, "other stream"),
}


def take_film(stock: Stock, path: Path, format: str, *, keep_audio: bool) -> None:
    """Rows of an mp4, mov, mkv, webm or avi file.

    Raises:
        DamagedInputError, UnsupportedInputError: it cannot be opened or shows no picture.
    """
    boxed = DEMUXERS[format] == "mov"
    with open_input(path, format) as container:
        for stream, facts in zip(container.streams, inventory(container, keep_audio=keep_audio), strict=True):
            number = f"stream {stream.index}"
            _take_stream(stock, stream, facts, number)
            if not boxed or facts.kind != "attachment":
                _take_tags(stock, dict(stream.metadata), number, boxed=False)
        if not boxed:
            _take_tags(stock, dict(container.metadata), "container", boxed=False)
        chapters = container.chapters()
        for chapter in chapters:
            title = str(chapter.get("metadata", {}).get("title", ""))
            stock.add(What.CHAPTERS, "container", "chapter", size=len(title.encode()), value=title)
        _take_frames(stock, container)
    if boxed or format == "avi":
        with open_regular(path) as source:
            if format == "avi":
                _take_riff(stock, source.fileno())
            else:
                with (
                    mmap.mmap(source.fileno(), 0, access=mmap.ACCESS_READ) as mapped,
                    memoryview(mapped) as view,
                ):
                    take_boxes(stock, view)


def _take_stream(stock: Stock, stream: av.stream.Stream, facts: StreamFacts, number: str) -> None:
    if facts.kept:
        name = "picture" if facts.kind == "video" else "sound"
        stock.add(What.STREAM, number, name, fate=Fate.REBUILT)
        return
    what, name = STREAM_KINDS[facts.kind]
    context = getattr(stream, "codec_context", None)
    size = len(context.extradata or b"") if facts.kind == "attachment" and context is not None else 0
    stock.add(what, number, name, size=size)


def _take_tags(stock: Stock, untrusted_tags: dict[str, str], where: str, *, boxed: bool) -> None:
    for untrusted_name, value in untrusted_tags.items():
        name = untrusted_name.lower()
        if (
            name in MUXERS_OWN
            or value in CONSTANT_TAGS.get(name, ())
            or name.startswith(("_statistics", "bps"))
        ):
            continue
        known = TAGS.get(name)
        stock.add(
            known or What.UNKNOWN,
            where,
            f"tag {name}" if known else "tag",
            size=len(value.encode()),
            value=value,
        )


def _take_frames(stock: Stock, container: av.container.InputContainer) -> None:
    """Side data of the first frames of the picture stream."""
    for frame in islice(container.decode(pick_video(container)), FRAMES_LOOKED_AT):
        for name, (what, words) in SIDE_DATA.items():
            side: Any = frame.side_data.get(name)
            if side is not None:
                stock.add(what, "in the pictures", words, size=len(bytes(side)), value=bytes(side))


def _take_riff(stock: Stock, descriptor: int) -> None:
    """Chunks of an AVI beside its streams, and bytes after its end."""
    with mmap.mmap(descriptor, 0, access=mmap.ACCESS_READ) as data:
        end = min(8 + int.from_bytes(data[4:8], "little"), len(data))
        at = 12
        while at + 8 <= end:
            code, size = data[at : at + 4], int.from_bytes(data[at + 4 : at + 8], "little")
            stop = at + 8 + size
            if stop > end:
                raise DamagedInputError("The file is cut short: less is there than its header declares.")
            kind = data[at + 8 : at + 12] if code == b"LIST" else b""
            body = data[at + 8 : min(stop, at + 8 + 4096)]
            if kind == b"INFO":
                stock.add(What.WORDS, "list INFO", size=size, value=body)
            elif code == b"JUNK" and any(body):
                stock.add(What.UNKNOWN, "chunk JUNK", "content in free space", size=size, value=body)
            elif code not in (b"LIST", b"idx1", b"JUNK"):
                name = code.decode("ascii") if code.isalnum() else code.hex()
                stock.add(
                    What.DATE if code == b"IDIT" else What.UNKNOWN, f"chunk {name}", size=size, value=body
                )
            at = stop + size % 2
        if end < len(data):
            take_trailing(stock, data[end : end + (1 << 20)], 0)


__all__ = ["take_film"]
