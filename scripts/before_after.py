"""Make docs/before-after.jpg: samples beside what `redact run` made of them.

Usage: before_after.py RUN_OUT, the folder that `make demo` wrote.
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import cv2
import numpy as np

ROOT = Path(__file__).resolve().parent.parent
SHOWN = ("hard.jpg", "lower-third-hy.jpg", "group.jpg")
HEIGHT, GAP = 300, 8


def main(out: str) -> None:
    lookup = [str(Path(sys.executable).parent / "redact"), "lookup", out]
    lines = subprocess.run(lookup, check=True, capture_output=True, text=True).stdout.splitlines()
    ids = {path: item for item, path in (line.split("  ", 1) for line in lines)}
    rows = []
    for published in (False, True):
        row: list[np.ndarray] = []
        for name in SHOWN:
            path = (
                next((Path(out) / "published").glob(f"{ids[name]}.*"))
                if published
                else ROOT / "samples" / "media" / name
            )
            image = cv2.imread(str(path))
            scale = HEIGHT / image.shape[0]
            row += [
                cv2.resize(image, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA),
                np.full((HEIGHT, GAP, 3), 255, np.uint8),
            ]
        rows.append(np.hstack(row[:-1]))
    gap = np.full((GAP, rows[0].shape[1], 3), 255, np.uint8)
    cv2.imwrite(str(ROOT / "docs" / "before-after.jpg"), np.vstack([rows[0], gap, rows[1]]))


if __name__ == "__main__":
    main(sys.argv[1])
