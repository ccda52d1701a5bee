"""The ledger: an append-only, hash-chained record of what was done to each item. No names, no paths.

Every row holds the SHA-256 over the row before it and its own canonical JSON, so a changed, removed, added
or reordered row breaks the chain; rows cut off at the end are seen by whoever knows a later head. Order is by
sequence number alone: each row's `time` (UTC, by this machine's clock) is data that no rule depends on.
"""

from __future__ import annotations

import hashlib
import json
import re
import sqlite3
import threading
import urllib.parse
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
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


@dataclass(frozen=True)
class Link:
    """One row with its place in the chain."""

    seq: int
    previous: str
    digest: str
    event: str
    item: str
    data: dict[str, Any]


@dataclass(frozen=True)
class Head:
    """The end of the chain. Whoever notes it can show later that no row before it was changed or removed."""

    rows: int
    digest: str

    def __str__(self) -> str:
        return f"{self.rows}:{self.digest}"


def _utc_now() -> str:
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _data_text(data: Mapping[str, Any]) -> str:
    return json.dumps(data, sort_keys=True)


def canonical(event: str, item: str, data: Mapping[str, Any]) -> str:
    """The text of a row that is hashed: JSON, ASCII, keys sorted, no spaces."""
    return json.dumps({"data": data, "event": event, "item": item}, sort_keys=True, separators=(",", ":"))


def link_digest(previous: str, text: str) -> str:
    """SHA-256 (hex) over the digest before, a line feed and the row's canonical text."""
    return hashlib.sha256(f"{previous}\n{text}".encode()).hexdigest()


class Ledger:
    """One SQLite file. Safe to share between the threads of one process; one process at a time writes.

    Raises:
        LedgerError: the file is no ledger, or a row does not fit the chain.
    """

    def __init__(self, path: Path, clock: Callable[[], str] = _utc_now) -> None:
        self._lock = threading.Lock()
        self._clock = clock
        try:
            self._db = sqlite3.connect(path, check_same_thread=False)
            # one file that holds every committed row: what is copied out of OUT is never short of a side file
            self._db.execute("PRAGMA journal_mode=DELETE")
            self._db.execute("PRAGMA synchronous=EXTRA")
            self._db.executescript(_SCHEMA)
        except sqlite3.Error as error:
            raise LedgerError("The ledger cannot be opened; move it away and run again.") from error

    @classmethod
    def for_reading(cls, path: Path) -> Ledger:
        """An existing ledger, without changing it or needing to be allowed to."""
        ledger = cls.__new__(cls)
        ledger._lock, ledger._clock = threading.Lock(), _utc_now
        where = urllib.parse.quote(str(path.resolve()))
        for mode in ("rw", "ro"):  # rw: SQLite must be able to undo a commit that a crash cut short
            try:
                ledger._db = sqlite3.connect(f"file:{where}?mode={mode}", uri=True, check_same_thread=False)
                if not ledger._db.execute("SELECT count(*) FROM sqlite_master").fetchone()[0]:
                    # a run was killed before it wrote a row
                    ledger._db.close()
                    ledger._db = sqlite3.connect(":memory:", check_same_thread=False)
                    ledger._db.executescript(_SCHEMA)
                ledger._db.execute("SELECT count(*) FROM ledger").fetchone()
            except sqlite3.OperationalError as error:
                failed: sqlite3.Error = error
            except sqlite3.Error as error:
                failed = error
                break
            else:
                return ledger
        raise LedgerError(
            "The ledger cannot be read; if it was copied, copy the folder whole, to where it can be written."
        ) from failed

    def append(self, event: str, item: str = "", **data: Any) -> None:
        """Add one row with the time of now and make it durable before returning."""
        data = {**data, "time": self._clock()}
        text = canonical(event, item, data)
        with self._lock:
            try:
                previous = self._head().digest
                with self._db:
                    self._db.execute(
                        "INSERT INTO ledger (previous, digest, event, item, data) VALUES (?, ?, ?, ?, ?)",
                        (previous, link_digest(previous, text), event, item, _data_text(data)),
                    )
            except sqlite3.Error as error:
                raise LedgerError("The ledger cannot be written (disk full or read-only?).") from error

    def _head(self) -> Head:
        row = self._db.execute("SELECT seq, digest FROM ledger ORDER BY seq DESC LIMIT 1").fetchone()
        return Head(*row) if row else Head(0, GENESIS)

    def head(self) -> Head:
        """The end of the chain."""
        with self._lock:
            try:
                return self._head()
            except sqlite3.Error as error:
                raise LedgerError("The ledger cannot be read; run `redact ledger verify`.") from error

    def identity(self) -> str:
        """The random id in the ledger's first row, 32 hex digits; empty if there is no row yet.

        Raises:
            LedgerError: the first row is another.
        """
        for link in self._links():
            found = link.data.get("id")
            if link.event == "created" and isinstance(found, str) and re.fullmatch("[0-9a-f]{32}", found):
                return found
            raise LedgerError("The ledger does not begin as this tool writes it; run `redact ledger verify`.")
        return ""

    def rows(self) -> Iterator[tuple[int, str, str, dict[str, Any]]]:
        """(sequence number, event, item, data) of every row, oldest first."""
        for link in self._links():
            yield link.seq, link.event, link.item, link.data

    def rows_of(self, item: str) -> Iterator[tuple[int, str, str, dict[str, Any]]]:
        """The rows of one item, as `rows` gives them."""
        for link in self._links("WHERE item = ?", (item,)):
            yield link.seq, link.event, link.item, link.data

    def _links(self, where: str = "", values: tuple[str, ...] = ()) -> Iterator[Link]:
        try:
            found = self._db.execute(
                f"SELECT seq, previous, digest, event, item, data FROM ledger {where} ORDER BY seq", values
            )
            for seq, previous, digest, event, item, text in found:
                try:
                    data = json.loads(text)
                    exact = isinstance(data, dict) and text == _data_text(data)
                except (ValueError, TypeError, RecursionError) as error:
                    raise LedgerError(f"Row {seq} of the ledger is not readable.") from error
                if not (exact and isinstance(event, str) and isinstance(item, str)):
                    raise LedgerError(f"Row {seq} of the ledger is not as this tool writes it.")
                yield Link(seq, previous, digest, event, item, data)
        except sqlite3.Error as error:
            raise LedgerError("The ledger cannot be read; run `redact ledger verify`.") from error

    def chain(self, known: str = "") -> Iterator[Link]:
        """Every row, oldest first, each checked to fit the one before; `known` is a head noted earlier,
        `rows:digest` or the digest alone.

        Raises:
            LedgerError: a row was changed, removed, added or put elsewhere, or `known` is not in the chain.
        """
        wanted_rows, _, wanted = known.strip().lower().rpartition(":")
        previous, met = GENESIS, not known
        for count, link in enumerate(self._links(), 1):
            fits = link_digest(previous, canonical(link.event, link.item, link.data))
            if link.seq != count or link.previous != previous or link.digest != fits:
                raise LedgerError(
                    f"The chain breaks at row {link.seq}: the ledger was altered after it was written."
                )
            met = met or (link.digest == wanted and wanted_rows in ("", str(count)))
            previous = link.digest
            yield link
        if not met:
            raise LedgerError(
                "The noted head is not in the ledger: rows were removed at its end, or it is an older copy, "
                "or another folder's."
            )

    def verify(self, known: str = "") -> int:
        """Check the whole chain (see `chain`); the number of rows."""
        return sum(1 for _ in self.chain(known))

    def close(self) -> None:
        """Close the database."""
        self._db.close()


__all__ = ["GENESIS", "Head", "Ledger", "Link", "canonical", "link_digest"]
