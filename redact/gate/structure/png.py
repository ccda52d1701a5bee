"""Reads PNG and APNG chunk by chunk (PNG third edition): sizes, checksums, order, and where the pictures end.

The compressed picture data is inflated and counted, because bytes after the end of a zlib stream, or more
rows than the header says, are shown by no viewer.
"""

from __future__ import annotations

import zlib

from redact.gate.structure.base import Collector, MalformedError, Source, code_name
from redact.gate.structure.c2pa import check_c2pa
from redact.gate.structure.rights import check_xmp

SIGNATURE = b"\x89PNG\r\n\x1a\n"

ALLOWED: dict[bytes, tuple[int, int]] = {
    # chunk: least and most bytes
    b"IHDR": (13, 13),
    b"PLTE": (3, 768),
    b"IDAT": (0, 1 << 31),
    b"IEND": (0, 0),
    b"tRNS": (1, 256),
    b"gAMA": (4, 4),
    b"cHRM": (32, 32),
    b"sRGB": (1, 1),
    b"cICP": (4, 4),
    b"sBIT": (1, 4),
    b"bKGD": (1, 6),
    b"pHYs": (9, 9),
    b"acTL": (8, 8),
    b"fcTL": (26, 26),
    b"fdAT": (4, 1 << 31),
}
REPEATED = frozenset({b"IDAT", b"fcTL", b"fdAT"})
CARRIERS = {
    b"tEXt": "text chunk tEXt",
    b"zTXt": "text chunk zTXt",
    b"iTXt": "text chunk iTXt",
    b"eXIf": "EXIF",
    b"iCCP": "ICC",
    b"tIME": "tIME",
}
XMP_TEXT = b"XML:com.adobe.xmp\x00\x00\x00\x00\x00"
"""iTXt header of an uncompressed XMP packet without language and translated keyword."""
CHANNELS = {0: 1, 2: 3, 3: 1, 4: 2, 6: 4}
ADAM7 = ((0, 0, 8, 8), (4, 0, 8, 8), (0, 4, 4, 8), (2, 0, 4, 4), (0, 2, 2, 4), (1, 0, 2, 2), (0, 1, 1, 2))
MAX_DATA = 1 << 30
"""Most bytes one picture may inflate to: the policy's pixel limit at 16 bits and four channels."""


class _Picture:
    """Counts what one picture's zlib stream holds, without keeping it."""

    def __init__(self, expected: int) -> None:
        self._inflate = zlib.decompressobj()
        self._expected = expected
        self.got = 0
        self.extra = False

    def feed(self, data: bytes) -> None:
        while data and not self.extra:
            if self._inflate.eof:
                self.extra = True
                return
            self.got += len(self._inflate.decompress(data, 1 << 20))
            data = self._inflate.unconsumed_tail
            if self._inflate.unused_data or self.got > self._expected:
                self.extra = True

    def check(self, found: Collector) -> None:
        if self.extra:
            found.trailing("after the picture data")
        elif not self._inflate.eof or self.got != self._expected:
            raise MalformedError("picture data incomplete")


def _data_size(width: int, height: int, header: bytes) -> int:
    """Bytes of filtered rows for a picture of that size under the file's header."""
    depth, colour, interlace = header[8], header[9], header[12]
    if colour not in CHANNELS or depth not in (1, 2, 4, 8, 16) or interlace > 1:
        raise MalformedError("header")
    bits = depth * CHANNELS[colour]
    passes = ADAM7 if interlace else ((0, 0, 1, 1),)
    total = 0
    for x0, y0, dx, dy in passes:
        columns, rows = -(-(width - x0) // dx), -(-(height - y0) // dy)
        if columns > 0 and rows > 0:
            total += rows * (1 + (columns * bits + 7) // 8)
    if total > MAX_DATA:
        raise MalformedError("picture too large")
    return total


def read_png(source: Source, found: Collector) -> None:
    """Walk the chunks of the file."""
    if source.take(0, 8) != SIGNATURE:
        raise MalformedError("signature")
    at = 8
    header = b""
    still: _Picture | None = None
    moving: _Picture | None = None
    controls, announced, default_in_animation = 0, 0, False
    seen: set[bytes] = set()
    while True:
        length = int.from_bytes(source.take(at, 4), "big")
        kind = source.take(at + 4, 4)
        body = source.take(at + 8, length)
        if int.from_bytes(source.take(at + 8 + length, 4), "big") != zlib.crc32(kind + body):
            raise MalformedError("checksum")
        at += 12 + length
        _check_chunk(kind, body, found)
        if kind in seen and kind not in REPEATED:
            found.structure(f"second chunk {code_name(kind)}")
        seen.add(kind)
        if kind in (b"PLTE", b"tRNS") and header and not _fits_colours(kind, length, header):
            found.structure(f"chunk {code_name(kind)} size")
        if (kind == b"IHDR") == bool(header):
            raise MalformedError("header order")
        if kind == b"IHDR":
            header = body
        elif kind == b"acTL" and length == 8:
            announced = int.from_bytes(body[:4], "big")
        elif kind == b"fcTL" and length == 26:
            controls += 1
            default_in_animation |= still is None
            if moving is not None:
                moving.check(found)
            size = _data_size(int.from_bytes(body[4:8], "big"), int.from_bytes(body[8:12], "big"), header)
            moving = _Picture(size) if still is not None else None
        elif kind == b"IDAT":
            if still is None:
                width, height = int.from_bytes(header[:4], "big"), int.from_bytes(header[4:8], "big")
                still = _Picture(_data_size(width, height, header))
            still.feed(body)
        elif kind == b"fdAT":
            if moving is None:
                raise MalformedError("frame data without a frame")
            moving.feed(body[4:])
        elif kind == b"IEND":
            break
    if still is None:
        raise MalformedError("no picture data")
    still.check(found)
    if moving is not None:
        moving.check(found)
    if controls != announced:
        found.structure("frame count")
    if announced and not default_in_animation:
        found.structure("picture outside the animation")
    found.frames = max(announced, 1)
    if at < source.size:
        found.trailing("after IEND")


def _fits_colours(kind: bytes, length: int, header: bytes) -> bool:
    """Whether a palette or its transparency is one that the picture's colour type has a use for."""
    depth, colour = header[8], header[9]
    if colour == 3:
        entries = 1 << min(depth, 8)
        return length % 3 == 0 and length <= 3 * entries if kind == b"PLTE" else length <= entries
    return kind == b"tRNS" and length == {0: 2, 2: 6}.get(colour, -1)


def _check_chunk(kind: bytes, body: bytes, found: Collector) -> None:
    if kind in ALLOWED:
        least, most = ALLOWED[kind]
        if not least <= len(body) <= most:
            found.structure(f"chunk {code_name(kind)} size")
    elif kind == b"iTXt" and body.startswith(XMP_TEXT):
        check_xmp(body[len(XMP_TEXT) :], "XMP", found)
    elif kind == b"caBX":
        check_c2pa(body, found)
    elif kind in CARRIERS:
        found.metadata(CARRIERS[kind])
    else:
        found.structure(f"chunk {code_name(kind)}")
