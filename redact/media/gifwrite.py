"""Writes GIF89a block by block, so that frame count, delays and loop are exactly what they are said to be.

Takes BGR[A] or grey frames of one size. Every frame is a full picture with its own palette, and is cleared
before the next: nothing of a frame can show through, or lie under, another. Pillow's encoder only supplies
the compressed data of single frames, because its own animation writer merges equal ones.
"""

from __future__ import annotations

import io
import struct

import cv2
import numpy as np
import numpy.typing as npt
from PIL import Image

from redact.errors import EncodeError
from redact.media.timeline import gif_blocks

CLEAR_AFTER_FRAME = 2 << 2
OPAQUE_FROM = 128
"""GIF has no partial transparency: alpha from here on is opaque."""
TRAILER = b"\x3b"


def gif_header(width: int, height: int, loop: int | None) -> bytes:
    """Everything before the first frame. `loop` 0 is for ever; None writes no loop count."""
    head = b"GIF89a" + struct.pack("<HHBBB", width, height, 0x70, 0, 0)
    if loop is not None:
        head += b"\x21\xff\x0bNETSCAPE2.0\x03\x01" + struct.pack("<H", loop) + b"\x00"
    return head


def gif_frame(
    stored: npt.NDArray[np.uint8], delay: int, cover: tuple[int, int, int], *, animated: bool = True
) -> bytes:
    """One frame: graphic control (`delay` in 1/100 s), descriptor, local palette and data.

    Up to 256 colours are kept exactly; more are reduced without dithering, so that flat areas stay flat, and
    `cover` (RGB) stays exactly itself.

    Raises:
        EncodeError: the frame could not be compressed.
    """
    indices, palette, transparent = to_palette(stored, cover)
    height, width = indices.shape
    flags = (CLEAR_AFTER_FRAME if animated else 0) | (transparent is not None)
    control = b"\x21\xf9\x04" + struct.pack("<BHBB", flags, delay, transparent or 0, 0)
    descriptor = b"\x2c" + struct.pack("<HHHHB", 0, 0, width, height, 0x87)
    return control + descriptor + palette.tobytes() + _compressed(indices)


def gif_file(stored: npt.NDArray[np.uint8], cover: tuple[int, int, int]) -> bytes:
    """A GIF of one picture."""
    height, width = stored.shape[:2]
    return gif_header(width, height, None) + gif_frame(stored, 0, cover, animated=False) + TRAILER


def _compressed(indices: npt.NDArray[np.uint8]) -> bytes:
    """Code size, LZW sub-blocks and terminator for 8-bit indices."""
    image = Image.fromarray(indices, "P")
    image.putpalette(np.arange(256, dtype=np.uint8).repeat(3).tobytes())
    sink = io.BytesIO()
    image.save(sink, "GIF", optimize=False, interlace=0)
    data = sink.getvalue()
    for kind, start, end, _ in gif_blocks(data):
        if kind == 0x2C:
            local = data[start + 9]
            return data[start + 10 + (3 << ((local & 7) + 1) if local & 0x80 else 0) : end]
    raise EncodeError("The picture could not be compressed.")


def to_palette(
    stored: npt.NDArray[np.uint8], cover: tuple[int, int, int]
) -> tuple[npt.NDArray[np.uint8], npt.NDArray[np.uint8], int | None]:
    """(H x W indices, 256 x 3 RGB palette, index of the transparent colour or None)."""
    if stored.ndim == 2:
        stored = np.asarray(cv2.cvtColor(stored, cv2.COLOR_GRAY2BGR), dtype=np.uint8)
    clear = stored[:, :, 3] < OPAQUE_FROM if stored.shape[2] == 4 else None
    if clear is not None and not clear.any():
        clear = None
    rgb = np.ascontiguousarray(stored[:, :, 2::-1])
    if clear is not None:
        rgb[clear] = cover  # its colour is not stored; this adds none to the palette
    room = 256 if clear is None else 255
    packed = rgb.astype(np.uint32) @ np.array([65536, 256, 1], np.uint32)
    colours = np.unique(packed)
    if len(colours) > room:
        packed = _reduced(rgb, packed, room, cover)
        colours = np.unique(packed)
    indices = np.searchsorted(colours, packed).astype(np.uint8)
    palette = np.zeros((256, 3), np.uint8)
    palette[: len(colours)] = np.stack([colours >> 16, colours >> 8 & 255, colours & 255], axis=1)
    transparent = None
    if clear is not None:
        transparent = len(colours)
        indices[clear] = transparent
    return indices, palette, transparent


def _reduced(
    rgb: npt.NDArray[np.uint8], packed: npt.NDArray[np.uint32], room: int, cover: tuple[int, int, int]
) -> npt.NDArray[np.uint32]:
    """`packed` (0xRRGGBB) with at most `room` colours, `cover` among them unchanged."""
    image = Image.fromarray(rgb).quantize(room - 1, Image.Quantize.MEDIANCUT, dither=Image.Dither.NONE)
    near = np.asarray(image.convert("RGB")).astype(np.uint32) @ np.array([65536, 256, 1], np.uint32)
    code = np.uint32(cover[0] << 16 | cover[1] << 8 | cover[2])
    return np.where(packed == code, code, near).astype(np.uint32)
