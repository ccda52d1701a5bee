"""Reads TIFF 6.0 directories: one picture, only the tags that describe its pixels, no unreferenced bytes."""

from __future__ import annotations

import struct

from redact.gate.structure.base import Collector, MalformedError, Source, uncovered
from redact.gate.structure.rights import check_iptc, check_photoshop, check_xmp

ALLOWED = frozenset(
    {
        # what is needed to decode: size, bits, compression, colour, strips and tiles, layout of samples
        *(254, 256, 257, 258, 259, 262, 266, 273, 274, 277, 278, 279, 280, 281, 282, 283, 284, 296),
        *(317, 318, 319, 320, 322, 323, 324, 325, 338, 339, 340, 341, 347, 529, 530, 531, 532),
    }
)
MUST_BE: dict[int, int] = {
    254: 0,  # a full picture, not a page or a thumbnail of one
    274: 1,  # orientation is in the pixels
}
VALUES: dict[int, int] = {318: 2, 319: 6, 529: 3, 530: 2, 532: 6}
"""How many values a tag has; others have one, or (PER_SAMPLE) up to one a sample."""
PER_SAMPLE = frozenset({258, 280, 281, 338, 339, 340, 341})
SAMPLES_MOST = 4
COLOUR_MAP, JPEG_TABLES = 320, 347
MOST_TABLES = 4096
BITS, COMPRESSION, PHOTOMETRIC, SAMPLES = 258, 259, 262, 277
SHAPES = (BITS, COMPRESSION, PHOTOMETRIC, SAMPLES)
PALETTE, JPEG = 3, 7
DATA_OFFSETS, DATA_COUNTS = (273, 324), (279, 325)
CARRIERS = {
    270: "ImageDescription",
    271: "Make",
    272: "Model",
    285: "PageName",
    305: "Software",
    306: "DateTime",
    315: "Artist",
    316: "HostComputer",
    33432: "Copyright",
    34665: "EXIF",
    34675: "ICC",
    34853: "GPS",
    37724: "ImageSourceData",
    40965: "Interoperability",
}
XMP_TAG, IPTC_TAG, PHOTOSHOP_TAG, SUB_IFD = 700, 33723, 34377, 330
TYPE_SIZES = {1: 1, 2: 1, 3: 2, 4: 4, 5: 8, 6: 1, 7: 1, 8: 2, 9: 4, 10: 8, 11: 4, 12: 8, 13: 4}
MAX_STRIPS = 1 << 20


def read_tiff(source: Source, found: Collector) -> None:
    """Walk the first directory of the file; any other is a finding."""
    order = {b"II": "<", b"MM": ">"}.get(source.take(0, 2))
    if order is None:
        raise MalformedError("byte order")
    version, at = struct.unpack(order + "HI", source.take(2, 6))
    if version == 43:
        found.structure("BigTIFF")
        return
    if version != 42:
        raise MalformedError("version")
    used = [(0, 8)]
    (count,) = struct.unpack(order + "H", source.take(at, 2))
    used.append((at, at + 6 + 12 * count))
    strips: dict[int, list[int]] = {}
    before = 0
    for entry in range(count):
        tag, kind, values = struct.unpack(order + "HHI", source.take(at + 2 + 12 * entry, 8))
        where, length = _value_place(source, order, at + 10 + 12 * entry, kind, values)
        used.append((where, where + length))
        if tag <= before:
            found.structure("order of tags")
        before = tag
        if tag in ALLOWED and not _fits(tag, values, strips):
            found.structure(f"tag {tag} size")
        elif tag in (*DATA_OFFSETS, *DATA_COUNTS, *MUST_BE, *SHAPES):
            numbers = _numbers(source.take(where, length), order, kind)
            strips[tag] = numbers
            if tag in MUST_BE and numbers != [MUST_BE[tag]]:
                found.structure(f"tag {tag} value")
        elif tag not in ALLOWED:
            _check_other(tag, source.take(where, length), found)
    (following,) = struct.unpack(order + "I", source.take(at + 2 + 12 * count, 4))
    if following:
        found.structure("second page")
    for offsets, counts in zip(DATA_OFFSETS, DATA_COUNTS, strict=True):
        if len(strips.get(offsets, ())) != len(strips.get(counts, ())):
            raise MalformedError("strip tables")
        for start, size in zip(strips.get(offsets, ()), strips.get(counts, ()), strict=True):
            if start + size > source.size:
                raise MalformedError("strip beyond the end")
            used.append((start, start + size))
    if not any(strips.get(tag) for tag in DATA_OFFSETS):
        raise MalformedError("no picture")
    found.frames = 1
    for start, stop in uncovered(used, 0, source.size):
        if not source.is_zero(start, stop - start):
            found.trailing("bytes no directory refers to")


def _fits(tag: int, values: int, known: dict[int, list[int]]) -> bool:
    """Whether a tag has as many values as pixels of this kind need. `known` has the tags that came before."""
    if tag in (*DATA_OFFSETS, *DATA_COUNTS):
        return values <= MAX_STRIPS
    if tag == COLOUR_MAP:
        bits = known.get(BITS, [1])[0]
        return known.get(PHOTOMETRIC) == [PALETTE] and bits <= 16 and values == 3 << bits
    if tag == JPEG_TABLES:
        return known.get(COMPRESSION) == [JPEG] and values <= MOST_TABLES
    if tag in PER_SAMPLE:
        return values <= min(known.get(SAMPLES, [SAMPLES_MOST])[0], SAMPLES_MOST)
    return values == VALUES.get(tag, 1)


def _value_place(source: Source, order: str, at: int, kind: int, values: int) -> tuple[int, int]:
    """Offset and length of a tag's value, inside the file."""
    if kind not in TYPE_SIZES:
        raise MalformedError("tag type")
    length = TYPE_SIZES[kind] * values
    where = at if length <= 4 else struct.unpack(order + "I", source.take(at, 4))[0]
    if where + length > source.size:
        raise MalformedError("tag beyond the end")
    return where, length


def _numbers(untrusted_value: bytes, order: str, kind: int) -> list[int]:
    code = {1: "B", 3: "H", 4: "I"}.get(kind)
    if code is None:
        raise MalformedError("tag type")
    return list(
        struct.unpack(f"{order}{len(untrusted_value) // struct.calcsize(code)}{code}", untrusted_value)
    )


def _check_other(tag: int, untrusted_value: bytes, found: Collector) -> None:
    if tag == XMP_TAG:
        check_xmp(untrusted_value, "XMP", found)
    elif tag == IPTC_TAG:
        check_iptc(untrusted_value, "IPTC", found)
    elif tag == PHOTOSHOP_TAG:
        check_photoshop(untrusted_value, "Photoshop resources", found)
    elif tag == SUB_IFD:
        found.structure("sub-directory")
    elif tag in CARRIERS:
        found.metadata(f"tag {CARRIERS[tag]}")
    else:
        found.structure(f"tag {tag}")
