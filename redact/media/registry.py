"""Finds the handler for a file by its content, or just its reader.

Handlers are imported when first needed: a worker that only sees photos need not load video libraries.
"""

from __future__ import annotations

from pathlib import Path

from redact.media.base import MediaHandler
from redact.media.sniff import identify, media_kind


def handler_for(path: Path) -> MediaHandler:
    """The handler of the file at `path`.

    Raises:
        UnsupportedInputError: no handler takes this content.
        DamagedInputError: the file is empty or its structure is broken.
        InputError: it cannot be opened.
    """
    kind = media_kind(path, identify(path))
    if kind == "video":
        from redact.media.video import VideoHandler

        return VideoHandler()
    if kind == "animation":
        from redact.media.animation import AnimationHandler

        return AnimationHandler()
    from redact.media.photo import PhotoHandler

    return PhotoHandler()
