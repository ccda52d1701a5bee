"""Checks the fixed parts of a film's header boxes: reserved bytes, matrices and sound descriptors.

Players skip these bytes, so anything may be written into them; here only what the standards set may be there
(ISO/IEC 14496-12, 8.2, 8.3, 8.4, 8.5, 12.1, 12.2 and ISO/IEC 14496-1, 7.2.6).
"""

from __future__ import annotations

import struct

from redact.gate.structure.base import Collector

ONE, W = 0x10000, 0x40000000
FIXED: dict[bytes, tuple[tuple[int, int, bytes], ...]] = {
    # box: (start, end, what must be there), counted from the end of the body where negative
    b"mvhd": (
        (-80, -74, b"\x00\x01\x00\x00\x01\x00"),
        (-74, -64, bytes(10)),
        (-64, -28, struct.pack(">9I", ONE, 0, 0, 0, ONE, 0, 0, 0, W)),
        (-28, -4, bytes(24)),
    ),
    b"tkhd": ((-60, -52, bytes(8)), (-46, -44, bytes(2))),
    b"mdhd": ((-2, 0, bytes(2)),),
    b"vmhd": ((0, 12, b"\x00\x00\x00\x01" + bytes(8)),),
    b"smhd": ((0, 8, bytes(8)),),
    **dict.fromkeys((b"stts", b"stss", b"stsc", b"stco", b"co64", b"stsz", b"sdtp"), ((1, 4, bytes(3)),)),
}
PICTURE_ENTRY: tuple[tuple[int, int, bytes], ...] = (
    (0, 8, bytes(7) + b"\x01"),
    (8, 24, bytes(16)),
    (28, 42, b"\x00\x48\x00\x00\x00\x48\x00\x00" + bytes(4) + b"\x00\x01"),
    (74, 78, b"\x00\x18\xff\xff"),
)
SOUND_ENTRY: tuple[tuple[int, int, bytes], ...] = (
    (0, 8, bytes(7) + b"\x01"),
    (8, 16, bytes(8)),
    (18, 24, b"\x00\x10" + bytes(4)),
)
GROUPINGS = frozenset({b"roll", b"prol", b"rap ", b"sync"})
MOST_AAC_CONFIG = 24
MOST_SIZE = 65536


def check_header(kind: bytes, body: bytes, found: Collector) -> None:
    """Report a header box whose fixed bytes are others than the standard's."""
    name = kind.decode("ascii")
    if not _holds(body, FIXED.get(kind, ())):
        found.structure(f"box {name} reserved bytes")
    if kind == b"tkhd":
        reserved = 24 if body[:1] == b"\x01" else 16
        if any(body[reserved : reserved + 4]) or not _plain_matrix(body[-44:-8]):
            found.structure("box tkhd reserved bytes")
    elif kind == b"sgpd" and (len(body) < 16 or body[4:8] not in GROUPINGS):
        found.structure("box sgpd")
    elif kind == b"sbgp":
        count = int.from_bytes(body[8:12], "big") if len(body) >= 12 else -1
        if body[4:8] not in GROUPINGS or len(body) != 12 + 8 * count:
            found.structure("box sbgp")
    elif kind == b"esds" and not _plain_descriptor(body):
        found.structure("box esds")


def check_entry(entry: bytes, *, picture: bool, found: Collector) -> None:
    """Report a sample entry whose reserved bytes are used. `entry` is its body up to the first child."""
    if not _holds(entry, PICTURE_ENTRY if picture else SOUND_ENTRY):
        found.structure("sample entry reserved bytes")


def _holds(body: bytes, rules: tuple[tuple[int, int, bytes], ...]) -> bool:
    for start, end, wanted in rules:
        stop = end if end > 0 else len(body) + end
        first = start if start >= 0 else len(body) + start
        if body[first:stop] != wanted:
            return False
    return True


def _plain_matrix(body: bytes) -> bool:
    """Turns, mirrors and moves by whole pixels."""
    a, b, u, c, d, v, x, y, w = struct.unpack(">9i", body) if len(body) == 36 else (7,) * 9
    moves = all(value % ONE == 0 and abs(value) <= MOST_SIZE * ONE for value in (x, y))
    return {a, b, c, d} <= {0, ONE, -ONE} and (u, v, w) == (0, 0, W) and moves


def _plain_descriptor(body: bytes) -> bool:
    """Whether an `esds` is one elementary stream of AAC and nothing else, to the last byte."""
    if any(body[:4]):
        return False
    stream, end = _descriptor(body, 4, 3)
    if end != len(body) or stream[2:3] != b"\x00":
        return False
    decoder, end = _descriptor(stream, 3, 4)
    config, last = _descriptor(decoder, 13, 5)
    layer, whole = _descriptor(stream, end, 6)
    return (
        decoder[:2] == b"\x40\x15"
        and last == len(decoder)
        and 2 <= len(config) <= MOST_AAC_CONFIG
        and layer == b"\x02"
        and whole == len(stream)
    )


def _descriptor(body: bytes, at: int, tag: int) -> tuple[bytes, int]:
    """The content of the descriptor at `at` and the offset after it; an offset of -1 if it is another one."""
    if body[at : at + 1] != bytes([tag]):
        return b"", -1
    size, at = 0, at + 1
    for _ in range(4):
        byte = body[at] if at < len(body) else 0
        size, at = size << 7 | byte & 0x7F, at + 1
        if not byte & 0x80:
            break
    return body[at : at + size], at + size
