"""Photos: one picture in, one picture out, nothing else. The `MediaHandler` of every still format.

The output has the input's format, the exact displayed size, 8-bit sRGB samples, upright pixels and nothing
that was not made from them (rights fields excepted, if the plan keeps those).
"""

from __future__ import annotations

import os
import threading
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from redact.errors import EncodeError, InputError
from redact.media.base import Painter, Progress, RenderedFacts
from redact.media.encode import encode_photo
from redact.media.photo_reader import PhotoReader
from redact.media.picture import Raster
from redact.media.source import open_regular, read_photo, write_new
from redact.media.still import probe_still
from redact.metadata.rights import rights_from_bytes
from redact.plan import MediaFacts, OutputSpec, SoundEdit

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


class PhotoHandler(PhotoReader):
    """Handler of still pictures. Analysis and rendering of one photo, in that order, decode it once."""

    def decode(self, path: Path, facts: MediaFacts) -> Raster:
        """See `PhotoReader.decode`; the picture is kept for `render`."""
        key = _key(path)
        raster = super().decode(path, facts)
        _last_decoded.put(key, raster)
        return raster

    def render(
        self,
        path: Path,
        facts: MediaFacts,
        spec: OutputSpec,
        painter: Painter,
        target: Path,
        progress: Progress | None = None,
        sound: Sequence[SoundEdit] = (),
    ) -> RenderedFacts:
        """Cover the picture and write it to `target` (must not exist) in `spec.format`.

        Raises:
            DamagedInputError: the input does not decode whole.
            EncodeError: the encoder failed or wrote another size.
            OutputError: `target` cannot be written.
        """
        raster = _last_decoded.take(_key(path)) or super().decode(path, facts)
        painted = raster.pixels.copy()
        painter.bgr(0, painted)
        rights = None
        if spec.keep_rights:
            rights = rights_from_bytes(read_photo(path), facts.format).without(spec.drop_rights)
        data = encode_photo(
            replace(raster, pixels=painted), spec.format, spec.photo.quality, spec.cover.colour, rights
        )
        if _size(data, spec.format) != (facts.width, facts.height):
            raise EncodeError("The encoder wrote a picture of another size.")
        write_new(target, data)
        if progress is not None:
            progress(1, 1)
        return RenderedFacts(frames=1)


def _size(data: bytes, format: str) -> tuple[int, int]:
    """Displayed width and height that the header of a written file says."""
    try:
        facts = probe_still(data, format)
    except InputError as error:
        raise EncodeError("The encoder wrote a file that cannot be read.") from error
    return facts.width, facts.height


__all__ = ["PhotoHandler"]
