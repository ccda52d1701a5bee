"""Finds what reads a file, by content, for those who must not meet a writer: the gate.

The same decoders as the handlers of `registry`, without encoders and without `redact.metadata`.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Protocol

from redact.media.base import DecodedFrame
from redact.media.sniff import identify, media_kind
from redact.plan import MediaFacts


class MediaReader(Protocol):
    """The reading half of a `MediaHandler`."""

    kind: str

    def probe(self, path: Path) -> MediaFacts:
        """See `MediaHandler.probe`."""

    def frames(self, path: Path, facts: MediaFacts) -> Iterator[DecodedFrame]:
        """See `MediaHandler.frames`."""


def reader_for(path: Path) -> MediaReader:
    """The reader of the file at `path`.

    Raises:
        UnsupportedInputError: no reader takes this content.
        DamagedInputError: the file is empty or its structure is broken.
        InputError: it cannot be opened.
    """
    kind = media_kind(path, identify(path))
    if kind == "video":
        from redact.media.video import VideoHandler

        return VideoHandler()
    if kind == "animation":
        from redact.media.animation_reader import AnimationReader

        return AnimationReader()
    from redact.media.photo_reader import PhotoReader

    return PhotoReader()
