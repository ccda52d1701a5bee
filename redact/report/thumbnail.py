"""A small picture of a finished file, for the contact sheet. Runs in a worker: it decodes a file."""

from __future__ import annotations

from pathlib import Path

import cv2

from redact.errors import DamagedInputError, EncodeError
from redact.media.registry import handler_for

LONG_SIDE = 320
QUALITY = 80
FURTHEST_FRAME = 12
"""A clip is shown by its middle frame or this one, whichever comes first: decoding on would cost too much."""


def thumbnail(path: Path) -> bytes:
    """JPEG bytes, at most 320 pixels long, of one frame of the file at `path`."""
    handler = handler_for(path)
    facts = handler.probe(path)
    wanted = min(FURTHEST_FRAME, facts.frames // 2)
    image = None
    frames = handler.frames(path, facts)
    for frame in frames:
        if frame.index in {0, wanted}:
            image = frame.picture.bgr(min(LONG_SIDE, max(facts.width, facts.height)))
        if frame.index >= wanted:
            break
    if image is None:
        raise DamagedInputError("The finished file holds no frame.")
    done, data = cv2.imencode(".jpg", image, [cv2.IMWRITE_JPEG_QUALITY, QUALITY])
    if not done:
        raise EncodeError("The thumbnail could not be encoded.")
    return data.tobytes()
