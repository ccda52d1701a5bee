"""The private side of a batch: which public id is which input. Kept outside the output folder, mode 0600.

It is the one place where input paths are written down. Losing it loses nothing that was published, but no
later run could tell what is already done: such a run is refused, for it would publish every item again. It
also keeps the ledger's last head, so that rows cut off at the ledger's end are missed.
"""

from __future__ import annotations

import contextlib
import hashlib
import hmac
import os
import re
import secrets
import sqlite3
import stat
import threading
import urllib.parse
from pathlib import Path
from typing import NamedTuple

from redact.errors import OutputError

ID_ALPHABET = "abcdefghjkmnpqrstuvwxyz23456789"  # no l, o, i, 0, 1: ids are read out over the phone
ID_LENGTH = 12
_SCHEMA = """
CREATE TABLE IF NOT EXISTS setting (key TEXT PRIMARY KEY, value TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS item (
    job TEXT PRIMARY KEY, id TEXT NOT NULL UNIQUE, relative TEXT NOT NULL, released TEXT NOT NULL DEFAULT '',
    next TEXT NOT NULL DEFAULT '', content TEXT NOT NULL DEFAULT ''
);
"""
_OURS = re.compile(r"spool|[0-9a-f]{32}\.sqlite(-journal|-wal|-shm)?")
"""Names of what this tool keeps in the folder: mappings, and workers' inputs and outputs."""
_UNREADABLE = "The private mapping cannot be written; set REDACT_PRIVATE_DIR to a folder of your own."
_REFUSED = "The private mapping cannot be read or written now; check free space and permissions, run again."


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


def read_anchor(ledger_id: str, folder: Path | None = None) -> str:
    """The ledger's head that was noted last, without changing or making anything; empty if it is not here."""
    path = (folder or state_folder()) / f"{ledger_id}.sqlite"
    if not path.is_file():
        return ""
    where = urllib.parse.quote(str(path.resolve()))
    try:
        with contextlib.closing(sqlite3.connect(f"file:{where}?mode=rw", uri=True)) as db:
            row = db.execute("SELECT value FROM setting WHERE key = 'head'").fetchone()
    except sqlite3.Error as error:
        raise OutputError("The private mapping cannot be read; check its permissions.") from error
    return str(row[0]) if row else ""


class Places(NamedTuple):
    """Where an item came from and where it went."""

    relative: str
    """Of the input, below the input folder. Shown to nobody who did not ask for it."""
    released: str
    """Of its file, below the output folder; empty if none was released."""


def read_places(ledger_id: str, item: str, folder: Path | None = None) -> Places:
    """What the mapping knows of an item, without changing or making anything, whoever holds the folder.

    Raises:
        OutputError: the mapping is not here or cannot be read, or does not know the item.
    """
    path = (folder or state_folder()) / f"{ledger_id}.sqlite"
    if not path.is_file():
        raise OutputError(
            "The private mapping of this output folder is not here, so its inputs and kept names are not "
            "known. Set REDACT_PRIVATE_DIR as for the run."
        )
    where = urllib.parse.quote(str(path.resolve()))
    try:
        with contextlib.closing(sqlite3.connect(f"file:{where}?mode=rw", uri=True)) as db:
            row = db.execute("SELECT relative, released FROM item WHERE id = ?", (item,)).fetchone()
    except sqlite3.Error as error:
        raise OutputError("The private mapping cannot be read; check its permissions.") from error
    if row is None:
        raise OutputError("The private mapping does not know this item.")
    return Places(str(row[0]), str(row[1]))


def _secure_folder(root: Path) -> None:
    """Make the folder, its owner's alone; one that others can enter is closed if it is plainly ours.

    Raises:
        OutputError: it belongs to somebody else, or is open to others and holds other things.
    """
    root.mkdir(parents=True, exist_ok=True, mode=0o700)
    state = root.stat()
    if state.st_uid != os.geteuid():
        raise OutputError(
            "The folder for the private mapping belongs to another user; choose one of your own."
        )
    if stat.S_IMODE(state.st_mode) & 0o077:
        if not all(_OURS.fullmatch(path.name) for path in root.iterdir()):
            raise OutputError(
                "Others can enter the folder for the private mapping (REDACT_PRIVATE_DIR); "
                "choose a folder of its own, or close this one: chmod 700."
            )
        root.chmod(0o700)


class PrivateMapping:
    """Ids and salt of one output folder, under that folder's random ledger id.

    `create`: whether a new one may be made; False for an output folder that already holds items.

    Raises:
        OutputError: the state folder cannot be written or is open to others, or the mapping is not there.
    """

    def __init__(self, ledger_id: str, folder: Path | None = None, create: bool = True) -> None:
        root = folder or state_folder()
        self._lock = threading.Lock()
        try:
            _secure_folder(root)
            path = root / f"{ledger_id}.sqlite"
            if not create and not path.is_file():
                raise OutputError(
                    "The private mapping of this output folder is not here; without it every item would be "
                    "done and published again. Set REDACT_PRIVATE_DIR as before, or choose an empty folder."
                )
            # created by hand first: SQLite would make it readable for the group
            handle = os.open(path, os.O_CREAT | os.O_RDWR | os.O_NOFOLLOW, 0o600)
            os.fchmod(handle, 0o600)
            os.close(handle)
            self._db = sqlite3.connect(path, check_same_thread=False)
            self._db.execute("PRAGMA synchronous=EXTRA")
            self._db.executescript(_SCHEMA)
            known = {row[1] for row in self._db.execute("PRAGMA table_info(item)")}
            for column in ("next", "content"):
                if column not in known:
                    self._db.execute(f"ALTER TABLE item ADD COLUMN {column} TEXT NOT NULL DEFAULT ''")
            with self._db:
                self._db.execute("INSERT OR IGNORE INTO setting VALUES ('salt', ?)", (secrets.token_hex(32),))
            (self._salt,) = self._db.execute("SELECT value FROM setting WHERE key = 'salt'").fetchone()
        except (OSError, sqlite3.Error) as error:
            raise OutputError(_UNREADABLE) from error

    def job(self, relative: str, sha256: str) -> str:
        """Keyed digest of one input at one place: tells nothing without this file's salt."""
        message = f"{relative}\0{sha256}".encode("utf-8", "surrogateescape")
        return hmac.new(bytes.fromhex(self._salt), message, hashlib.sha256).hexdigest()

    def keyed(self, text: str) -> str:
        """Keyed digest (hex) of a text, such as the watch list: tells nothing without this file's salt."""
        return hmac.new(bytes.fromhex(self._salt), text.encode(), hashlib.sha256).hexdigest()

    def id_for(self, job: str, relative: str, sha256: str = "") -> str:
        """The public id of a job, the same one each time. `sha256`: of its input, for `content`."""
        shown = relative.encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace")
        content = self.job("", sha256) if sha256 else ""
        try:
            with self._lock, self._db:
                self._db.execute(
                    "INSERT OR IGNORE INTO item (job, id, relative, content) VALUES (?, ?, ?, ?)",
                    (job, new_id(), shown, content),
                )
                (found,) = self._db.execute("SELECT id FROM item WHERE job = ?", (job,)).fetchone()
        except sqlite3.Error as error:
            raise OutputError(_REFUSED) from error
        if sha256:  # mappings of earlier versions know no contents
            self.note_content(str(found), sha256)
        return str(found)

    def note_content(self, item: str, sha256: str) -> None:
        """Remember which bytes the item's input has; nothing is written if that is known."""
        content = self.job("", sha256)
        self._change("UPDATE item SET content = ? WHERE id = ? AND content <> ?", (content, item, content))

    def _read(self, question: str, values: tuple[str, ...] = ()) -> list[tuple[str, ...]]:
        try:
            with self._lock:
                return [tuple(map(str, row)) for row in self._db.execute(question, values)]
        except sqlite3.Error as error:
            raise OutputError(_REFUSED) from error

    def released(self, item: str) -> str:
        """Where the item's file was last released, relative to the output folder; empty if never."""
        return self._places(item)[0]

    def coming(self, item: str) -> str:
        """Where a release that has begun and not ended puts the item's file; empty if none has."""
        return self._places(item)[1]

    def _places(self, item: str) -> tuple[str, str]:
        rows = self._read("SELECT released, next FROM item WHERE id = ?", (item,))
        return (rows[0][0], rows[0][1]) if rows else ("", "")

    def content(self, item: str) -> str:
        """Keyed digest of the item's input: equal for equal bytes, whatever their path. Empty if unknown."""
        rows = self._read("SELECT content FROM item WHERE id = ?", (item,))
        return rows[0][0] if rows else ""

    def set_coming(self, item: str, relative_output: str) -> None:
        """Remember where the item's file goes, before it goes there."""
        self._change("UPDATE item SET next = ? WHERE id = ?", (relative_output, item))

    def set_released(self, item: str, relative_output: str) -> None:
        """Remember where the item's file lies; empty: nowhere. What lay there before is there no longer."""
        self._change("UPDATE item SET released = '' WHERE released = ? AND id <> ?", (relative_output, item))
        self._change("UPDATE item SET released = ?, next = '' WHERE id = ?", (relative_output, item))

    def _change(self, statement: str, values: tuple[str, ...]) -> None:
        try:
            with self._lock, self._db:
                self._db.execute(statement, values)
        except sqlite3.Error as error:
            raise OutputError(_UNREADABLE) from error

    def owner(self, relative_output: str) -> str:
        """The id of the item released at this place, or empty."""
        rows = self._read(
            "SELECT id FROM item WHERE released = ? OR next = ?", (relative_output, relative_output)
        )
        return rows[0][0] if rows else ""

    def anchor(self) -> str:
        """The ledger's head when it was last noted, `rows:digest`; empty if never."""
        rows = self._read("SELECT value FROM setting WHERE key = 'head'")
        return rows[0][0] if rows else ""

    def set_anchor(self, head: str) -> None:
        """Note the ledger's head."""
        self._change("INSERT OR REPLACE INTO setting VALUES ('head', ?)", (head,))

    def lookup(self, item: str) -> str:
        """The input's path relative to the input folder, for its owner's eyes; empty if unknown."""
        rows = self._read("SELECT relative FROM item WHERE id = ?", (item,))
        return rows[0][0] if rows else ""

    def items(self) -> list[tuple[str, str]]:
        """(id, relative input path) of every item."""
        return [(row[0], row[1]) for row in self._read("SELECT id, relative FROM item ORDER BY relative")]

    def close(self) -> None:
        """Close the database."""
        self._db.close()
