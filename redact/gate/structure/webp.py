"""Reads WebP (RFC 9649) chunk by chunk: one picture or one animation, and nothing beside it."""

from __future__ import annotations

from redact.gate.structure.base import Collector, MalformedError, Source, code_name
from redact.gate.structure.c2pa import check_c2pa
from redact.gate.structure.rights import check_xmp

ALLOWED = frozenset({b"VP8 ", b"VP8L", b"VP8X", b"ALPH", b"ANIM", b"ANMF"})
ALLOWED_IN_FRAME = frozenset({b"VP8 ", b"VP8L", b"ALPH"})
PICTURES = frozenset({b"VP8 ", b"VP8L"})
CARRIERS = {b"EXIF": "EXIF", b"ICCP": "ICC"}
FIXED_SIZE = {b"VP8X": 10, b"ANIM": 6}
FRAME_HEADER = 16


def read_webp(source: Source, found: Collector) -> None:
    """Walk the chunks of the file."""
    head = source.take(0, 12)
    if head[:4] != b"RIFF" or head[8:] != b"WEBP":
        raise MalformedError("signature")
    end = 8 + int.from_bytes(head[4:8], "little")
    if end > source.size:
        raise MalformedError("RIFF size")
    pictures, frames, animated = 0, 0, False
    chunks = _chunks(source, 12, end, found)
    _check_order([kind for kind, _, _ in chunks], found)
    for kind, start, length in chunks:
        if kind in PICTURES:
            pictures += 1
        elif kind == b"ANIM":
            animated = True
        elif kind == b"ANMF":
            frames += 1
            inner = 0
            if length < FRAME_HEADER:
                raise MalformedError("frame header")
            parts = _chunks(source, start + FRAME_HEADER, start + length, found)
            _check_order([sub for sub, _, _ in parts], found)
            for sub, _, _ in parts:
                inner += sub in PICTURES
                if sub not in ALLOWED_IN_FRAME:
                    found.structure(f"frame chunk {code_name(sub)}")
            if inner != 1:
                found.structure("pictures in a frame")
        elif kind == b"XMP ":
            check_xmp(source.take(start, length), "XMP", found)
        elif kind == b"C2PA":
            check_c2pa(source.take(start, length), found)
        elif kind in CARRIERS:
            found.metadata(CARRIERS[kind])
        elif kind not in ALLOWED:
            found.structure(f"chunk {code_name(kind)}")
        if length != FIXED_SIZE.get(kind, length):
            found.structure(f"chunk {code_name(kind)} size")
    if (pictures, frames > 0, animated) not in ((1, False, False), (0, True, True)):
        found.structure("second picture" if pictures else "no picture")
    found.frames = max(frames, 1)
    if end < source.size:
        found.trailing("after RIFF size")


def _check_order(kinds: list[bytes], found: Collector) -> None:
    """Transparency belongs in front of a lossy picture; nothing but frames may be there twice."""
    for number, kind in enumerate(kinds):
        if kind == b"ALPH" and kinds[number + 1 : number + 2] != [b"VP8 "]:
            found.structure("chunk ALPH")
        if kind != b"ANMF" and kind in kinds[:number]:
            found.structure(f"second chunk {code_name(kind)}")


def _chunks(source: Source, at: int, end: int, found: Collector) -> list[tuple[bytes, int, int]]:
    """(four-character code, start of the body, its length) of every chunk in [at, end)."""
    chunks = []
    while at < end:
        head = source.take(at, 8)
        length = int.from_bytes(head[4:], "little")
        stop = at + 8 + length
        if stop > end:
            raise MalformedError("chunk length")
        chunks.append((head[:4], at + 8, length))
        if length % 2:
            if stop >= end:
                raise MalformedError("padding")
            if source.take(stop, 1) != b"\x00":
                found.structure("chunk padding")
            stop += 1
        at = stop
    return chunks
