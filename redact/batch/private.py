"""The private side of a batch: which public id is which input. Kept outside the output folder, mode 0600.

Losing this file loses nothing that was published; it only means that a later run cannot tell what is already
done. It is the one place where input paths are written down.
"""

from __future__ import annotations

import hashlib
import hmac
import os
import secrets
import sqlite3
import threading
from pathlib import Path

from redact.errors import OutputError

ID_ALPHABET = "abcdefghjkmnpqrstuvwxyz23456789"  # no l, o, i, 0, 1: ids are read out over the phone
ID_LENGTH = 12
_SCHEMA = """
CREATE TABLE IF NOT EXISTS setting (key TEXT PRIMARY KEY, value TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS item (
    job TEXT PRIMARY KEY, id TEXT NOT NULL UNIQUE, relative TEXT NOT NULL, released TEXT NOT NULL DEFAULT ''
);
"""


def state_folder() -> Path:
    """Where private mappings live: REDACT_PRIVATE_DIR, else the user's XDG state folder."""
    given = os.environ.get("REDACT_PRIVATE_DIR")
    if given:
        return Path(given)
    base = os.environ.get("XDG_STATE_HOME")
    return (Path(base) if base else Path.home() / ".local" / "state") / "redact"


def new_id() -> str:
    """A random public id."""
    return "".join(secrets.choice(ID_ALPHABET) for _ in range(ID_LENGTH))


class PrivateMapping:
    """Ids and salt of one output folder, under that folder's random ledger id.

    Raises:
        OutputError: the state folder cannot be written.
    """

    def __init__(self, ledger_id: str, folder: Path | None = None) -> None:
        root = folder or state_folder()
        self._lock = threading.Lock()
        try:
            root.mkdir(parents=True, exist_ok=True, mode=0o700)
            path = root / f"{ledger_id}.sqlite"
            # created by hand first: SQLite would make it readable for the group
            os.close(os.open(path, os.O_CREAT | os.O_RDWR, 0o600))
            path.chmod(0o600)
            self._db = sqlite3.connect(path, check_same_thread=False)
            self._db.executescript(_SCHEMA)
            with self._db:
                self._db.execute("INSERT OR IGNORE INTO setting VALUES ('salt', ?)", (secrets.token_hex(32),))
            (self._salt,) = self._db.execute("SELECT value FROM setting WHERE key = 'salt'").fetchone()
        except (OSError, sqlite3.Error) as error:
            raise OutputError(
                "The private mapping cannot be written; set REDACT_PRIVATE_DIR to a folder of your own."
            ) from error

    def job(self, relative: str, sha256: str) -> str:
        """Keyed digest of one input at one place: tells nothing without this file's salt."""
        message = f"{relative}\0{sha256}".encode("utf-8", "surrogateescape")
        return hmac.new(bytes.fromhex(self._salt), message, hashlib.sha256).hexdigest()

    def id_for(self, job: str, relative: str) -> str:
        """The public id of a job, the same one each time."""
        shown = relative.encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace")
        with self._lock, self._db:
            self._db.execute(
                "INSERT OR IGNORE INTO item (job, id, relative) VALUES (?, ?, ?)", (job, new_id(), shown)
            )
            (found,) = self._db.execute("SELECT id FROM item WHERE job = ?", (job,)).fetchone()
        return str(found)

    def released(self, item: str) -> str:
        """Where the item's file was last released, relative to the output folder; empty if never."""
        row = self._db.execute("SELECT released FROM item WHERE id = ?", (item,)).fetchone()
        return str(row[0]) if row else ""

    def set_released(self, item: str, relative_output: str) -> None:
        """Remember where the item's file goes, before it goes there."""
        with self._lock, self._db:
            self._db.execute("UPDATE item SET released = ? WHERE id = ?", (relative_output, item))

    def owner(self, relative_output: str) -> str:
        """The id of the item released at this place, or empty."""
        row = self._db.execute("SELECT id FROM item WHERE released = ?", (relative_output,)).fetchone()
        return str(row[0]) if row else ""

    def lookup(self, item: str) -> str:
        """The input's path relative to the input folder, for its owner's eyes; empty if unknown."""
        row = self._db.execute("SELECT relative FROM item WHERE id = ?", (item,)).fetchone()
        return str(row[0]) if row else ""

    def items(self) -> list[tuple[str, str]]:
        """(id, relative input path) of every item."""
        return [
            (str(a), str(b)) for a, b in self._db.execute("SELECT id, relative FROM item ORDER BY relative")
        ]

    def close(self) -> None:
        """Close the database."""
        self._db.close()
