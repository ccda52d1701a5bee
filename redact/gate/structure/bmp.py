"""Reads the headers of a BMP file: sizes must add up to the file, and no profile may hang on it."""

from __future__ import annotations

import struct

from redact.gate.structure.base import Collector, MalformedError, Source

CORE, INFO, V4, V5 = 12, 40, 108, 124
HEADERS = frozenset({CORE, INFO, 52, 56, V4, V5})
RGB, BITFIELDS, ALPHA_BITFIELDS = 0, 3, 6
SRGB_SPACES = frozenset({0, 0x73524742, 0x57696E20})
"""Calibrated (without profile), sRGB, Windows default."""


def read_bmp(source: Source, found: Collector) -> None:
    """Check the headers of the file and that pixels fill the rest."""
    head = source.take(0, 18)
    if head[:2] != b"BM":
        raise MalformedError("signature")
    size, reserved, offset, header_size = struct.unpack("<IIII", head[2:18])
    if header_size not in HEADERS:
        raise MalformedError("header size")
    header = source.take(14, header_size)
    compression = colours = 0
    if header_size == CORE:
        width, height, _, bits = struct.unpack("<HHHH", header[4:12])
    else:
        width, height, _, bits, compression = struct.unpack("<iiHHI", header[4:20])
        colours = struct.unpack("<I", header[32:36])[0]
    if bits not in (1, 2, 4, 8, 16, 24, 32) or width <= 0 or height == 0:
        raise MalformedError("header")
    if compression not in (RGB, BITFIELDS, ALPHA_BITFIELDS):
        found.structure("compression")
        return
    if reserved:
        found.structure("reserved bytes")
    if header_size >= V4 and struct.unpack("<I", header[56:60])[0] not in SRGB_SPACES:
        found.metadata("ICC")
    if header_size == V5 and any(header[112:120]):
        found.metadata("ICC")
    masks = {BITFIELDS: 12, ALPHA_BITFIELDS: 16}.get(compression, 0) if header_size == INFO else 0
    palette = (colours or (1 << bits)) if bits <= 8 else colours
    if palette > 256:
        raise MalformedError("palette size")
    tables = 14 + header_size + masks + palette * (3 if header_size == CORE else 4)
    if offset < tables:
        raise MalformedError("pixel offset")
    if not source.is_zero(tables, min(offset, source.size) - tables):
        found.structure("bytes before the pixels")
    end = offset + (width * bits + 31) // 32 * 4 * abs(height)
    if end > source.size:
        raise MalformedError("pixels incomplete")
    if end < source.size:
        found.trailing("after the pixels")
    if size not in (0, source.size):
        found.structure("file size field")
    found.frames = 1
