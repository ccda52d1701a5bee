"""Which files of a watched folder are complete and new: pure book-keeping over sizes and times.

A file is complete when size and modification time stayed the same for a while by our own clock; times in the
file system prove nothing, for copying tools set them back. Files that belong together, such as a film and its
subtitles, are taken together. Paths stay in memory; the ledger alone remembers across restarts what is done.
"""

from __future__ import annotations

import os
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from redact.batch.walk import LANGUAGE, Entry

UNFINISHED = frozenset({".crdownload", ".download", ".filepart", ".part", ".partial", ".tmp"})
"""Endings that programs give to files they still write."""
FIRST_RETRY_S, LONGEST_RETRY_S = 5.0, 600.0
"""Wait before the second try and before the hundredth; it doubles each time."""

Mark = tuple[int, int, int]
"""Inode, size, modification time in ns: if one changes, the file is another."""


def retry_after(failures: int) -> float:
    """Seconds to wait after so many failures in a row."""
    return float(min(LONGEST_RETRY_S, FIRST_RETRY_S * 2 ** min(max(failures - 1, 0), 16)))


def mark_of(path: Path) -> Mark | None:
    """The file's mark now; None if it is gone. Links are not followed."""
    try:
        state = os.lstat(path)
    except OSError:
        return None
    return state.st_ino, state.st_size, state.st_mtime_ns


def is_unfinished(relative: Path) -> bool:
    """Whether the name says that somebody still writes it, or hides it."""
    return relative.suffix.lower() in UNFINISHED or any(part.startswith(".") for part in relative.parts)


@dataclass
class _Seen:
    mark: Mark
    since: float
    group: Path
    done: Mark | None = None
    failures: int = 0
    not_before: float = 0.0


def _group(path: Path) -> Path:
    """One key for `a.mp4`, `a.srt` and `a.hy.srt`."""
    stem = path.with_suffix("")
    return stem.with_suffix("") if LANGUAGE.fullmatch(stem.suffix) else stem


class Arrivals:
    """What was seen in the folder. Times are seconds of one monotonic clock, given by the caller."""

    def __init__(self, settle_s: float) -> None:
        self._settle_s = settle_s
        self._seen: dict[Path, _Seen] = {}
        self.unfinished = 0
        """Files whose names say that they are still written."""

    def look(self, entries: Iterable[Entry], now: float) -> None:
        """Take in a listing of the whole folder."""
        before, self._seen, self.unfinished = self._seen, {}, 0
        for entry in entries:
            if is_unfinished(entry.relative):
                self.unfinished += 1
                continue
            mark = mark_of(entry.path)
            if mark is None:
                continue
            old = before.get(entry.path)
            if old is not None and old.mark == mark:
                self._seen[entry.path] = old
            else:
                self._seen[entry.path] = _Seen(mark, now, _group(entry.path))

    def _is_stable(self, seen: _Seen, now: float) -> bool:
        return now - seen.since >= self._settle_s

    @staticmethod
    def _is_open(seen: _Seen) -> bool:
        return seen.done != seen.mark

    def settling(self, now: float) -> int:
        """Files that are not known to be complete."""
        return sum(not self._is_stable(seen, now) for seen in self._seen.values())

    def is_due(self, now: float) -> bool:
        """Whether it is worth listing the folder again though nothing is known to have changed."""
        return any(
            not self._is_stable(seen, now) or (self._is_open(seen) and now >= seen.not_before)
            for seen in self._seen.values()
        )

    @property
    def retrying(self) -> int:
        """Complete files that could not be read or failed by this machine's fault, to be tried again."""
        return sum(self._is_open(seen) and seen.failures > 0 for seen in self._seen.values())

    def ready(self, now: float) -> dict[Path, Mark]:
        """Files to take now: every group that is complete and has something to do."""
        groups: dict[Path, list[tuple[Path, _Seen]]] = defaultdict(list)
        for path, seen in self._seen.items():
            groups[seen.group].append((path, seen))
        taken: dict[Path, Mark] = {}
        for members in groups.values():
            if all(self._is_stable(seen, now) for _, seen in members) and any(
                self._is_open(seen) and now >= seen.not_before for _, seen in members
            ):
                taken.update({path: seen.mark for path, seen in members})
        return taken

    def finish(self, taken: dict[Path, Mark], again: set[Path], now: float) -> None:
        """Note the end of a run over `taken`; the files `again` failed and are tried later."""
        for path, mark in taken.items():
            seen = self._seen.get(path)
            if seen is None:
                continue
            if path in again:
                seen.failures += 1
                seen.not_before = now + retry_after(seen.failures)
            else:
                seen.done, seen.failures = mark, 0
