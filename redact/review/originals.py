"""The inputs of items: found below the folder that the reviewer named, never through a link.

Only a file whose bytes are those that were worked on is used. Takes an item's state, gives the path of an
open file for a confined worker; nothing is copied or kept here.
"""

from __future__ import annotations

import contextlib
import os
import re
import stat
from collections.abc import Iterator
from pathlib import Path, PurePosixPath

from redact.batch.results import Results, State
from redact.errors import UsageError
from redact.media.digest import digest_file
from redact.plan import SourceDigest

NOT_STARTED = "The app was started without --input, so originals are not shown and covers not changed."
NOT_THERE = "The original is not where --input says; start the app with the folder of the run."
CHANGED = "The original is not the file that was worked on; run the folder again."
NO_FILE = "The original is a link or no regular file; such are not opened."
UNKNOWN = "The record does not say what the original was; run the folder again."
_ESCAPE = re.compile(r"\\x([89a-f][0-9a-f])")
_FOLDER = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
_FILE = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC


class Originals:
    """Inputs below `source`, a folder or one file; None: there are none. Safe to share between threads."""

    def __init__(self, source: Path | None, results: Results) -> None:
        self._source, self._results = source, results
        self._known: dict[tuple[int, ...], SourceDigest] = {}
        """Files whose bytes were compared, by what the system says of them."""

    def why_not(self, state: State) -> str:
        """Why the item's input cannot be used; empty if it can."""
        try:
            with self.opened(state):
                return ""
        except UsageError as error:
            return str(error)

    @contextlib.contextmanager
    def opened(self, state: State) -> Iterator[Path]:
        """The item's input under a path that stays this very file, whatever happens to its name.

        Raises:
            UsageError: it is not there, is a link, or is not the file that was worked on.
            OutputError: the private mapping is not here or does not know the item.
        """
        if self._source is None:
            raise UsageError(NOT_STARTED)
        if state.source is None:
            raise UsageError(UNKNOWN)
        handle = self._open(self._results.places(state.item).relative)
        try:
            path = Path(f"/proc/self/fd/{handle}")
            if not path.exists():
                path = Path(f"/dev/fd/{handle}")
            facts = os.fstat(handle)
            marks = (facts.st_dev, facts.st_ino, facts.st_size, facts.st_mtime_ns)
            if self._known.get(marks) != state.source:
                if digest_file(path, state.source.salt) != state.source:
                    raise UsageError(CHANGED)
                self._known[marks] = state.source
            yield path
        finally:
            os.close(handle)

    def _open(self, relative: str) -> int:
        """A descriptor of the regular file at `relative`, as the private mapping spells it."""
        error: UsageError | None = None
        for spelling in dict.fromkeys((relative, _unescaped(relative))):
            try:
                return self._open_spelling(spelling)
            except UsageError as failed:
                error = error or failed
        raise error or UsageError(NOT_THERE)

    def _open_spelling(self, relative: str) -> int:
        assert self._source is not None
        place = PurePosixPath(relative)
        if not place.parts or place.is_absolute() or ".." in place.parts or "\0" in relative:
            raise UsageError(NOT_THERE)
        with contextlib.ExitStack() as folders:
            try:
                if self._source.is_file():
                    if relative != self._source.name:
                        raise UsageError(NOT_THERE)
                    return _regular(os.open(self._source, _FILE & ~os.O_NOFOLLOW))
                folder = os.open(self._source, _FOLDER & ~os.O_NOFOLLOW)
                folders.callback(os.close, folder)
                for part in place.parts[:-1]:
                    folder = os.open(part, _FOLDER, dir_fd=folder)
                    folders.callback(os.close, folder)
                facts = os.stat(place.name, dir_fd=folder, follow_symlinks=False)
                if not stat.S_ISREG(facts.st_mode):  # before it is opened: a device may act on that
                    raise UsageError(NO_FILE)
                return _regular(os.open(place.name, _FILE, dir_fd=folder))
            except OSError as error:
                raise UsageError(NOT_THERE) from error


def _regular(handle: int) -> int:
    if not stat.S_ISREG(os.fstat(handle).st_mode):
        os.close(handle)
        raise UsageError(NO_FILE)
    return handle


def _unescaped(relative: str) -> str:
    """The mapping writes bytes that are no UTF-8 as \\xNN; here they are what the file system calls them."""
    return _ESCAPE.sub(lambda found: os.fsdecode(bytes.fromhex(found.group(1))), relative)


__all__ = ["Originals"]
