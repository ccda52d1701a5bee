"""Text looks with a second opinion on regions that are too large to be covered on one network's word.

Beside hard edges and on soft pictures a small text network takes a man in black, or half the scene, for one
glyph. Covering it would blank the picture and hide nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import numpy as np

from redact.detect.base import Detector, Picture
from redact.detect.ensemble import Ensemble, Run
from redact.plan import Box, Kind, Region

LARGE = 0.12
"""Share of the picture from which a region needs a second opinion; an item with one goes to review anyway."""
SEEN = 0.3
"""Share of the region that the second network must mark too, at a quarter of the size, where lettering so
large has the height that networks are trained on. On 530 photos and frames 14 regions were that large: the 8
that were text all passed, the 6 that were none all failed; of 110 drawn words all passed."""
QUARTER = 4


class TextEnsemble(Ensemble):
    """An `Ensemble` for text. Where the second network disagrees on a large region, its own lines stand there
    instead, so that small lettering inside is not lost."""

    def __init__(
        self, runs: Sequence[Run], detectors: Mapping[str, Detector], second: Callable[[], Detector]
    ) -> None:
        """`second` is called when it is first needed, which on most pictures it is not."""
        super().__init__(runs, detectors)
        self._second = second
        self._networks = {name for name, each in detectors.items() if Kind.TEXT in each.kinds}

    def look(self, picture: Picture, places: Sequence[Box] | None = None) -> list[Region]:
        """See `Ensemble.look`."""
        return self._agreed(picture, super().look(picture, places))

    def look_within(self, picture: Picture, place: Box) -> list[Region]:
        """What the networks see on a part of the picture, at the same scales; in pixels of the picture.

        Looks of other kinds (codes, stretched contrast) are for whole pictures.
        """
        found = []
        for run in self.runs:
            if run.model not in self._networks or run.enhance:
                continue
            image = picture.bgr(run.long_side)
            sx, sy = picture.width / image.shape[1], picture.height / image.shape[0]
            cut = place.scaled(1 / sx, 1 / sy).snapped(image.shape[1], image.shape[0], 1)
            if cut is None:
                continue
            x0, y0, x1, y1 = cut
            crop = np.ascontiguousarray(image[y0:y1, x0:x1])
            for region in self._detectors[run.model].detect(crop):
                box = region.box._replace(x=region.box.x + x0, y=region.box.y + y0)
                found.append(region._replace(box=box.scaled(sx, sy), source=run.name))
        return self._agreed(picture, found)

    def _agreed(self, picture: Picture, found: list[Region]) -> list[Region]:
        """Without those large regions in which the second network sees nothing."""
        least = LARGE * picture.width * picture.height
        large = [region for region in found if region.kind is Kind.TEXT and region.box.area > least]
        if not large:
            return found
        scale = max(run.long_side for run in self.runs if run.model in self._networks and not run.tile)
        marked = [region.box for region in self._second_look(picture, scale // QUARTER)]
        doubtful = [
            region
            for region in large
            if sum(region.box.intersection(box) for box in marked) < SEEN * region.box.area
        ]
        if not doubtful:
            return found
        inside = [
            region
            for region in self._second_look(picture, scale)
            if region.box.area <= least and any(region.box.intersection(each.box) > 0 for each in doubtful)
        ]
        return [region for region in found if region not in doubtful] + inside

    def _second_look(self, picture: Picture, long_side: int) -> list[Region]:
        detector = self._second()
        image = picture.bgr(long_side)
        sx, sy = picture.width / image.shape[1], picture.height / image.shape[0]
        return [
            region._replace(box=Box(*region.box).scaled(sx, sy), source=f"{detector.name}@{long_side}")
            for region in detector.detect(image)
        ]
