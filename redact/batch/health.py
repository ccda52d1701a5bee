"""The health file of a watched folder: what a monitor needs to know, as JSON, whole at any moment.

Holds states, times and numbers: no names, no paths, no public ids.
"""

from __future__ import annotations

import json
import os
import threading
from collections import Counter
from datetime import UTC, datetime
from enum import StrEnum
from pathlib import Path
from typing import Any

from redact.batch import durable
from redact.batch.run import RunSummary
from redact.errors import OutputError, RedactError


class State(StrEnum):
    """What the watcher does."""

    STARTING = "starting"
    WAITING = "waiting"
    WORKING = "working"
    BACKING_OFF = "backing_off"
    """The last run failed as a whole; it is tried again later."""
    STOPPED = "stopped"


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds")


class Health:
    """The numbers, and the file they are written to. Safe to use from several threads."""

    def __init__(self, file: Path) -> None:
        self._file, self._lock = file, threading.Lock()
        self.state = State.STARTING
        self.started = _now()
        self.counts: Counter[str] = Counter()
        self.errors = 0
        self.waiting: dict[str, int] = {}
        self._last_run: dict[str, Any] | None = None
        self._last_error: dict[str, str] | None = None

    def ended(self, summary: RunSummary) -> None:
        """Note what a run did."""
        fresh = Counter(done.status for done in summary.items if not done.already)
        self.counts += fresh
        self._last_run = {
            "ended": _now(),
            "items": dict(fresh),
            "interrupted": summary.interrupted,
            "ledger_head": summary.head,
        }

    def failed(self, error: RedactError) -> None:
        """Note an error of a whole run, by its word alone."""
        self.errors += 1
        self._last_error = {"time": _now(), "reason": error.reason}

    def write(self, state: State | None = None) -> None:
        """Write the file aside and move it to its place.

        Raises:
            OutputError: it cannot be written.
        """
        with self._lock:
            self.state = state or self.state
            record = {
                "schema": 1,
                "state": self.state,
                "started": self.started,
                "updated": _now(),
                "last_run": self._last_run,
                "items_since_start": dict(self.counts),
                "files": self.waiting,
                "errors_since_start": self.errors,
                "last_error": self._last_error,
            }
            partial = self._file.with_name(f".{self._file.name}.partial")
            try:
                durable.make_folder(self._file.parent)
                with partial.open("w", encoding="utf-8") as file:
                    file.write(json.dumps(record, indent=1) + "\n")
                    file.flush()
                    os.fsync(file.fileno())
                durable.move(partial, self._file)
            except OSError as error:
                raise OutputError("The health file cannot be written (disk full?).") from error
