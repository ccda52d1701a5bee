"""The few boxes of HEIF and AVIF that must be read beside the pixels: brands and colour of the primary item.

Reads ISO/IEC 14496-12 boxes from bytes, bounded, and gives up with None rather than guess. It also blanks
EXIF items: decoders that parse EXIF on opening would fail on a broken block, and nothing in it is needed.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator

MAX_BOXES = 4096


def boxes(data: bytes | memoryview, start: int, end: int) -> Iterator[tuple[bytes, int, int]]:
    """(type, body start, body end) of the boxes in data[start:end]; stops at the first impossible size."""
    for _ in range(MAX_BOXES):
        if start + 8 > end:
            return
        size, kind = struct.unpack_from(">I4s", data, start)
        header = 8
        if size == 1 and start + 16 <= end:
            (size,) = struct.unpack_from(">Q", data, start + 8)
            header = 16
        elif size == 0:
            size = end - start
        if size < header or start + size > end:
            return
        yield kind, start + header, start + size
        start += size


def brands(head: bytes) -> tuple[bytes, tuple[bytes, ...]] | None:
    """Major and compatible brands of the `ftyp` box that `head` starts with, or None."""
    if len(head) < 16 or head[4:8] != b"ftyp":
        return None
    size = min(struct.unpack_from(">I", head)[0], len(head))
    return head[8:12], tuple(head[at : at + 4] for at in range(16, size - 3, 4))


def _find(data: bytes, start: int, end: int, *path: bytes) -> tuple[int, int] | None:
    for kind, first, last in boxes(data, start, end):
        if kind == path[0]:
            inner = first + 4 if kind == b"meta" else first
            return (inner, last) if len(path) == 1 else _find(data, inner, last, *path[1:])
    return None


def primary_code_points(data: bytes) -> tuple[int, int] | None:
    """H.273 colour primaries and transfer of the primary item's `nclx` colour box, or None if it has none."""
    try:
        return _primary_code_points(data)
    except (struct.error, IndexError):
        return None


def _primary_code_points(data: bytes) -> tuple[int, int] | None:
    meta = _find(data, 0, len(data), b"meta")
    if meta is None:
        return None
    pitm = _find(data, *meta, b"pitm")
    ipco = _find(data, *meta, b"iprp", b"ipco")
    ipma = _find(data, *meta, b"iprp", b"ipma")
    if pitm is None or ipco is None or ipma is None:
        return None
    primary = struct.unpack_from(">I" if data[pitm[0]] else ">H", data, pitm[0] + 4)[0]
    properties = list(boxes(data, *ipco))
    for index in _associations(data, ipma[0], primary):
        if not 0 < index <= len(properties):
            continue
        kind, first, last = properties[index - 1]
        if kind == b"colr" and data[first : first + 4] == b"nclx" and last - first >= 8:
            found: tuple[int, int] = struct.unpack_from(">HH", data, first + 4)
            return found
    return None


def _associations(data: bytes, at: int, item: int) -> list[int]:
    """Property numbers (from 1) that an `ipma` body at `at` gives to `item`."""
    wide_ids, wide_links = data[at] > 0, data[at + 3] & 1
    (count,) = struct.unpack_from(">I", data, at + 4)
    at += 8
    for _ in range(min(count, MAX_BOXES)):
        (number,) = struct.unpack_from(">I" if wide_ids else ">H", data, at)
        at += 4 if wide_ids else 2
        links = data[at]
        at += 1
        step = 2 if wide_links else 1
        if number == item:
            mask = 0x7FFF if wide_links else 0x7F
            return [
                int.from_bytes(data[at + n * step : at + (n + 1) * step], "big") & mask for n in range(links)
            ]
        at += links * step
    return []


def without_exif(data: bytes) -> bytes:
    """The same file with EXIF items renamed, so that no decoder parses them."""
    meta = _find(data, 0, len(data), b"meta")
    iinf = _find(data, *meta, b"iinf") if meta is not None else None
    if iinf is None:
        return data
    first = iinf[0] + (6 if data[iinf[0]] == 0 else 8)
    patched: bytearray | None = None
    for kind, start, end in boxes(data, first, iinf[1]):
        at = start + (8 if data[start : start + 1] == b"\x02" else 10)
        if kind == b"infe" and at + 4 <= end and data[at : at + 4] == b"Exif":
            patched = bytearray(data) if patched is None else patched
            patched[at : at + 4] = b"skip"
    return data if patched is None else bytes(patched)


def items_complete(data: bytes) -> bool:
    """Whether every byte that the items of the file refer to (`iloc`) is there.

    libheif fills missing tiles with nothing instead of failing, so this must be asked before it decodes.
    """
    meta = _find(data, 0, len(data), b"meta")
    iloc = _find(data, *meta, b"iloc") if meta is not None else None
    if iloc is None:
        return False
    try:
        return all(end <= len(data) for end in _extent_ends(data, iloc[0]))
    except (struct.error, IndexError):
        return False


def _extent_ends(data: bytes, at: int) -> Iterator[int]:
    """File offsets after each extent of an `iloc` body at `at` (those that lie in the file itself)."""
    version, sizes, more = data[at], data[at + 4], data[at + 5]
    at += 6

    def number(width: int) -> int:
        nonlocal at
        if at + width > len(data):
            raise IndexError
        at += width
        return int.from_bytes(data[at - width : at], "big")

    wide = 4 if version == 2 else 2
    for _ in range(min(number(wide), MAX_BOXES)):
        number(wide)
        method = number(2) & 15 if version else 0
        number(2)
        base = number(more >> 4)
        for _ in range(number(2)):
            number(more & 15 if version else 0)
            start = base + number(sizes >> 4)
            length = number(sizes & 15)
            if method == 0:
                yield start + length
