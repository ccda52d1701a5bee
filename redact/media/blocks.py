"""Takes a photo file apart: what decodes to pixels on one side, what was written beside it on the other.

Decoders are given `pixels` alone wherever a format can be cut without decoding (JPEG, PNG, TIFF, AVIF), so a
broken or hostile metadata block cannot reach them. The raw blocks serve colour, orientation and rights.
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterator
from dataclasses import dataclass

from redact.errors import DamagedInputError
from redact.media.bmff import primary_code_points, without_exif
from redact.media.tiff import (
    ICC,
    IPTC,
    PHOTOSHOP,
    XMP,
    BadTiffError,
    check_tiff,
    only_pixels,
    read_exif,
)
from redact.media.timeline import png_chunks, riff_chunks, riff_end

MAX_PROFILE = 16 << 20
"""Bytes of a colour profile; the largest in use (press profiles) have about 4 MB."""
MAX_TEXT = 4 << 20
"""Bytes of an XMP packet that is looked at."""

PNG_PIXEL_CHUNKS = frozenset({b"IHDR", b"PLTE", b"tRNS", b"IDAT", b"IEND", b"acTL", b"fcTL", b"fdAT"})
JPEG_XMP = b"http://ns.adobe.com/xap/1.0/\x00"
PNG_XMP = b"XML:com.adobe.xmp\x00"


@dataclass(frozen=True)
class Blocks:
    """One photo file, taken apart. Every block but `pixels` is untrusted and may be empty."""

    pixels: bytes
    """A file of the same format that a decoder turns into the stored pixels."""
    exif: bytes = b""
    icc: bytes = b""
    xmp: bytes = b""
    iptc: bytes = b""
    photoshop: bytes = b""
    code_points: tuple[int, int] | None = None
    """H.273 primaries and transfer."""
    gamma: tuple[int, tuple[int, ...]] | None = None
    """PNG gAMA (100,000 / exponent) and the eight cHRM numbers, where no profile says more."""
    turn: int | None = None
    """Orientation that the container itself asks for beside EXIF, which is then ignored (HEIF, AVIF)."""
    lossless: bool = True

    @property
    def orientation(self) -> int:
        """1 to 8, as EXIF counts them: how the decoded pixels are turned for display."""
        return read_exif(self.exif).orientation if self.turn is None else self.turn


def take_apart(data: bytes, format: str) -> Blocks:
    """Blocks of a jpeg, png, apng, webp, tiff, gif, heif, avif or bmp file.

    HEIF and AVIF metadata items are read by `redact.media.still`, through their decoders.

    Raises:
        DamagedInputError: the structure is broken or ends early.
        UnsupportedInputError: a TIFF of a refused variant.
    """
    try:
        if format == "jpeg":
            return _jpeg(data)
        if format in ("png", "apng"):
            return _png(data)
        if format == "webp":
            return _webp(data)
        if format == "tiff":
            return _tiff(data)
    except (struct.error, IndexError, BadTiffError) as error:
        raise DamagedInputError("The file's structure is broken.") from error
    if format in ("heif", "avif"):
        return Blocks(without_exif(data), code_points=primary_code_points(data), turn=1, lossless=False)
    return Blocks(data)


def jpeg_segments(data: bytes) -> Iterator[tuple[int, int, int]]:
    """(marker, body start, body end) of the segments before the first scan, which comes last (SOS).

    Raises:
        DamagedInputError: no scan follows, or a segment is longer than the file.
    """
    at = 2
    while True:
        at = data.find(b"\xff", at)  # bytes between segments are skipped, as decoders do
        while at >= 0 and data[at + 1 : at + 2] == b"\xff":
            at += 1
        if at < 0 or at + 4 > len(data):
            raise DamagedInputError("The JPEG file ends before its picture.")
        marker = data[at + 1]
        if marker in (0x00, 0x01, 0xD8) or 0xD0 <= marker <= 0xD7:
            at += 2
            continue
        if marker == 0xD9:
            raise DamagedInputError("The JPEG file ends before its picture.")
        end = at + 2 + int.from_bytes(data[at + 2 : at + 4], "big")
        if end > len(data) or end < at + 4:
            raise DamagedInputError("The JPEG file ends early.")
        yield marker, at + 4, end
        if marker == 0xDA:
            return
        at = end


def _jpeg(data: bytes) -> Blocks:
    kept = [b"\xff\xd8"]
    exif = xmp = photoshop = b""
    profile: dict[int, bytes] = {}
    for marker, start, end in jpeg_segments(data):
        body = data[start:end]
        if marker == 0xDA:
            kept.append(data[start - 4 :])
        elif not 0xE0 <= marker <= 0xEF and marker != 0xFE:
            kept.append(data[start - 4 : end])
        elif (marker == 0xE0 and body.startswith(b"JFIF\x00")) or (marker == 0xEE and body[:5] == b"Adobe"):
            kept.append(data[start - 4 : end])  # both tell how components become colours
        elif marker == 0xE1 and body.startswith(b"Exif\x00") and not exif:
            exif = body
        elif marker == 0xE1 and body.startswith(JPEG_XMP) and not xmp:
            xmp = body[len(JPEG_XMP) :]
        elif marker == 0xE2 and body.startswith(b"ICC_PROFILE\x00") and len(body) > 14:
            profile.setdefault(body[12], body[14:])
        elif marker == 0xED and body.startswith(b"Photoshop 3.0\x00"):
            photoshop += body[14:]
    icc = b"".join(profile[number] for number in sorted(profile))
    return Blocks(b"".join(kept), exif=exif, icc=icc, xmp=xmp, photoshop=photoshop, lossless=False)


def _inflate(data: bytes, most: int) -> bytes:
    """Decompressed bytes, empty if they are broken or more than `most`."""
    try:
        stream = zlib.decompressobj()
        out = stream.decompress(data, most)
    except zlib.error:
        return b""
    return out if stream.eof else b""


def _png(data: bytes) -> Blocks:
    kept = [data[:8]]
    found: dict[bytes, bytes] = {}
    xmp = b""
    for kind, start, end in png_chunks(data):
        if kind in PNG_PIXEL_CHUNKS:
            kept.append(data[start - 8 : end + 4])
        elif kind in (b"eXIf", b"iCCP", b"cICP", b"gAMA", b"cHRM", b"sRGB"):
            found.setdefault(kind, data[start:end])
        elif kind == b"iTXt" and data.startswith(PNG_XMP, start):
            xmp = _itxt(data[start + len(PNG_XMP) : end])
    icc = b""
    name, zero, packed = found.get(b"iCCP", b"").partition(b"\x00")
    if zero and name and packed[:1] == b"\x00":
        icc = _inflate(packed[1:], MAX_PROFILE)
    cicp, gama = found.get(b"cICP", b""), found.get(b"gAMA", b"")
    gamma = None
    if len(gama) == 4 and b"sRGB" not in found:
        chroma = found.get(b"cHRM", b"")
        numbers = struct.unpack(">8I", chroma) if len(chroma) == 32 else ()
        gamma = (int.from_bytes(gama, "big"), numbers)
    return Blocks(
        b"".join(kept),
        exif=found.get(b"eXIf", b""),
        icc=icc,
        xmp=xmp,
        code_points=(cicp[0], cicp[1]) if len(cicp) == 4 else None,
        gamma=gamma,
    )


def _itxt(body: bytes) -> bytes:
    """Text of an iTXt body after its keyword: flags, language, translated keyword, text."""
    parts = body[2:].split(b"\x00", 2)
    if len(parts) < 3:
        return b""
    return _inflate(parts[2], MAX_TEXT) if body[:1] == b"\x01" else parts[2]


def _webp(data: bytes) -> Blocks:
    found: dict[bytes, bytes] = {}
    lossy = False
    for code, start, end in riff_chunks(data, 12, riff_end(data)):
        lossy = lossy or code == b"VP8 "
        if code in (b"ICCP", b"EXIF", b"XMP "):
            found.setdefault(code, data[start:end])
    return Blocks(
        data,
        exif=found.get(b"EXIF", b""),
        icc=found.get(b"ICCP", b""),
        xmp=found.get(b"XMP ", b""),
        lossless=not lossy,
    )


def _tiff(data: bytes) -> Blocks:
    first = check_tiff(data)

    def value(tag: int) -> bytes:
        return first.entries[tag].value if tag in first.entries else b""

    return Blocks(
        only_pixels(data),
        exif=data,
        icc=value(ICC),
        xmp=value(XMP),
        iptc=value(IPTC),
        photoshop=value(PHOTOSHOP),
    )
