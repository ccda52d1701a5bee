"""Reads photos: one picture in, facts or pixels out. The half of the photo handler that writes nothing.

Takes JPEG, PNG, WebP, TIFF, single-frame GIF, HEIC/HEIF, AVIF and BMP. Only the primary picture is read:
thumbnails, second pictures, gain and depth maps and trailing bytes are never looked at.
"""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path

from redact.errors import DamagedInputError
from redact.media.base import DecodedFrame
from redact.media.grounds import decoded_frame
from redact.media.picture import Raster
from redact.media.sniff import identify
from redact.media.source import read_photo
from redact.media.still import decode, probe_still
from redact.plan import MediaFacts


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
        raster = self.decode(path, facts)
        yield decoded_frame(0, Fraction(0), raster.pixels)

    def decode(self, path: Path, facts: MediaFacts) -> Raster:
        """The picture of the photo, whole.

        Raises:
            DamagedInputError: it does not decode whole, or its size is not that of `facts`.
        """
        raster = decode(read_photo(path), identify(path))
        if (raster.width, raster.height) != (facts.width, facts.height):
            raise DamagedInputError("The picture decodes to another size than its header says.")
        return raster


__all__ = ["PhotoReader"]
