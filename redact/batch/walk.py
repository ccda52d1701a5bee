"""Finding the items of a folder tree. Nothing is skipped silently: every entry is an item or a refusal."""

from __future__ import annotations

import os
import re
import stat
from dataclasses import dataclass, replace
from pathlib import Path

from redact.errors import OutputError, UnreadableInputError, UnsupportedInputError, UsageError

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
    passing: bool = False
    """It is refused because it could not be read just now, which says nothing of what it is."""

    def unreadable(self) -> Entry:
        """The same, refused because it could not be read."""
        return replace(
            self,
            refused="It could not be read; check its permissions, and its disk or share, then run again.",
            passing=True,
        )

    def check(self) -> None:
        """Raise if it is refused.

        Raises:
            UnreadableInputError: it could not be read just now.
            UnsupportedInputError: it is of a kind that is never opened.
        """
        if self.refused:
            raise (UnreadableInputError if self.passing else UnsupportedInputError)(self.refused)

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
        UsageError: `source` is not there, or some of it may not be listed.
        OutputError: the system cannot list all of it just now, as when its share is gone.
    """
    # what cannot be listed may hold items: stopping is the only honest answer
    try:
        return _walked(source)
    except PermissionError as error:
        raise UsageError("A folder below the input cannot be listed; check its permissions.") from error
    except OSError as error:
        raise OutputError(
            "The input cannot be listed now; see that its disk or share is there, and run again."
        ) from error


def _walked(source: Path) -> list[Entry]:
    if source.is_file():
        return [Entry(source, Path(source.name))]
    if not source.is_dir():
        raise UsageError("The input is neither a folder nor a file.")
    entries: list[Entry] = []

    def failed(error: OSError) -> None:
        raise error

    for folder, folders, files in os.walk(source, onerror=failed, followlinks=False):
        folders.sort()
        here = Path(folder)
        linked = [name for name in folders if (here / name).is_symlink()]
        for name in sorted([*files, *linked]):
            path = here / name
            try:
                mode = path.lstat().st_mode
            except FileNotFoundError:
                gone = "It vanished while the folder was read."
                entries.append(Entry(path, path.relative_to(source), gone, passing=True))
                continue
            if stat.S_ISLNK(mode):
                refused = "It is a symbolic link; links are not followed."
            elif not stat.S_ISREG(mode):
                refused = "It is not a regular file."
            else:
                refused = ""
            entries.append(Entry(path, path.relative_to(source), refused))
    return entries
