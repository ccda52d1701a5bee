"""Reads a JPEG stream marker by marker; everything that is not needed to decode one picture is a finding.

Follows ITU-T T.81 annex B and JFIF 1.02. It checks that table segments hold exactly their tables, that
nothing lies between segments, and that the file ends at EOI.
"""

from __future__ import annotations

import re

from redact.gate.structure.base import Collector, MalformedError, Source
from redact.gate.structure.c2pa import check_c2pa
from redact.gate.structure.rights import check_photoshop, check_xmp

FRAMES = frozenset({0xC0, 0xC1, 0xC2, 0xC3, 0xC5, 0xC6, 0xC7, 0xC9, 0xCA, 0xCB, 0xCD, 0xCE, 0xCF})
DHT, DAC, SOI, EOI, SOS, DQT, DRI, COM = 0xC4, 0xCC, 0xD8, 0xD9, 0xDA, 0xDB, 0xDD, 0xFE
APP0, APP1, APP2, APP11, APP13, APP14 = 0xE0, 0xE1, 0xE2, 0xEB, 0xED, 0xEE
JUMBF_HEAD = b"JP\x02\x11\x00\x00\x00\x01"
"""Common identifier, the writer's number of the box, and its first (here: only) packet."""
ALLOWED = FRAMES | {DHT, DAC, SOS, DQT, DRI}
ARITHMETIC = frozenset({0xC9, 0xCA, 0xCB, 0xCD, 0xCE, 0xCF})

CARRIERS: tuple[tuple[int, bytes, str], ...] = (
    # marker, how its payload starts, name in the finding
    (APP0, b"JFXX\x00", "JFXX thumbnail"),
    (APP0, b"AVI1", "AVI1"),
    (APP1, b"Exif\x00", "EXIF"),
    (APP1, b"http://ns.adobe.com/xmp/extension/\x00", "extended XMP"),
    (APP2, b"ICC_PROFILE\x00", "ICC"),
    (APP2, b"MPF\x00", "MPF"),
    (APP2, b"FPXR\x00", "FlashPix"),
    (0xEB, b"JP", "JUMBF"),
    (0xEC, b"Ducky", "Ducky"),
    (COM, b"", "comment"),
)
XMP_HEADER = b"http://ns.adobe.com/xap/1.0/\x00"

_AFTER_SCAN = re.compile(rb"\xff[^\x00\xd0-\xd7\xff]")


class _Tables:
    """Which tables are defined and which are used: one that no scan asks for could hold anything."""

    def __init__(self) -> None:
        self.quantisers: list[int] = []
        self.codes: set[int] = set()
        self.used_quantisers: set[int] = set()
        self.used_codes: set[int] = set()
        self.intervals = 0
        self.frame = 0

    def add(self, marker: int, payload: bytes) -> None:
        at = 0
        if marker == DQT:
            while at < len(payload):
                self.quantisers.append(payload[at] & 15)
                at += 65 if payload[at] < 0x10 else 129
        elif marker == DHT:
            while at < len(payload):
                self.codes.add(payload[at])
                at += 17 + sum(payload[at + 1 : at + 17])
        elif marker in FRAMES:
            self.frame = marker
            self.used_quantisers.update(payload[8::3])
        elif marker == SOS and payload:
            for pair in payload[2 : 1 + 2 * payload[0] : 2]:
                self.used_codes |= {pair >> 4, 0x10 | pair & 15}
        self.intervals += marker == DRI

    def check(self, found: Collector) -> None:
        """Report tables that are defined twice or for nothing. Huffman tables may change between scans."""
        if len(self.quantisers) != len(set(self.quantisers)) or set(self.quantisers) - self.used_quantisers:
            found.structure("quantisation table without use")
        if self.codes - self.used_codes:
            found.structure("Huffman table without use")
        if self.intervals > 1:
            found.structure("second restart interval")


def read_jpeg(source: Source, found: Collector) -> None:
    """Walk the markers of the file."""
    data = source.all()
    if data[:2] != b"\xff\xd8":
        raise MalformedError("no SOI")
    at, frames, scans = 2, 0, 0
    tables = _Tables()
    seen_apps: set[int] = set()
    while True:
        if data[at : at + 1] != b"\xff":
            found.structure("bytes between segments")
            at = data.find(b"\xff", at)
            if at < 0:
                raise MalformedError("no EOI")
        while data[at + 1 : at + 2] == b"\xff":
            at += 1
        if at + 1 >= len(data):
            raise MalformedError("no EOI")
        marker = data[at + 1]
        at += 2
        if marker == EOI:
            break
        if marker == SOI or marker in range(0xD0, 0xD8) or marker in (0x00, 0x01):
            found.structure("second SOI" if marker == SOI else "stray marker")
            continue
        length = int.from_bytes(data[at : at + 2], "big")
        if length < 2 or at + length > len(data):
            raise MalformedError("segment length")
        payload = data[at + 2 : at + length]
        at += length
        _check_segment(marker, payload, seen_apps, found)
        if marker in ALLOWED and _exact(marker, payload):
            tables.add(marker, payload)
        if marker == DAC and tables.frame not in ARITHMETIC:
            found.structure("segment CC")
        frames += marker in FRAMES
        if marker == SOS:
            scans += 1
            end = _AFTER_SCAN.search(data, at)
            if end is None:
                raise MalformedError("no EOI")
            at = end.start()
    found.frames = 1
    tables.check(found)
    if frames != 1:
        found.structure("frame headers")
    if scans == 0:
        raise MalformedError("no scan")
    if at < len(data):
        found.trailing("after EOI")
        if b"\xff\xd8\xff" in data[at:]:
            found.structure("second image after EOI")


def _check_segment(marker: int, payload: bytes, seen_apps: set[int], found: Collector) -> None:
    if marker in ALLOWED:
        if not _exact(marker, payload):
            found.structure(f"segment {marker:02X} size")
        return
    if marker in (APP0, APP14) and _plain_app(marker, payload):
        if marker in seen_apps:
            found.structure("repeated JFIF or Adobe segment")
        seen_apps.add(marker)
        return
    if b"\xff\xd8\xff" in payload:
        found.structure("image inside a segment")
    if marker == APP11 and payload[:8] == JUMBF_HEAD and marker not in seen_apps:
        seen_apps.add(marker)
        check_c2pa(payload[8:], found)
        return
    if marker == APP1 and payload.startswith(XMP_HEADER):
        check_xmp(payload[len(XMP_HEADER) :], "XMP", found)
        return
    if marker == APP13 and payload.startswith(b"Photoshop 3.0\x00"):
        check_photoshop(payload, "IPTC", found)
        return
    for carrier, start, name in CARRIERS:
        if marker == carrier and payload.startswith(start):
            found.metadata(name)
            return
    name = f"APP{marker - APP0}" if APP0 <= marker <= 0xEF else f"{marker:02X}"
    found.structure(f"segment {name}")


def _plain_app(marker: int, payload: bytes) -> bool:
    """JFIF without a thumbnail, or Adobe's colour transform: both of their one fixed size."""
    if marker == APP0:
        return len(payload) == 14 and payload[:5] == b"JFIF\x00" and payload[12:14] == b"\x00\x00"
    return len(payload) == 12 and payload[:5] == b"Adobe" and payload[11] <= 2


def _exact(marker: int, payload: bytes) -> bool:
    """Whether a table or header segment holds exactly what its counts say."""
    if marker == DRI:
        return len(payload) == 2
    if marker == DAC:
        return len(payload) % 2 == 0 and len(payload) <= 64
    if marker == SOS:
        return len(payload) >= 1 and len(payload) == 4 + 2 * payload[0]
    if marker in FRAMES:
        return len(payload) >= 6 and len(payload) == 6 + 3 * payload[5]
    at = 0
    while at < len(payload):
        if marker == DQT:
            at += 65 if payload[at] < 0x10 else 129
        else:
            at += 17 + sum(payload[at + 1 : at + 17])
    return at == len(payload)
