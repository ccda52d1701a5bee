"""What is known of files from before: which passed, and which check still runs. One SQLite file, or nothing.

A row is named by a digest of the file's digest, keyed with the token: who can read or write the memory learns
no digest and can add no pass. A memory that cannot be read knows nothing: it costs a check and adds no pass.
"""

from __future__ import annotations

import contextlib
import hashlib
import hmac
import os
import sqlite3
import time
from collections.abc import Iterator

KEEP_S = 30 * 86400
"""Then a file is judged anew: policies and models change."""


class Memory:
    """Safe to share between threads and processes. `path`: empty for a memory of this process alone."""

    def __init__(self, path: str) -> None:
        self._path = path
        self._own: dict[str, tuple[str, float]] = {}

    def passed(self, token: str, digest: str) -> bool:
        """Whether a file of this digest passed not long ago."""
        return self._get(_name(token, "passed", digest)) == "yes"

    def job(self, token: str, digest: str) -> str:
        """The check that was not over when it was asked for, or an empty string."""
        return self._get(_name(token, "job", digest))

    def note_pass(self, token: str, digest: str) -> None:
        """It passed."""
        self._put(_name(token, "passed", digest), "yes")
        self._put(_name(token, "job", digest), "")

    def note_job(self, token: str, digest: str, job: str) -> None:
        """Its check may still run; an empty `job`: it does not."""
        self._put(_name(token, "job", digest), job)

    @contextlib.contextmanager
    def _open(self) -> Iterator[sqlite3.Connection]:
        os.close(os.open(self._path, os.O_CREAT | os.O_RDWR, 0o600))
        with contextlib.closing(sqlite3.connect(self._path, timeout=5, isolation_level=None)) as db:
            db.execute("CREATE TABLE IF NOT EXISTS known (name TEXT PRIMARY KEY, value TEXT, time REAL)")
            yield db

    def _get(self, name: str) -> str:
        since = time.time() - KEEP_S
        if not self._path:
            value, noted = self._own.get(name, ("", 0.0))
            return value if noted >= since else ""
        try:
            with self._open() as db:
                row = db.execute(
                    "SELECT value FROM known WHERE name = ? AND time >= ?", (name, since)
                ).fetchone()
        except (sqlite3.Error, OSError):
            return ""
        return str(row[0]) if row else ""

    def _put(self, name: str, value: str) -> None:
        now = time.time()
        if not self._path:
            self._own[name] = (value, now)
            return
        with contextlib.suppress(sqlite3.Error, OSError), self._open() as db:
            db.execute("DELETE FROM known WHERE time < ? OR name = ?", (now - KEEP_S, name))
            if value:
                db.execute("INSERT OR REPLACE INTO known VALUES (?, ?, ?)", (name, value, now))


def _name(token: str, what: str, digest: str) -> str:
    return hmac.new(token.encode(), f"{what} {digest}".encode(), hashlib.sha256).hexdigest()
