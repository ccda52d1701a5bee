"""The only module that starts Tesseract: lines of text cut from a picture in, what they may say out.

The pictures go through a pipe and never touch a disk. What was read is untrusted text for the watch list to
search; it is never written anywhere.
"""

from __future__ import annotations

import io
import os
import shutil
import subprocess
from collections.abc import Sequence

import cv2
import numpy as np
from PIL import Image

from redact.detect.base import BgrImage

LANGUAGES = ("hye", "rus", "aze", "eng")
"""One pass over all costs no Armenian accuracy against the right language alone, so none is chosen first."""
LINE_HEIGHT, MARGIN = 48, 12
"""Pixels that a line is scaled to, and of paper put around it."""
LONGEST = 4096
TIMEOUT_S = 120


def installed_languages() -> tuple[str, ...]:
    """Those of `LANGUAGES` that Tesseract has on this machine; none if there is no Tesseract."""
    program = shutil.which("tesseract")
    if program is None:
        return ()
    try:
        done = subprocess.run(
            [program, "--list-langs"], capture_output=True, text=True, timeout=20, check=False
        )
    except (OSError, subprocess.TimeoutExpired):
        return ()
    known = set(done.stdout.split())
    return tuple(language for language in LANGUAGES if language in known)


def read_lines(lines: Sequence[BgrImage], languages: Sequence[str]) -> list[str] | None:
    """One text for each picture of a line, empty where nothing was read; None if Tesseract failed."""
    program = shutil.which("tesseract")
    if program is None or not languages:
        return None
    if not lines:
        return []
    pages = [Image.fromarray(page(line)) for line in lines]
    stack = io.BytesIO()
    pages[0].save(stack, "TIFF", save_all=True, append_images=pages[1:], dpi=(300, 300))
    command = [program, "stdin", "stdout", "-l", "+".join(languages), "--psm", "7"]
    try:
        done = subprocess.run(
            command,
            input=stack.getvalue(),
            capture_output=True,
            timeout=TIMEOUT_S,
            check=False,
            env={**os.environ, "OMP_THREAD_LIMIT": "1"},
        )
    except (OSError, subprocess.TimeoutExpired):
        return None
    texts = done.stdout.decode("utf-8", "replace").split("\f")
    if done.returncode != 0 or len(texts) < len(lines):
        return None
    return [text.strip() for text in texts[: len(lines)]]


def page(line: BgrImage) -> np.ndarray:
    """A line as dark letters on light paper of one height, H x W uint8: what Tesseract was trained on."""
    grey = cv2.cvtColor(line, cv2.COLOR_BGR2GRAY)
    height, width = grey.shape
    scale = min(LINE_HEIGHT / height, LONGEST / width)
    method = cv2.INTER_AREA if scale < 1 else cv2.INTER_CUBIC
    size = (max(1, round(width * scale)), max(1, round(height * scale)))
    grey = cv2.resize(grey, size, interpolation=method)
    level, _ = cv2.threshold(grey, 0, 255, cv2.THRESH_BINARY + cv2.THRESH_OTSU)
    if np.mean(grey > level) < 0.5:  # there is more paper than ink
        grey = 255 - grey
    grey = cv2.normalize(grey, np.empty_like(grey), 0, 255, cv2.NORM_MINMAX)
    return cv2.copyMakeBorder(grey, MARGIN, MARGIN, MARGIN, MARGIN, cv2.BORDER_CONSTANT, value=255)
