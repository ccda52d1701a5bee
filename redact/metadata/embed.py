"""Writes rights afresh: as an XMP packet, as an IPTC block, and into finished JPEG, PNG and WebP bytes.

Formats whose encoder takes an XMP packet (TIFF, HEIF, AVIF) are given `to_xmp`; GIF and BMP have no place
for rights, so they carry none.
"""

from __future__ import annotations

import struct
import zlib

from redact.errors import EncodeError
from redact.metadata.iptc import photoshop_resources, write_iptc
from redact.metadata.rights import RIGHTS_FIELDS, Rights
from redact.metadata.xmp import write_xmp

JPEG_XMP = b"http://ns.adobe.com/xap/1.0/\x00"
PNG_XMP = b"XML:com.adobe.xmp\x00\x00\x00\x00\x00"
MP4_XMP = bytes.fromhex("be7acfcb97a942e89c71999491e3afac")
"""Type of the `uuid` box that holds XMP in MP4 (XMP specification, part 3)."""
WEBP_HAS_XMP, WEBP_HAS_ALPHA = 0x04, 0x10


def to_xmp(rights: Rights) -> bytes:
    """A fresh XMP packet (UTF-8) of the set fields; nothing if none is set."""
    return write_xmp({field.xmp: getattr(rights, field.name) for field in RIGHTS_FIELDS})


def to_iptc(rights: Rights) -> bytes:
    """A fresh IPTC-IIM block of the set fields; nothing if none is set.

    A value longer than its data set allows is left to XMP: half a name credits somebody else.
    """
    return write_iptc(
        {
            field.iptc: getattr(rights, field.name)
            for field in RIGHTS_FIELDS
            if field.iptc is not None and len(getattr(rights, field.name).encode()) <= field.iptc_bytes
        }
    )


def into_jpeg(data: bytes, rights: Rights) -> bytes:
    """`data` with XMP (APP1) and IPTC (APP13) segments after its JFIF header."""
    xmp, iptc = to_xmp(rights), to_iptc(rights)
    segments = _segment(0xE1, JPEG_XMP + xmp) if xmp else b""
    segments += _segment(0xED, photoshop_resources(iptc)) if iptc else b""
    at = 2
    if data[2:4] == b"\xff\xe0":
        at += 2 + int.from_bytes(data[4:6], "big")
    return data[:at] + segments + data[at:]


def _segment(marker: int, body: bytes) -> bytes:
    return bytes([0xFF, marker]) + (len(body) + 2).to_bytes(2, "big") + body


def xmp_chunk(rights: Rights) -> bytes:
    """A PNG iTXt chunk with the XMP packet; nothing if no field is set."""
    xmp = to_xmp(rights)
    if not xmp:
        return b""
    body = b"iTXt" + PNG_XMP + xmp
    return struct.pack(">I", len(body) - 4) + body + struct.pack(">I", zlib.crc32(body))


def into_png(data: bytes, rights: Rights) -> bytes:
    """`data` with an XMP chunk after its header."""
    after_header = 8 + 25
    return data[:after_header] + xmp_chunk(rights) + data[after_header:]


def mp4_box(rights: Rights) -> bytes:
    """A box with the XMP packet for the end of an MP4, where it moves nothing; nothing if no field is set."""
    xmp = to_xmp(rights)
    return struct.pack(">I4s", 24 + len(xmp), b"uuid") + MP4_XMP + xmp if xmp else b""


def into_webp(data: bytes, rights: Rights) -> bytes:
    """`data` (a still or an animation) with an XMP chunk at its end, in the extended format.

    Raises:
        EncodeError: `data` is not what our encoder writes.
    """
    xmp = to_xmp(rights)
    if not xmp:
        return data
    chunks = data[12:]
    if chunks[:4] == b"VP8X":
        flags = bytes([chunks[8] | WEBP_HAS_XMP])
        chunks = chunks[:8] + flags + chunks[9:]
    elif chunks[:4] in (b"VP8 ", b"VP8L"):
        if chunks[:4] == b"VP8L":
            bits = int.from_bytes(chunks[9:13], "little")
            width, height, alpha = bits & 0x3FFF, bits >> 14 & 0x3FFF, bits >> 28 & 1
        else:
            width, height = ((value & 0x3FFF) - 1 for value in struct.unpack_from("<HH", chunks, 14))
            alpha = 0
        flags = bytes([WEBP_HAS_XMP | (WEBP_HAS_ALPHA if alpha else 0)])
        size = width.to_bytes(3, "little") + height.to_bytes(3, "little")
        chunks = b"VP8X" + struct.pack("<I", 10) + flags + bytes(3) + size + chunks
    else:
        raise EncodeError("The WebP encoder wrote an unknown layout.")
    chunks += b"XMP " + struct.pack("<I", len(xmp)) + xmp + bytes(len(xmp) % 2)
    return b"RIFF" + struct.pack("<I", len(chunks) + 4) + b"WEBP" + chunks
