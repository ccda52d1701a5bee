"""Checks the items of a HEIF or AVIF picture: one primary picture, its tiles and its alpha, and nothing else.

Thumbnails, depth and gain maps, EXIF and unknown items are findings, and so are coded units that are not
pictures. Follows ISO/IEC 23008-12.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass, field

from redact.gate.structure.base import Collector, MalformedError, Source, code_name
from redact.gate.structure.boxes import Box
from redact.gate.structure.codecs import Units
from redact.gate.structure.rights import check_xmp

PICTURE_ITEMS = frozenset({b"hvc1", b"av01", b"grid"})
ITEM_NAMES = frozenset({b"", b"Color", b"Alpha", b"XMP"})
"""What libheif and libavif call their items."""
ALPHA = frozenset({b"urn:mpeg:hevc:2015:auxid:1", b"urn:mpeg:mpegB:cicp:systems:auxiliary:alpha"})
XMP_TYPE = b"application/rdf+xml"
MAX_ITEMS = 4096
MAX_GRID = 16
CLAP_PADDING, CLAP_SMALLEST = 16, 64
"""Encoders pad a picture to whole blocks, at least to 64 pixels a side, and crop that away again with `clap`;
a crop that hides more than the padding hides picture."""


@dataclass
class _Item:
    """What the tables say about one item."""

    kind: bytes
    name: bytes = b""
    content_type: bytes = b""
    extents: list[tuple[int, int]] = field(default_factory=list)
    properties: list[Box] = field(default_factory=list)


def check_colour(untrusted_body: bytes, found: Collector) -> None:
    """A `colr` box may name code points; a profile is metadata."""
    if untrusted_body[:4] in (b"nclx", b"nclc"):
        if len(untrusted_body) not in (10, 11):
            found.structure("box colr size")
    else:
        found.metadata("ICC")


def read_items(source: Source, meta: Box, found: Collector) -> list[tuple[int, int]]:
    """Check every item; returns the ranges of the file that items lie in."""
    handler = meta.one(b"hdlr").body(source)
    if handler[8:12] != b"pict" or any(handler[12:]):
        found.metadata("box meta")
    if meta.all(b"ilst"):
        found.metadata("box ilst")
    items = _item_infos(source, meta, found)
    _locations(source, meta, items)
    _properties(source, meta, items)
    primary = int.from_bytes(meta.one(b"pitm").body(source)[4:], "big")
    if primary not in items:
        raise MalformedError("primary item")
    shown = _shown(source, meta, items, primary, found)
    for number, item in items.items():
        if item.name not in ITEM_NAMES:
            found.metadata("item name")
        if item.kind not in PICTURE_ITEMS:
            _check_other(source, item, found)
        elif number not in shown:
            found.structure("second image")
        else:
            _check_picture(source, item, found)
    for box in meta.all(b"iprp", b"ipco", b"colr"):
        check_colour(box.body(source), found)
    for box in meta.all(b"iprp", b"ipco", b"auxC"):
        if box.body(source)[4:].rstrip(b"\x00") not in ALPHA:
            found.structure("auxiliary image")
    found.frames = 1
    return [extent for item in items.values() for extent in item.extents]


def _item_infos(source: Source, meta: Box, found: Collector) -> dict[int, _Item]:
    items: dict[int, _Item] = {}
    for box in meta.one(b"iinf").children:
        body = box.body(source)
        if body[:1] not in (b"\x02", b"\x03") or len(body) < 13 or len(items) >= MAX_ITEMS:
            raise MalformedError("infe")
        width = 2 if body[0] == 2 else 4
        number = int.from_bytes(body[4 : 4 + width], "big")
        at = 4 + width + 2
        kind = body[at : at + 4]
        parts = body[at + 4 :].split(b"\x00")
        if number in items:
            raise MalformedError("item numbers")
        items[number] = _Item(kind, parts[0], parts[1] if kind == b"mime" and len(parts) > 1 else b"")
        rest = parts[2:] if kind == b"mime" else parts[1:]
        if any(rest):
            found.structure("box infe size")
    return items


def _locations(source: Source, meta: Box, items: dict[int, _Item]) -> None:
    body = meta.one(b"iloc").body(source)
    if len(body) < 8 or body[0] > 2:
        raise MalformedError("iloc")
    version = body[0]
    offset_size, length_size, base_size = body[4] >> 4, body[4] & 15, body[5] >> 4
    index_size = body[5] & 15 if version else 0
    at = 6

    def number(width: int) -> int:
        nonlocal at
        if at + width > len(body):
            raise MalformedError("iloc")
        at += width
        return int.from_bytes(body[at - width : at], "big")

    idat = meta.all(b"idat")
    for _ in range(number(4 if version == 2 else 2)):
        item = number(4 if version == 2 else 2)
        method = number(2) & 15 if version else 0
        if number(2) or method > 1 or (method == 1 and not idat) or item not in items:
            raise MalformedError("iloc")
        base = number(base_size) + (idat[0].start if method == 1 else 0)
        for _ in range(number(2)):
            number(index_size)
            start = base + number(offset_size)
            length = number(length_size)
            if start + length > source.size or not length:
                raise MalformedError("iloc")
            items[item].extents.append((start, start + length))
    if at != len(body):
        raise MalformedError("iloc")


def _properties(source: Source, meta: Box, items: dict[int, _Item]) -> None:
    listed = _all_properties(source, meta)
    for box in meta.all(b"iprp", b"ipma"):
        body = box.body(source)
        if len(body) < 8:
            raise MalformedError("ipma")
        id_width = 4 if body[0] else 2
        link_width = 2 if body[3] & 1 else 1
        at = 8
        for _ in range(int.from_bytes(body[4:8], "big")):
            if at + id_width >= len(body):
                raise MalformedError("ipma")
            item = items.get(int.from_bytes(body[at : at + id_width], "big"))
            count = body[at + id_width]
            at += id_width + 1
            for _ in range(count):
                link = int.from_bytes(body[at : at + link_width], "big") & (
                    0x7FFF if link_width == 2 else 0x7F
                )
                at += link_width
                if item is None or link > len(listed):
                    raise MalformedError("ipma")
                prop = listed[link - 1] if link else None
                if prop is not None:
                    item.properties.append(prop)
        if at != len(body):
            raise MalformedError("ipma")


def _all_properties(source: Source, meta: Box) -> list[Box | None]:
    """Properties by position; None for those the walker reported and left out."""
    box = meta.one(b"iprp", b"ipco")
    known = {child.start: child for child in box.children}
    listed: list[Box | None] = []
    at = box.start
    while at + 8 <= box.end:
        size = int.from_bytes(source.take(at, 4), "big")
        if size < 8:
            raise MalformedError("ipco")
        listed.append(known.get(at + 8))
        at += size
    return listed


def _shown(
    source: Source, meta: Box, items: dict[int, _Item], primary: int, found: Collector
) -> frozenset[int]:
    """Items that make up the displayed picture: the primary one, its alpha, and the tiles of both."""
    links: list[tuple[bytes, int, list[int]]] = []
    for ref in meta.all(b"iref"):
        width = 4 if source.take(ref.start, 1) != b"\x00" else 2
        for box in ref.children:
            body = box.body(source)
            count = int.from_bytes(body[width : width + 2], "big")
            if len(body) != width + 2 + count * width:
                raise MalformedError("iref")
            targets = [
                int.from_bytes(body[width + 2 + n * width : width + 2 + (n + 1) * width], "big")
                for n in range(count)
            ]
            links.append((box.kind, int.from_bytes(body[:width], "big"), targets))
    shown = {primary}
    alphas = [origin for kind, origin, targets in links if kind == b"auxl" and targets == [primary]]
    if len(alphas) > 1:
        found.structure("second auxiliary image")
    shown.update(alphas)
    for kind, origin, targets in links:
        if kind == b"dimg" and origin in shown and origin in items and items[origin].kind == b"grid":
            shown.update(targets)
    return frozenset(shown)


def _check_picture(source: Source, item: _Item, found: Collector) -> None:
    if item.kind == b"grid":
        if sum(stop - start for start, stop in item.extents) > MAX_GRID:
            found.structure("grid size")
        return
    _check_crop(source, item, found)
    wanted = b"hvcC" if item.kind == b"hvc1" else b"av1C"
    configs = [box for box in item.properties if box.kind == wanted]
    if len(configs) != 1 or len(item.extents) != 1:
        raise MalformedError("picture item")
    units = Units(item.kind, configs[0].body(source), found)
    start, stop = item.extents[0]
    units.sample(source, start, stop - start)


def _check_crop(source: Source, item: _Item, found: Collector) -> None:
    crops = [box.body(source) for box in item.properties if box.kind == b"clap"]
    coded = [box.body(source) for box in item.properties if box.kind == b"ispe"]
    if not crops:
        return
    if len(crops) != 1 or len(coded) != 1:
        raise MalformedError("clap")
    width, height = struct.unpack(">II", coded[0][4:])
    across, across_by, down, down_by = struct.unpack(">IIII", crops[0][:16])
    for side, part, by in ((width, across, across_by), (height, down, down_by)):
        if by != 1 or not 0 <= side - part < (CLAP_SMALLEST if side <= CLAP_SMALLEST else CLAP_PADDING):
            found.structure("box clap hides pixels")


def _check_other(source: Source, item: _Item, found: Collector) -> None:
    if item.kind == b"Exif":
        found.metadata("EXIF")
    elif item.kind == b"mime" and item.content_type == XMP_TYPE:
        check_xmp(b"".join(source.take(start, stop - start) for start, stop in item.extents), "XMP", found)
    elif item.kind in (b"mime", b"uri "):
        found.metadata(f"item {code_name(item.kind)}")
    else:
        found.structure(f"item {code_name(item.kind)}")
