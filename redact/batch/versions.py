"""Versions of what a result depends on besides policy and models, for the ledger. Imports none of it."""

from __future__ import annotations

import platform
from importlib.metadata import PackageNotFoundError, version

LIBRARIES = (
    "ai-edge-litert",
    "av",
    "mediapipe",
    "numpy",
    "onnxruntime",
    "opencv-python",
    "pillow",
    "pillow-heif",
    "zxing-cpp",
)


def libraries() -> dict[str, str]:
    """Version of Python and of every main library; `missing` if it is not installed."""
    found = {"python": platform.python_version()}
    for name in LIBRARIES:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            found[name] = "missing"
    return found
