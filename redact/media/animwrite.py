"""Writes animations frame by frame: GIF, WebP and APNG, each frame whole, with exactly the given delays.

One writer a format, all with the same three steps (`start`, `add`, `finish`) on an open file; only one frame
is in memory. Frames are full canvases that replace what was there, so nothing lies hidden under another.
"""

from __future__ import annotations

import struct
import zlib
from typing import BinaryIO, Protocol

import cv2

from redact.errors import EncodeError
from redact.media.encode import PNG_LEVEL, Stored, to_image, webp_bytes
from redact.media.gifwrite import TRAILER, gif_frame, gif_header
from redact.media.timeline import PNG_SIGNATURE, Timeline, png_chunks, riff_chunks
from redact.metadata.embed import to_xmp, xmp_chunk
from redact.metadata.rights import Rights
from redact.plan import OutputSpec


class FrameWriter(Protocol):
    """Writes one animation. Frames are H x W x 4 BGRA, all of one size."""

    def start(self) -> None:
        """Write what comes before the first frame."""

    def add(self, stored: Stored, delay: tuple[int, int]) -> None:
        """Write one frame; `delay` is (ticks, ticks a second) in the format's own unit."""

    def finish(self) -> None:
        """Write what comes after the last frame."""


class GifWriter:
    """GIF89a. Rights have no place in it."""

    def __init__(self, sink: BinaryIO, timeline: Timeline, spec: OutputSpec, rights: Rights) -> None:
        self._sink, self._timeline, self._cover = sink, timeline, spec.cover.colour

    def start(self) -> None:
        """Header and loop count."""
        timeline = self._timeline
        self._sink.write(gif_header(timeline.width, timeline.height, timeline.loop))

    def add(self, stored: Stored, delay: tuple[int, int]) -> None:
        """One frame with its own palette."""
        self._sink.write(gif_frame(stored, delay[0], self._cover))

    def finish(self) -> None:
        """The trailer."""
        self._sink.write(TRAILER)


class WebpWriter:
    """WebP (RFC 9649). Lossy unless every frame of the source is lossless."""

    ALPHA, XMP, ANIMATION = 0x10, 0x04, 0x02
    NO_BLENDING = 0x02

    def __init__(self, sink: BinaryIO, timeline: Timeline, spec: OutputSpec, rights: Rights) -> None:
        self._sink, self._timeline = sink, timeline
        self._quality = spec.photo.quality
        self._xmp = to_xmp(rights)

    def start(self) -> None:
        """RIFF header (its size is filled in at the end), VP8X and ANIM."""
        timeline = self._timeline
        flags = self.ANIMATION | self.ALPHA | (self.XMP if self._xmp else 0)
        size = _uint24(timeline.width - 1) + _uint24(timeline.height - 1)
        self._sink.write(b"RIFF\x00\x00\x00\x00WEBP")
        self._chunk(b"VP8X", bytes([flags, 0, 0, 0]) + size)
        self._chunk(b"ANIM", bytes(4) + struct.pack("<H", timeline.loop or 0))

    def add(self, stored: Stored, delay: tuple[int, int]) -> None:
        """One ANMF chunk that replaces the whole canvas."""
        still = webp_bytes(to_image(stored), self._quality, lossless=self._timeline.lossless)
        body = bytes(6) + _uint24(stored.shape[1] - 1) + _uint24(stored.shape[0] - 1)
        body += _uint24(delay[0]) + bytes([self.NO_BLENDING])
        for code, start, end in riff_chunks(still, 12, len(still)):
            if code in (b"ALPH", b"VP8 ", b"VP8L"):
                body += still[start - 8 : end] + bytes((end - start) % 2)
        self._chunk(b"ANMF", body)

    def finish(self) -> None:
        """The rights, and the size of it all."""
        if self._xmp:
            self._chunk(b"XMP ", self._xmp)
        size = self._sink.tell() - 8
        self._sink.seek(4)
        self._sink.write(struct.pack("<I", size))

    def _chunk(self, code: bytes, body: bytes) -> None:
        self._sink.write(code + struct.pack("<I", len(body)) + body + bytes(len(body) % 2))


class ApngWriter:
    """APNG (PNG third edition). Every frame is 8-bit RGBA."""

    def __init__(self, sink: BinaryIO, timeline: Timeline, spec: OutputSpec, rights: Rights) -> None:
        self._sink, self._timeline, self._rights = sink, timeline, rights
        self._sequence = 0
        self._frames = 0

    def start(self) -> None:
        """Header, animation control and rights."""
        timeline = self._timeline
        self._sink.write(PNG_SIGNATURE)
        self._chunk(b"IHDR", struct.pack(">IIBBBBB", timeline.width, timeline.height, 8, 6, 0, 0, 0))
        self._chunk(b"acTL", struct.pack(">II", len(timeline.delays), timeline.loop or 0))
        self._sink.write(xmp_chunk(self._rights))

    def add(self, stored: Stored, delay: tuple[int, int]) -> None:
        """Frame control and data; the first frame is the picture that other viewers show."""
        done, encoded = cv2.imencode(".png", stored, [cv2.IMWRITE_PNG_COMPRESSION, PNG_LEVEL])
        data = encoded.tobytes() if done else b""
        if data[24:26] != b"\x08\x06":  # bit depth and colour type must be those announced
            raise EncodeError("A frame could not be encoded.")
        control = struct.pack(
            ">IIIIIHHBB", self._next(), stored.shape[1], stored.shape[0], 0, 0, *delay, 0, 0
        )
        self._chunk(b"fcTL", control)
        for kind, start, end in png_chunks(data):
            if kind == b"IDAT" and self._frames == 0:
                self._chunk(b"IDAT", data[start:end])
            elif kind == b"IDAT":
                self._chunk(b"fdAT", struct.pack(">I", self._next()) + data[start:end])
        self._frames += 1

    def finish(self) -> None:
        """The end chunk."""
        self._chunk(b"IEND", b"")

    def _next(self) -> int:
        self._sequence += 1
        return self._sequence - 1

    def _chunk(self, kind: bytes, body: bytes) -> None:
        checksum = zlib.crc32(body, zlib.crc32(kind))
        self._sink.write(struct.pack(">I", len(body)) + kind + body + struct.pack(">I", checksum))


def _uint24(value: int) -> bytes:
    return value.to_bytes(3, "little")


WRITERS: dict[str, type[GifWriter] | type[WebpWriter] | type[ApngWriter]] = {
    "gif": GifWriter,
    "webp": WebpWriter,
    "apng": ApngWriter,
}
