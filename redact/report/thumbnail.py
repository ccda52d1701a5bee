"""A small picture of a finished file, for the contact sheet. Runs in a worker: it decodes a file."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np

from redact.detect.base import BgrImage
from redact.errors import DamagedInputError, EncodeError
from redact.media.registry import handler_for

LONG_SIDE = 320
QUALITY = 80
FURTHEST_FRAME = 12
"""A clip is shown by its middle frame or this one, whichever comes first: decoding on would cost too much."""


def thumbnail(path: Path) -> bytes:
    """JPEG bytes, at most 320 pixels long, of one frame of the file at `path`."""
    image = _reduced_jpeg(path)
    if image is None:
        image = _one_frame(path)
    scale = LONG_SIDE / max(image.shape[:2])
    if scale < 1:
        size = (max(1, round(image.shape[1] * scale)), max(1, round(image.shape[0] * scale)))
        image = np.asarray(cv2.resize(image, size, interpolation=cv2.INTER_AREA), np.uint8)
    done, data = cv2.imencode(".jpg", image, [cv2.IMWRITE_JPEG_QUALITY, QUALITY])
    if not done:
        raise EncodeError("The thumbnail could not be encoded.")
    return data.tobytes()


def _reduced_jpeg(path: Path) -> BgrImage | None:
    """A large JPEG at an eighth of its size, which costs an eighth of the time; None for anything else."""
    handler = handler_for(path)
    facts = handler.probe(path)
    if facts.format != "jpeg" or max(facts.width, facts.height) < 8 * LONG_SIDE:
        return None
    image = cv2.imread(str(path), cv2.IMREAD_REDUCED_COLOR_8)
    return None if image is None else np.asarray(image, np.uint8)


def _one_frame(path: Path) -> BgrImage:
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
    return image
