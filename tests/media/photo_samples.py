"""Small photos of every format for tests, with everything around the pixels that a photo can carry."""

from __future__ import annotations

import io
import struct
import zlib
from fractions import Fraction
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pillow_heif
from PIL import Image, PngImagePlugin

from redact.media.base import RenderedFacts
from redact.media.photo import PhotoHandler
from redact.plan import OutputSpec
from redact.policy import CoverPolicy

FORMATS = ("jpeg", "png", "webp", "tiff", "gif", "heif", "avif", "bmp")
WITH_METADATA = ("jpeg", "png", "webp", "tiff", "gif", "heif", "avif", "bmp")
WITH_EXIF = ("jpeg", "png", "webp", "tiff")
CANARY = "Orinakyan"
WIDTH, HEIGHT = 96, 65
COVER = (16, 16, 40, 32)
"""x0, y0, x1, y1 of the area that the test painter covers."""


class BoxPainter:
    """Covers one box with one colour, opaque; remembers the frames it was asked for."""

    def __init__(
        self, colour: tuple[int, int, int] = (0, 0, 0), box: tuple[int, int, int, int] = COVER
    ) -> None:
        self.colour, self.box = colour, box
        self.frames: list[int] = []

    def bgr(self, frame: int, image: np.ndarray[Any, Any]) -> None:
        self.frames.append(frame)
        x0, y0, x1, y1 = self.box
        image[y0:y1, x0:x1, :3] = self.colour[::-1]
        if image.shape[2] == 4:
            image[y0:y1, x0:x1, 3] = 255

    def covered(self, frame: int) -> Any:
        raise AssertionError("photos are not blanked first")

    def yuv(self, frame: int, planes: Any, *, bit_depth: int, full_range: bool, matrix: int) -> None:
        raise AssertionError("photos are not painted on YUV planes")


def scene(width: int = WIDTH, height: int = HEIGHT) -> np.ndarray[Any, Any]:
    """H x W x 3 RGB: smooth ramps in four differently coloured corners, so that any turn shows."""
    y, x = np.mgrid[0:height, 0:width].astype(float)
    red = 40 + 170 * x / width
    green = 40 + 170 * y / height
    blue = np.where((x < width / 2) & (y < height / 2), 200.0, 60.0)
    return np.stack([red, green, blue], axis=2).round().astype(np.uint8)


def exif_block(orientation: int = 1, text: str = CANARY) -> bytes:
    """An EXIF block (TIFF structure, big endian): orientation, description, artist, make."""
    value = text.encode() + b"\x00"
    tags = [(0x10E, value), (0x10F, value), (0x112, None), (0x13B, value)]
    at, table, body = 8 + 2 + 12 * len(tags) + 4, b"", b""
    for tag, text_value in tags:
        if text_value is None:
            table += struct.pack(">HHIHH", tag, 3, 1, orientation, 0)
        else:
            table += struct.pack(">HHII", tag, 2, len(text_value), at + len(body))
            body += text_value
    return b"MM\x00*" + struct.pack(">IH", 8, len(tags)) + table + bytes(4) + body


XMP = (
    '<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">'
    '<rdf:Description rdf:about="" xmlns:Iptc4xmpExt="http://iptc.org/std/Iptc4xmpExt/2008-02-29/">'
    f"<Iptc4xmpExt:PersonInImage><rdf:Bag><rdf:li>{CANARY}</rdf:li></rdf:Bag></Iptc4xmpExt:PersonInImage>"
    "</rdf:Description></rdf:RDF></x:xmpmeta>"
).encode()


def profile_with_canary() -> bytes:
    """An sRGB profile whose reserved header bytes hold the canary."""
    from redact.media.colour import BT709_PRIMARIES, matrix_profile

    profile = bytearray(matrix_profile(BT709_PRIMARIES, None))
    profile[100 : 100 + len(CANARY)] = CANARY.encode()
    return bytes(profile)


def encode(format: str, image: Image.Image, **extra: Any) -> bytes:
    """`image` in `format`, losslessly where the format can; `extra` goes to the encoder."""
    sink = io.BytesIO()
    if format == "heif":
        if image.mode not in ("L", "RGB", "RGBA"):
            image = image.convert("RGB")
        pillow_heif.from_pillow(image).save(sink, quality=95, chroma=444, **extra)
        return sink.getvalue()
    options: dict[str, dict[str, Any]] = {
        "jpeg": {"quality": 97, "subsampling": 0},
        "webp": {"lossless": True, "exact": True},
        "tiff": {"compression": "raw"},
        "avif": {"quality": 97, "subsampling": "4:0:0" if image.mode == "L" else "4:4:4"},
    }
    image.save(sink, {"jpeg": "JPEG"}.get(format, format.upper()), **options.get(format, {}), **extra)
    return sink.getvalue()


def loaded(format: str, orientation: int = 1) -> bytes:
    """The scene in `format` with the canary in every place the format has, trailing bytes included."""
    image = Image.fromarray(scene())
    exif, icc, note = exif_block(orientation), profile_with_canary(), CANARY.encode()
    if format == "jpeg":
        data = encode(format, image, exif=b"Exif\x00\x00" + exif, icc_profile=icc, comment=note, xmp=XMP)
        private = b"\xff\xec" + struct.pack(">H", len(note) + 2) + note
        return data[:2] + private + data[2:] + note
    if format == "png":
        text = PngImagePlugin.PngInfo()
        text.add_text("Author", CANARY)
        text.add_text("Comment", CANARY, zip=True)
        text.add_itxt("XML:com.adobe.xmp", XMP.decode())
        data = encode(format, image, exif=exif, icc_profile=icc, pnginfo=text)
        private = b"prVt" + note
        chunk = struct.pack(">I", len(note)) + private + struct.pack(">I", zlib.crc32(private))
        return data[:33] + chunk + data[33:] + note
    if format == "webp":
        return encode(format, image, exif=exif, icc_profile=icc, xmp=XMP) + note
    if format == "tiff":
        tags = {270: CANARY, 271: CANARY, 274: orientation, 315: CANARY, 305: CANARY, 700: XMP}
        return encode(format, image, tiffinfo=tags, icc_profile=icc) + note
    if format == "gif":
        return encode(format, image.quantize(200), comment=note) + note
    if format == "heif":
        return encode(format, image, exif=exif, xmp=XMP, icc_profile=icc) + _free_box(note)
    if format == "avif":
        return encode(format, image, exif=b"Exif\x00\x00" + exif, xmp=XMP, icc_profile=icc) + _free_box(note)
    return encode(format, image) + note


def plain(format: str) -> bytes:
    """The same pixels as `loaded`, with nothing beside them."""
    image = Image.fromarray(scene())
    return encode(format, image.quantize(200) if format == "gif" else image)


def _free_box(body: bytes) -> bytes:
    return struct.pack(">I4s", len(body) + 8, b"free") + body


def save(folder: Path, data: bytes, name: str = "item.bin") -> Path:
    path = folder / name
    path.write_bytes(data)
    return path


def shown(path: Path) -> np.ndarray[Any, Any]:
    """What the handler shows to detectors: H x W x 3 RGB."""
    handler = PhotoHandler()
    (frame,) = handler.frames(path, handler.probe(path))
    assert (frame.index, frame.time) == (0, Fraction(0))
    return cv2.cvtColor(frame.picture.bgr(), cv2.COLOR_BGR2RGB)


def render(path: Path, target: Path, painter: BoxPainter | None = None, **spec: Any) -> RenderedFacts:
    """Render through the handler in the input's format; the painter's colour is the plan's."""
    handler = PhotoHandler()
    facts = handler.probe(path)
    painter = painter or BoxPainter()
    output = OutputSpec(format=facts.format, cover=CoverPolicy(colour=painter.colour), **spec)
    return handler.render(path, facts, output, painter, target)
