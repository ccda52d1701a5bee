"""Reads lines of text that a detector found, for the watch list to search. It never proves absence.

Two readers: Tesseract for Armenian, Cyrillic and Azerbaijani, where it is installed, and PP-OCRv6 for Latin.
On perfect crops they find four in five Armenian names, so what they do not find proves nothing.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from pathlib import Path
from urllib.parse import unquote

import cv2
import numpy as np
import zxingcpp

from redact.detect import tesseract
from redact.detect.base import BgrImage, Picture, scale_to
from redact.detect.runtime import load
from redact.detect.weights import ModelStore
from redact.plan import Box

MODEL, LETTERS = "ppocrv6_reader", "ppocrv6_letters"
HEIGHT, STEP, LONGEST = 48, 32, 1600
"""Pixels of a line as the recogniser wants it: its height, steps of its width, and the widest it is given."""
GROW = 0.15
"""A line's box is grown by this share of its height: ascenders and marks decide about a letter."""
UPRIGHT = 1.8
"""From this many times higher than wide, a box is read turned both ways."""


class TextReader:
    """Reads with everything this machine has; what it lacks is in `missing`."""

    def __init__(self, store: ModelStore) -> None:
        self._store = store
        self.languages = tesseract.installed_languages()
        self.failed = False
        """Whether a reader could not do its work at some time."""

    @property
    def missing(self) -> tuple[str, ...]:
        """Languages of `tesseract.LANGUAGES` that cannot be read here."""
        return tuple(each for each in tesseract.LANGUAGES if each not in self.languages)

    @property
    def whole(self) -> bool:
        """Whether every script that the watch list matches by eye was read."""
        return not self.missing and not self.failed

    def describe(self) -> str:
        """The readers by name."""
        parts = ["ppocrv6"]
        if self.languages:
            parts.append("tesseract " + "+".join(self.languages))
        return ", ".join(parts)

    def read(self, picture: Picture, boxes: Sequence[Box]) -> list[str]:
        """For each box what may stand there: readings of all readers, a line each. Pixels of `picture`."""
        if not boxes:
            return []
        image = picture.bgr()
        scale = scale_to(image, picture)
        crops: list[BgrImage] = []
        owners: list[int] = []
        for number, box in enumerate(each.scaled(*scale) for each in boxes):
            margin = GROW * min(box.w, box.h)
            inside = box.grown(margin, margin).clipped(image.shape[1], image.shape[0])
            if inside is None or inside.w < 2 or inside.h < 2:
                continue
            x, y = int(inside.x), int(inside.y)
            crop = image[y : int(inside.y + inside.h) + 1, x : int(inside.x + inside.w) + 1]
            for turned in _ways_up(crop):
                crops.append(turned)
                owners.append(number)
        found: list[list[str]] = [[] for _ in boxes]
        for number, crop in zip(owners, crops, strict=True):
            found[number].append(self._latin(crop))
        texts = tesseract.read_lines(crops, self.languages) if self.languages else None
        if texts is None:
            self.failed = self.failed or bool(self.languages)
        else:
            for number, text in zip(owners, texts, strict=True):
                found[number].append(text)
        return ["\n".join(dict.fromkeys(filter(None, texts))) for texts in found]

    @cached_property
    def _alphabet(self) -> list[str]:
        lines = Path(self._store.path(LETTERS)).read_text(encoding="utf-8").split("\n")
        return ["", *(lines if lines[-1] else lines[:-1]), " "]

    def _latin(self, crop: BgrImage) -> str:
        """Connectionist temporal classification, best path: repeats and blanks (class 0) go."""
        height, width = crop.shape[:2]
        wide = min(max(round(width * HEIGHT / height), STEP), LONGEST)
        line = cv2.resize(crop, (wide, HEIGHT), interpolation=cv2.INTER_LINEAR)
        line = cv2.copyMakeBorder(line, 0, 0, 0, -wide % STEP, cv2.BORDER_REPLICATE)
        blob = (line.astype(np.float32).transpose(2, 0, 1)[None] / 255 - 0.5) / 0.5
        best = load(self._store.path(MODEL)).run(np.ascontiguousarray(blob, np.float32))[0][0].argmax(axis=1)
        kept = [n for n, before in zip(best, [0, *best[:-1]], strict=True) if n not in (0, before)]
        return "".join(self._alphabet[n] for n in kept)


def _ways_up(crop: BgrImage) -> list[BgrImage]:
    if crop.shape[0] <= UPRIGHT * crop.shape[1]:
        return [crop]
    turns = (cv2.ROTATE_90_CLOCKWISE, cv2.ROTATE_90_COUNTERCLOCKWISE)
    return [np.asarray(cv2.rotate(crop, turn), np.uint8) for turn in turns]


def read_codes(picture: Picture) -> list[tuple[str, Box]]:
    """What every QR code and barcode on the picture says, and where; web addresses are also unquoted."""
    found = []
    image = np.ascontiguousarray(picture.bgr())
    across, down = scale_to(image, picture)
    for code in zxingcpp.read_barcodes(image):
        corners = code.position
        points = (corners.top_left, corners.top_right, corners.bottom_left, corners.bottom_right)
        xs, ys = [p.x for p in points], [p.y for p in points]
        box = Box(float(min(xs)), float(min(ys)), float(max(xs) - min(xs)), float(max(ys) - min(ys)))
        found.append((f"{code.text}\n{unquote(code.text)}", box.scaled(1 / across, 1 / down)))
    return found
