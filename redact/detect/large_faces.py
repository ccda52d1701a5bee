"""Face looks for video, with a second look at large and unsure faces.

On soft film YuNet takes a person's back or half a room for a huge face, and a track keeps it for seconds.
A real face that large is seen on the enlarged crop by another family too, or surely by its own.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from redact.detect.base import Detector, Picture
from redact.detect.crops import central_score, square_crop
from redact.detect.ensemble import Ensemble, Run
from redact.plan import Region

LONG_SIDE = 640
"""Scale at which crops are cut: a face this large needs no more, and the picture was looked at so anyway."""
LARGE = 0.25
"""Longer side as a share of the picture's shorter one from which a face is large."""
SURE, FAINT = 0.70, 0.30
"""Scores between which it is looked at again: above nobody doubts it, below it cannot start a track."""
OTHER = 0.10
"""Score that a network of another family must give it on the crop ..."""
OWN = 0.70
"""... or one of its own family."""


class LargeFaceEnsemble(Ensemble):
    """An `Ensemble` for faces. Large faces that are not confirmed are kept only as faint ones: they may
    continue a track that something else started."""

    def __init__(
        self, runs: Sequence[Run], detectors: Mapping[str, Detector], second: Sequence[Detector]
    ) -> None:
        super().__init__(runs, detectors)
        self._second = tuple(second)

    def look(self, picture: Picture) -> list[Region]:
        """See `Ensemble.look`."""
        found = super().look(picture)
        least = LARGE * min(picture.width, picture.height)
        doubted: list[tuple[Region, bool]] = []
        kept = []
        for region in sorted(found, key=lambda each: -each.score):
            if max(region.box.w, region.box.h) < least or not FAINT <= region.score < SURE:
                kept.append(region)
                continue
            # several runs see the same thing: one crop answers for all of a family
            same = next(
                (
                    answer
                    for other, answer in doubted
                    if other.family == region.family and other.box.iou(region.box) > 0.5
                ),
                None,
            )
            if same is None:
                same = self._confirmed(picture, region)
                doubted.append((region, same))
            kept.append(region if same else region._replace(score=FAINT - 0.01))
        return kept

    def _confirmed(self, picture: Picture, region: Region) -> bool:
        image = picture.bgr(LONG_SIDE)
        scale = image.shape[1] / picture.width, image.shape[0] / picture.height
        crop = square_crop(image, region.box.scaled(*scale))
        return any(
            central_score(network, crop) >= (OWN if network.family == region.family else OTHER)
            for network in self._second
        )
