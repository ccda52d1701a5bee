"""Reads GIF89a block by block: pictures, their timing and the loop count, and nothing else."""

from __future__ import annotations

from redact.gate.structure.base import Collector, MalformedError, Source
from redact.gate.structure.c2pa import check_c2pa

IMAGE, EXTENSION, TRAILER = 0x2C, 0x21, 0x3B
CONTROL, COMMENT, PLAIN_TEXT, APPLICATION = 0xF9, 0xFE, 0x01, 0xFF
LOOPS = frozenset({b"NETSCAPE2.0", b"ANIMEXTS1.0"})
"""Application extensions that hold a loop count; their one sub-block is 3 bytes that start with 1."""
C2PA = b"C2PA_GIF\x01\x00\x00"
CARRIERS = {b"XMP DataXMP": "XMP", b"ICCRGBG1012": "ICC"}


def read_gif(source: Source, found: Collector) -> None:
    """Walk the blocks of the file."""
    data = source.all()
    if data[:6] not in (b"GIF87a", b"GIF89a") or len(data) < 13:
        raise MalformedError("signature")
    at = 13 + _table_size(data[10])
    while True:
        if at >= len(data):
            raise MalformedError("no trailer")
        block = data[at]
        at += 1
        if block == TRAILER:
            break
        if block == IMAGE:
            if at + 9 >= len(data):
                raise MalformedError("image header")
            at += 9 + _table_size(data[at + 8])
            at, parts = _sub_blocks(data, at + 1)  # past the code size
            found.frames += 1
            if not parts:
                raise MalformedError("empty image")
        elif block == EXTENSION and at < len(data):
            label = data[at]
            at, parts = _sub_blocks(data, at + 1)
            _check_extension(label, parts, found)
        else:
            raise MalformedError("block type")
    if found.frames == 0:
        raise MalformedError("no picture")
    if at < len(data):
        found.trailing("after the trailer")


def _check_extension(label: int, parts: list[bytes], found: Collector) -> None:
    if label == CONTROL:
        if len(parts) != 1 or len(parts[0]) != 4:
            found.structure("graphic control size")
    elif label == COMMENT:
        found.metadata("comment")
    elif label == PLAIN_TEXT:
        found.metadata("plain text")
    elif label == APPLICATION and parts and parts[0] in LOOPS:
        if [len(part) for part in parts[1:]] != [3] or parts[1][0] != 1:
            found.structure("loop extension size")
    elif label == APPLICATION and parts and parts[0] == C2PA:
        check_c2pa(b"".join(parts[1:]), found)
    elif label == APPLICATION and parts and parts[0] in CARRIERS:
        found.metadata(CARRIERS[parts[0]])
    else:
        found.structure("application extension" if label == APPLICATION else f"extension {label:02X}")


def _table_size(flags: int) -> int:
    return 3 << ((flags & 7) + 1) if flags & 0x80 else 0


def _sub_blocks(data: bytes, at: int) -> tuple[int, list[bytes]]:
    """The sub-blocks from `at` and the offset after their terminator."""
    parts: list[bytes] = []
    while True:
        if at >= len(data):
            raise MalformedError("sub-block length")
        size = data[at]
        if size == 0:
            return at + 1, parts
        if at + 1 + size > len(data):
            raise MalformedError("sub-block length")
        parts.append(data[at + 1 : at + 1 + size])
        at += 1 + size
