"""A second look at what the gate saw: the same place, enlarged, by networks of other families.

Covers put hard edges into a picture, and on thousands of frames one is always taken for an eye or a letter;
each such sighting costs another render, and in the end a person. A face or a line that is there is seen on
the enlarged crop too, by networks that need not agree on the whole picture. Measured on 222 labelled photos
and 60 caption frames, of which one half had every known face and line covered:

==================  =====================  =====================
sighting            stands where it is so  stands where it is not
==================  =====================  =====================
face, photo         899 of 901             25 of 43 (some are unlabelled people)
face, video         391 of 391             2 of 9
text                406 of 408             15 of 81 (some are real, too)
==================  =====================  =====================
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property

import cv2
import numpy as np

from redact.detect.base import BgrImage, Detector, Picture, scale_to
from redact.detect.crops import central_score, square_crop
from redact.plan import Box, Kind, Region

SURE = 0.80
"""A face of this score stands on the word of its own family."""
FACE_SCORE = 0.15
"""Score that one other family must reach on the crop."""
LARGE, LARGE_FACE_SCORE = 0.4, 0.35
"""The same for faces whose longer side is more than this share of the picture's shorter one: a real one is
hard to miss on its crop, and a wrong one would blank the picture."""
TEXT_SCORE, TEXT_OVERLAP = 0.25, 0.3
"""Score of a line on the crop, and the share of the smaller box that must be common."""
TEXT_HEIGHT, TEXT_MARGIN, TEXT_LEAST_MARGIN = 40.0, 0.8, 24.0
"""Height to which a line is scaled, margin around it in heights, and the least margin in pixels."""
TEXT_LONGEST, TEXT_MOST_SCALE = 960.0, 3.0


@dataclass(frozen=True)
class SecondLook:
    """Confirms or drops single sightings. `face_networks` and `text_network` are called when first needed."""

    face_networks: Callable[[], Sequence[Detector]]
    text_network: Callable[[], Detector]

    @cached_property
    def _faces(self) -> Sequence[Detector]:
        return self.face_networks()

    @cached_property
    def _text(self) -> Detector:
        return self.text_network()

    def confirmed(self, picture: Picture, regions: Iterable[Region]) -> list[Region]:
        """Those of `regions` (in pixels of `picture`) that are seen again."""
        return [region for region in regions if self._stands(picture, region)]

    def _stands(self, picture: Picture, region: Region) -> bool:
        if region.kind is Kind.CODE:
            return True  # its own check sums confirmed it
        if region.kind is not Kind.TEXT and region.score >= SURE:
            return True
        image = picture.bgr(None)
        box = region.box.scaled(*scale_to(image, picture))
        if region.kind is Kind.TEXT:
            return self._line(image, box)
        large = max(box.w, box.h) > LARGE * min(image.shape[:2])
        crop = square_crop(image, box)
        least = LARGE_FACE_SCORE if large else FACE_SCORE
        return any(central_score(network, crop) >= least for network in self._faces)

    def _line(self, image: BgrImage, box: Box) -> bool:
        height = min(box.w, box.h)
        margin = max(TEXT_LEAST_MARGIN, TEXT_MARGIN * height)
        place = box.grown(margin, margin).snapped(image.shape[1], image.shape[0], 1)
        if place is None:
            return False
        x0, y0, x1, y1 = place
        crop = image[y0:y1, x0:x1]
        scale = min(TEXT_HEIGHT / height, TEXT_LONGEST / max(crop.shape[:2]), TEXT_MOST_SCALE)
        how = cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR
        size = (max(1, round(crop.shape[1] * scale)), max(1, round(crop.shape[0] * scale)))
        small = np.asarray(cv2.resize(crop, size, interpolation=how), np.uint8)
        sx, sy = crop.shape[1] / size[0], crop.shape[0] / size[1]
        for seen in self._text.detect(small):
            there = seen.box.scaled(sx, sy)
            there = there._replace(x=there.x + x0, y=there.y + y0)
            common = there.intersection(box)
            if seen.score >= TEXT_SCORE and common > TEXT_OVERLAP * min(there.area, box.area):
                return True
        return False
