"""Takes stock of ISO base media files by their boxes: items of HEIF and AVIF, user data and strays of films.

Walks boxes with bounds and skips what it cannot follow; streams themselves are told of by `stock_film`.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator

from redact.media.bmff import boxes
from redact.metadata.inventory import Stock, What
from redact.metadata.stock_blocks import take_exif, take_profile, take_xmp

UUID_XMP = bytes.fromhex("be7acfcb97a942e89c71999491e3afac")
UUID_C2PA = bytes.fromhex("d8fec3d61b0e483c92975828877ec481")
MAX_DEPTH = 6
MOST_BRANDS = 1024
"""Bytes of an `ftyp` box; larger ones are the word `ftyp` in something else."""
MAX_SCANNED = 64 << 20
"""A stray box larger than this is told of by size alone."""
CONTAINERS = frozenset({b"moov", b"trak", b"mdia", b"minf", b"stbl"})
PLAIN = frozenset(
    # what every film has, for a player's use alone
    {b"ftyp", b"mdat", b"wide", b"mvhd", b"tkhd", b"mdhd", b"hdlr", b"vmhd", b"smhd", b"gmhd", b"nmhd"}
    | {b"dinf", b"edts", b"stsd", b"stts", b"stss", b"ctts", b"cslg", b"stsc", b"stsz", b"stco", b"co64"}
    | {b"sdtp", b"sgpd", b"sbgp", b"tref", b"mvex", b"moof", b"sidx", b"styp", b"mfra", b"stps", b"iods"}
    | {b"tapt", b"elng", b"load", b"clef", b"sthd", b"hmhd"}
)
USER_DATA: dict[bytes, What] = {
    b"\xa9xyz": What.PLACE,
    b"loci": What.PLACE,
    **dict.fromkeys((b"\xa9aut", b"\xa9dir", b"\xa9prd", b"\xa9prf", b"auth", b"perf", b"aART"), What.PEOPLE),
    **dict.fromkeys((b"\xa9mak", b"\xa9mod", b"\xa9swr", b"\xa9too", b"\xa9enc", b"CNTH"), What.CAMERA),
    **dict.fromkeys((b"\xa9day", b"yrrc", b"date"), What.DATE),
    **dict.fromkeys((b"\xa9nam", b"\xa9cmt", b"\xa9des", b"\xa9inf", b"titl", b"dscp", b"kywd", b"desc",
                     b"ldes", b"\xa9alb", b"\xa9gen", b"\xa9lyr", b"\xa9grp", b"name", b"albm", b"gnre"),
                    What.WORDS),
    b"covr": What.THUMBNAIL,
    b"thmb": What.THUMBNAIL,
    b"chpl": What.CHAPTERS,
}  # fmt: skip
RIGHTS_ATOMS = frozenset({b"\xa9ART", b"\xa9cpy", b"cprt"})
AUX_NAMES = (
    (b"auxid:1", "alpha"),
    (b":alpha", "alpha"),
    (b"auxid:2", "depth"),
    (b"hdrgainmap", "gain map"),
    (b"matte", "matte"),
)


def _code(kind: bytes) -> str:
    if kind[:1] == b"\xa9" and kind[1:].isalnum():
        return "c-" + kind[1:].decode("ascii", "replace")
    return kind.decode("ascii").strip() if kind.replace(b" ", b"").isalnum() else kind.hex()


def take_boxes(stock: Stock, data: memoryview) -> None:
    """Boxes of a film that are beside its streams, and bytes after the last box."""
    end = _walk(stock, data, 0, len(data), "", 0)
    if end < len(data):
        stock.add(
            What.TRAILING, "after the last box", size=len(data) - end, value=_value(data, end, len(data))
        )


def _walk(stock: Stock, data: memoryview, start: int, end: int, path: str, depth: int) -> int:
    last = start
    for kind, first, stop in boxes(data, start, end):
        last = stop
        where = f"box {path}{_code(kind)}"
        size = stop - first
        if kind in CONTAINERS and depth < MAX_DEPTH:
            _walk(stock, data, first, stop, f"{path}{_code(kind)}/", depth + 1)
        elif kind == b"udta":
            _user_data(stock, data, first, stop, where)
        elif kind == b"meta":
            _meta(stock, data, first, stop, where)
        elif kind == b"uuid":
            _extension(stock, data, first, stop, where)
        elif kind == b"XMP_":
            take_xmp(stock, bytes(data[first:stop]), "XMP")
        elif kind in (b"free", b"skip"):
            if size <= MAX_SCANNED and any(data[first:stop]):
                stock.add(
                    What.UNKNOWN, where, "content in free space", size=size, value=_value(data, first, stop)
                )
        elif kind not in PLAIN:
            stock.add(What.UNKNOWN, where, size=size, value=_value(data, first, stop))
        if kind in (b"mvhd", b"tkhd", b"mdhd") and size >= 20:
            wide = data[first] == 1
            times = bytes(data[first + 4 : first + (20 if wide else 12)])
            if any(times):
                stock.add(What.DATE, where, "creation time", size=len(times))
        elif kind == b"tref":
            stock.add(What.STREAM, where, "track reference", size=size)
    return last


def _extension(stock: Stock, data: memoryview, start: int, end: int, where: str) -> None:
    """A `uuid` box: XMP, provenance, or a maker's own."""
    kind = bytes(data[start : start + 16])
    if kind == UUID_XMP:
        take_xmp(stock, bytes(data[start + 16 : end]), "XMP")
    elif kind == UUID_C2PA:
        stock.add(What.HISTORY, "C2PA", "provenance", size=end - start)
    else:
        stock.add(What.UNKNOWN, where, size=end - start, value=_value(data, start + 16, end))


def _value(data: memoryview, start: int, end: int) -> bytes:
    return bytes(data[start : min(end, start + 1024)])


def _user_data(stock: Stock, data: memoryview, start: int, end: int, where: str) -> None:
    for kind, first, stop in boxes(data, start, end):
        if kind == b"meta":
            _meta(stock, data, first, stop, f"{where}/meta")
        else:
            _atom(stock, kind, data, first, stop, f"{where}/{_code(kind)}")


def _atom(stock: Stock, kind: bytes, data: memoryview, start: int, end: int, where: str) -> None:
    what = What.RIGHTS if kind in RIGHTS_ATOMS else USER_DATA.get(kind, What.UNKNOWN)
    stock.add(what, where, size=end - start, value=_value(data, start, end))


def _meta(stock: Stock, data: memoryview, start: int, end: int, where: str) -> None:
    """iTunes' list or QuickTime's keys; both hold tags. A `meta` of another kind is told of whole."""
    # QuickTime's has no version field: its first child starts at once
    inner = start if bytes(data[start + 4 : start + 8]) == b"hdlr" else start + 4
    children = list(boxes(data, inner, end))
    keys = [child for child in children if child[0] == b"keys"]
    names = _keys(data, *keys[0][1:]) if keys else []
    for kind, first, stop in children:
        if kind == b"ilst":
            for number, (tag, at, until) in enumerate(boxes(data, first, stop)):
                if names:
                    index = int.from_bytes(tag, "big") - 1
                    what = _key_kind(names[index] if 0 <= index < len(names) else b"")
                    stock.add(what, f"{where}/keys", size=until - at, value=_value(data, at + 16, until))
                else:
                    _atom(stock, tag, data, at, until, f"{where}/ilst/{_code(tag)}")
                if number > 500:
                    break
        elif kind not in (b"hdlr", b"keys", b"free"):
            stock.add(
                What.UNKNOWN, f"{where}/{_code(kind)}", size=stop - first, value=_value(data, first, stop)
            )
    if not children:
        stock.add(What.UNKNOWN, where, size=end - start)


def _keys(data: memoryview, start: int, end: int) -> list[bytes]:
    """Names of QuickTime's keys, in order."""
    return [bytes(data[first:stop]) for _, first, stop in boxes(data, start + 8, end)]


def _key_kind(key: bytes) -> What:
    for word, what in (
        (b"location", What.PLACE),
        (b"artist", What.RIGHTS),
        (b"author", What.PEOPLE),
        (b"copyright", What.RIGHTS),
        (b"date", What.DATE),
        (b"make", What.CAMERA),
        (b"model", What.CAMERA),
        (b"software", What.CAMERA),
        (b"identifier", What.HISTORY),
        (b"title", What.WORDS),
        (b"comment", What.WORDS),
        (b"description", What.WORDS),
        (b"keywords", What.WORDS),
        (b"artwork", What.THUMBNAIL),
    ):
        if word in key.lower():
            return what
    return What.UNKNOWN


def take_items(stock: Stock, file: bytes) -> None:
    """Items of a HEIF or AVIF file beside its picture, stray boxes, and bytes after the last one."""
    data = memoryview(file)
    end = 0
    for kind, first, stop in boxes(data, 0, len(data)):
        end = stop
        if kind == b"meta":
            _items(stock, data, first + 4, stop)
        elif kind == b"moov":
            stock.add(What.FILM, "box moov", "film beside the picture", size=stop - first)
        elif kind in (b"free", b"skip") and not any(data[first:stop]):
            continue
        elif kind == b"uuid":
            _extension(stock, data, first, stop, "box uuid")
        elif kind not in (b"ftyp", b"mdat"):
            where = f"box {_code(kind)}"
            stock.add(What.UNKNOWN, where, size=stop - first, value=_value(data, first, stop))
    if end < len(data):
        stock.add(
            What.TRAILING, "after the last box", size=len(data) - end, value=_value(data, end, len(data))
        )
    for at in _later_films(file):
        stock.add(What.FILM, "inside the file", size=len(file) - at)


def _later_films(file: bytes) -> Iterator[int]:
    at = file.find(b"ftyp", 8)
    while at >= 4:
        if 16 <= int.from_bytes(file[at - 4 : at], "big") <= MOST_BRANDS:
            yield at - 4
        at = file.find(b"ftyp", at + 4)


def _items(stock: Stock, data: memoryview, start: int, end: int) -> None:
    inner = {kind: (first, stop) for kind, first, stop in boxes(data, start, end)}
    for kind, (first, stop) in inner.items():
        if kind in (b"uuid", b"xml ", b"bxml") or (kind in (b"free", b"skip") and any(data[first:stop])):
            stock.add(
                What.UNKNOWN, f"box meta/{_code(kind)}", size=stop - first, value=_value(data, first, stop)
            )
    if b"iprp" in inner:
        properties = {kind: (first, stop) for kind, first, stop in boxes(data, *inner[b"iprp"])}
        for kind, first, stop in boxes(data, *properties.get(b"ipco", (0, 0))):
            if kind == b"colr" and bytes(data[first : first + 4]) not in (b"nclx", b"nclc"):
                take_profile(stock, bytes(data[first + 4 : stop]))
    if not {b"iinf", b"iloc", b"pitm"} <= set(inner):
        return
    at = inner[b"pitm"][0]
    primary = int.from_bytes(data[at + 4 : at + (8 if data[at] else 6)], "big")
    infos = _infos(data, *inner[b"iinf"])
    extents = _extents(data, inner[b"iloc"][0], inner.get(b"idat", (0, 0))[0])
    links = _links(data, *inner[b"iref"]) if b"iref" in inner else []
    shown = {primary} | {to for kind, origin, targets in links if kind == b"dimg" for to in targets}
    roles = {origin: kind for kind, origin, _ in links}
    alpha = _alphas(data, inner.get(b"iprp"))
    for number, (kind, name, content) in infos.items():
        if number in shown:
            continue
        places = extents.get(number, [])
        body = b"".join(bytes(data[a:b]) for a, b in places)[: 4 << 20]
        size = sum(b - a for a, b in places)
        if kind == b"Exif":
            skip = int.from_bytes(body[:4], "big") + 4 if len(body) >= 4 else 0
            take_exif(stock, body[skip:])
        elif kind == b"mime" and content.startswith(b"application/rdf+xml"):
            take_xmp(stock, body)
        elif roles.get(number) == b"thmb":
            stock.add(What.THUMBNAIL, "item", "picture", size=size)
        elif roles.get(number) == b"auxl":
            kind_of = alpha.get(number, "auxiliary picture")
            if kind_of != "alpha":
                stock.add(What.SECOND_PICTURE, "item", kind_of, size=size)
        elif kind in (b"hvc1", b"av01", b"jpeg", b"grid", b"iovl", b"iden", b"tmap"):
            stock.add(What.SECOND_PICTURE, "item", "picture", size=size)
        else:
            stock.add(What.UNKNOWN, f"item {_code(kind)}", size=size, value=body)
        if name.strip(b"\x00") and name not in (b"Color", b"Alpha", b"XMP", b"Exif"):
            stock.add(What.WORDS, "item", "item name", size=len(name), value=name)


def _infos(data: memoryview, start: int, end: int) -> dict[int, tuple[bytes, bytes, bytes]]:
    """Item number: type, name, content type."""
    found = {}
    for kind, first, stop in boxes(data, start + (6 if data[start] == 0 else 8), end):
        if kind != b"infe" or data[first] < 2:
            continue
        width = 2 if data[first] == 2 else 4
        number = int.from_bytes(data[first + 4 : first + 4 + width], "big")
        at = first + 6 + width
        name, _, rest = bytes(data[at + 4 : stop]).partition(b"\x00")
        found[number] = (bytes(data[at : at + 4]), name, rest)
    return found


def _extents(data: memoryview, at: int, idat: int) -> dict[int, list[tuple[int, int]]]:
    """Item number: ranges of the file. Raises struct.error or IndexError on a broken table."""
    version, sizes, more = data[at], data[at + 4], data[at + 5]
    at += 6

    def number(width: int) -> int:
        nonlocal at
        if at + width > len(data):
            raise IndexError
        at += width
        return int.from_bytes(data[at - width : at], "big")

    found: dict[int, list[tuple[int, int]]] = {}
    for _ in range(min(number(4 if version == 2 else 2), 4096)):
        item = number(4 if version == 2 else 2)
        method = number(2) & 15 if version else 0
        number(2)
        base = number(more >> 4) + (idat if method == 1 else 0)
        for _ in range(min(number(2), 4096)):
            number(more & 15 if version else 0)
            start = base + number(sizes >> 4)
            length = number(sizes & 15)
            found.setdefault(item, []).append((start, min(start + length, len(data))))
    return found


def _links(data: memoryview, start: int, end: int) -> list[tuple[bytes, int, list[int]]]:
    width = 4 if data[start] else 2
    found = []
    for kind, first, stop in boxes(data, start + 4, end):
        body = bytes(data[first:stop])
        count = int.from_bytes(body[width : width + 2], "big")
        targets = [
            int.from_bytes(body[width + 2 + n * width : width + 2 + (n + 1) * width], "big")
            for n in range(min(count, len(body) // width))
        ]
        found.append((kind, int.from_bytes(body[:width], "big"), targets))
    return found


def _alphas(data: memoryview, iprp: tuple[int, int] | None) -> dict[int, str]:
    """Item number: our word for the kind of auxiliary picture it says to be."""
    if iprp is None:
        return {}
    inner = {kind: (first, stop) for kind, first, stop in boxes(data, *iprp)}
    if not {b"ipco", b"ipma"} <= set(inner):
        return {}
    properties = list(boxes(data, *inner[b"ipco"]))
    first = inner[b"ipma"][0]
    wide_ids, wide_links = data[first] > 0, data[first + 3] & 1
    (count,) = struct.unpack_from(">I", data, first + 4)
    at, found = first + 8, {}
    for _ in range(min(count, 4096)):
        step = 4 if wide_ids else 2
        item = int.from_bytes(data[at : at + step], "big")
        at += step
        links = data[at]
        at += 1
        for _ in range(links):
            width = 2 if wide_links else 1
            index = int.from_bytes(data[at : at + width], "big") & (0x7FFF if wide_links else 0x7F)
            at += width
            if 0 < index <= len(properties) and properties[index - 1][0] == b"auxC":
                _, start, stop = properties[index - 1]
                urn = bytes(data[start + 4 : stop])
                found[item] = next((word for mark, word in AUX_NAMES if mark in urn), "auxiliary picture")
    return found


__all__ = ["UUID_XMP", "take_boxes", "take_items"]
