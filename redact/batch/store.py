"""The output folder: its layout, its lock, and the one function that moves a judged file to where it belongs.

    OUT/published/   finished bytes that passed the gate, nothing else
    OUT/review/      finished bytes that wait for a person
    OUT/plans/       one plan per item, editable
    OUT/report/      index.html, and items/<id>.json
    OUT/ledger.sqlite
    OUT/.work/       half-done things; emptied at the start of every run

Release is crash-safe: the ledger says `releasing` with the digest before the rename and `released` after it,
so a run that was killed between the two is completed, not repeated.
"""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import os
import secrets
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from redact.batch.ledger import Ledger
from redact.batch.private import PrivateMapping, state_folder
from redact.errors import OutputError, UsageError
from redact.findings import Verdict

NEUTRAL_TIME = 946684800
"""Modification time of every released file: 2000-01-01 00:00 UTC, the same for all, telling nothing."""


def sha256_file(path: Path) -> str:
    """Plain SHA-256 (hex) of a finished file."""
    with path.open("rb") as source:
        return hashlib.file_digest(source, "sha256").hexdigest()


def _fsync(path: Path) -> None:
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


class Store:
    """One output folder, held by one run at a time. Use as a context manager.

    Raises:
        UsageError: the folder holds published files but no ledger.
        OutputError: it cannot be written, or another run holds it.
    """

    def __init__(self, root: Path, private_folder: Path | None = None) -> None:
        self.root = root
        self.published, self.review = root / "published", root / "review"
        self.plans, self.report, self.work = root / "plans", root / "report", root / ".work"
        self._private_folder = private_folder
        self._lock_file: int | None = None
        self.ledger: Ledger
        self.private: PrivateMapping

    def __enter__(self) -> Store:
        private = (self._private_folder or state_folder()).resolve()
        if self.root.resolve() in (private, *private.parents):
            raise UsageError("The private mapping must lie outside the output folder (REDACT_PRIVATE_DIR).")
        if not (self.root / "ledger.sqlite").exists() and any(
            folder.is_dir() and any(folder.iterdir()) for folder in (self.published, self.review)
        ):
            raise UsageError("The output folder holds files but no ledger; choose an empty folder.")
        try:
            for folder in (self.published, self.review, self.plans, self.report / "items", self.work):
                folder.mkdir(parents=True, exist_ok=True)
            self._lock_file = os.open(self.work / "lock", os.O_CREAT | os.O_RDWR, 0o600)
        except OSError as error:
            raise OutputError(
                "The output folder cannot be written; check its permissions and free space."
            ) from error
        try:
            fcntl.flock(self._lock_file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            os.close(self._lock_file)
            self._lock_file = None
            raise OutputError("Another run is working on this output folder; wait for it.") from error
        for left in self.work.iterdir():
            if left.name != "lock" and not left.name.startswith("done-"):
                shutil.rmtree(left) if left.is_dir() else left.unlink()
        self.ledger = Ledger(self.root / "ledger.sqlite")
        ledger_id = next((data["id"] for _, event, _, data in self.ledger.rows() if event == "created"), "")
        if not ledger_id:
            ledger_id = secrets.token_hex(16)
            self.ledger.append("created", id=ledger_id)
        self.private = PrivateMapping(ledger_id, self._private_folder)
        self._finish_interrupted_releases()
        return self

    def __exit__(self, *_: object) -> None:
        self.ledger.close()
        self.private.close()
        if self._lock_file is not None:
            os.close(self._lock_file)  # closing releases the lock

    @contextlib.contextmanager
    def workspace(self, item: str) -> Iterator[Path]:
        """A private empty folder on the same file system, removed afterwards whatever happens."""
        folder = self.work / item
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir()
        try:
            yield folder
        finally:
            shutil.rmtree(folder, ignore_errors=True)

    def states(self) -> dict[str, dict[str, Any]]:
        """The last word of the ledger on every item: its `released` or `failed` row."""
        found: dict[str, dict[str, Any]] = {}
        for _, event, item, data in self.ledger.rows():
            if event in ("released", "failed"):
                found[item] = {"event": event, **data}
        return found

    def destination(self, verdict: Verdict, name: str) -> Path:
        """Where a file of that verdict lies. `name` is relative to `published/` or `review/`."""
        return (self.published if verdict is Verdict.PUBLISH else self.review) / name

    def release(self, item: str, file: Path, sha256: str, verdict: Verdict, name: str, **record: Any) -> Path:
        """Move the judged file to its place, durably and atomically, and write that down.

        An earlier release of the same item is withdrawn first, so that a stricter policy takes back what a
        looser one let pass.

        Raises:
            OutputError: the bytes are not those that were judged, or the folder cannot be written.
        """
        if sha256_file(file) != sha256:
            raise OutputError("The finished file changed after it was judged; it was thrown away.")
        target = self.destination(verdict, name)
        try:
            target.parent.mkdir(parents=True, exist_ok=True)
            os.utime(file, (NEUTRAL_TIME, NEUTRAL_TIME))
            file.chmod(0o644)
            _fsync(file)
            staged = self.work / f"done-{item}"
            file.replace(staged)
            self._withdraw(item, keep=target)
            self.private.set_released(item, str(target.relative_to(self.root)))
            self.ledger.append("releasing", item, sha256=sha256, verdict=verdict.value, **record)
            staged.replace(target)
            _fsync(target.parent)
        except OSError as error:
            raise OutputError(
                "The file could not be moved to its place; check permissions and free space."
            ) from error
        self.ledger.append("released", item, sha256=sha256, verdict=verdict.value, **record)
        return target

    def withdraw(self, item: str) -> None:
        """Take back whatever was released for the item: a later run could not vouch for it."""
        self._withdraw(item, keep=None)

    def _withdraw(self, item: str, keep: Path | None) -> None:
        earlier = self.private.released(item)
        if earlier and (keep is None or self.root / earlier != keep) and (self.root / earlier).exists():
            (self.root / earlier).unlink()
            self.ledger.append("withdrawn", item)

    def _finish_interrupted_releases(self) -> None:
        pending: dict[str, dict[str, Any]] = {}
        for _, event, item, data in self.ledger.rows():
            if event == "releasing":
                pending[item] = data
            elif event in ("released", "abandoned"):
                pending.pop(item, None)
        for item, data in pending.items():
            staged = self.work / f"done-{item}"
            place = self.private.released(item)
            target = self.root / place if place else None
            if target is not None and staged.exists() and sha256_file(staged) == data["sha256"]:
                target.parent.mkdir(parents=True, exist_ok=True)
                staged.replace(target)
            if target is not None and target.exists() and sha256_file(target) == data["sha256"]:
                self.ledger.append("released", item, **data)
            else:
                self.ledger.append("abandoned", item)
        for left in self.work.glob("done-*"):
            left.unlink()
