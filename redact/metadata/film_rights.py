"""Reads the allow-listed rights fields of a film: from its XMP packet, else from the tags that editors write.

Takes a path whose format is known by content, gives the same `Rights` record as photos do; values are
untrusted.
"""

from __future__ import annotations

import mmap
from pathlib import Path

from redact.errors import InputError
from redact.media.bmff import boxes
from redact.media.source import open_regular
from redact.media.video_open import DEMUXERS, open_input
from redact.metadata.rights import RIGHTS_FIELDS, Rights, clean, cleaned
from redact.metadata.stock_boxes import UUID_XMP
from redact.metadata.xmp import MAX_PACKET, read_xmp

TAGS = {"creator": ("artist",), "copyright": ("copyright",), "credit": ("credit",)}
"""Names under which libavformat tells these tags, whatever the container calls them."""


def film_rights(path: Path, format: str) -> Rights:
    """Rights of the film at `path`. XMP is believed before tags.

    Raises:
        InputError: the file cannot be opened.
    """
    packet = _packet(path) if DEMUXERS[format] == "mov" else b""
    from_xmp = read_xmp(packet, [field.xmp for field in RIGHTS_FIELDS])
    with open_input(path, format) as container:
        tags = {name.lower(): value for name, value in container.metadata.items()}
    values = {}
    for field in RIGHTS_FIELDS:
        found = from_xmp.get(field.xmp, "")
        if not clean(found):
            found = next((tags[name] for name in TAGS.get(field.name, ()) if tags.get(name)), "")
        values[field.name] = cleaned(field.name, found)
    return Rights(**values)


def _packet(path: Path) -> bytes:
    """The XMP packet of an MP4 (`uuid`) or MOV (`moov/udta/XMP_`), or nothing."""
    try:
        with (
            open_regular(path) as source,
            mmap.mmap(source.fileno(), 0, access=mmap.ACCESS_READ) as mapped,
            memoryview(mapped) as view,
        ):
            return _find(view)
    except (ValueError, OSError) as error:
        raise InputError("The file cannot be read.") from error


def _find(data: memoryview) -> bytes:
    for kind, start, end in boxes(data, 0, len(data)):
        if kind == b"uuid" and bytes(data[start : start + 16]) == UUID_XMP:
            return bytes(data[start + 16 : min(end, start + 16 + MAX_PACKET + 1)])
        if kind == b"moov":
            for inner, first, last in boxes(data, start, end):
                if inner != b"udta":
                    continue
                for atom, at, stop in boxes(data, first, last):
                    if atom == b"XMP_":
                        return bytes(data[at : min(stop, at + MAX_PACKET + 1)])
    return b""


__all__ = ["film_rights"]
