"""Takes stock of a photo or animation: walks the whole file, and says what lies in it beside the picture.

Takes bytes whose format is known by content, gives rows. Decodes no pixel. A file that is broken somewhere is
told of up to there; what cannot be read is a row too.
"""

from __future__ import annotations

import re
import struct
import zlib
from collections.abc import Callable

from redact.errors import InputError
from redact.media.blocks import JPEG_XMP, MAX_TEXT, PNG_PIXEL_CHUNKS, PNG_XMP
from redact.media.tiff import TYPE_SIZES, Directory, byte_order, read_directory
from redact.media.timeline import gif_blocks, riff_chunks, riff_end
from redact.metadata.inventory import Stock, What
from redact.metadata.stock_blocks import MAX_PAGES, take_exif, take_photoshop, take_profile, take_xmp
from redact.metadata.stock_boxes import take_items

_AFTER_SCAN = re.compile(rb"\xff[^\x00\xd0-\xd7\xff]")
_EXTENDED = b"http://ns.adobe.com/xmp/extension/\x00"
_LOOPS = (b"NETSCAPE2.0", b"ANIMEXTS1.0")
_PNG_HARMLESS = frozenset({b"gAMA", b"cHRM", b"sRGB", b"cICP", b"sBIT", b"bKGD", b"pHYs", b"hIST"})
_SIGNATURES: tuple[tuple[bytes, int, What], ...] = (
    (b"\xff\xd8\xff", 0, What.SECOND_PICTURE),
    (b"\x89PNG\r\n\x1a\n", 0, What.SECOND_PICTURE),
    (b"ftyp", 4, What.FILM),
)


def take_photo(stock: Stock, data: bytes, format: str) -> None:
    """Rows of a jpeg, png, apng, webp, gif, tiff, bmp, heif or avif file. Never raises on broken content."""
    takers: dict[str, Callable[[Stock, bytes], None]] = {
        "jpeg": _jpeg,
        "png": _png,
        "apng": _png,
        "webp": _webp,
        "gif": _gif,
        "tiff": _tiff,
        "bmp": _bmp,
        "heif": take_items,
        "avif": take_items,
    }
    try:
        takers[format](stock, data)
    except (InputError, struct.error, IndexError, ValueError):
        stock.add(What.UNKNOWN, "file", "unreadable part")


def take_trailing(stock: Stock, data: bytes, at: int) -> None:
    """Bytes after the format's own end, and whether pictures or a film are among them."""
    rest = data[at:]
    if not rest:
        return
    stock.add(What.TRAILING, "after the picture", size=len(rest), value=rest)
    for signature, back, what in _SIGNATURES:
        for found in re.finditer(re.escape(signature), rest):
            if found.start() >= back:
                stock.add(what, "after the picture", size=len(rest) - found.start() + back)


def _jpeg(stock: Stock, data: bytes) -> None:
    at, extended = 2, b""
    while at + 4 <= len(data):
        if data[at] != 0xFF:
            following = data.find(b"\xff", at)
            end = following if following >= 0 else len(data)
            stock.add(What.UNKNOWN, "between segments", size=end - at, value=data[at:end])
            at = end
            continue
        marker = data[at + 1]
        if marker == 0xFF:
            at += 1
            continue
        if marker == 0xD9:
            break
        if marker in (0x00, 0x01, 0xD8) or 0xD0 <= marker <= 0xD7:
            at += 2
            continue
        end = at + 2 + int.from_bytes(data[at + 2 : at + 4], "big")
        body = data[at + 4 : end]
        if marker == 0xE1 and body.startswith(_EXTENDED):
            extended += body[len(_EXTENDED) + 40 :]
        else:
            _segment(stock, marker, body)
        at = end
        if marker == 0xDA:
            found = _AFTER_SCAN.search(data, at)
            if found is None:
                stock.add(What.UNKNOWN, "file", "unreadable part")
                return
            at = found.start()
    if extended:
        take_xmp(stock, extended, "extended XMP")
    take_trailing(stock, data, at + 2)


def _segment(stock: Stock, marker: int, body: bytes) -> None:
    if not (0xE0 <= marker <= 0xEF or marker == 0xFE):
        return
    if marker == 0xE0 and body.startswith(b"JFIF\x00"):
        if len(body) > 14:
            stock.add(What.THUMBNAIL, "JFIF", "picture", size=len(body) - 14)
    elif marker == 0xE0 and body.startswith(b"JFXX\x00"):
        stock.add(What.THUMBNAIL, "JFXX", "picture", size=len(body) - 6)
    elif marker == 0xE1 and body.startswith(b"Exif\x00"):
        take_exif(stock, body)
    elif marker == 0xE1 and body.startswith(JPEG_XMP):
        take_xmp(stock, body[len(JPEG_XMP) :])
    elif marker == 0xE2 and body.startswith(b"ICC_PROFILE\x00"):
        take_profile(stock, body[14:])
    elif marker == 0xE2 and body.startswith(b"MPF\x00"):
        stock.add(What.SECOND_PICTURE, "MPF", "index of pictures", size=len(body))
    elif marker == 0xEB and body.startswith(b"JP"):
        stock.add(What.HISTORY, "C2PA", "provenance", size=len(body), value=body)
    elif marker == 0xED and body.startswith(b"Photoshop 3.0\x00"):
        take_photoshop(stock, body[14:])
    elif marker == 0xFE:
        stock.add(What.WORDS, "comment", size=len(body), value=body)
    elif not (marker == 0xEE and body.startswith(b"Adobe") and len(body) == 12):
        stock.add(What.UNKNOWN, f"segment APP{marker - 0xE0}", size=len(body), value=body)


def _png(stock: Stock, data: bytes) -> None:
    at, controls, pictures = 8, 0, 0
    while at + 12 <= len(data):
        size, kind = struct.unpack_from(">I4s", data, at)
        body = data[at + 8 : at + 8 + size]
        at += 12 + size
        controls += kind == b"fcTL"
        if kind == b"IDAT" and not pictures:
            pictures = 1
            hidden = stock.format == "apng" and not controls
            if hidden:
                stock.add(What.SECOND_PICTURE, "default picture", "not shown by browsers")
        elif kind == b"eXIf":
            take_exif(stock, body)
        elif kind == b"iCCP":
            take_profile(stock, body)
        elif kind in (b"tEXt", b"zTXt", b"iTXt"):
            _text_chunk(stock, kind, body)
        elif kind == b"tIME":
            stock.add(What.DATE, "chunk tIME", size=size)
        elif kind == b"caBX":
            stock.add(What.HISTORY, "C2PA", "provenance", size=size)
        elif kind not in PNG_PIXEL_CHUNKS | _PNG_HARMLESS:
            code = kind.decode("ascii") if kind.isalpha() else kind.hex()
            stock.add(What.UNKNOWN, f"chunk {code}", size=size, value=body)
        if kind == b"IEND":
            break
    take_trailing(stock, data, at)


def _text_chunk(stock: Stock, kind: bytes, body: bytes) -> None:
    if body.startswith(PNG_XMP):
        packed = body[len(PNG_XMP) :]
        text = packed[2:].split(b"\x00", 2)[-1]
        take_xmp(stock, _inflated(text) if packed[:1] == b"\x01" else text)
        return
    keyword, _, rest = body.partition(b"\x00")
    if keyword.startswith(b"Raw profile type"):
        stock.add(What.UNKNOWN, f"chunk {kind.decode()}", "packed profile", size=len(body))
        return
    text = rest
    if kind == b"zTXt":
        text = _inflated(rest[1:])
    elif kind == b"iTXt":
        text = rest[2:].split(b"\x00", 2)[-1]
        text = _inflated(text) if rest[:1] == b"\x01" else text
    stock.add(What.WORDS, f"chunk {kind.decode()}", size=len(body), value=text)


def _inflated(packed: bytes) -> bytes:
    try:
        return zlib.decompressobj().decompress(packed, MAX_TEXT)
    except zlib.error:
        return b""


def _webp(stock: Stock, data: bytes) -> None:
    end = riff_end(data)
    for code, start, stop in riff_chunks(data, 12, end):
        if code == b"EXIF":
            take_exif(stock, data[start:stop])
        elif code == b"XMP ":
            take_xmp(stock, data[start:stop])
        elif code == b"ICCP":
            take_profile(stock, data[start:stop])
        elif code == b"C2PA":
            stock.add(What.HISTORY, "C2PA", "provenance", size=stop - start)
        elif code not in (b"VP8 ", b"VP8L", b"VP8X", b"ALPH", b"ANIM", b"ANMF"):
            name = code.decode("ascii") if code.isalnum() else code.hex()
            stock.add(What.UNKNOWN, f"chunk {name}", size=stop - start, value=data[start:stop])
    take_trailing(stock, data, end)


def _gif(stock: Stock, data: bytes) -> None:
    flags = data[10]
    at = 13 + (3 << ((flags & 7) + 1) if flags & 0x80 else 0)
    for kind, _, end, parts in gif_blocks(data):
        at = end
        body = b"".join(parts)
        if kind == 0xFE:
            stock.add(What.WORDS, "comment", size=len(body), value=body)
        elif kind == 0x01:
            stock.add(What.WORDS, "plain text", size=len(body), value=body[12:])
        elif kind == 0xFF and parts and parts[0] not in _LOOPS:
            if parts[0] == b"XMP DataXMP":
                stock.add(What.WORDS, "XMP", size=len(body))
            elif parts[0] == b"C2PA_GIF\x01\x00\x00":
                stock.add(What.HISTORY, "C2PA", "provenance", size=len(body))
            elif parts[0] == b"ICCRGBG1012":
                take_profile(stock, b"".join(parts[1:]))
            else:
                stock.add(What.UNKNOWN, "application block", size=len(body), value=body)
        elif kind not in (0x2C, 0xF9, 0xFF):
            stock.add(What.UNKNOWN, f"extension {kind:02X}", size=len(body), value=body)
    take_trailing(stock, data, at + 1)


def _tiff(stock: Stock, data: bytes) -> None:
    take_exif(stock, data, "TIFF")
    order = byte_order(data)
    at, end, seen = struct.unpack_from(order + "I", data, 4)[0], 8, set[int]()
    while at and at not in seen and len(seen) < MAX_PAGES:
        seen.add(at)
        (count,) = struct.unpack_from(order + "H", data, at)
        end = max(end, at + 6 + 12 * count)
        for n in range(count):
            _, kind, values, where = struct.unpack_from(order + "HHII", data, at + 2 + 12 * n)
            length = TYPE_SIZES.get(kind, 0) * values
            end = max(end, where + length if length > 4 else 0)
        directory = read_directory(data, order, at)
        for offsets, counts in ((273, 279), (324, 325)):
            starts, sizes = (_numbers(directory, tag) for tag in (offsets, counts))
            end = max([end, *(start + size for start, size in zip(starts, sizes, strict=False))])
        at = directory.next
    if any(data[end:]) and not directory.number(330):
        take_trailing(stock, data, end)


def _numbers(directory: Directory, tag: int) -> list[int]:
    entry = directory.entries.get(tag)
    code = {3: "H", 4: "I"}.get(entry.type) if entry else None
    if entry is None or code is None:
        return []
    whole = len(entry.value) // struct.calcsize(code)
    return list(struct.unpack_from(f"{directory.order}{whole}{code}", entry.value))


def _bmp(stock: Stock, data: bytes) -> None:
    offset, header = struct.unpack_from("<II", data, 10)
    if header < 40:
        return
    width, height, _, bits, packed = struct.unpack_from("<iiHHI", data, 18)
    colours = struct.unpack_from("<I", data, 46)[0] or (1 << bits if bits <= 8 else 0)
    used = 14 + header + 4 * min(colours, 256) + (12 if packed == 3 and header == 40 else 0)
    if offset > used:
        stock.add(What.UNKNOWN, "before the pixels", size=offset - used, value=data[used:offset])
    if packed in (0, 3, 6):
        take_trailing(stock, data, offset + (abs(width) * bits + 31) // 32 * 4 * abs(height))


__all__ = ["take_photo", "take_trailing"]
