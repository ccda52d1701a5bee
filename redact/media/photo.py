"""Photos: one picture in, one picture out, nothing else. The `MediaHandler` of every still format.

The output has the input's format, the exact displayed size, 8-bit sRGB samples, upright pixels and nothing
that was not made from them (rights fields excepted, if the plan keeps those).
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from redact.errors import EncodeError, InputError
from redact.media.base import Painter, Progress, RenderedFacts
from redact.media.encode import encode_photo
from redact.media.photo_reader import PhotoReader
from redact.media.source import read_photo, write_new
from redact.media.still import probe_still
from redact.metadata.rights import rights_from_bytes
from redact.plan import MediaFacts, OutputSpec


class PhotoHandler(PhotoReader):
    """Handler of still pictures."""

    def render(
        self,
        path: Path,
        facts: MediaFacts,
        spec: OutputSpec,
        painter: Painter,
        target: Path,
        progress: Progress | None = None,
    ) -> RenderedFacts:
        """Cover the picture and write it to `target` (must not exist) in `spec.format`.

        Raises:
            DamagedInputError: the input does not decode whole.
            EncodeError: the encoder failed or wrote another size.
            OutputError: `target` cannot be written.
        """
        raster = self.take(path, facts)
        painted = raster.pixels.copy()
        painter.bgr(0, painted)
        rights = rights_from_bytes(read_photo(path), facts.format) if spec.keep_rights else None
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
