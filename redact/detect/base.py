"""The detector contract, and the picture that detectors are given.

A `Picture` hands out the same frame at any size, so that a handler can scale cheaply (straight from YUV for
video) and an ensemble can look at several scales without scaling twice. Detectors know nothing of files.
"""

from __future__ import annotations

from typing import Protocol

import numpy as np
import numpy.typing as npt

from redact.plan import Kind, Region

BgrImage = npt.NDArray[np.uint8]
"""H x W x 3, uint8, blue-green-red, full range."""


class Picture(Protocol):
    """One displayed frame, available at any size."""

    @property
    def width(self) -> int:
        """Displayed width in pixels; of a film, in its own, which need not be square."""

    @property
    def height(self) -> int:
        """Displayed height in pixels; of a film, in its own, which need not be square."""

    def bgr(self, long_side: int | None = None) -> BgrImage:
        """The picture scaled so that its longer side is `long_side` (None: native size), as it looks on a
        screen: a film whose pixels are not square is then drawn out along one side, by `scale_to` and not by
        one scale for both.

        Pictures smaller than `long_side` are enlarged. Results may be shared: never write into them.
        """


def scale_to(image: BgrImage, picture: Picture) -> tuple[float, float]:
    """Pixels of `image`, made from the picture, for one of the picture's own, across and down."""
    return image.shape[1] / picture.width, image.shape[0] / picture.height


class Detector(Protocol):
    """Finds regions of some kinds on one image. Safe to call from several threads."""

    name: str
    family: str
    """Detectors of one family fail alike: they never confirm each other."""
    kinds: frozenset[Kind]

    def detect(self, image: BgrImage) -> list[Region]:
        """Every region with its score, down to the detector's floor, in pixels of `image`."""
