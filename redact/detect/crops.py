"""Enlarged crops around something that was seen, for a second look at it."""

from __future__ import annotations

import cv2
import numpy as np

from redact.detect.base import BgrImage, Detector
from redact.plan import Box

SIDE = 256
"""Side of a crop in pixels."""
AROUND = 2.0
"""Its side as a multiple of the thing's longer one."""
CENTRAL = 0.15
"""Intersection over union with the middle of the crop from which a detection shows the same thing."""


def square_crop(image: BgrImage, box: Box) -> BgrImage:
    """SIDE x SIDE pixels centred on `box` (in pixels of `image`); edge pixels go on outside the picture."""
    height, width = image.shape[:2]
    size = max(8, round(AROUND * max(box.w, box.h)))
    x0, y0 = round(box.x + box.w / 2 - size / 2), round(box.y + box.h / 2 - size / 2)
    x1, y1 = x0 + size, y0 + size
    crop = cv2.copyMakeBorder(
        image[max(y0, 0) : min(y1, height), max(x0, 0) : min(x1, width)],
        max(-y0, 0),
        max(y1 - height, 0),
        max(-x0, 0),
        max(x1 - width, 0),
        cv2.BORDER_REPLICATE,
    )
    how = cv2.INTER_AREA if size > SIDE else cv2.INTER_LINEAR
    return np.asarray(cv2.resize(crop, (SIDE, SIDE), interpolation=how), np.uint8)


def central_score(detector: Detector, crop: BgrImage) -> float:
    """Best score of what the detector sees in the middle of a crop; 0 if nothing."""
    side = SIDE / AROUND
    centre = Box((SIDE - side) / 2, (SIDE - side) / 2, side, side)
    return max((seen.score for seen in detector.detect(crop) if seen.box.iou(centre) > CENTRAL), default=0.0)
