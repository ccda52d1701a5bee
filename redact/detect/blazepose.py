"""BlazePose's person detector: people, and from each the place where the head must be, face or no face.

The network gives middle of the hips and of the shoulders for every person; the head sits above the shoulders
on the line through both. (Bazarevsky et al., "BlazePose: On-device Real-time Body Pose tracking", 2020.)
MediaPipe 1.x loads this network only inside a task file that no package ships, so it runs on LiteRT here.
"""

from __future__ import annotations

import threading
from pathlib import Path

import cv2
import numpy as np

from redact.detect.base import BgrImage
from redact.detect.native_log import without_native_log
from redact.detect.runtime import FloatArray, suppress
from redact.errors import ModelError
from redact.plan import Box, Kind, Region

SIDE = 224
"""Side of the network's input in pixels."""
STRIDES = ((8, 2), (16, 2), (32, 6))
"""Stride and anchors per cell of its three output grids."""
HEAD_RISE, HEAD_SIZE = 0.33, 0.45
"""Centre of the head above the shoulders, and its side, both as shares of the torso's length. Measured where
a labelled face was at hand, on 404 people: 0.33 (5 to 95 %: 0.19 to 0.43) and 0.41 (0.30 to 0.56)."""
HIPS, SHOULDERS = 4, 8
"""Columns of the two points in the network's twelve values per anchor."""


def _anchors() -> FloatArray:
    """Centres of all anchors in input pixels, N x 2."""
    centres = []
    for stride, count in STRIDES:
        line = (np.arange(SIDE // stride, dtype=np.float32) + 0.5) * stride
        grid = np.stack(np.meshgrid(line, line), axis=-1).reshape(-1, 2)
        centres.append(np.repeat(grid, count, axis=0))
    return np.concatenate(centres)


class BlazePose:
    """Heads of the people seen. See `redact.detect.base.Detector`; calls are serialised."""

    name = "blazepose"
    family = "blazepose"
    kinds = frozenset({Kind.HEAD})

    def __init__(self, weights: Path, floor: float, overlap: float) -> None:
        with without_native_log():
            try:
                from ai_edge_litert.interpreter import Interpreter
            except (ImportError, OSError) as error:
                raise ModelError("LiteRT does not load; `redact doctor` says what is missing.") from error
            self._network = Interpreter(str(weights), num_threads=1)
            self._network.allocate_tensors()
        self._input = self._network.get_input_details()[0]["index"]
        self._values, self._scores = (each["index"] for each in self._network.get_output_details())
        self._anchors = _anchors()
        self._floor, self._overlap = floor, overlap
        self._lock = threading.Lock()

    def detect(self, image: BgrImage) -> list[Region]:
        """The head of every person scoring at least the floor; the whole picture is fitted into the input."""
        height, width = image.shape[:2]
        scale = SIDE / max(height, width)
        size = (max(1, round(width * scale)), max(1, round(height * scale)))
        how = cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR
        square = np.zeros((SIDE, SIDE, 3), np.uint8)
        left, top = (SIDE - size[0]) // 2, (SIDE - size[1]) // 2
        square[top : top + size[1], left : left + size[0]] = cv2.resize(image, size, interpolation=how)
        data = cv2.cvtColor(square, cv2.COLOR_BGR2RGB).astype(np.float32)[None] / 127.5 - 1
        with self._lock:
            self._network.set_tensor(self._input, data)
            self._network.invoke()
            values = self._network.get_tensor(self._values)[0]
            raw = self._network.get_tensor(self._scores)[0, :, 0]
        scores = (1 / (1 + np.exp(-np.clip(raw, -80, 80)))).astype(np.float32)
        found = np.flatnonzero(scores >= self._floor)
        hips = values[found, HIPS : HIPS + 2] + self._anchors[found]
        shoulders = values[found, SHOULDERS : SHOULDERS + 2] + self._anchors[found]
        torso = shoulders - hips
        side = np.maximum(HEAD_SIZE * np.linalg.norm(torso, axis=1, keepdims=True), 1.0)
        corner = shoulders + HEAD_RISE * torso - side / 2
        boxes = np.concatenate([corner, side, side], axis=1).astype(np.float32)
        sx, sy = width / size[0], height / size[1]
        return [
            Region(
                Kind.HEAD,
                Box(*map(float, boxes[n] - (left, top, 0, 0))).scaled(sx, sy),
                float(scores[found[n]]),
                self.name,
                self.family,
            )
            for n in suppress(boxes, scores[found], self._overlap)
        ]
