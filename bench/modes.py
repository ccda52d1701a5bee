"""Modes of face detection on photos: recall, extra covers and cost of each, on both halves of the photos.

Analysis alone, no gate: boxes are fused, padded and snapped as for rendering, and held against the labels.
Thresholds were chosen on the first half (every other photo, by name); the second was only reported.
"""

from __future__ import annotations

import json
import time
from dataclasses import dataclass, field

import cv2
import numpy as np

from bench.common import SHARED, Table
from redact.detect.modes import face_ensemble
from redact.detect.weights import ModelStore
from redact.media.picture import ArrayPicture
from redact.plan import Box
from redact.policy import Policy
from redact.track.builder import tracks_for_photo

COVERED_FROM = 0.90
MODES = ("fast", "balanced", "careful")


@dataclass
class Tally:
    """What one mode did on one half."""

    photos: int = 0
    faces: dict[bool, int] = field(default_factory=lambda: {True: 0, False: 0})
    """Labelled faces from 16 pixels on (True) and from 8 to 16 (False)."""
    hidden: dict[bool, int] = field(default_factory=lambda: {True: 0, False: 0})
    extras: int = 0
    outside: float = 0.0
    seconds: float = 0.0
    bare: list[str] = field(default_factory=list)

    def share(self, large: bool) -> str:
        """Covered share of one class with its misses."""
        missed = self.faces[large] - self.hidden[large]
        return f"{100 * self.hidden[large] / max(self.faces[large], 1):.2f} % ({missed} missed)"


def _photo(tally: Tally, name: str, entry: dict[str, object], mode: str) -> None:
    image = cv2.imread(str(SHARED / "faces" / name))
    height, width = image.shape[:2]
    begun = time.thread_time()
    regions = face_ensemble(mode, "photo", ModelStore()).look(ArrayPicture(np.asarray(image, np.uint8)))
    tally.seconds += time.thread_time() - begun
    covered, near = np.zeros((height, width), bool), np.zeros((height, width), bool)
    labels = [(Box(*label["box"]), bool(label["ignore"])) for label in entry["boxes"]]  # type: ignore[attr-defined]
    for track in tracks_for_photo(regions, [], width, height, Policy()):
        box = Box(*track.spans[0].box)
        place = box.snapped(width, height, 4)
        if place is not None:
            covered[place[1] : place[3], place[0] : place[2]] = True
        tally.extras += not any(box.iou(label) > 0.1 for label, _ in labels)
    tally.photos += 1
    for label, ignore in labels:
        around = label.grown(label.w / 2, label.h / 2).snapped(width, height, 1)
        if around is not None:
            near[around[1] : around[3], around[0] : around[2]] = True
        if ignore or min(label.w, label.h) < 8:
            continue
        x, y, w, h = (int(value) for value in label)
        part = covered[max(y, 0) : y + h, max(x, 0) : x + w]
        large = min(label.w, label.h) >= 16
        tally.faces[large] += 1
        if part.size and part.mean() >= COVERED_FROM:
            tally.hidden[large] += 1
        elif large:
            tally.bare.append(f"{name} {x},{y} {w}x{h}")
    tally.outside += float((covered & ~near).mean())


def run(quick: bool) -> Table:
    """Every mode on every half."""
    cv2.setNumThreads(1)
    truth = json.loads((SHARED / "faces" / "gt.json").read_text())["images"]
    names = sorted(truth)
    table = Table(
        "Modes of face detection, analysis alone",
        ["mode", "half", ">= 16 px", "8-16 px", "extras an image", "changed elsewhere", "CPU ms an image"],
    )
    for mode in MODES:
        for half in (0, 1):
            tally = Tally()
            for name in names[half :: 8 if quick else 2]:
                _photo(tally, name, truth[name], mode)
            table.add(
                mode,
                "first" if half == 0 else "second",
                tally.share(True),
                tally.share(False),
                f"{tally.extras / tally.photos:.1f}",
                f"{100 * tally.outside / tally.photos:.1f} %",
                f"{1000 * tally.seconds / tally.photos:.0f}",
            )
            if half == 1:
                table.note(f"Missed by {mode} on the second half: {'; '.join(tally.bare) or 'none'}.")
    table.note("Extras and changed pixels include people whom the labels miss, about a third of them.")
    return table
