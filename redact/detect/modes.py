"""What is run when: one table of runs per mode, and the ensembles made from it.

A run is one model at one scale. `light` is what every frame of a video gets, `full` the frames of its
analysis cadence, `photo` a still. The gate has its own table, led by a family that has no vote in analysis.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import cv2
import numpy as np

from redact.detect.base import BgrImage, Detector, Picture
from redact.detect.blazeface import BlazeFace
from redact.detect.centerface import CenterFace
from redact.detect.fusion import FusionRule
from redact.detect.text import TextDetector
from redact.detect.weights import ModelStore
from redact.detect.yunet import YuNet
from redact.plan import Box, Region


@dataclass(frozen=True)
class Run:
    """One look of one model."""

    model: str
    long_side: int
    """The picture is scaled (down or up) so that its longer side has this many pixels."""
    beyond: int = 0
    """Only for pictures whose longer side has more pixels than this: a larger scale adds nothing to them."""
    flip: bool = False
    """Look at the mirrored picture."""
    turn: Literal[0, 90, 180, 270] = 0
    """Look at the picture turned clockwise by this."""
    tile: int = 0
    """Cut the scaled picture into overlapping squares of this side; 0: look at it whole."""

    @property
    def name(self) -> str:
        """`model@scale`, with + for mirrored, r for turned, t for tiled."""
        parts = f"{self.model}@{self.long_side}"
        return (
            parts
            + ("+flip" if self.flip else "")
            + (f"+r{self.turn}" if self.turn else "")
            + (f"+t{self.tile}" if self.tile else "")
        )


Look = Literal["photo", "light", "full"]
"""photo: a still; light: every frame of a video; full: the frames of a video's analysis cadence."""

_ENS2 = (Run("yunet", 320), Run("yunet", 640), Run("yunet", 1280), Run("centerface", 640))
_LARGE = (Run("yunet", 1600, beyond=1400),)
_CAREFUL = (
    *_ENS2,
    *_LARGE,
    Run("yunet", 640, flip=True),
    Run("yunet", 1280, flip=True),
    Run("yunet", 640, turn=90),
    Run("yunet", 640, turn=270),
    Run("yunet", 640, turn=180),
    Run("centerface", 320),
    Run("centerface", 1280),
)
FACE_RUNS: dict[tuple[str, Look], tuple[Run, ...]] = {
    ("fast", "light"): (Run("yunet", 640),),
    ("fast", "full"): (Run("yunet", 640), Run("yunet", 1280, beyond=800)),
    ("fast", "photo"): (Run("yunet", 640), Run("yunet", 1280)),
    ("balanced", "light"): (Run("yunet", 640),),
    ("balanced", "full"): (Run("yunet", 320), Run("yunet", 640), Run("yunet", 1280), Run("centerface", 512)),
    ("balanced", "photo"): (*_ENS2, *_LARGE),
    ("careful", "light"): (Run("yunet", 640), Run("centerface", 640)),
    ("careful", "full"): _CAREFUL,
    ("careful", "photo"): _CAREFUL,
}
TEXT_RUNS: dict[str, tuple[Run, ...]] = {
    "fast": (Run("ppocrv6_tiny", 960),),
    "balanced": (Run("ppocrv6_tiny", 1152),),
    "careful": (Run("ppocrv6_small", 1280), Run("ppocrv5", 1280)),
}
# Text in video is looked for often; at 960 the tiny network keeps 0.958 of lines for half the time of 1280.
VIDEO_TEXT_RUNS: dict[str, tuple[Run, ...]] = {
    "fast": (Run("ppocrv6_tiny", 640),),
    "balanced": (Run("ppocrv6_tiny", 960),),
    "careful": (Run("ppocrv6_small", 1280),),
}
GATE_FACE_RUNS = (
    Run("blazeface_full", 1280),
    Run("blazeface_short", 640),
    Run("blazeface_full", 960, tile=480),
    Run("yunet", 960),
)
# The network's own input is 192 x 192: a larger picture only costs more to make.
GATE_VIDEO_FACE_RUNS = (Run("blazeface_full", 320),)
STANDALONE_FACE_RUNS = (*_ENS2, *_LARGE, *GATE_FACE_RUNS[:3])
GATE_TEXT_RUNS = (Run("ppocrv6_tiny", 960),)

FACE_FLOOR = 0.10
"""Below this, boxes of every family are noise: all models at 0.1 already give 75 boxes an image."""
SAME_BOX = 0.60
"""Near-duplicates of one run are dropped above this overlap; looser ones stay, for the union."""
FACE_FUSION = FusionRule()
TEXT_PIXEL, TEXT_FLOOR, TEXT_GROW = 0.15, 0.25, 2.0
"""Low on purpose: 0.3 / 0.5 / 1.6, the usual values, cover 0.7 % fewer caption lines."""

_TILE_OVERLAP = 0.25
_made: dict[tuple[str, str], Detector] = {}


def _detector(model: str, store: ModelStore) -> Detector:
    """One detector a process and weights file."""
    weights = store.path(model)
    key = (model, str(weights))
    if key not in _made:
        if model == "yunet":
            _made[key] = YuNet(weights, FACE_FLOOR, SAME_BOX)
        elif model == "centerface":
            _made[key] = CenterFace(weights, FACE_FLOOR, SAME_BOX)
        elif model.startswith("blazeface"):
            _made[key] = BlazeFace(model, weights, FACE_FLOOR, SAME_BOX)
        else:
            _made[key] = TextDetector(model, weights, TEXT_PIXEL, TEXT_FLOOR, TEXT_GROW)
    return _made[key]


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


def _tiles(length: int, tile: int) -> list[int]:
    """Starts of overlapping tiles along one axis."""
    if length <= tile:
        return [0]
    count = -(-(length - tile) // int(tile * (1 - _TILE_OVERLAP))) + 1
    return [round(n * (length - tile) / (count - 1)) for n in range(count)]


class Ensemble:
    """Several runs over one picture. Models load when the ensemble is made; safe to share between threads."""

    def __init__(self, runs: Sequence[Run], store: ModelStore) -> None:
        self.runs = tuple(runs)
        self._detectors = {run.model: _detector(run.model, store) for run in self.runs}

    def describe(self) -> list[str]:
        """Names of the runs, for reports."""
        return [run.name for run in self.runs]

    def look(self, picture: Picture) -> list[Region]:
        """Raw regions of all runs in pixels of the displayed picture; `source` names the run."""
        found: list[Region] = []
        native = max(picture.width, picture.height)
        for run in self.runs:
            if native <= run.beyond:
                continue
            image = picture.bgr(run.long_side)
            sx, sy = picture.width / image.shape[1], picture.height / image.shape[0]
            found += [
                region._replace(box=region.box.scaled(sx, sy), source=run.name)
                for region in self._run(run, image)
            ]
        return found

    def _run(self, run: Run, image: BgrImage) -> list[Region]:
        height, width = image.shape[:2]
        if run.tile:
            return [
                region._replace(box=region.box._replace(x=region.box.x + x, y=region.box.y + y))
                for y in _tiles(height, run.tile)
                for x in _tiles(width, run.tile)
                for region in self._detectors[run.model].detect(
                    np.ascontiguousarray(image[y : y + run.tile, x : x + run.tile])
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


def face_ensemble(mode: str, look: Look, store: ModelStore) -> Ensemble:
    """Faces for analysis. `mode` is fast, balanced or careful."""
    return Ensemble(FACE_RUNS[mode, look], store)


def text_ensemble(mode: str, store: ModelStore, *, video: bool = False) -> Ensemble:
    """Text for analysis. `mode` is fast, balanced or careful."""
    return Ensemble((VIDEO_TEXT_RUNS if video else TEXT_RUNS)[mode], store)


def gate_face_ensemble(store: ModelStore, *, standalone: bool, video: bool = False) -> Ensemble:
    """Faces for the gate. `standalone`: the file's origin is unknown, so every family looks."""
    if standalone:
        return Ensemble(STANDALONE_FACE_RUNS, store)
    return Ensemble(GATE_VIDEO_FACE_RUNS if video else GATE_FACE_RUNS, store)


def gate_text_ensemble(store: ModelStore) -> Ensemble:
    """Text for the gate; the same for every file, so that what passed once passes again."""
    return Ensemble(GATE_TEXT_RUNS, store)


__all__ = [
    "FACE_FUSION",
    "Ensemble",
    "Run",
    "face_ensemble",
    "gate_face_ensemble",
    "gate_text_ensemble",
    "text_ensemble",
]
