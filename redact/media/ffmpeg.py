"""The only module that starts ffmpeg's programs (through ffmpeg-python): an independent look at streams.

Frames never pass through here. Paths are handed over as `file:` addresses, so that no name can be read as an
option or as another protocol, and only that protocol is allowed.
"""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path
from typing import Any

import ffmpeg

from redact.errors import DamagedInputError, MissingToolError

PROBE_TIMEOUT_S = 120
PROBE_FORMATS = "mov,matroska,webm,avi"
"""The containers that are probed. A playlist or script, which points to other files, is none of them."""


def find_ffprobe() -> str:
    """The ffprobe program.

    Raises:
        MissingToolError: it is not on PATH.
    """
    return _find("ffprobe")


def find_ffmpeg() -> str:
    """The ffmpeg program.

    Raises:
        MissingToolError: it is not on PATH.
    """
    return _find("ffmpeg")


def _find(name: str) -> str:
    found = shutil.which(name)
    if found is None:
        raise MissingToolError(f"{name} is not on this machine; install the package ffmpeg.")
    return found


def address(path: Path) -> str:
    """The path as ffmpeg's programs and libraries must be given it."""
    return f"file:{path}"


def probe_streams(path: Path) -> dict[str, Any]:
    """What ffprobe says of a file: keys `streams`, `format`, `chapters`, `programs`.

    Raises:
        MissingToolError: there is no ffprobe.
        DamagedInputError: ffprobe cannot read the file, or takes too long.
    """
    program = find_ffprobe()
    try:
        found: dict[str, Any] = ffmpeg.probe(
            address(path),
            cmd=program,
            timeout=PROBE_TIMEOUT_S,
            protocol_whitelist="file",
            format_whitelist=PROBE_FORMATS,
            show_chapters=None,
            show_programs=None,
        )
    except (ffmpeg.Error, subprocess.TimeoutExpired, ValueError) as error:
        raise DamagedInputError("ffprobe cannot read this file.") from error
    return found


def version(program: str) -> str:
    """First line of the program's own version text, or empty if it does not run."""
    try:
        done = subprocess.run(
            [_find(program), "-version"], capture_output=True, text=True, timeout=20, check=False
        )
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return done.stdout.partition("\n")[0]
