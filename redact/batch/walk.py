"""Finding the items of a folder tree. Nothing is skipped silently: every entry is an item or a refusal."""

from __future__ import annotations

import os
import re
import stat
from dataclasses import dataclass
from pathlib import Path

from redact.errors import UsageError

COMPANIONS = frozenset(
    {
        ".aae",
        ".csv",
        ".db",
        ".ds_store",
        ".ini",
        ".json",
        ".md",
        ".srt",
        ".thm",
        ".toml",
        ".txt",
        ".vtt",
        ".xmp",
    }
)
"""Endings of files that lie beside media. If they are no media by content, they are set aside, not failed."""

SUBTITLES = frozenset({".srt", ".vtt"})
LANGUAGE = re.compile(r"\.(hye?|rus?|aze?|eng?|kat?|fas?|tur|tr|fra?|deu|de)")
"""What may stand between the name of an item and the ending of its subtitles. It goes into the public name:
these languages only, for any three letters would let a short first name through."""


@dataclass(frozen=True)
class Entry:
    """One directory entry that is not a folder."""

    path: Path
    relative: Path
    """Relative to the input folder. Private: never shown, logged or written under the output folder."""
    refused: str = ""
    """Why it is not even opened, or empty."""

    @property
    def companion(self) -> bool:
        """Whether its name says that it accompanies media rather than being some."""
        name = self.path.name.lower()
        return Path(name).suffix in COMPANIONS or name in COMPANIONS


def subtitle_pairs(entries: list[Entry]) -> dict[Path, list[Entry]]:
    """Subtitle files by the item they lie beside: `a.srt` and `a.hy.srt` with `a.mp4`; each has one item."""
    media: dict[Path, Path] = {}
    for entry in entries:
        if not entry.companion and not entry.refused:
            media.setdefault(entry.path.with_suffix(""), entry.path)
    found: dict[Path, list[Entry]] = {}
    for entry in entries:
        if entry.path.suffix.lower() not in SUBTITLES or entry.refused:
            continue
        stem = entry.path.with_suffix("")
        item = media.get(stem)
        if item is None and LANGUAGE.fullmatch(stem.suffix):
            item = media.get(stem.with_suffix(""))
        if item is not None:
            found.setdefault(item, []).append(entry)
    return found


def walk(source: Path) -> list[Entry]:
    """Every file below `source` in a stable order; a single file is a folder of one.

    Links and special files are listed as refused, never followed or opened.

    Raises:
        UsageError: `source` is not there or cannot be listed.
    """
    if source.is_file():
        return [Entry(source, Path(source.name))]
    if not source.is_dir():
        raise UsageError("The input is neither a folder nor a file.")
    entries: list[Entry] = []

    def failed(error: OSError) -> None:
        # a folder that cannot be listed may hold items: stopping is the only honest answer
        raise UsageError("A folder below the input cannot be listed; check its permissions.") from error

    for folder, folders, files in os.walk(source, onerror=failed, followlinks=False):
        folders.sort()
        here = Path(folder)
        linked = [name for name in folders if (here / name).is_symlink()]
        for name in sorted([*files, *linked]):
            path = here / name
            try:
                mode = path.lstat().st_mode
            except FileNotFoundError:
                entries.append(
                    Entry(path, path.relative_to(source), "It vanished while the folder was read.")
                )
                continue
            if stat.S_ISLNK(mode):
                refused = "It is a symbolic link; links are not followed."
            elif not stat.S_ISREG(mode):
                refused = "It is not a regular file."
            else:
                refused = ""
            entries.append(Entry(path, path.relative_to(source), refused))
    return entries
