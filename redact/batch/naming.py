"""Names of released files: the input's own if the policy keeps them, or the item's public id.

Takes an input's relative path and the ending of its finished file, gives a place below `published/` or
`review/` that no other item has and that the disk takes. Never gives one that names somebody.
"""

from __future__ import annotations

import os
import threading
from pathlib import Path

from redact.batch.store import Store
from redact.names.paths import names_somebody
from redact.names.watchlist import WatchList
from redact.policy import Policy

SAME_FORMAT = {
    ".jpg": {".jpg", ".jpeg", ".jpe"},
    ".tif": {".tif", ".tiff"},
    ".heic": {".heic", ".heif"},
    ".mp4": {".mp4", ".m4v"},
    ".png": {".png", ".apng"},
}
"""Endings that may stay as they are when names are kept."""
ROOM_BESIDE = 8
"""Bytes left in a name for what subtitles beside it add: a language and their ending, `.hye.srt`."""


def _longest(folder: Path) -> int:
    """Bytes that one part of a path may have in a folder."""
    try:
        return os.pathconf(folder, "PC_NAME_MAX")
    except (OSError, ValueError):
        return 255


class OutputNames:
    """The names that one run gives. Safe to share between its threads."""

    def __init__(self, store: Store, policy: Policy, watch: WatchList | None) -> None:
        self._private, self._rooms = store.private, (store.published, store.review)
        self._keep, self._watch = policy.output.filenames == "keep", watch
        self._longest = _longest(store.published)
        self._lock = threading.Lock()
        self._given: dict[str, str] = {}  # places, without regard to case, and the items they were given to
        self._folders: set[str] = set()  # what lies above them

    def choose(self, item: str, relative: Path, extension: str) -> str:
        """Name below `published/` or `review/`; two inputs never share one.

        Raises:
            OutputError: the private mapping cannot be read.
        """
        if not self._keep or names_somebody(relative, self._watch):
            return item + extension
        fits = relative.suffix.lower() in SAME_FORMAT.get(extension, {extension})
        choices = [
            relative if fits else relative.with_suffix(extension),
            relative.with_name(relative.name + extension),
            relative.with_name(f"{relative.stem}-{item}{extension}"),
        ]
        with self._lock:
            for choice in choices:
                # what was no part of the stem before may be now: `photo.NAME` becomes `photo.NAME.jpg`
                if names_somebody(choice, self._watch) or not self._is_free(choice, item):
                    continue
                self._given[str(choice).casefold()] = item
                self._folders |= _above(choice)
                return str(choice)
        return item + extension

    def _is_free(self, choice: Path, item: str) -> bool:
        if not all(self._can_lie(room, choice) for room in self._rooms):
            return False
        key = str(choice).casefold()
        if key in self._folders or any(folder in self._given for folder in _above(choice)):
            return False
        owners = (self._private.owner(f"{room.name}/{choice}") for room in self._rooms)
        return (self._given.get(key) or next(filter(None, owners), item)) == item

    def _can_lie(self, room: Path, choice: Path) -> bool:
        """Whether the disk takes a file there: the name is text and short enough, no folder has its place and
        no file that of a folder above it."""
        try:
            lengths = [len(part.encode()) for part in choice.parts]
            if max(lengths) > self._longest or lengths[-1] > self._longest - ROOM_BESIDE:
                return False
            above = [room / folder for folder in choice.parents[:-1]]
            return not (room / choice).is_dir() and all(
                folder.is_dir() or not folder.exists() for folder in above
            )
        except (OSError, UnicodeEncodeError):
            return False


def _above(place: Path) -> set[str]:
    """The folders of a place, without regard to case."""
    return {str(folder).casefold() for folder in place.parents[:-1]}
