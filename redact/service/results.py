"""Reading an output folder for the HTTP side: the ledger's last word on an item, and its file, checked.

Nothing here needs the folder's lock, so it works while a run or a reviewer has it. A file is handed out only
if its bytes are those that the ledger says were released, and only from the room that the ledger names.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

from redact.batch.beside import SIDECAR_OF
from redact.batch.history import ItemHistory, histories, room_of
from redact.batch.ledger import Ledger
from redact.errors import OutputError
from redact.plan import EXTENSIONS

CHUNK = 1 << 18
MEDIA_TYPES = {
    ".jpg": "image/jpeg",
    ".png": "image/png",
    ".webp": "image/webp",
    ".tif": "image/tiff",
    ".gif": "image/gif",
    ".heic": "image/heic",
    ".avif": "image/avif",
    ".bmp": "image/bmp",
    ".mp4": "video/mp4",
}


@dataclass(frozen=True)
class State:
    """What holds for an item now."""

    item: str
    status: str
    """published, review, blocked, rejected or failed."""
    verdict: str
    """The gate's: PUBLISH, REVIEW or BLOCK; empty if it never got that far."""
    room: str
    """published, review, or empty: nothing lies there."""
    sha256: str
    by: str
    """Code of the reviewer who decided, or empty."""
    findings: tuple[dict[str, Any], ...]
    time: str


def _state(item: str, history: ItemHistory) -> State | None:
    data = history.settled
    if data is None or history.withdrawing or history.pending is not None:
        return None
    verdict = str(data.get("verdict", ""))
    review = data.get("review") or {}
    room = room_of(data) if data["event"] == "released" else ""
    if room == "published":
        status = "published"
    elif room:
        status = "blocked" if verdict == "BLOCK" else "review"
    else:
        status = str(data["event"])
    return State(
        item,
        status,
        verdict,
        room,
        str(data.get("sha256", "")),
        str(review.get("by", "")),
        tuple(data.get("findings", ())),
        str(data.get("time", "")),
    )


class OpenedResult:
    """A finished file, opened and checked. `chunks` closes it at their end."""

    def __init__(self, file: BinaryIO, suffix: str) -> None:
        self._file = file
        self.size = os.fstat(file.fileno()).st_size
        self.suffix = suffix
        self.media_type = MEDIA_TYPES[suffix]

    def chunks(self) -> Iterator[bytes]:
        """The bytes: of the very file that was checked, whatever lies at its path by now."""
        with self._file as file:
            file.seek(0)
            while data := file.read(CHUNK):
                yield data


class Results:
    """One output folder, for reading."""

    def __init__(self, out: Path) -> None:
        self._out = out

    def state(self, item: str) -> State | None:
        """The ledger's last word on the item; None if there is none, or its file is being moved right now.

        Raises:
            LedgerError: the ledger cannot be read.
        """
        path = self._out / "ledger.sqlite"
        if not item or not path.is_file():
            return None
        ledger = Ledger.for_reading(path)
        try:
            found = histories(ledger.rows_of(item)).get(item)
        finally:
            ledger.close()
        return _state(item, found) if found is not None else None

    def waiting(self) -> list[State]:
        """Every item in `review/`, those that were blocked first, then by time.

        Raises:
            LedgerError: the ledger cannot be read.
        """
        path = self._out / "ledger.sqlite"
        if not path.is_file():
            return []
        ledger = Ledger.for_reading(path)
        try:
            all_items = histories(ledger.rows())
        finally:
            ledger.close()
        found = [
            state
            for item, history in all_items.items()
            if SIDECAR_OF not in (history.settled or {})
            and (state := _state(item, history)) is not None
            and state.room == "review"
        ]
        return sorted(found, key=lambda state: (state.status != "blocked", state.time, state.item))

    def open(self, state: State) -> OpenedResult:
        """The item's file in its room.

        Raises:
            OutputError: it is not there, or its bytes are not those that were judged.
        """
        for suffix in dict.fromkeys(EXTENSIONS.values()):
            path = self._out / state.room / f"{state.item}{suffix}"
            try:
                handle = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
            except OSError:
                continue
            file = os.fdopen(handle, "rb")
            if hashlib.file_digest(file, "sha256").hexdigest() == state.sha256:
                return OpenedResult(file, suffix)
            file.close()
            break
        raise OutputError("The result is not where the record says, or is not what was judged.")

    def report(self, item: str) -> bytes:
        """The item's JSON report.

        Raises:
            OutputError: there is none.
        """
        try:
            return (self._out / "report" / "items" / f"{item}.json").read_bytes()
        except OSError as error:
            raise OutputError("The report is not there.") from error
