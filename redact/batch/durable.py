"""Files that survive a crash: written aside, made durable, then moved to their place in one step.

A rename is atomic but not durable until its folder is; so every function here syncs the file first and the
folder after, and returns only then. None of them leaves a half-written file at its target.
"""

from __future__ import annotations

import os
from pathlib import Path


def sync(path: Path) -> None:
    """Wait until a file's bytes, or a folder's entries, are on the disk."""
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def make_folder(folder: Path) -> None:
    """Make a folder and its parents, durably. Nothing is done if it is there."""
    missing = []
    while not folder.is_dir():
        missing.append(folder)
        folder = folder.parent
    for path in reversed(missing):
        path.mkdir(exist_ok=True)
        sync(path.parent)


def move(source: Path, target: Path) -> None:
    """Rename within one file system, replacing what is at `target`; both folders are synced afterwards."""
    source.replace(target)
    sync(target.parent)
    if source.parent != target.parent:
        sync(source.parent)


def remove(path: Path) -> None:
    """Unlink a file that may be gone already, durably."""
    path.unlink(missing_ok=True)
    sync(path.parent)


def write_text(target: Path, text: str, scratch: Path) -> None:
    """Write a whole UTF-8 text file; `scratch` is a private folder on the same file system."""
    partial = scratch / f"{target.parent.name}-{target.name}"
    with partial.open("w", encoding="utf-8") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    move(partial, target)
