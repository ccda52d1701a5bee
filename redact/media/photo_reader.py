"""Reads photos: one picture in, facts or pixels out. The half of the photo handler that writes nothing.

Takes JPEG, PNG, WebP, TIFF, single-frame GIF, HEIC/HEIF, AVIF and BMP. Only the primary picture is read:
thumbnails, second pictures, gain and depth maps and trailing bytes are never looked at.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path

from redact.errors import DamagedInputError
from redact.media.base import DecodedFrame
from redact.media.picture import ArrayPicture, Raster, visible
from redact.media.sniff import identify
from redact.media.source import open_regular, read_photo
from redact.media.still import decode, probe_still
from redact.plan import MediaFacts

MOST_CACHED_BYTES = 256 << 20
"""A decoded picture larger than this (about 85 megapixels) is decoded twice rather than kept."""

_Key = tuple[str, int, int, int, int]


class _LastDecoded:
    """Keeps the one picture that analysis decoded until rendering takes it. Safe to share between threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._kept: tuple[_Key, Raster] | None = None

    def put(self, key: _Key, raster: Raster) -> None:
        with self._lock:
            self._kept = (key, raster) if raster.pixels.nbytes <= MOST_CACHED_BYTES else None

    def take(self, key: _Key) -> Raster | None:
        """The picture if it is the one of `key`; it is dropped in any case."""
        with self._lock:
            kept, self._kept = self._kept, None
        return kept[1] if kept is not None and kept[0] == key else None


_last_decoded = _LastDecoded()


def _key(path: Path) -> _Key:
    with open_regular(path) as source:
        facts = os.fstat(source.fileno())
    return (str(path), facts.st_dev, facts.st_ino, facts.st_size, facts.st_mtime_ns)


class PhotoReader:
    """Reader of still pictures."""

    kind = "photo"

    def probe(self, path: Path) -> MediaFacts:
        """Read size, orientation and sample format from the headers; no pixel is decoded.

        Raises:
            DamagedInputError, UnsupportedInputError: the file is broken or of a refused variant.
        """
        return probe_still(read_photo(path), identify(path))

    def frames(self, path: Path, facts: MediaFacts) -> Iterator[DecodedFrame]:
        """The one frame of the photo.

        Raises:
            DamagedInputError: it does not decode whole, or its size is not that of `facts`.
        """
        key = _key(path)
        raster = _decode(path, facts)
        _last_decoded.put(key, raster)
        yield DecodedFrame(0, Fraction(0), ArrayPicture(visible(raster.pixels)))

    def take(self, path: Path, facts: MediaFacts) -> Raster:
        """The decoded picture, without decoding again if `frames` has just done so; it is dropped here.

        Raises:
            DamagedInputError: it does not decode whole, or its size is not that of `facts`.
        """
        return _last_decoded.take(_key(path)) or _decode(path, facts)


def _decode(path: Path, facts: MediaFacts) -> Raster:
    raster = decode(read_photo(path), identify(path))
    if (raster.width, raster.height) != (facts.width, facts.height):
        raise DamagedInputError("The picture decodes to another size than its header says.")
    return raster


__all__ = ["PhotoReader"]
