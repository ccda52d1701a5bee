"""Finished files as they are handed out: opened by whoever checked them, known by their endings.

A file that is open stays the one that was checked, whatever happens at its path.
"""

from __future__ import annotations

import os
import stat
import threading
from collections.abc import Iterator
from io import BufferedReader
from pathlib import Path, PurePath

CHUNK = 1 << 18
MEDIA_TYPES = {
    ".jpg": "image/jpeg",
    ".png": "image/png",
    ".webp": "image/webp",
    ".tif": "image/tiff",
    ".gif": "image/gif",
    ".heic": "image/heic",
    ".avif": "image/avif",
    ".bmp": "image/bmp",
    ".mp4": "video/mp4",
}
_SAME = {
    ".jpeg": ".jpg",
    ".jpe": ".jpg",
    ".tiff": ".tif",
    ".heif": ".heic",
    ".m4v": ".mp4",
    ".apng": ".png",
}
"""Endings of kept names, and what they are called here."""


class OpenedResult:
    """A finished file, opened and checked. `chunks` closes it at their end."""

    def __init__(self, file: BufferedReader, suffix: str) -> None:
        self._file, self._lock = file, threading.Lock()
        self.size = os.fstat(file.fileno()).st_size
        self.suffix = suffix
        self.media_type = MEDIA_TYPES[suffix]

    def chunks(self, start: int = 0, end: int | None = None) -> Iterator[bytes]:
        """The bytes from `start` to before `end`, of the very file that was checked."""
        left = (self.size if end is None else min(end, self.size)) - start
        with self._file as file:
            file.seek(start)
            while left > 0 and (data := file.read(min(CHUNK, left))):
                left -= len(data)
                yield data

    def read_at(self, at: int, size: int) -> bytes:
        """Some bytes of it, for players that jump about; empty at its end, or once it was closed."""
        with self._lock:  # closed in between, its number could be another file's
            try:
                return os.pread(self._file.fileno(), size, at)
            except (OSError, ValueError):
                return b""

    def close(self) -> None:
        """Close the file, if `chunks` is not asked for."""
        with self._lock:
            self._file.close()


def ending_of(path: PurePath) -> str:
    """Its ending as `MEDIA_TYPES` has it, whatever a kept name says."""
    suffix = path.suffix.lower()
    return _SAME.get(suffix, suffix)


def open_file(path: Path) -> BufferedReader | None:
    """The regular file at `path`, which must be no link; None if there is none."""
    try:
        handle = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError:
        return None
    file = os.fdopen(handle, "rb")
    if stat.S_ISREG(os.fstat(handle).st_mode):
        return file
    file.close()
    return None
