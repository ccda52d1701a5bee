"""Walks the units of H.264, HEVC and AV1 samples and their configuration; anything but pictures is a finding.

Supplemental enhancement information is where captions, encoder settings and user data live in a coded stream
(ITU-T H.264 and H.265, annex D; AV1 metadata OBUs), so none may be there at all.
"""

from __future__ import annotations

import re

from redact.gate.structure.base import Collector, MalformedError, Source

H264_ALLOWED = frozenset({1, 2, 3, 4, 5, 7, 8, 9, 10, 11, 12})
H264_SEI, H264_FILLER = 6, 12
HEVC_ALLOWED = frozenset({*range(10), *range(16, 22), 32, 33, 34, 35, 36, 37, 38})
HEVC_SEI, HEVC_FILLER = (39, 40), 38
HEVC_PARAMETERS = frozenset({32, 33, 34})
AV1_ALLOWED = frozenset({1, 2, 3, 4, 6, 7, 8})
AV1_METADATA, AV1_PADDING = 5, 15
MAX_FILLER = 1 << 24
ENCODER_FILL = re.compile(rb"[\xc0-\xdf][\x00-\xff]{1,3}Lavc[0-9.]{3,12}(?![ -~]{4})", re.DOTALL)
"""FFmpeg's name for itself, as its AAC encoder writes it, and no further text behind it."""


class Units:
    """Checks the samples of one track. `codec` is the sample entry's type; `config` its codec record."""

    def __init__(self, codec: bytes, config: bytes, found: Collector) -> None:
        self._found = found
        self._codec = codec
        self.length_size = 0
        if codec == b"avc1":
            self._read_avcc(config)
        elif codec in (b"hvc1", b"hev1"):
            self._read_hvcc(config)
        elif codec == b"av01":
            if len(config) < 4:
                raise MalformedError("av1C")
            self._obus_of(config[4:])

    def sample(self, source: Source, offset: int, size: int) -> None:
        """Check one sample, or one picture item."""
        if self.length_size:
            self._nal_units(source, offset, offset + size)
        elif self._codec == b"av01":
            self._obus_of(source.take(offset, size))

    def _nal_units(self, source: Source, at: int, end: int) -> None:
        size = self.length_size
        while at < end:
            head = source.take(at, min(size + 2, end - at))
            length = int.from_bytes(head[:size], "big")
            if len(head) < size + 1 or length < 1 or at + size + length > end:
                raise MalformedError("NAL unit length")
            kind = self.unit(head[size : size + 2])
            if kind in (H264_FILLER, HEVC_FILLER) and self._is_filler(kind):
                body = source.take(at + size, min(length, MAX_FILLER))
                if body[2 if kind == HEVC_FILLER else 1 :].rstrip(b"\x80").strip(b"\xff"):
                    self._found.stream("filler with content")
            at += size + length

    def _is_filler(self, kind: int) -> bool:
        return (kind == H264_FILLER) == (self._codec == b"avc1")

    def unit(self, head: bytes) -> int:
        """Judge one NAL unit by its header; returns its type."""
        if self._codec == b"avc1":
            kind = head[0] & 31
            if kind == H264_SEI:
                self._found.stream("SEI")
            elif kind not in H264_ALLOWED:
                self._found.stream(f"NAL unit {kind}")
            return kind
        if len(head) < 2:
            raise MalformedError("NAL unit length")
        kind = head[0] >> 1 & 63
        if kind in HEVC_SEI:
            self._found.stream("SEI")
        elif kind not in HEVC_ALLOWED:
            self._found.stream(f"NAL unit {kind}")
        if (head[0] & 1) << 5 | head[1] >> 3:
            self._found.stream("second layer")
        return kind

    def _read_avcc(self, config: bytes) -> None:
        if len(config) < 7 or config[0] != 1:
            raise MalformedError("avcC")
        self.length_size = (config[4] & 3) + 1
        at = 5
        for mask in (31, 255):  # sequence, then picture parameter sets
            count = config[at] & mask if at < len(config) else 0
            at += 1
            for _ in range(count):
                at = self._parameter_set(config, at)
        extra = len(config) - at
        # high profiles add chroma format and two bit depths, and a count of extensions, which we never need
        if extra not in (0, 4) or (extra == 4 and config[-1] != 0):
            self._found.structure("box avcC size")

    def _read_hvcc(self, config: bytes) -> None:
        if len(config) < 23 or config[0] != 1:
            raise MalformedError("hvcC")
        self.length_size = (config[21] & 3) + 1
        at = 23
        for _ in range(config[22]):
            count = int.from_bytes(config[at + 1 : at + 3], "big")
            at += 3
            for _ in range(count):
                at = self._parameter_set(config, at)
        if at != len(config):
            self._found.structure("box hvcC size")

    def _parameter_set(self, config: bytes, at: int) -> int:
        length = int.from_bytes(config[at : at + 2], "big")
        unit = config[at + 2 : at + 2 + length]
        if len(unit) != length or length < 2:
            raise MalformedError("parameter set")
        kind = self.unit(unit[:2])
        wanted = (7, 8) if self._codec == b"avc1" else (*HEVC_PARAMETERS, *HEVC_SEI)
        if kind not in wanted and not (self._codec == b"avc1" and kind == H264_SEI):
            self._found.stream("parameter set")
        return at + 2 + length

    def _obus_of(self, data: bytes) -> None:
        at = 0
        while at < len(data):
            head = data[at]
            kind = head >> 3 & 15
            at += 2 if head & 4 else 1
            if head & 2:
                length, at = _leb128(data, at)
            else:
                length = len(data) - at
            if head & 0x81 or length < 0 or at + length > len(data):
                raise MalformedError("OBU")
            if kind == AV1_METADATA:
                self._found.stream("OBU metadata")
            elif kind == AV1_PADDING:
                if data[at : at + length].strip(b"\x00\x80"):
                    self._found.stream("padding with content")
            elif kind not in AV1_ALLOWED:
                self._found.stream(f"OBU {kind}")
            at += length


def _leb128(data: bytes, at: int) -> tuple[int, int]:
    value = 0
    for place in range(8):
        if at >= len(data):
            break
        byte = data[at]
        at += 1
        value |= (byte & 0x7F) << 7 * place
        if not byte & 0x80:
            return value, at
    raise MalformedError("OBU size")


def check_aac(head: bytes, found: Collector) -> None:
    """Judge the first element of an AAC frame: data streams and filled-in text are findings.

    FFmpeg's encoder opens its first frame with a fill element holding its own name; only that may be in it.
    """
    if not head:
        return
    element = head[0] >> 5
    if element == 4:
        found.stream("AAC data element")
    elif element == 6 and not ENCODER_FILL.match(head) and any(head[2:]):
        found.stream("AAC fill element")


def check_obu_stream(data: bytes, found: Collector) -> None:
    """Check one AV1 temporal unit that stands outside ISO media (WebM)."""
    Units(b"av01", b"\x81\x00\x00\x00", found)._obus_of(data)
