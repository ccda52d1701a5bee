"""Modes of face detection on photos: recall, extra covers and cost of each, on both halves of the photos.

Analysis alone, no gate: boxes are fused, padded and snapped as for rendering, and held against the labels.
Thresholds were chosen on the first half (every other photo, by name); the second was only reported. Photos
of the second half are also shown turned, and many together on sheets of 12 megapixels.
"""

from __future__ import annotations

import json
import time
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import Executor
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import cv2
import numpy as np

from bench.common import SHARED, Size, Table, processes
from bench.memo import kept
from redact.detect.base import BgrImage
from redact.detect.modes import face_ensemble
from redact.detect.weights import ModelStore
from redact.media.picture import ArrayPicture
from redact.plan import Box
from redact.policy import Policy
from redact.track.builder import tracks_for_photo

COVERED_FROM = 0.90
SHEET = (4000, 3000)
MODES = ("fast", "balanced", "careful")


@dataclass
class Tally:
    """What one mode did on one half."""

    photos: int = 0
    faces: Counter[bool] = field(default_factory=Counter)
    """Labelled faces from 16 pixels on (True) and from 8 to 16 (False)."""
    hidden: Counter[bool] = field(default_factory=Counter)
    extras: int = 0
    outside: float = 0.0
    seconds: float = 0.0
    bare: list[str] = field(default_factory=list)

    def plus(self, other: Tally) -> Tally:
        """Both together."""
        return Tally(
            self.photos + other.photos,
            self.faces + other.faces,
            self.hidden + other.hidden,
            self.extras + other.extras,
            self.outside + other.outside,
            self.seconds + other.seconds,
            self.bare + other.bare,
        )

    def share(self, large: bool) -> str:
        """Covered share of one class with its misses."""
        missed = self.faces[large] - self.hidden[large]
        return f"{100 * self.hidden[large] / max(self.faces[large], 1):.2f} % ({missed} missed)"


Label = tuple[Box, bool]
"""Box in pixels, and whether it is to be left out of the count."""


def _load(name: str, entry: dict[str, Any]) -> tuple[BgrImage, list[Label]]:
    image = np.asarray(cv2.imread(str(SHARED / "faces" / name)), np.uint8)
    return image, [(Box(*map(float, label["box"])), bool(label["ignore"])) for label in entry["boxes"]]


def _turned(image: BgrImage, labels: list[Label], quarters: int) -> tuple[BgrImage, list[Label]]:
    """Turned clockwise by that many quarters."""
    for _ in range(quarters):
        height = image.shape[0]
        image = np.ascontiguousarray(np.rot90(image, k=-1))
        labels = [(Box(height - box.y - box.h, box.x, box.h, box.w), ignore) for box, ignore in labels]
    return image, labels


def _sheets(photos: Iterable[tuple[BgrImage, list[Label]]]) -> Iterator[tuple[BgrImage, list[Label]]]:
    """Photos side by side at their own size on sheets of 4000 x 3000 pixels."""
    width, height = SHEET
    sheet, labels = np.full((height, width, 3), 128, np.uint8), []
    x = y = row = 0
    for image, known in photos:
        h, w = image.shape[:2]
        if x + w > width:
            x, y, row = 0, y + row, 0
        if y + h > height:
            yield sheet, labels
            sheet, labels = np.full((height, width, 3), 128, np.uint8), []
            x = y = row = 0
        sheet[y : y + h, x : x + w] = image
        labels += [(box._replace(x=box.x + x, y=box.y + y), ignore) for box, ignore in known]
        x, row = x + w, max(row, h)
    yield sheet, labels


def _photo(tally: Tally, name: str, image: BgrImage, labels: list[Label], mode: str) -> None:
    height, width = image.shape[:2]
    begun = time.thread_time()
    regions = face_ensemble(mode, "photo", ModelStore()).look(ArrayPicture(image))
    tally.seconds += time.thread_time() - begun
    covered, near = np.zeros((height, width), bool), np.zeros((height, width), bool)
    policy = Policy.model_validate({"faces": {"mode": mode}})
    boxes = [Box(*track.spans[0].box) for track in tracks_for_photo(regions, [], width, height, policy)]
    for box in sorted(boxes, key=lambda box: -box.area):
        place = box.snapped(width, height, 4)
        under = True
        if place is not None:
            under = bool(covered[place[1] : place[3], place[0] : place[2]].all())
            covered[place[1] : place[3], place[0] : place[2]] = True
        tally.extras += not under and not any(box.iou(label) > 0.1 for label, _ in labels)
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


def _alone(image: BgrImage, labels: list[Label], place: int) -> tuple[BgrImage, list[Label]]:
    """Somewhere in a soft scene of 4000 x 3000 pixels in its own colours, with nobody else near."""
    (width, height), (h, w) = SHEET, image.shape[:2]
    few = cv2.resize(image, (16, 12), interpolation=cv2.INTER_AREA)
    scene = np.asarray(cv2.resize(few, SHEET, interpolation=cv2.INTER_CUBIC), np.uint8)
    x, y = place * 733 % (width - w), place * 397 % (height - h)
    scene[y : y + h, x : x + w] = image
    return scene, [(box._replace(x=box.x + x, y=box.y + y), ignore) for box, ignore in labels]


@dataclass(frozen=True)
class View:
    """What is looked at: a photo, one turned clockwise by quarters, one alone on 12 megapixels, or sheets."""

    name: str
    """Of several, with commas between them, for sheets."""
    quarters: int = 0
    sheets: bool = False
    alone: int | None = None
    """Number of its place."""


def _tally(mode: str, views: Sequence[View]) -> Tally:
    """Runs in a process of its own."""
    cv2.setNumThreads(1)
    truth = json.loads((SHARED / "faces" / "gt.json").read_text())["images"]
    tally = Tally()
    for view in views:
        names = view.name.split(",")
        if view.sheets:
            for image, labels in _sheets(_load(name, truth[name]) for name in names):
                _photo(tally, "sheet", image, labels, mode)
        else:
            image, labels = _turned(*_load(view.name, truth[view.name]), view.quarters)
            if view.alone is not None:
                image, labels = _alone(image, labels, view.alone)
            _photo(tally, view.name, image, labels, mode)
    return tally


def _tallied(pool: Executor, mode: str, views: Sequence[View]) -> Tally:
    """All views, by the two processes of the pool."""
    parts = list(pool.map(partial(_tally, mode), (views[::2], views[1::2])))
    return parts[0].plus(parts[1])


def run(size: Size) -> Table:
    """Every mode on every half, on turned photos and on large sheets."""
    with processes() as pool:  # for all rows: models are loaded once
        return _measured(pool, size)


def _measured(pool: Executor, size: Size) -> Table:
    quick = size is Size.QUICK
    truth = json.loads((SHARED / "faces" / "gt.json").read_text())["images"]
    names = sorted(truth)
    halves = [names[half :: 12 if quick else 2] for half in (0, 1)]
    table = Table(
        "Modes of face detection, analysis alone",
        ["mode", "photos", ">= 16 px", "8-16 px", "extras an image", "changed elsewhere", "CPU ms an image"],
    )

    def row(mode: str, what: str, views: Sequence[View]) -> Tally:
        tally = kept(f"modes {mode} {what} {size}", lambda: _tallied(pool, mode, views))
        table.add(
            mode,
            what,
            tally.share(True),
            tally.share(False),
            f"{tally.extras / tally.photos:.1f}",
            f"{100 * tally.outside / tally.photos:.1f} %",
            f"{1000 * tally.seconds / tally.photos:.0f}",
        )
        return tally

    everything = sorted(halves[0] + halves[1])
    full = size is Size.FULL
    some = halves[1][:: 4 if full else 8]
    spread = everything if full else everything[::2]
    sheets = [View(",".join(part), sheets=True) for part in (spread[::2], spread[1::2])]
    number = sum(len(list(_sheets(_load(n, truth[n]) for n in sheet.name.split(",")))) for sheet in sheets)
    for mode in MODES:
        row(mode, "first half", [View(name) for name in halves[0]])
        second = row(mode, "second half", [View(name) for name in halves[1]])
        table.note(f"Missed by {mode} on the second half: {'; '.join(second.bare) or 'none'}.")
        turned = [View(name, turn) for name in some for turn in (1, 2, 3)]
        row(mode, f"{len(some)} of these, turned to all sides", turned)
        if quick:
            continue
        row(mode, f"{number} sheets of 12 megapixels", sheets)
        if full or mode != "careful":  # which takes seven seconds for each
            alone = [View(name, alone=place) for place, name in enumerate(some)]
            row(mode, f"{len(some)} photos alone on 12 megapixels", alone)
    table.note(
        "Extras and changed pixels include people whom nobody labelled: about half of 96 extras that were "
        "looked at."
    )
    return table
