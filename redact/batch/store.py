"""The output folder: its layout, its lock, and the one function that moves a judged file to where it belongs.

    OUT/published/   finished bytes that passed the gate, nothing else
    OUT/review/      finished bytes that wait for a person
    OUT/plans/       one plan per item, editable
    OUT/report/      index.html, report.json, and items/<id>.json
    OUT/ledger.sqlite
    OUT/.work/       half-done things; emptied at the start of every run

Release is crash-safe: the ledger says `releasing` with the digest before the rename and `released` after it,
so a run that was killed between the two is completed, not repeated. Taking back works the same way. The order
of what becomes durable is always: the file's bytes, the intent in the ledger, the rename, its folder, the
ledger again.
"""

from __future__ import annotations

import contextlib
import errno
import fcntl
import hashlib
import os
import secrets
import shutil
import stat
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

from redact.batch import durable
from redact.batch.history import ItemHistory, histories
from redact.batch.ledger import Ledger
from redact.batch.private import PrivateMapping, state_folder
from redact.errors import InUseError, LedgerError, OutputError, UsageError
from redact.findings import Verdict

NEUTRAL_TIME = 946684800
"""Modification time of every released file: 2000-01-01 00:00 UTC, the same for all, telling nothing."""


def sha256_file(path: Path) -> str:
    """Plain SHA-256 (hex) of a finished file."""
    with path.open("rb") as source:
        return hashlib.file_digest(source, "sha256").hexdigest()


class Store:
    """One output folder, held by one run at a time. Use as a context manager.

    Raises:
        UsageError: the folder holds published files but no ledger.
        InUseError: another process holds it.
        OutputError: it cannot be written, or its private mapping is not here.
        LedgerError: the ledger was altered, or rows are missing at its end.
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
        try:
            unknown = not (self.root / "ledger.sqlite").exists() and any(
                folder.is_dir() and any(folder.iterdir()) for folder in (self.published, self.review)
            )
        except OSError as error:
            raise OutputError(
                "The output folder cannot be looked at; check its permissions, and that its share is there."
            ) from error
        if unknown:
            raise UsageError("The output folder holds files but no ledger; choose an empty folder.")
        try:
            for folder in (self.published, self.review, self.plans, self.report / "items", self.work):
                folder.mkdir(parents=True, exist_ok=True)
            self._lock_file = os.open(self.work / "lock", os.O_CREAT | os.O_RDWR, 0o600)
        except OSError as error:
            raise OutputError(
                "The output folder cannot be written; check its permissions and free space."
            ) from error
        with contextlib.ExitStack() as undo:
            undo.callback(self._unlock)
            try:
                fcntl.flock(self._lock_file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError as error:
                raise InUseError("Another run is working on this output folder; wait for it.") from error
            self._guarded(self._sweep)
            self.ledger = Ledger(self.root / "ledger.sqlite")
            undo.callback(self.ledger.close)
            begun = any(item for _, _, item, _ in self.ledger.rows())
            ledger_id = self.ledger.identity()
            if not ledger_id:
                ledger_id = secrets.token_hex(16)
                self.ledger.append("created", id=ledger_id)
            self.private = PrivateMapping(ledger_id, self._private_folder, create=not begun)
            undo.callback(self.private.close)
            self.ledger.verify(self.private.anchor())
            self._guarded(self._finish_interrupted)
            undo.pop_all()
        return self

    def __exit__(self, *_: object) -> None:
        with contextlib.suppress(
            OutputError
        ):  # a full disk: the anchor stays an older one, which still holds
            self.private.set_anchor(str(self.ledger.head()))
        self.ledger.close()
        self.private.close()
        self._unlock()

    def _unlock(self) -> None:
        if self._lock_file is not None:
            os.close(self._lock_file)  # closing releases the lock
            self._lock_file = None

    @staticmethod
    def _guarded(step: Callable[[], None]) -> None:
        try:
            step()
        except OSError as error:
            raise OutputError(
                "What a killed run left in the output folder cannot be put in order; check permissions "
                "and free space."
            ) from error

    def _sweep(self) -> None:
        """Remove what a killed run left half-done, but for what its release may still need."""
        for left in self.work.iterdir():
            if left.name != "lock" and not left.name.startswith("done-"):
                shutil.rmtree(left) if left.is_dir() and not left.is_symlink() else left.unlink()
        for folder in (self.plans, self.report, self.report / "items"):
            for left in folder.glob("*.partial"):
                left.unlink()

    @contextlib.contextmanager
    def workspace(self, item: str) -> Iterator[Path]:
        """A private empty folder on the same file system, removed afterwards whatever happens.

        Its name is new each time: a worker of a killed run that still dies can reach nothing of this one.
        """
        folder = self.work / f"{item}-{secrets.token_hex(4)}"
        folder.mkdir()
        try:
            yield folder
        finally:
            shutil.rmtree(folder, ignore_errors=True)

    def histories(self) -> dict[str, ItemHistory]:
        """What the ledger says of every item."""
        return histories(self.ledger.rows())

    def states(self) -> dict[str, dict[str, Any]]:
        """The last settled word on every item: its `released`, `failed` or `rejected` row."""
        return {
            item: history.settled for item, history in self.histories().items() if history.settled is not None
        }

    def write_text(self, target: Path, text: str) -> None:
        """Write a plan, a report or a page, whole or not at all.

        Raises:
            OutputError: it could not be written.
        """
        try:
            durable.write_text(target, text, self.work)
        except OSError as error:
            raise OutputError("A plan or report could not be written (disk full?).") from error

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
        target = self.destination(verdict, name)
        try:
            if sha256_file(file) != sha256:
                raise OutputError("The finished file changed after it was judged; it was thrown away.")
            durable.make_folder(target.parent)
            file.chmod(0o644)
            os.utime(file, (NEUTRAL_TIME, NEUTRAL_TIME))
            durable.sync(file)
            staged = self.work / f"done-{item}"
            durable.move(file, staged)
            self._withdraw(item, keep=target)
            self._place(item, staged, target, {"sha256": sha256, "verdict": verdict.value, **record})
        except OSError as error:
            raise OutputError(
                "The file could not be moved to its place; check permissions and free space."
            ) from error
        return target

    def approve(self, item: str, review: Mapping[str, Any]) -> None:
        """Write down that a person approved what waits in `review/`, where that is not yet enough.

        Raises:
            OutputError: see `publish_reviewed`.
        """
        data, _ = self._waiting(item)
        self.ledger.append("approved", item, sha256=data["sha256"], review=dict(review))

    def publish_reviewed(self, item: str, review: Mapping[str, Any]) -> None:
        """Move a file from `review/` to `published/` as it is: as many people as must decided so.

        Raises:
            OutputError: nothing of the item waits in review, or its bytes are not those that were judged.
        """
        data, source = self._waiting(item)
        target = self.published / source.relative_to(self.review)
        try:
            durable.make_folder(target.parent)
            kept = {
                key: value for key, value in data.items() if key not in ("event", "time", "room", "review")
            }
            self._place(item, source, target, {**kept, "review": dict(review)})
        except OSError as error:
            raise OutputError(
                "The file could not be moved to its place; check permissions and free space."
            ) from error

    def _waiting(self, item: str) -> tuple[dict[str, Any], Path]:
        """The item's row and its file in `review/`, whose bytes are those that were judged."""
        data = self.states().get(item, {})
        place = self.private.released(item)
        if data.get("event") != "released" or place.partition("/")[0] != self.review.name:
            raise OutputError("Nothing of this item waits in review.")
        source = self.root / place
        try:
            if source.is_file() and sha256_file(source) == data["sha256"]:
                return data, source
        except OSError as error:
            raise OutputError("The file in review cannot be read; check permissions.") from error
        raise OutputError("The file in review is not the one that was judged; run the folder again.")

    def reject(self, item: str, review: Mapping[str, Any], **record: Any) -> None:
        """Write down that a person rejected the item, then take back what was released for it.

        Raises:
            OutputError: the folder or the ledger cannot be written.
        """
        self.ledger.append("rejected", item, review=review, **record)
        self.withdraw(item)

    def withdraw(self, item: str) -> None:
        """Take back whatever was released for the item: a later run could not vouch for it.

        Raises:
            OutputError: a file could not be removed, or the ledger could not be written (the file is gone).
        """
        try:
            self._withdraw(item, keep=None)
        except OSError as error:
            raise OutputError("An earlier file of the item could not be taken back; remove it.") from error

    def _place(self, item: str, source: Path, target: Path, data: dict[str, Any]) -> None:
        """Intent, rename, fact."""
        data = {**data, "room": target.relative_to(self.root).parts[0]}
        place = str(target.relative_to(self.root))
        self.private.set_coming(item, place)
        self.ledger.append("releasing", item, **data)
        durable.move(source, target)
        self.private.set_released(item, place)
        self.ledger.append("released", item, **data)
        self.private.set_anchor(str(self.ledger.head()))

    def _withdraw(self, item: str, keep: Path | None) -> bool:
        """Whether anything lay there."""
        found = False
        places = {self.private.released(item), self.private.coming(item)} - {""}
        for path in sorted(self.root / place for place in places):
            if path == keep or not _holds_file(path):
                continue
            # taking back comes before bookkeeping: on a full disk the file goes, and the second row complains
            with contextlib.suppress(LedgerError):
                self.ledger.append("withdrawing", item)
            durable.remove(path)
            self.ledger.append("withdrawn", item)
            found = True
        return found

    def _finish_interrupted(self) -> None:
        """Complete what a killed run had begun to move or to take back."""
        for item, history in self.histories().items():
            taken_back = (history.settled or {}).get("event") in ("failed", "rejected")
            removed = (history.withdrawing or taken_back) and self._withdraw(item, keep=None)
            if history.withdrawing and not removed:
                self.ledger.append("withdrawn", item)
            if history.pending is not None:
                self._finish_release(item, history.pending)
        for left in self.work.glob("done-*"):
            left.unlink()

    def _finish_release(self, item: str, data: dict[str, Any]) -> None:
        released, coming = self.private.released(item), self.private.coming(item)
        target = self.root / (coming or released) if coming or released else None
        data = {key: value for key, value in data.items() if key != "time"}
        sources = (self.work / f"done-{item}", self.root / released)
        if target is not None and _brought(sources, target, data["sha256"]):
            self.private.set_released(item, str(target.relative_to(self.root)))
            self.ledger.append("released", item, **data)
        else:
            self.ledger.append("abandoned", item)


_NO_PLACE = frozenset((errno.ENAMETOOLONG, errno.EISDIR, errno.ENOTDIR, errno.EEXIST, errno.ENOTEMPTY))
"""What a system says where no file can ever lie: a name too long, a folder in its place, a file above it."""


def _brought(sources: tuple[Path, ...], target: Path, sha256: str) -> bool:
    """Move the judged file from where a killed run left it to `target`; False if it is not there then.

    Raises:
        OSError: of the machine; it is worth another try.
    """
    try:
        for source in sources:
            if source != target and source.is_file() and sha256_file(source) == sha256:
                durable.make_folder(target.parent)
                durable.move(source, target)
                break
        if not target.is_file() or sha256_file(target) != sha256:
            return False
        durable.sync(target.parent)
    except OSError as error:
        if error.errno not in _NO_PLACE:
            raise
        return False
    return True


def _holds_file(path: Path) -> bool:
    """Whether something lies there that is no folder: none is ever released.

    Raises:
        OSError: that cannot be told.
    """
    try:
        return not stat.S_ISDIR(path.lstat().st_mode)
    except OSError as error:
        if error.errno not in (*_NO_PLACE, errno.ENOENT):
            raise
        return False
