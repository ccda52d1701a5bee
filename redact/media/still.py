"""Decodes one photo: bytes in, an sRGB raster in display orientation out; or its size without decoding.

Pillow and libheif decode; both stop at truncated data, which OpenCV would fill with grey. They are given the
picture data alone wherever the format can be cut (see `blocks`), and only the plug-in of the format that the
content has. 16-bit samples become 8-bit ones: pages and sites show 8 bits, and low bits can hide things.
"""

from __future__ import annotations

import io
import struct
import zlib
from collections.abc import Callable
from dataclasses import replace
from typing import Any, NamedTuple

import cv2
import numpy as np
import pillow_heif
from PIL import Image, ImageFile

from redact.errors import DamagedInputError
from redact.media.blocks import Blocks, take_apart
from redact.media.bmff import items_complete
from redact.media.colour import profile_of, to_srgb
from redact.media.picture import ROTATIONS, Pixels, Raster, erase_hidden, oriented
from redact.plan import MediaFacts

# The limit on pixels is a setting (limits.max_pixels) that the pipeline holds against `probe`; a second one
# here, at a number of Pillow's choosing, would refuse photos that the policy allows.
Image.MAX_IMAGE_PIXELS = None
ImageFile.LOAD_TRUNCATED_IMAGES = False

PILLOW_NAMES = {
    "jpeg": "JPEG",
    "png": "PNG",
    "apng": "PNG",
    "webp": "WEBP",
    "tiff": "TIFF",
    "gif": "GIF",
    "avif": "AVIF",
    "bmp": "BMP",
}
DECODE_ERRORS = (
    OSError,
    SyntaxError,
    ValueError,
    RuntimeError,
    EOFError,
    KeyError,
    IndexError,
    TypeError,
    AttributeError,
    AssertionError,
    OverflowError,
    ZeroDivisionError,
    struct.error,
    zlib.error,
)
"""What Pillow's plug-ins and libheif raise on broken files, by their sources."""
ALPHA_MODES = frozenset({"LA", "La", "PA", "RGBA", "RGBa"})
CODECS = {"avif": "av1"}
EXIF_ORIENTATION = 0x112
BAND_ROWS = 64
"""Rows copied out of Pillow at a time: bands that fit the processor's cache cost a fifth of one copy."""

DAMAGED = "The picture cannot be decoded whole: it is damaged, cut short or of a variant that is not handled."


class _Opened(NamedTuple):
    size: tuple[int, int]
    """Stored width and height, before orientation."""
    mode: str
    pixels: Callable[[], Image.Image]
    """Decodes. May raise DECODE_ERRORS."""
    blocks: Blocks
    codec: str


def open_image(pixels: bytes, format: str) -> Image.Image:
    """An image file opened by Pillow's plug-in of `format`, not yet decoded.

    Raises:
        DamagedInputError: the header cannot be read.
    """
    try:
        return Image.open(io.BytesIO(pixels), formats=[PILLOW_NAMES[format]])
    except DECODE_ERRORS as error:
        raise DamagedInputError(DAMAGED) from error


def _open(data: bytes, format: str) -> _Opened:
    blocks = take_apart(data, format)
    if format == "heif":
        return _open_heif(blocks)
    image = open_image(blocks.pixels, format)
    if format == "avif":
        try:
            # Pillow tells the file's own turn and mirror boxes as an EXIF orientation
            turn = int(image.getexif().get(EXIF_ORIENTATION, 1))
        except DECODE_ERRORS as error:
            raise DamagedInputError(DAMAGED) from error
        blocks = replace(blocks, turn=turn, icc=image.info.get("icc_profile") or b"")

    def decode_now() -> Image.Image:
        image.load()
        return image

    return _Opened(image.size, image.mode, decode_now, blocks, CODECS.get(format, format))


def _open_heif(blocks: Blocks) -> _Opened:
    if not items_complete(blocks.pixels):
        raise DamagedInputError(DAMAGED)
    try:
        file = pillow_heif.open_heif(blocks.pixels, convert_hdr_to_8bit=True)
        still = file[file.primary_index]
        info: dict[str, Any] = dict(still.info)
        if nclx := info.get("nclx_profile"):
            points = (int(nclx["color_primaries"]), int(nclx["transfer_characteristics"]))
            blocks = replace(blocks, code_points=points)
        blocks = replace(blocks, icc=info.get("icc_profile") or b"")
    except DECODE_ERRORS as error:
        raise DamagedInputError(DAMAGED) from error

    def decode_now() -> Image.Image:
        return Image.frombytes(still.mode, still.size, still.data, "raw", still.mode, still.stride)

    return _Opened(still.size, still.mode, decode_now, blocks, "hevc")


def probe_still(data: bytes, format: str) -> MediaFacts:
    """Facts of a photo, from its headers.

    Raises:
        DamagedInputError, UnsupportedInputError: the header is broken, or the variant is refused.
    """
    opened = _open(data, format)
    width, height = opened.size
    if width < 1 or height < 1:
        raise DamagedInputError(DAMAGED)
    orientation = opened.blocks.orientation
    if orientation >= 5:
        width, height = height, width
    rotation, mirrored = ROTATIONS[orientation]
    return MediaFacts(
        kind="photo",
        format="png" if format == "apng" else format,
        width=width,
        height=height,
        rotation=rotation,
        mirrored=mirrored,
        codec=opened.codec,
        pixel_format=opened.mode,
        bit_depth=16 if opened.mode.startswith("I;16") else 8,
        has_alpha=opened.mode in ALPHA_MODES,
    )


def decode(data: bytes, format: str) -> Raster:
    """The primary picture of a photo file, whole, in sRGB and display orientation.

    Raises:
        DamagedInputError: it does not decode without errors.
        UnsupportedInputError: 32-bit samples or an HDR transfer.
    """
    opened = _open(data, format)
    profile = profile_of(opened.blocks)
    try:
        image = opened.pixels()
        image = to_srgb(image, profile)
        pixels = to_array(image)
    except DECODE_ERRORS as error:
        raise DamagedInputError(DAMAGED) from error
    pixels = oriented(pixels, opened.blocks.orientation)
    erase_hidden(pixels)
    pixels.setflags(write=False)
    return Raster(pixels, grey=image.mode in ("L", "LA"), lossless=opened.blocks.lossless)


def to_array(image: Image.Image) -> Pixels:
    """A writable BGR or BGRA array from an image of mode L, LA, RGB or RGBA."""
    if image.mode == "L":
        return np.asarray(cv2.cvtColor(np.asarray(image), cv2.COLOR_GRAY2BGR), dtype=np.uint8)
    if image.mode == "LA":
        image = image.convert("RGBA")
    pixels = np.empty((image.height, image.width, len(image.mode)), np.uint8)
    code = cv2.COLOR_RGBA2BGRA if image.mode == "RGBA" else cv2.COLOR_RGB2BGR
    for top in range(0, image.height, BAND_ROWS):
        bottom = min(top + BAND_ROWS, image.height)
        band = np.asarray(image.crop((0, top, image.width, bottom)))
        cv2.cvtColor(band, code, dst=pixels[top:bottom])
    return pixels


def metadata_items(data: bytes, format: str) -> tuple[bytes, bytes]:
    """(EXIF block, XMP packet) of a heif or avif file, untrusted, empty where there is none.

    Raises:
        DamagedInputError: the header cannot be read.
    """
    try:
        if format == "heif":
            file = pillow_heif.open_heif(data)
            info: dict[Any, Any] = dict(file[file.primary_index].info)
        else:
            info = dict(Image.open(io.BytesIO(data), formats=["AVIF"]).info)
        exif, xmp = info.get("exif") or b"", info.get("xmp") or b""
    except DECODE_ERRORS as error:
        raise DamagedInputError(DAMAGED) from error
    return bytes(exif), bytes(xmp)
