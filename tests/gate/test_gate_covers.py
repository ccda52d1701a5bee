"""Looking past covers: what only their edges look like goes, lettering beside them stays, at every size."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from redact.detect.modes import gate_text_ensemble
from redact.detect.weights import ModelStore
from redact.gate.covers import WORK_LONG_SIDE, PastCovers
from redact.gate.pixels import GateDetectors, PixelGate, look_at_frames
from redact.gate.thresholds import Looks
from redact.media.base import DecodedFrame
from redact.media.picture import ArrayPicture
from redact.policy import GatePolicy

BLACK = (0, 0, 0)


def wall(width: int, height: int) -> np.ndarray:
    """A softly lit wall with some grain, H x W x 3."""
    rng = np.random.default_rng(5)
    grain = cv2.GaussianBlur(rng.normal(0, 8, (height, width)).astype(np.float32), (0, 0), 3)
    light = np.linspace(90, 150, width, dtype=np.float32)[None, :]
    return np.repeat(np.clip(light + 4 * grain, 0, 255).astype(np.uint8)[..., None], 3, axis=2)


def findings(image: np.ndarray) -> int:
    height, width = image.shape[:2]
    detectors = GateDetectors(None, gate_text_ensemble(ModelStore()))
    gate = PixelGate(width, height, detectors, Looks.of(False, 1, GatePolicy()), (), BLACK)
    result = look_at_frames(iter([DecodedFrame(0, 0, ArrayPicture(image))]), gate, 10, lambda _done: None)
    return len(result.findings)


@pytest.mark.parametrize(("width", "letters"), [(1200, 0.8), (4200, 0.75)])
def test_a_line_beside_a_cover_is_still_seen_in_pictures_of_every_size(width: int, letters: float) -> None:
    image = wall(width, width // 2)
    side = width // 12
    x, y = width // 2, width // 3
    cv2.rectangle(image, (x, y), (x + side, y + side), BLACK, -1)
    assert findings(image) == 0
    cv2.putText(
        image, "ORINAKYAN", (x + side + 4, y + side // 2), 0, letters, (250, 250, 250), 2, cv2.LINE_AA
    )
    assert findings(image) > 0


def test_what_is_no_cover_stays_sharp_and_covers_go() -> None:
    image = wall(3 * WORK_LONG_SIDE, 2 * WORK_LONG_SIDE)
    cv2.rectangle(image, (300, 300), (700, 700), BLACK, -1)
    past = PastCovers(ArrayPicture(image), BLACK)
    seen = past.bgr()
    assert seen.shape == image.shape
    assert np.array_equal(seen[1000:], image[1000:])
    assert seen[290:710, 290:710].min() > 40
    assert image[400, 400].max() == 0, "the picture itself is left alone"
    assert past.bgr(480).shape[1] == 480
