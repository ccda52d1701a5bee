"""Finds out what a file is from its bytes, never from its name: one word a format, or a refusal.

Takes a path, reads at most a few kilobytes (for PNG: the chunk headers up to the picture; for `media_kind`:
the block structure of a GIF, WebP, APNG or TIFF). Decodes nothing.
"""

from __future__ import annotations

import struct
from pathlib import Path
from typing import BinaryIO, Literal

from redact.errors import DamagedInputError, UnsupportedInputError
from redact.media.bmff import brands
from redact.media.foreign import refusal
from redact.media.source import open_regular, read_photo
from redact.media.tiff import check_tiff
from redact.media.timeline import read_timeline

HEAD_BYTES = 4096
PNG_SIGNATURE = b"\x89PNG\r\n\x1a\n"
RAW_TIFF_MARKS = ((8, b"CR\x02"), (0, b"IIRO"), (0, b"IIRS"), (0, b"MMOR"), (0, b"IIU\x00"))
"""Canon CR2 behind a plain TIFF head; Olympus and Panasonic raw have heads of their own."""
BMP_HEADERS = frozenset({12, 40, 52, 56, 64, 108, 124})

AVIF_BRANDS = frozenset({b"avif", b"avis"})
HEIF_BRANDS = frozenset(
    {b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"hevm", b"hevs", b"mif1", b"msf1", b"mif2"}
)
SEQUENCE_BRANDS = frozenset({b"avis", b"msf1", b"hevc", b"hevx", b"hevm", b"hevs"})
"""Major brands that ask a player to show the image sequence instead of the still picture."""
REFUSED_BRANDS = frozenset(
    # Canon raw, JPEG 2000 and JPEG XL families, audio only, audio books, encrypted audio
    {
        b"crx ",
        b"jp2 ",
        b"jpx ",
        b"jpm ",
        b"mjp2",
        b"jxl ",
        b"jxs ",
        b"M4A ",
        b"M4B ",
        b"M4P ",
        b"F4A ",
        b"F4B ",
    }
)
OLD_QUICKTIME = frozenset({b"moov", b"mdat", b"wide", b"free", b"skip", b"pnot"})
"""QuickTime files from before `ftyp` start with one of these atoms."""

PHOTO_FORMATS = frozenset({"jpeg", "png", "apng", "webp", "tiff", "gif", "heif", "avif", "bmp"})
ANIMATION_FORMATS = frozenset({"gif", "webp", "apng"})
VIDEO_FORMATS = frozenset({"mp4", "mov", "mkv", "webm", "avi"})


def identify(path: Path) -> str:
    """One of jpeg, png, apng, webp, tiff, gif, heif, avif, bmp, mp4, mov, mkv, webm, avi.

    Raises:
        UnsupportedInputError: the content is of no handled format, or the file is not a regular file.
        DamagedInputError: the file is empty.
        InputError: it cannot be opened.
    """
    with open_regular(path) as source:
        head = source.read(HEAD_BYTES)
        if not head:
            raise DamagedInputError("The file is empty.")
        if head.startswith(PNG_SIGNATURE):
            return "apng" if _is_apng(source) else "png"
    name = _by_magic(head)
    if name is None:
        raise UnsupportedInputError(refusal(head))
    return name


def _by_magic(head: bytes) -> str | None:
    if head.startswith(b"\xff\xd8\xff"):
        return "jpeg"
    if head.startswith((b"GIF87a", b"GIF89a")):
        return "gif"
    if head[:4] == b"RIFF":
        return {b"WEBP": "webp", b"AVI ": "avi"}.get(head[8:12])
    if any(head[at : at + len(mark)] == mark for at, mark in RAW_TIFF_MARKS):
        return None
    if head[:4] in (b"II*\x00", b"MM\x00*"):
        return "tiff"
    if head[:2] == b"BM" and len(head) >= 18 and struct.unpack_from("<I", head, 14)[0] in BMP_HEADERS:
        return "bmp"
    if head.startswith(b"\x1a\x45\xdf\xa3"):
        return _ebml_doctype(head)
    if head[4:8] == b"ftyp":
        return _by_brand(head)
    if head[4:8] in OLD_QUICKTIME:
        return "mov"
    return None


def _by_brand(head: bytes) -> str | None:
    found = brands(head)
    if found is None:
        return None
    major, compatible = found
    if major in REFUSED_BRANDS:
        return None
    if major in AVIF_BRANDS:
        return "avif"
    if major in HEIF_BRANDS:
        # mif1 names only the container: the codec is told by the compatible brands.
        generic = major in (b"mif1", b"msf1", b"mif2")
        return "avif" if generic and AVIF_BRANDS & set(compatible) else "heif"
    return "mov" if major == b"qt  " else "mp4"


def _ebml_doctype(head: bytes) -> str | None:
    """DocType (0x4282) of an EBML header: its length is one byte in practice and by the specification."""
    at = head.find(b"\x42\x82", 4, 128)
    if at < 0 or at + 3 > len(head):
        return None
    length = head[at + 2] & 0x7F
    doctype = head[at + 3 : at + 3 + length].rstrip(b"\x00")
    return {b"matroska": "mkv", b"webm": "webm"}.get(doctype)


def _is_apng(source: BinaryIO) -> bool:
    """Whether acTL comes before the picture data, as the PNG specification demands of an animation."""
    at = 8
    for _ in range(10_000):
        source.seek(at)
        header = source.read(8)
        if len(header) < 8 or header[4:] in (b"IDAT", b"IEND"):
            return False
        if header[4:] == b"acTL":
            return True
        at += 12 + int.from_bytes(header[:4], "big")
    return False


def media_kind(path: Path, format: str) -> Literal["photo", "animation", "video"]:
    """What kind of item a file of this format is. An animation format with one frame is a photo.

    Raises:
        UnsupportedInputError: a multi-page or raw TIFF, or an image sequence in HEIF or AVIF.
        DamagedInputError: the structure that tells frames apart is broken.
    """
    if format in VIDEO_FORMATS:
        return "video"
    if format in ("heif", "avif"):
        with open_regular(path) as source:
            found = brands(source.read(HEAD_BYTES))
        if found is not None and found[0] in SEQUENCE_BRANDS:
            raise UnsupportedInputError(
                "HEIF and AVIF image sequences are not handled. Export it as a video or as a still picture."
            )
    elif format == "tiff":
        check_tiff(read_photo(path))
    elif format in ANIMATION_FORMATS:
        timeline = read_timeline(read_photo(path), format)
        return "animation" if timeline is not None and timeline.is_animation else "photo"
    return "photo"
