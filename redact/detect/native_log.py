"""Keeps what C++ libraries say about themselves off the terminal."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator


@contextlib.contextmanager
def without_native_log() -> Iterator[None]:
    """MediaPipe and LiteRT write to file descriptor 2 while they load; Python errors still raise."""
    saved = os.dup(2)
    sink = os.open(os.devnull, os.O_WRONLY)
    try:
        os.dup2(sink, 2)
        yield
    finally:
        os.dup2(saved, 2)
        os.close(saved)
        os.close(sink)
