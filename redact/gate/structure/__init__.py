"""Independent readers of finished files: bytes in, findings out; no image or video library is used here.

`read_structure` finds out the format by content, runs its reader, and turns any trouble into a finding. Every
reader holds its allow-list as a table at the top.
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Callable
from dataclasses import dataclass
from typing import BinaryIO

from redact.findings import Finding, FindingKind
from redact.gate.structure.base import Collector, MalformedError, Source
from redact.gate.structure.bmp import read_bmp
from redact.gate.structure.ebml import is_webm, read_ebml
from redact.gate.structure.gif import read_gif
from redact.gate.structure.isobmff import read_isobmff
from redact.gate.structure.jpeg import read_jpeg
from redact.gate.structure.png import read_png
from redact.gate.structure.tiff import read_tiff
from redact.gate.structure.webp import read_webp

Reader = Callable[[Source, Collector], None]

READERS: dict[str, Reader] = {
    "jpeg": read_jpeg,
    "png": read_png,
    "webp": read_webp,
    "gif": read_gif,
    "tiff": read_tiff,
    "bmp": read_bmp,
    "heif": read_isobmff,
    "avif": read_isobmff,
    "mp4": read_isobmff,
    "mov": read_isobmff,
    "webm": read_ebml,
    "mkv": read_ebml,
}
PARTLY_READ = frozenset({"mkv"})
"""Formats whose reader knows the container but not every codec in it: never enough to rule things out."""
MOVIES = frozenset({"mp4", "mov", "webm", "mkv", "avi"})

MAGIC: tuple[tuple[int, bytes, str], ...] = (
    (0, b"\xff\xd8\xff", "jpeg"),
    (0, b"\x89PNG\r\n\x1a\n", "png"),
    (0, b"GIF87a", "gif"),
    (0, b"GIF89a", "gif"),
    (8, b"WEBP", "webp"),
    (8, b"AVI ", "avi"),
    (0, b"II*\x00", "tiff"),
    (0, b"MM\x00*", "tiff"),
    (0, b"II+\x00", "tiff"),
    (0, b"MM\x00+", "tiff"),
    (0, b"BM", "bmp"),
    (0, b"\x1a\x45\xdf\xa3", "mkv"),
)
BRANDS: dict[bytes, str] = {
    b"qt  ": "mov",
    b"avif": "avif",
    b"avis": "avif",
    **dict.fromkeys((b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"mif1", b"msf1"), "heif"),
}


@dataclass(frozen=True)
class StructureReport:
    """What a structure reader has to say about one file."""

    format: str
    """Format by content; `unknown` if none fits."""
    frames: int
    """Pictures counted by the reader, 0 if it could not."""
    findings: tuple[Finding, ...]
    untrusted_texts: tuple[str, ...] = ()
    """Values of rights fields, for the watch list alone."""


def identify(source: Source) -> str:
    """The format of the bytes, or `unknown`."""
    head = source.take(0, min(16, source.size))
    if head[4:8] == b"ftyp":
        return BRANDS.get(head[8:12], "mp4")
    for offset, magic, name in MAGIC:
        if head[offset : offset + len(magic)] == magic:
            return "webm" if name == "mkv" and is_webm(source) else name
    return "unknown"


def read_structure(stream: BinaryIO, *, rights: bool, provenance: bool = False) -> StructureReport:
    """Check the structure of an open file. `rights`: whether allow-listed rights fields may be in it;
    `provenance`: whether a signature of this tool's making may.

    Never raises on account of the file's content: what cannot be read is a finding.
    """
    found = Collector(rights=rights, provenance=provenance)
    source = Source(stream)
    name = identify(source)
    reader = READERS.get(name)
    if reader is None or name in PARTLY_READ:
        found.add(FindingKind.UNVERIFIABLE, f"no reader for {name}")
    if reader is not None:
        try:
            reader(source, found)
        except MalformedError as error:
            found.add(FindingKind.UNDECODABLE, f"{name}: {error.detail}")
        except (struct.error, zlib.error, IndexError, ValueError, OverflowError, RecursionError):
            found.add(FindingKind.UNDECODABLE, f"{name}: unreadable structure")
    return StructureReport(name, found.frames, found.findings, tuple(found.texts))


__all__ = ["MOVIES", "StructureReport", "identify", "read_structure"]
