"""Opens input files: regular files only, checked before and after opening, and whole photos into memory.

A FIFO or a device in an input folder would block or never end; no message here names the file.
"""

from __future__ import annotations

import os
import stat
from pathlib import Path
from typing import BinaryIO

from redact.errors import InputError, InputTooLargeError, OutputError, UnsupportedInputError

MAX_PHOTO_BYTES = 1 << 30
"""Photos and animations are read whole; none of the supported formats needs more for 120 megapixels."""


def open_regular(path: Path) -> BinaryIO:
    """Open the regular file at `path` (links are followed) for reading.

    Raises:
        UnsupportedInputError: it is a folder, FIFO, socket or device.
        InputError: it is not there or may not be read.
    """
    try:
        _require_regular(path.stat().st_mode)
        # O_NONBLOCK: a FIFO that took the file's place after the check must not hang the opening.
        descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError as error:
        raise InputError("The file cannot be opened: it is gone or may not be read.") from error
    source = os.fdopen(descriptor, "rb")
    try:
        _require_regular(os.fstat(descriptor).st_mode)
    except UnsupportedInputError:
        source.close()
        raise
    return source


def _require_regular(mode: int) -> None:
    if not stat.S_ISREG(mode):
        raise UnsupportedInputError("Only regular files are read, no folders, pipes, sockets or devices.")


def read_photo(path: Path) -> bytes:
    """All bytes of a photo or animation.

    Raises:
        InputTooLargeError: it is larger than MAX_PHOTO_BYTES.
        InputError: it cannot be read.
    """
    with open_regular(path) as source:
        try:
            data = source.read(MAX_PHOTO_BYTES + 1)
        except OSError as error:
            raise InputError("The file cannot be read.") from error
    if len(data) > MAX_PHOTO_BYTES:
        raise InputTooLargeError("The picture file is larger than 1 GiB; it was not decoded.")
    return data


def write_new(target: Path, data: bytes) -> None:
    """Write `data` to `target`, which must not exist. Nothing is left there if writing fails.

    Raises:
        OutputError: it exists, or the disk is full or not writable.
    """
    try:
        sink = target.open("xb")
    except OSError as error:
        raise OutputError("The output file cannot be created.") from error
    try:
        with sink:
            sink.write(data)
    except OSError as error:
        target.unlink(missing_ok=True)
        raise OutputError("The output file cannot be written; is the disk full?") from error
