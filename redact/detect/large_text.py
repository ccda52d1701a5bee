"""Text looks with a second opinion on regions that are too large to be covered on one network's word.

Beside hard edges and on soft pictures a small text network takes a man in black, or half the scene, for one
glyph. Covering it would blank the picture and hide nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

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

    def look(self, picture: Picture) -> list[Region]:
        """See `Ensemble.look`."""
        found = super().look(picture)
        least = LARGE * picture.width * picture.height
        large = [region for region in found if region.kind is Kind.TEXT and region.box.area > least]
        if not large:
            return found
        scale = max(run.long_side for run in self.runs if run.model in self._networks)
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
