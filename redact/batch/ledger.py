"""The ledger: an append-only, hash-chained record of what was done to each item. No names, no paths.

Every row holds the SHA-256 over the row before it and its own canonical JSON, so a changed, removed or
reordered row breaks the chain. The database itself refuses updates and deletes.
"""

from __future__ import annotations

import hashlib
import json
import sqlite3
import threading
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from redact.errors import LedgerError

GENESIS = "0" * 64
_SCHEMA = """
CREATE TABLE IF NOT EXISTS ledger (
    seq INTEGER PRIMARY KEY AUTOINCREMENT,
    previous TEXT NOT NULL,
    digest TEXT NOT NULL UNIQUE,
    event TEXT NOT NULL,
    item TEXT NOT NULL,
    data TEXT NOT NULL
);
CREATE TRIGGER IF NOT EXISTS ledger_no_update BEFORE UPDATE ON ledger
BEGIN SELECT RAISE(ABORT, 'the ledger is append-only'); END;
CREATE TRIGGER IF NOT EXISTS ledger_no_delete BEFORE DELETE ON ledger
BEGIN SELECT RAISE(ABORT, 'the ledger is append-only'); END;
"""


def _canonical(event: str, item: str, data: Mapping[str, Any]) -> str:
    return json.dumps({"data": data, "event": event, "item": item}, sort_keys=True, separators=(",", ":"))


def _link(previous: str, canonical: str) -> str:
    return hashlib.sha256(f"{previous}\n{canonical}".encode()).hexdigest()


class Ledger:
    """One SQLite file. Safe to share between the threads of one process; one process at a time writes.

    Raises:
        LedgerError: the file is no ledger, or a row does not fit the chain.
    """

    def __init__(self, path: Path) -> None:
        self._lock = threading.Lock()
        try:
            self._db = sqlite3.connect(path, check_same_thread=False)
            self._db.execute("PRAGMA journal_mode=WAL")
            self._db.execute("PRAGMA synchronous=FULL")
            self._db.executescript(_SCHEMA)
        except sqlite3.Error as error:
            raise LedgerError("The ledger cannot be opened; move it away and run again.") from error

    def append(self, event: str, item: str = "", **data: Any) -> None:
        """Add one row and make it durable before returning."""
        canonical = _canonical(event, item, data)
        with self._lock:
            try:
                row = self._db.execute("SELECT digest FROM ledger ORDER BY seq DESC LIMIT 1").fetchone()
                previous = row[0] if row else GENESIS
                with self._db:
                    self._db.execute(
                        "INSERT INTO ledger (previous, digest, event, item, data) VALUES (?, ?, ?, ?, ?)",
                        (previous, _link(previous, canonical), event, item, json.dumps(data, sort_keys=True)),
                    )
            except sqlite3.Error as error:
                raise LedgerError("The ledger cannot be written (disk full or read-only?).") from error

    def rows(self) -> Iterator[tuple[int, str, str, dict[str, Any]]]:
        """(sequence number, event, item, data) of every row, oldest first."""
        try:
            for seq, event, item, data in self._db.execute(
                "SELECT seq, event, item, data FROM ledger ORDER BY seq"
            ):
                yield seq, event, item, json.loads(data)
        except (sqlite3.Error, ValueError) as error:
            raise LedgerError("The ledger cannot be read; run `redact ledger verify`.") from error

    def verify(self) -> int:
        """Check the whole chain; the number of rows.

        Raises:
            LedgerError: a row was changed, removed or put elsewhere.
        """
        previous, count = GENESIS, 0
        for seq, before, digest, event, item, data in self._db.execute(
            "SELECT seq, previous, digest, event, item, data FROM ledger ORDER BY seq"
        ):
            count += 1
            try:
                canonical = _canonical(event, item, json.loads(data))
            except ValueError as error:
                raise LedgerError(f"Row {seq} of the ledger is not readable.") from error
            if seq != count or before != previous or digest != _link(previous, canonical):
                raise LedgerError(
                    f"The chain breaks at row {seq}: the ledger was altered after it was written."
                )
            previous = digest
        return count

    def close(self) -> None:
        """Close the database."""
        self._db.close()
