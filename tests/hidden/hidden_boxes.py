"""Builds ISO base media files for the tests: boxes put anywhere, HEIF and AVIF files of many items."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass

HEADERS = {b"meta": 4, b"stsd": 8, b"dref": 8, b"avc1": 78, b"hvc1": 78, b"av01": 78, b"mp4a": 28, b"iref": 4}


def box(kind: bytes, body: bytes) -> bytes:
    return struct.pack(">I", len(body) + 8) + kind + body


def boxes(data: bytes, start: int, end: int) -> Iterator[tuple[bytes, int, int]]:
    """(type, start of the box, its end)."""
    while start + 8 <= end:
        (size,) = struct.unpack_from(">I", data, start)
        yield data[start + 4 : start + 8], start, start + size
        start += size


def places(data: bytes, path: tuple[bytes, ...]) -> list[tuple[int, int]]:
    """(start, end) of each box on the way down to the first one at `path`."""
    found = []
    start, end = 0, len(data)
    for kind in path:
        start, end = next((at, stop) for name, at, stop in boxes(data, start, end) if name == kind)
        found.append((start, end))
        start += 8 + HEADERS.get(kind, 0)
    return found


def insert(data: bytes, path: tuple[bytes, ...], extra: bytes) -> bytes:
    """`data` with `extra` at the end of the box at `path`; only for boxes after `mdat`, whose place stays."""
    if not path:
        return data + extra
    way = places(data, path)
    patched = bytearray(data)
    for start, end in way:
        struct.pack_into(">I", patched, start, end - start + len(extra))
    if path[-1] in (b"stsd", b"dref"):  # they count their children
        at = way[-1][0] + 12
        struct.pack_into(">I", patched, at, struct.unpack_from(">I", patched, at)[0] + 1)
    stop = way[-1][1]
    return bytes(patched[:stop]) + extra + bytes(patched[stop:])


@dataclass(frozen=True)
class Coded:
    """One coded picture, taken out of a file that an encoder wrote."""

    kind: bytes
    config: bytes
    """The whole `hvcC` or `av1C` box."""
    data: bytes
    width: int
    height: int


def coded(file: bytes) -> Coded:
    """The first picture item of a HEIF or AVIF file."""
    meta = places(file, (b"meta",))[0]
    at, end = meta[0] + 12, meta[1]
    inner = {kind: (start, stop) for kind, start, stop in boxes(file, at, end)}
    properties = list(boxes(file, *_inside(file, inner[b"iprp"], b"ipco")))
    config = next(file[a:b] for kind, a, b in properties if kind in (b"hvcC", b"av1C"))
    size = next(file[a:b] for kind, a, b in properties if kind == b"ispe")
    body = file[inner[b"iloc"][0] + 8 : inner[b"iloc"][1]]
    version, offsets, more = body[0], body[4], body[5]
    where = 6 + (4 if version == 2 else 2) + (4 if version == 2 else 2) + (2 if version else 0) + 2
    base, where = _number(body, where, more >> 4)
    where += 2
    _, where = _number(body, where, more & 15 if version else 0)
    offset, where = _number(body, where, offsets >> 4)
    length, _ = _number(body, where, offsets & 15)
    start = base + offset
    width, height = struct.unpack(">II", size[12:20])
    kind = b"hvc1" if config[4:8] == b"hvcC" else b"av01"
    return Coded(kind, config, file[start : start + length], width, height)


def _inside(file: bytes, where: tuple[int, int], kind: bytes) -> tuple[int, int]:
    return next((a + 8, b) for name, a, b in boxes(file, where[0] + 8, where[1]) if name == kind)


def _number(body: bytes, at: int, width: int) -> tuple[int, int]:
    return int.from_bytes(body[at : at + width], "big"), at + width


@dataclass(frozen=True)
class Item:
    """One item of a HEIF file: a coded picture, or any bytes."""

    what: Coded | bytes
    kind: bytes = b""
    """Item type of what is no coded picture: `Exif`, `mime`, `uri ` ..."""
    name: bytes = b""
    content: bytes = b""
    """What follows the name: content type, encoding or URI, each ended by NUL."""
    link: bytes = b""
    """`thmb`, `auxl` or `cdsc`: how it points to the first item."""
    aux: bytes = b""
    """URN of an auxiliary picture."""
    hidden: bool = False


def heif(brand: bytes, items: list[Item], extra: bytes = b"") -> bytes:
    """A file whose first item is the primary one; `extra` are further boxes in `meta`."""
    properties: list[bytes] = []
    infos, locations, links, references = b"", [], b"", b""
    for number, item in enumerate(items, 1):
        kind = item.what.kind if isinstance(item.what, Coded) else item.kind
        body = bytes([2, 0, 0, int(item.hidden)]) + struct.pack(">HH", number, 0) + kind
        infos += box(b"infe", body + item.name + b"\0" + item.content)
        mine: list[bytes] = []
        if isinstance(item.what, Coded):
            size = box(b"ispe", bytes(4) + struct.pack(">II", item.what.width, item.what.height))
            mine = [item.what.config, size]
            if item.aux:
                mine.append(box(b"auxC", bytes(4) + item.aux + b"\0"))
            numbers = b""
            for each in mine:
                properties.append(each)
                numbers += bytes([len(properties) | (0x80 if each is item.what.config else 0)])
            links += struct.pack(">HB", number, len(mine)) + numbers
        if item.link:
            references += box(item.link, struct.pack(">HHH", number, 1, 1))
        locations.append(item.what.data if isinstance(item.what, Coded) else item.what)
    count = sum(isinstance(item.what, Coded) for item in items)
    head = box(b"ftyp", brand + bytes(4) + b"mif1" + brand)

    def meta(start: int) -> bytes:
        table, at = b"", start
        for number, body in enumerate(locations, 1):
            table += struct.pack(">HHHII", number, 0, 1, at, len(body))
            at += len(body)
        inner = box(b"hdlr", bytes(8) + b"pict" + bytes(13)) + box(b"pitm", bytes(4) + struct.pack(">H", 1))
        inner += box(b"iloc", b"\0\0\0\0\x44\x00" + struct.pack(">H", len(items)) + table)
        inner += box(b"iinf", bytes(4) + struct.pack(">H", len(items)) + infos)
        ipma = bytes(4) + struct.pack(">I", count) + links
        inner += box(b"iprp", box(b"ipco", b"".join(properties)) + box(b"ipma", ipma))
        if references:
            inner += box(b"iref", bytes(4) + references)
        return box(b"meta", bytes(4) + inner + extra)

    start = len(head) + len(meta(0)) + 8
    return head + meta(start) + box(b"mdat", b"".join(locations))
