"""Several looks over one picture: a `Run` is one model at one scale, an `Ensemble` some of them.

Whatever a run does to the picture first (scale, mirror, turn, tiles), its boxes come back in picture pixels.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

import cv2
import numpy as np

from redact.detect.base import BgrImage, Detector, Picture
from redact.plan import Box, Kind, Region

_TILE_OVERLAP = 0.25
HINT_SCORE, HINT_SIDE = 0.15, 48.0
"""Score from which, and longer side in pixels of the scaled picture under which, a sighting is a hint. Of 622
faces of 16 to 64 px in photos shrunk to two fifths, 604 had such a one within 60 px."""
CLAHE_LIMIT = 4.0
"""The customary limit of clipping; not tuned."""
SEEN_UPRIGHT = 0.40
"""Score from which a turned look has nothing to add."""


@dataclass(frozen=True)
class Run:
    """One look of one model."""

    model: str
    long_side: int
    """The picture is scaled (down or up) so that its longer side has this many pixels."""
    beyond: int = 0
    """Only for pictures whose longer side has more pixels than this: a larger scale adds nothing to them."""
    upto: int = 0
    """Only for pictures whose longer side has at most this many pixels, if it is not 0."""
    flip: bool = False
    """Look at the mirrored picture."""
    turn: Literal[0, 90, 180, 270] = 0
    """Look at the picture turned clockwise by this."""
    tile: int = 0
    """Cut the scaled picture into overlapping squares of this side; 0: look at it whole."""
    overlap: int = 0
    """If not 0, tiles are oblong, as even and few as they can be, and overlap by so many pixels: for networks
    that take any shape, which then see hardly a pixel twice."""
    hinted: bool = False
    """Only tiles in which an earlier run saw something small, however faintly."""
    enhance: bool = False
    """Look at the picture with its local contrast stretched, for what is hardly lighter than its ground."""
    least: float = 0.0
    """Drop what scores less: turned looks see faces in much that is none."""

    @property
    def name(self) -> str:
        """`model@scale`, with + for mirrored, r for turned, t for tiled, c for stretched contrast."""
        parts = f"{self.model}@{self.long_side}"
        return (
            parts
            + ("+flip" if self.flip else "")
            + (f"+r{self.turn}" if self.turn else "")
            + (f"+t{self.tile}" if self.tile else "")
            + ("+c" if self.enhance else "")
        )


def _turned_back(box: Box, turn: int, width: int, height: int) -> Box:
    """A box found on the picture turned clockwise by `turn`, in the unturned `width` x `height` picture."""
    x, y, w, h = box
    if turn == 90:
        return Box(y, height - x - w, h, w)
    if turn == 180:
        return Box(width - x - w, height - y - h, w, h)
    if turn == 270:
        return Box(width - y - h, x, h, w)
    return box


def tile_starts(length: int, tile: int) -> list[int]:
    """Starts of overlapping tiles along one axis."""
    if length <= tile:
        return [0]
    count = -(-(length - tile) // int(tile * (1 - _TILE_OVERLAP))) + 1
    return [round(n * (length - tile) / (count - 1)) for n in range(count)]


def enhanced(image: BgrImage) -> BgrImage:
    """A copy with lightness equalised by neighbourhood (CLAHE; Zuiderveld 1994, Graphics Gems IV, VIII.5)."""
    lab = cv2.cvtColor(image, cv2.COLOR_BGR2LAB)
    lab[..., 0] = cv2.createCLAHE(CLAHE_LIMIT, (8, 8)).apply(lab[..., 0])
    return np.asarray(cv2.cvtColor(lab, cv2.COLOR_LAB2BGR), np.uint8)


def unseen(upright: Sequence[Region], turned: Sequence[Region]) -> list[Region]:
    """Those of `turned` in the middle of which no look at the upright picture saw a face as surely."""
    faces = [region for region in upright if region.kind is Kind.FACE and region.score >= SEEN_UPRIGHT]
    return [
        region
        for region in turned
        if not any(face.score >= region.score and region.box.holds_centre(face.box) for face in faces)
    ]


def tile_spans(length: int, tile: int, overlap: int) -> list[tuple[int, int]]:
    """(start, length) of the fewest even parts of an axis, none longer than `tile`, that overlap so far."""
    if length <= tile:
        return [(0, length)]
    count = -(-(length - overlap) // (tile - overlap))
    side = -(-(length + (count - 1) * overlap) // count)
    return [(round(n * (length - side) / (count - 1)), side) for n in range(count)]


def _tiles(run: Run, width: int, height: int) -> list[Box]:
    """The tiles of a run, inside the picture or, if it is smaller than one, over its edge."""
    if run.overlap:
        across, down = (tile_spans(length, run.tile, run.overlap) for length in (width, height))
    else:
        across, down = (
            [(at, run.tile) for at in tile_starts(length, run.tile)] for length in (width, height)
        )
    return [Box(x, y, w, h) for y, h in down for x, w in across]


class Ensemble:
    """Several runs over one picture, by detectors that are given by model name; safe to share by threads."""

    def __init__(self, runs: Sequence[Run], detectors: Mapping[str, Detector]) -> None:
        self.runs = tuple(runs)
        self._detectors = detectors

    def describe(self) -> list[str]:
        """Names of the runs, for reports."""
        return [run.name for run in self.runs]

    def look(self, picture: Picture, places: Sequence[Box] | None = None) -> list[Region]:
        """Raw regions of all runs in pixels of the displayed picture; `source` names the run.

        A turned look adds only what no upright one saw as surely: its boxes sit askew on upright faces.
        `places`: of tiles, only those that one of these boxes touches are looked at.
        """
        found: list[Region] = []
        native = max(picture.width, picture.height)
        for run in sorted(self.runs, key=lambda run: run.turn != 0):
            if native <= run.beyond or 0 < run.upto < native:
                continue
            image = picture.bgr(run.long_side)
            sx, sy = picture.width / image.shape[1], picture.height / image.shape[0]
            regions = [
                region._replace(box=region.box.scaled(sx, sy), source=run.name)
                for region in self._run(
                    run,
                    image,
                    [each.box.scaled(1 / sx, 1 / sy) for each in found if each.score >= HINT_SCORE],
                    None if places is None else [place.scaled(1 / sx, 1 / sy) for place in places],
                )
                if region.score >= run.least
            ]
            found += unseen(found, regions) if run.turn else regions
        return found

    def _run(
        self, run: Run, image: BgrImage, known: Sequence[Box], places: Sequence[Box] | None
    ) -> list[Region]:
        height, width = image.shape[:2]
        if run.enhance:
            image = enhanced(image)
        if run.tile:
            small = [box for box in known if max(box.w, box.h) < HINT_SIDE]
            return [
                region._replace(box=region.box._replace(x=region.box.x + x, y=region.box.y + y))
                for tile in _tiles(run, width, height)
                if not run.hinted or any(tile.holds_centre(box) for box in small)
                if places is None or any(tile.intersection(box) > 0 for box in places)
                for x, y in [(int(tile.x), int(tile.y))]
                for region in self._detectors[run.model].detect(
                    np.ascontiguousarray(image[y : y + int(tile.h), x : x + int(tile.w)])
                )
            ]
        if run.flip:
            image = cv2.flip(image, 1).astype(np.uint8, copy=False)
        if run.turn:
            image = np.ascontiguousarray(np.rot90(image, k=-run.turn // 90))
        regions = self._detectors[run.model].detect(image)
        if run.turn:
            regions = [
                region._replace(box=_turned_back(region.box, run.turn, width, height)) for region in regions
            ]
        if run.flip:
            regions = [
                region._replace(box=region.box._replace(x=width - region.box.x - region.box.w))
                for region in regions
            ]
        return regions
