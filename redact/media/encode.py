"""Encodes a painted raster as a photo file: pixels in, bytes out, with nothing the format does not need.

Always starts from a fresh array. No profile, EXIF, comment or thumbnail is written; rights, if asked for, are
written afresh by `redact.metadata.embed`.
"""

from __future__ import annotations

import io

import cv2
import numpy as np
import numpy.typing as npt
import pillow_heif
from PIL import Image

from redact.errors import EncodeError
from redact.media.gifwrite import gif_file
from redact.media.picture import Pixels, Raster, erase_hidden
from redact.metadata.embed import into_jpeg, into_png, into_webp, to_xmp
from redact.metadata.rights import Rights

FULL_CHROMA_FROM = 95
"""JPEG quality from which colour is kept at full resolution (4:4:4). Below it 4:2:0, as cameras write: a
quarter smaller and a third cheaper to write and to read again."""
PNG_LEVEL = 4
"""zlib level: within 5 % of the size of level 6 at a third of the time."""
WEBP_EFFORT = 2
"""Same size as the default 4 on photos, half the time."""
AVIF_SPEED = 8
HEVC_PRESET = "ultrafast"
"""A tenth of the CPU time of the default, 8 % larger, no worse (51.5 dB against 51.3 at quality 92)."""
TIFF_PREDICTOR, TIFF_XMP = 317, 700

ENCODE_ERRORS = (cv2.error, OSError, ValueError, RuntimeError, TypeError, SystemError, KeyError)
PHOTO_OUTPUTS = frozenset({"jpeg", "png", "apng", "webp", "tiff", "gif", "heif", "avif", "bmp"})

Stored = npt.NDArray[np.uint8]
"""H x W (grey) or H x W x 3 or 4 (BGR[A])."""


def encode_photo(
    raster: Raster,
    format: str,
    quality: int,
    cover: tuple[int, int, int],
    rights: Rights | None = None,
) -> bytes:
    """The bytes of a `format` file of `raster`; `cover` (RGB) is a colour that a palette must keep exactly.
    `rights` are written if given; GIF and BMP have no place for them.

    `quality` is used by JPEG, HEIF, AVIF and lossy WebP. A WebP whose source is lossless stays lossless. JPEG
    and BMP have no alpha: pixels are laid over white. A raster that is grey and still is after painting is
    written as grey where the format can (JPEG, PNG, TIFF, HEIF, AVIF, BMP).

    Raises:
        EncodeError: the format cannot be written or its encoder failed.
    """
    pixels = raster.pixels
    if pixels.shape[2] == 4:
        if format in ("jpeg", "bmp"):
            pixels = over_white(pixels)
        else:
            pixels = pixels.copy()
            erase_hidden(pixels)
    stored: Stored = pixels
    if raster.grey and pixels.shape[2] == 3 and format not in ("gif", "webp") and _is_grey(pixels):
        stored = np.ascontiguousarray(pixels[:, :, 1])
    try:
        return _encode(stored, format, quality, cover, rights or Rights(), lossless=raster.lossless)
    except ENCODE_ERRORS as error:
        raise EncodeError("The picture could not be encoded.") from error


def _encode(
    stored: Stored,
    format: str,
    quality: int,
    cover: tuple[int, int, int],
    rights: Rights,
    *,
    lossless: bool,
) -> bytes:
    if format == "jpeg":
        sampling = (
            cv2.IMWRITE_JPEG_SAMPLING_FACTOR_444
            if quality >= FULL_CHROMA_FROM
            else cv2.IMWRITE_JPEG_SAMPLING_FACTOR_420
        )
        parameters = [cv2.IMWRITE_JPEG_QUALITY, quality, cv2.IMWRITE_JPEG_SAMPLING_FACTOR, sampling]
        return into_jpeg(_opencv(".jpg", stored, parameters), rights)
    if format in ("png", "apng"):
        return into_png(_opencv(".png", stored, [cv2.IMWRITE_PNG_COMPRESSION, PNG_LEVEL]), rights)
    if format == "bmp":
        return _opencv(".bmp", stored, [])
    if format == "gif":
        return gif_file(stored, cover)
    sink = io.BytesIO()
    xmp = to_xmp(rights)
    if format == "heif":
        mode = "L" if stored.ndim == 2 else ("BGR", "BGRA")[stored.shape[2] - 3]
        size = (stored.shape[1], stored.shape[0])
        extra = {"xmp": xmp} if xmp else {}
        encoder = {"preset": HEVC_PRESET}
        pillow_heif.encode(mode, size, stored.tobytes(), sink, quality=quality, enc_params=encoder, **extra)
        return sink.getvalue()
    image = to_image(stored)
    if format == "webp":
        return into_webp(webp_bytes(image, quality, lossless=lossless), rights)
    if format == "avif":
        image.save(sink, "AVIF", quality=quality, speed=AVIF_SPEED, **({"xmp": xmp} if xmp else {}))
    elif format == "tiff":
        tags: dict[int, int | bytes] = {TIFF_PREDICTOR: 2}
        if xmp:
            tags[TIFF_XMP] = xmp
        image.save(sink, "TIFF", compression="tiff_lzw", tiffinfo=tags)
    else:
        raise EncodeError("Photos cannot be written in this format.")
    return sink.getvalue()


def _opencv(extension: str, stored: Stored, parameters: list[int]) -> bytes:
    done, data = cv2.imencode(extension, stored, parameters)
    if not done:
        raise EncodeError("The picture could not be encoded.")
    return data.tobytes()


def webp_bytes(image: Image.Image, quality: int, *, lossless: bool) -> bytes:
    """One still WebP; colour under full transparency is not stored."""
    sink = io.BytesIO()
    if lossless:
        image.save(sink, "WEBP", lossless=True, method=0, quality=20, exact=False)
    else:
        image.save(sink, "WEBP", quality=quality, method=WEBP_EFFORT, exact=False)
    return sink.getvalue()


def to_image(stored: Stored) -> Image.Image:
    """A fresh Pillow image (L, RGB or RGBA) of a grey, BGR or BGRA array."""
    if stored.ndim == 2:
        return Image.fromarray(stored)
    code = cv2.COLOR_BGR2RGB if stored.shape[2] == 3 else cv2.COLOR_BGRA2RGBA
    return Image.fromarray(cv2.cvtColor(stored, code))


def over_white(pixels: Pixels) -> Pixels:
    """H x W x 3: a BGRA picture laid over white."""
    weight = pixels[:, :, 3:].astype(np.float32) / 255
    return np.rint(pixels[:, :, :3] * weight + 255 * (1 - weight)).astype(np.uint8)


def _is_grey(pixels: Pixels) -> bool:
    blue, green, red = (pixels[:, :, n] for n in range(3))
    return bool(np.array_equal(blue, green) and np.array_equal(green, red))
