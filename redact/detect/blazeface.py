"""BlazeFace through MediaPipe's face detector: a family that has no vote in analysis, so the gate can use it.

(Bazarevsky et al., "BlazeFace: Sub-millisecond Neural Face Detection on Mobile GPUs", 2019.)
"""

from __future__ import annotations

import threading
from pathlib import Path

import cv2
import numpy as np

from redact.detect.base import BgrImage
from redact.detect.native_log import without_native_log
from redact.errors import ModelError
from redact.plan import Box, Kind, Region


class BlazeFace:
    """Faces by one BlazeFace network. See `redact.detect.base.Detector`; calls are serialised."""

    family = "blazeface"
    kinds = frozenset({Kind.FACE})

    def __init__(self, name: str, weights: Path, floor: float, overlap: float) -> None:
        # imported late: it takes a second, and processes that only analyse never need it
        with without_native_log():
            try:
                import mediapipe
                from mediapipe.tasks.python import BaseOptions, vision
            except (ImportError, OSError) as error:
                raise ModelError("MediaPipe does not load; `redact doctor` says what is missing.") from error
            self.name = name
            self._image_type = mediapipe.Image
            self._format = mediapipe.ImageFormat.SRGB
            self._lock = threading.Lock()
            self._detector = vision.FaceDetector.create_from_options(
                vision.FaceDetectorOptions(
                    base_options=BaseOptions(model_asset_path=str(weights)),
                    min_detection_confidence=floor,
                    min_suppression_threshold=overlap,
                )
            )
        # it lives as long as the process; MediaPipe's clean-up at the interpreter's end prints an error
        self._detector.close = lambda: None

    def detect(self, image: BgrImage) -> list[Region]:
        """Every face scoring at least the floor."""
        rgb = np.ascontiguousarray(cv2.cvtColor(image, cv2.COLOR_BGR2RGB))
        with self._lock:
            result = self._detector.detect(self._image_type(image_format=self._format, data=rgb))
        return [
            Region(
                Kind.FACE,
                Box(
                    float(each.bounding_box.origin_x),
                    float(each.bounding_box.origin_y),
                    float(each.bounding_box.width),
                    float(each.bounding_box.height),
                ),
                float(each.categories[0].score),
                self.name,
                self.family,
            )
            for each in result.detections
            if each.bounding_box.width > 0 and each.bounding_box.height > 0
        ]
