"""The picture readers: files as our encoders write them pass; every planted thing is found as its kind."""

from __future__ import annotations

import io
import struct
from collections.abc import Callable

import pytest
from gate_media import (
    CANARY,
    animated,
    gif_with,
    jpeg_with,
    kinds,
    picture,
    png_chunk,
    png_with,
    read,
    saved,
    webp_with,
)
from PIL import Image, ImageCms, TiffImagePlugin

from redact.findings import FindingKind
from redact.gate.structure import read_structure

METADATA, STRUCTURE = FindingKind.METADATA, FindingKind.STRUCTURE
TRAILING, UNDECODABLE = FindingKind.TRAILING_BYTES, FindingKind.UNDECODABLE
STREAM = FindingKind.STREAM

CLEAN: dict[str, tuple[str, int, Callable[[], bytes]]] = {
    "jpeg": ("jpeg", 1, lambda: saved("JPEG", quality=92)),
    "jpeg progressive": ("jpeg", 1, lambda: saved("JPEG", progressive=True, optimize=True)),
    "jpeg grey": ("jpeg", 1, lambda: saved("JPEG", "L")),
    "jpeg cmyk": ("jpeg", 1, lambda: saved("JPEG", "CMYK")),
    "png": ("png", 1, lambda: saved("PNG")),
    "png palette": ("png", 1, lambda: saved("PNG", "P")),
    "png alpha": ("png", 1, lambda: saved("PNG", "RGBA")),
    "png 16 bit": ("png", 1, lambda: saved("PNG", "I;16")),
    "apng": ("png", 2, lambda: animated("PNG")),
    "webp": ("webp", 1, lambda: saved("WEBP")),
    "webp lossless": ("webp", 1, lambda: saved("WEBP", lossless=True)),
    "webp alpha": ("webp", 1, lambda: saved("WEBP", "RGBA")),
    "webp animated": ("webp", 2, lambda: animated("WEBP")),
    "gif": ("gif", 1, lambda: saved("GIF")),
    "gif animated": ("gif", 2, lambda: animated("GIF")),
    "tiff": ("tiff", 1, lambda: saved("TIFF")),
    "tiff lzw": ("tiff", 1, lambda: saved("TIFF", compression="tiff_lzw")),
    "tiff deflate alpha": ("tiff", 1, lambda: saved("TIFF", "RGBA", compression="tiff_adobe_deflate")),
    "tiff 16 bit": ("tiff", 1, lambda: saved("TIFF", "I;16")),
    "bmp": ("bmp", 1, lambda: saved("BMP")),
    "bmp grey": ("bmp", 1, lambda: saved("BMP", "L")),
    "bmp alpha": ("bmp", 1, lambda: saved("BMP", "RGBA")),
    "heic": ("heif", 1, lambda: saved("HEIF", quality=80)),
    "heic alpha": ("heif", 1, lambda: saved("HEIF", "RGBA", quality=80)),
    "avif": ("avif", 1, lambda: saved("AVIF", speed=10)),
    "avif alpha": ("avif", 1, lambda: saved("AVIF", "RGBA", speed=10)),
}


@pytest.mark.parametrize("name", CLEAN)
def test_a_clean_picture_has_no_finding(name: str) -> None:
    kind, frames, make = CLEAN[name]
    report = read(make())
    assert (report.format, report.frames, report.findings) == (kind, frames, ())


def _exif() -> bytes:
    exif = Image.Exif()
    exif[0x010E] = CANARY.decode()
    return exif.tobytes()


def _icc() -> bytes:
    return ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()


def _two_pages() -> bytes:
    return saved("TIFF", save_all=True, append_images=[picture()])


def _tiff_with(tag: int, value: str | bytes) -> bytes:
    info = TiffImagePlugin.ImageFileDirectory_v2()
    info[tag] = value
    return saved("TIFF", tiffinfo=info)


def _padded_table() -> bytes:
    clean = saved("JPEG")
    at = clean.index(b"\xff\xdb")
    (length,) = struct.unpack(">H", clean[at + 2 : at + 4])
    end = at + 2 + length
    return (
        clean[: at + 2] + struct.pack(">H", length + len(CANARY)) + clean[at + 4 : end] + CANARY + clean[end:]
    )


def _hidden_default_picture() -> bytes:
    """An APNG whose still picture is no frame of the animation: no browser shows it."""
    return saved("PNG", save_all=True, append_images=[picture("RGB"), picture("RGB").rotate(180)],
                 duration=100, default_image=True)  # fmt: skip


def _data_after_pixels() -> bytes:
    clean = saved("PNG")
    at = clean.index(b"IDAT") - 4
    (length,) = struct.unpack(">I", clean[at : at + 4])
    body = clean[at + 8 : at + 8 + length]
    return clean[:at] + png_chunk(b"IDAT", body + CANARY) + clean[at + 12 + length :]


def _bmp_gap() -> bytes:
    clean = bytearray(saved("BMP"))
    struct.pack_into("<I", clean, 10, 54 + len(CANARY))
    struct.pack_into("<I", clean, 2, len(clean) + len(CANARY))
    return bytes(clean[:54]) + CANARY + bytes(clean[54:])


def _heic_thumbnail() -> bytes:
    big = picture(width=256, height=256)
    buffer = io.BytesIO()
    big.save(buffer, "HEIF", thumbnails=[64], quality=60)
    return buffer.getvalue()


JPEG_THUMBNAIL = b"Exif\0\0" + saved("JPEG")
XMP = b"http://ns.adobe.com/xap/1.0/\0<x:xmpmeta xmlns:x='adobe:ns:meta/'/>"

DIRTY: dict[str, tuple[FindingKind, Callable[[], bytes]]] = {
    "jpeg EXIF": (METADATA, lambda: saved("JPEG", exif=_exif())),
    "jpeg EXIF thumbnail": (STRUCTURE, lambda: jpeg_with(0xE1, JPEG_THUMBNAIL)),
    "jpeg JFIF thumbnail": (STRUCTURE, lambda: jpeg_with(0xE0, b"JFIF\0\1\1\0\0\1\0\1\1\1abc")),
    "jpeg XMP": (METADATA, lambda: jpeg_with(0xE1, XMP)),
    "jpeg extended XMP": (
        METADATA,
        lambda: jpeg_with(0xE1, b"http://ns.adobe.com/xmp/extension/\0" + CANARY),
    ),
    "jpeg IPTC": (METADATA, lambda: jpeg_with(0xED, b"Photoshop 3.0\x008BIM\4\4\0\0\0\0\0\0")),
    "jpeg ICC": (METADATA, lambda: saved("JPEG", icc_profile=_icc())),
    "jpeg MPF": (METADATA, lambda: jpeg_with(0xE2, b"MPF\0" + CANARY)),
    "jpeg comment": (METADATA, lambda: saved("JPEG", comment=CANARY)),
    "jpeg unknown APP9": (STRUCTURE, lambda: jpeg_with(0xE9, CANARY)),
    "jpeg long JFIF": (STRUCTURE, lambda: jpeg_with(0xE0, b"JFIF\0\1\1\0\0\1\0\1\0\0" + CANARY)),
    "jpeg padded table": (STRUCTURE, _padded_table),
    "jpeg bytes between segments": (STRUCTURE, lambda: saved("JPEG")[:20] + CANARY + saved("JPEG")[20:]),
    "jpeg trailing": (TRAILING, lambda: saved("JPEG") + CANARY),
    "jpeg second image": (STRUCTURE, lambda: saved("JPEG") + saved("JPEG")),
    "jpeg cut": (UNDECODABLE, lambda: saved("JPEG")[:-40]),
    "png text": (METADATA, lambda: png_with(b"tEXt", b"Author\0" + CANARY)),
    "png compressed text": (METADATA, lambda: png_with(b"zTXt", b"Author\0\0" + CANARY)),
    "png XMP": (METADATA, lambda: png_with(b"iTXt", b"XML:com.adobe.xmp\0\0\0\0\0<x/>")),
    "png EXIF": (METADATA, lambda: saved("PNG", exif=_exif())),
    "png ICC": (METADATA, lambda: saved("PNG", icc_profile=_icc())),
    "png time": (METADATA, lambda: png_with(b"tIME", b"\x07\xea\x0b\x17\0\0\0")),
    "png private chunk": (STRUCTURE, lambda: png_with(b"orIn", CANARY)),
    "png trailing": (TRAILING, lambda: saved("PNG") + CANARY),
    "png after the pixels": (TRAILING, _data_after_pixels),
    "png checksum": (UNDECODABLE, lambda: saved("PNG")[:-1] + b"\0"),
    "apng hidden picture": (STRUCTURE, _hidden_default_picture),
    "webp EXIF": (METADATA, lambda: saved("WEBP", exif=_exif())),
    "webp XMP": (METADATA, lambda: saved("WEBP", xmp=b"<x/>")),
    "webp ICC": (METADATA, lambda: saved("WEBP", icc_profile=_icc())),
    "webp private chunk": (STRUCTURE, lambda: webp_with(b"ORIN", CANARY)),
    "webp second picture": (STRUCTURE, lambda: webp_with(b"VP8 ", saved("WEBP")[20:])),
    "webp trailing": (TRAILING, lambda: saved("WEBP") + CANARY),
    "gif comment": (METADATA, lambda: saved("GIF", comment=CANARY)),
    "gif XMP": (METADATA, lambda: gif_with(b"!\xff\x0bXMP DataXMP\x03abc\0")),
    "gif application": (STRUCTURE, lambda: gif_with(b"!\xff\x0bORINAKYAN00\x03abc\0")),
    "gif long loop": (STRUCTURE, lambda: gif_with(b"!\xff\x0bNETSCAPE2.0\x03\1\0\0\x03abc\0")),
    "gif plain text": (METADATA, lambda: gif_with(b"!\x01\x0c" + b"\0" * 12 + b"\x03abc\0")),
    "gif trailing": (TRAILING, lambda: saved("GIF") + CANARY),
    "tiff artist": (METADATA, lambda: _tiff_with(315, CANARY.decode())),
    "tiff description": (METADATA, lambda: _tiff_with(270, CANARY.decode())),
    "tiff XMP": (METADATA, lambda: _tiff_with(700, b"<x:xmpmeta/>")),
    "tiff private tag": (STRUCTURE, lambda: _tiff_with(50000, CANARY.decode())),
    "tiff ICC": (METADATA, lambda: saved("TIFF", icc_profile=_icc())),
    "tiff second page": (STRUCTURE, _two_pages),
    "tiff trailing": (TRAILING, lambda: saved("TIFF") + CANARY),
    "bmp trailing": (TRAILING, lambda: saved("BMP") + CANARY),
    "bmp gap": (STRUCTURE, _bmp_gap),
    "heic EXIF": (METADATA, lambda: saved("HEIF", exif=_exif())),
    "heic XMP": (METADATA, lambda: saved("HEIF", xmp=b"<x/>")),
    "heic ICC": (METADATA, lambda: saved("HEIF", icc_profile=_icc())),
    "heic second image": (
        STRUCTURE,
        lambda: saved("HEIF", save_all=True, append_images=[picture().rotate(180)]),
    ),
    "heic thumbnail": (STRUCTURE, _heic_thumbnail),
    "heic trailing": (TRAILING, lambda: saved("HEIF") + CANARY),
    "avif EXIF": (METADATA, lambda: saved("AVIF", exif=_exif(), speed=10)),
    "avif XMP": (METADATA, lambda: saved("AVIF", xmp=b"<x/>", speed=10)),
    "avif sequence": (STRUCTURE, lambda: animated("AVIF")),
    "avif box": (
        METADATA,
        lambda: saved("AVIF", speed=10) + struct.pack(">I", 32) + b"uuid" + CANARY + b"\0" * 8,
    ),
}


@pytest.mark.parametrize("name", DIRTY)
def test_a_planted_thing_is_found_as_its_kind(name: str) -> None:
    kind, make = DIRTY[name]
    assert kind in kinds(make())


@pytest.mark.parametrize("name", DIRTY)
def test_no_finding_repeats_what_was_planted(name: str) -> None:
    report = read(DIRTY[name][1]())
    assert not any("rinak" in finding.detail.lower() for finding in report.findings)


def test_an_unknown_format_is_unverifiable() -> None:
    assert kinds(b"%PDF-1.7 " + CANARY) == {FindingKind.UNVERIFIABLE}


def test_an_empty_file_is_unverifiable() -> None:
    assert read_structure(io.BytesIO(b""), rights=False).findings[0].kind is FindingKind.UNVERIFIABLE
