"""Cost of photos: CPU seconds for one more 12-megapixel JPEG in `strict`, all stages, models loaded once."""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path

import cv2
import numpy as np

from bench.common import REDACT, ROOT, SHARED, Size, Table, measure

GOAL = 1.0


def _sources() -> list[Path]:
    shared = sorted((SHARED / "faces" / "dlib").glob("*.jpg"))
    return shared or sorted((ROOT / "samples" / "media").glob("*.jpg"))


def _large(source: Path, target: Path, seed: int) -> None:
    """The photo at 4000 x 3000 with sensor-like grain, so that it costs what a camera's file costs."""
    image = cv2.resize(cv2.imread(str(source)), (4000, 3000), interpolation=cv2.INTER_CUBIC)
    grain = np.random.default_rng(seed).normal(0, 4, image.shape)
    cv2.imwrite(str(target), np.clip(image + grain, 0, 255).astype(np.uint8), [cv2.IMWRITE_JPEG_QUALITY, 92])


def run(size: Size) -> Table:
    """Measure one photo and many, and divide the difference."""
    quick = size is Size.QUICK
    many = 4 if quick else 9
    table = Table("Cost of one more 12-megapixel JPEG", ["photos", "CPU seconds", "wall seconds", "status"])
    costs = []
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder)
        for count in (1, many):
            source = place / f"in{count}"
            source.mkdir()
            for number in range(count):
                _large(_sources()[number % len(_sources())], source / f"{number}.jpg", number)
            environment = {"REDACT_PRIVATE_DIR": str(place / "private")}
            cost = measure([REDACT, "run", source, place / f"out{count}", "--jobs", "1"], environment)
            costs.append(cost)
            table.add(str(count), f"{cost.cpu:.2f}", f"{cost.wall:.2f}", str(cost.status))
            shutil.rmtree(source)
    each = (costs[1].cpu - costs[0].cpu) / (many - 1)
    table.note(f"One more photo: {each:.2f} CPU seconds. Goal: at most {GOAL}.")
    return table
