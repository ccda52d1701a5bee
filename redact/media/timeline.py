"""Frames, durations and loop count of GIF, WebP and APNG files, read from their block structure alone.

Takes the file's bytes, decodes no pixel. Durations are exact: ticks over a denominator, one pair a frame.
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction

from redact.errors import DamagedInputError

PNG_SIGNATURE = b"\x89PNG\r\n\x1a\n"


@dataclass(frozen=True)
class Timeline:
    """Everything but pixels that makes an animation."""

    width: int
    height: int
    delays: tuple[tuple[int, int], ...]
    """Duration of each frame as (ticks, ticks a second): 100 a second in GIF, 1000 in WebP, any in APNG."""
    loop: int | None
    """The format's own loop number, 0 for ever; None if a GIF does not give one (it then plays once)."""
    lossless: bool = True
    """False if any WebP frame is lossy."""
    hidden_first: bool = False
    """An APNG whose default picture is no part of the animation."""

    @property
    def is_animation(self) -> bool:
        """More than one frame, or a moving picture of one frame beside a still one."""
        return len(self.delays) > 1 or self.hidden_first

    def durations(self) -> tuple[Fraction, ...]:
        """Seconds of each frame."""
        return tuple(Fraction(ticks, per_second) for ticks, per_second in self.delays)


def read_timeline(data: bytes, format: str) -> Timeline | None:
    """Timeline of a gif, webp or apng; None for formats that do not move.

    Raises:
        DamagedInputError: the blocks do not add up, or the file ends before its end mark.
    """
    reader = {"gif": _gif, "webp": _webp, "apng": _apng}.get(format)
    if reader is None:
        return None
    try:
        timeline = reader(data)
    except (struct.error, IndexError) as error:
        raise DamagedInputError("The file ends early or its structure is broken.") from error
    if not timeline.delays or timeline.width < 1 or timeline.height < 1:
        raise DamagedInputError("There is no frame in the file.")
    return timeline


GIF_BEYOND, GIF_LOOSE = 4, 1 << 16
"""A frame may stick out of the canvas, as careless writers let it, up to four times the canvas or so many
pixels. Decoders make room for all of it, so more than that is a way around the limit on pixels."""


def _sub_blocks(data: bytes, at: int) -> tuple[int, list[bytes]]:
    parts = []
    while size := data[at]:
        if at + 1 + size >= len(data):
            raise IndexError
        parts.append(data[at + 1 : at + 1 + size])
        at += 1 + size
    return at + 1, parts


def gif_blocks(data: bytes) -> Iterator[tuple[int, int, int, list[bytes]]]:
    """(block type or extension label, start, end, sub-blocks) of every block; 0x2C is an image.

    `start` is the offset of the block's first byte. Raises IndexError where the file ends early.
    """
    flags = data[10]
    at = 13 + (3 << ((flags & 7) + 1) if flags & 0x80 else 0)
    while (kind := data[at]) != 0x3B:
        start = at
        if kind == 0x2C:
            flags = data[at + 9]
            at += 10 + (3 << ((flags & 7) + 1) if flags & 0x80 else 0)
            at, parts = _sub_blocks(data, at + 1)
        elif kind == 0x21:
            kind = data[at + 1]
            at, parts = _sub_blocks(data, at + 2)
        else:
            raise DamagedInputError("The GIF holds a block of no known type.")
        yield kind, start, at, parts


def _gif(data: bytes) -> Timeline:
    width, height = struct.unpack_from("<HH", data, 6)
    delays: list[tuple[int, int]] = []
    delay, loop = 0, None
    for kind, start, _, parts in gif_blocks(data):
        if kind == 0xF9 and parts and len(parts[0]) == 4:
            delay = int.from_bytes(parts[0][1:3], "little")
        elif kind == 0xFF and len(parts) > 1 and parts[0] in (b"NETSCAPE2.0", b"ANIMEXTS1.0"):
            if len(parts[1]) == 3 and parts[1][0] == 1:
                loop = int.from_bytes(parts[1][1:], "little")
        elif kind == 0x2C:
            x, y, w, h = struct.unpack_from("<4H", data, start + 1)
            if (x + w) * (y + h) > max(width * height, GIF_LOOSE) * GIF_BEYOND:
                raise DamagedInputError("A frame of the GIF reaches far beyond its canvas.")
            delays.append((delay, 100))
            delay = 0
    return Timeline(width, height, tuple(delays), loop)


def riff_chunks(data: bytes, start: int, end: int) -> Iterator[tuple[bytes, int, int]]:
    """(four-character code, body start, body end) of the chunks in data[start:end].

    Raises:
        DamagedInputError: a chunk is longer than what is left.
    """
    while start + 8 <= end:
        code, size = struct.unpack_from("<4sI", data, start)
        stop = start + 8 + size
        if stop > end:
            raise DamagedInputError("The file ends early.")
        yield code, start + 8, stop
        start = stop + size % 2


def riff_end(data: bytes) -> int:
    """Where the RIFF form ends. Raises DamagedInputError if the file is shorter."""
    end = int(8 + struct.unpack_from("<I", data, 4)[0])
    if end > len(data) + 1:  # some writers leave out the last padding byte
        raise DamagedInputError("The file ends early.")
    return min(end, len(data))


def _webp(data: bytes) -> Timeline:
    width = height = 0
    delays: list[tuple[int, int]] = []
    loop: int | None = None
    lossless = True
    still = False
    for code, start, end in riff_chunks(data, 12, riff_end(data)):
        if code == b"VP8X":
            width = 1 + int.from_bytes(data[start + 4 : start + 7], "little")
            height = 1 + int.from_bytes(data[start + 7 : start + 10], "little")
        elif code == b"ANIM":
            loop = int.from_bytes(data[start + 4 : start + 6], "little")
        elif code == b"ANMF":
            delays.append((int.from_bytes(data[start + 12 : start + 15], "little"), 1000))
            lossless = lossless and all(c != b"VP8 " for c, _, _ in riff_chunks(data, start + 16, end))
        elif code in (b"VP8 ", b"VP8L"):
            still = True
            lossless = lossless and code == b"VP8L"
            if code == b"VP8L" and not width:
                bits = int.from_bytes(data[start + 1 : start + 5], "little")
                width, height = 1 + (bits & 0x3FFF), 1 + (bits >> 14 & 0x3FFF)
            elif not width:
                width, height = (value & 0x3FFF for value in struct.unpack_from("<HH", data, start + 6))
    if still and not delays:
        delays = [(0, 1000)]
    return Timeline(width, height, tuple(delays), loop, lossless=lossless)


def png_chunks(data: bytes) -> Iterator[tuple[bytes, int, int]]:
    """(type, body start, body end) of every chunk up to and with IEND; checksums of critical chunks hold.

    Raises:
        DamagedInputError: a bad checksum, or the file ends before IEND.
    """
    at = 8
    while at + 12 <= len(data):
        size, kind = struct.unpack_from(">I4s", data, at)
        end = at + 8 + size
        if end + 4 > len(data):
            break
        critical = not kind[0] & 0x20 or kind in (b"fdAT", b"fcTL", b"acTL", b"tRNS")
        if critical and zlib.crc32(memoryview(data)[at + 4 : end]) != int.from_bytes(
            data[end : end + 4], "big"
        ):
            raise DamagedInputError("A PNG chunk's checksum is wrong.")
        yield kind, at + 8, end
        if kind == b"IEND":
            return
        at = end + 4
    raise DamagedInputError("The PNG file ends early.")


def _apng(data: bytes) -> Timeline:
    width, height = struct.unpack_from(">II", data, 16)
    delays: list[tuple[int, int]] = []
    announced, loop = 0, 0
    picture = hidden = False
    for kind, start, _ in png_chunks(data):
        if kind == b"acTL":
            announced, loop = struct.unpack_from(">II", data, start)
        elif kind == b"fcTL":
            ticks, per_second = struct.unpack_from(">HH", data, start + 20)
            delays.append((ticks, per_second or 100))
        elif kind == b"IDAT" and not picture:
            picture, hidden = True, not delays
    if announced != len(delays) or not picture:
        raise DamagedInputError("The APNG does not hold the frames it announces.")
    return Timeline(width, height, tuple(delays), loop, hidden_first=hidden)
