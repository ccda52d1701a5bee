"""Reading an output folder for what serves it: the ledger's last word on an item, and its file, checked.

Nothing here needs the folder's lock or makes anything, so it works while a run or a reviewer has it. A file
is handed out only if its bytes are those that the ledger says were released, and only from the room that the
ledger names. Sidecars are no items here. The private mapping is asked for kept names and inputs alone.
"""

from __future__ import annotations

import hashlib
import os
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from io import BufferedReader
from pathlib import Path, PurePosixPath
from typing import Any, NamedTuple

from redact.batch.beside import SIDECAR_OF
from redact.batch.finished import MEDIA_TYPES, OpenedResult, ending_of, open_file
from redact.batch.history import Approvals, ItemHistory, histories, room_of
from redact.batch.ledger import Ledger
from redact.batch.private import Places, read_places
from redact.errors import OutputError
from redact.plan import EXTENSIONS, Plan, SourceDigest

_NOT_THERE = "The result is not where the record says, or is not what was judged."
_ID = re.compile(r"[a-z0-9]{4,64}\Z")


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
    approvals: Approvals
    """Of what waits in review."""
    plan_sha256: str
    """Of the plan that was drawn, as text; empty if none was."""
    policy_name: str
    policy_digest: str
    source: SourceDigest | None
    """Salted digest of the input; None if it was never read whole."""


class PlanText(NamedTuple):
    """The plan that an item's file was drawn by."""

    plan: Plan
    text: str
    sha256: str


@dataclass(frozen=True)
class Deed:
    """One thing that happened to an item, for people."""

    time: str
    event: str
    """published, held (for review), failed or withdrawn; by a person accepted, approved (another must too),
    rejected or redrawn."""
    by: str
    """Reviewer's code, if a person did it."""
    reasons: tuple[str, ...]
    """What the person gave as reasons, each once; of a failure: its fixed word."""


def _state(item: str, history: ItemHistory) -> State | None:
    data = history.settled
    if data is None or SIDECAR_OF in data or history.withdrawing or history.pending is not None:
        return None
    source = data.get("source")
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
        history.approvals,
        str(data.get("plan", "")),
        str(data.get("policy_name", "")),
        str(data.get("policy", "")),
        SourceDigest.model_validate(source) if source else None,
    )


def _deed(event: str, data: Mapping[str, Any]) -> Deed | None:
    review = data.get("review") or {}
    words = {"accept": "accepted", "plan": "redrawn"}
    if event == "released":
        event = words.get(str(review.get("action")), "published" if room_of(data) == "published" else "held")
    elif event not in ("approved", "rejected", "failed", "withdrawn"):
        return None
    given = [each.get("reason") for each in review.get("reasons", ())] + [review.get("reason")]
    reasons = data.get("reason"), *given
    return Deed(
        str(data.get("time", "")),
        event,
        str(review.get("by", "")),
        tuple(dict.fromkeys(str(each) for each in reasons if each)),
    )


class Results:
    """One output folder, for reading."""

    def __init__(self, out: Path, private_folder: Path | None = None) -> None:
        self._out, self._private = out, private_folder
        self._known: dict[Path, tuple[str, tuple[int, ...]]] = {}
        """Files whose bytes were compared: their digest, and what the file system said of them then."""

    @contextmanager
    def _ledger(self) -> Iterator[Ledger | None]:
        path = self._out / "ledger.sqlite"
        ledger = Ledger.for_reading(path) if path.is_file() else None
        try:
            yield ledger
        finally:
            if ledger is not None:
                ledger.close()

    def state(self, item: str) -> State | None:
        """The ledger's last word on the item; None if there is none, or its file is being moved right now.

        Raises:
            LedgerError: the ledger cannot be read.
        """
        with self._ledger() as ledger:
            found = histories(ledger.rows_of(item)).get(item) if item and ledger is not None else None
        return _state(item, found) if found is not None else None

    def _in(self, room: str) -> list[State]:
        with self._ledger() as ledger:
            found = histories(ledger.rows()) if ledger is not None else {}
        states = (_state(item, history) for item, history in found.items())
        return [state for state in states if state is not None and state.room == room]

    def waiting(self) -> list[State]:
        """Every item in `review/`, those that were blocked first, then by time.

        Raises:
            LedgerError: the ledger cannot be read.
        """
        return sorted(
            self._in("review"), key=lambda state: (state.status != "blocked", state.time, state.item)
        )

    def published(self) -> list[State]:
        """Every item in `published/`, the newest first.

        Raises:
            LedgerError: the ledger cannot be read.
        """
        newest = sorted(self._in("published"), key=lambda state: state.item)
        return sorted(newest, key=lambda state: state.time, reverse=True)

    def history(self, item: str) -> list[Deed]:
        """What happened to the item, oldest first.

        Raises:
            LedgerError: the ledger cannot be read.
        """
        with self._ledger() as ledger:
            rows = list(ledger.rows_of(item)) if ledger is not None else []
        return [deed for _, event, _, data in rows if (deed := _deed(event, data)) is not None]

    def places(self, item: str) -> Places:
        """Where the item came from and where its file lies, by the private mapping. For its owner's eyes.

        Raises:
            OutputError: the mapping is not here or does not know the item.
            LedgerError: the ledger cannot be read.
        """
        with self._ledger() as ledger:
            identity = ledger.identity() if ledger is not None else ""
        return read_places(identity, item, self._private)

    def open(self, state: State) -> OpenedResult:
        """The item's file in its room.

        Raises:
            OutputError: it is not there, or its bytes are not those that were judged; or it may have kept its
                name, and the private mapping, which knows the name, is not here.
        """
        path, file = self._found(state)
        if not self._is_judged(path, file, state.sha256):
            file.close()
            raise OutputError(_NOT_THERE)
        return OpenedResult(file, ending_of(path))

    def place(self, state: State) -> Path:
        """Path of the item's file, for a worker. Never shown.

        Raises:
            OutputError: see `open`.
        """
        path, file = self._found(state)
        with file:
            if not self._is_judged(path, file, state.sha256):
                raise OutputError(_NOT_THERE)
        return path

    def _found(self, state: State) -> tuple[Path, BufferedReader]:
        if not state.room:
            raise OutputError("Nothing of this item lies in a room.")
        for suffix in dict.fromkeys(EXTENSIONS.values()):
            path = self._out / state.room / f"{state.item}{suffix}"
            file = open_file(path)
            if file is not None:
                return path, file
        path = self._kept(state)
        file = open_file(path)
        if file is None:
            raise OutputError(_NOT_THERE)
        return path, file

    def _kept(self, state: State) -> Path:
        """Where a file lies that kept its name."""
        place = PurePosixPath(self.places(state.item).released)
        if (
            len(place.parts) < 2
            or place.parts[0] != state.room
            or place.is_absolute()
            or ".." in place.parts
            or ending_of(place) not in MEDIA_TYPES
        ):
            raise OutputError(_NOT_THERE)
        return self._out / place

    def _is_judged(self, path: Path, file: BufferedReader, sha256: str) -> bool:
        """Whether the open file is what was judged; one that did not change since is not read again."""
        facts = os.fstat(file.fileno())
        marks = (facts.st_dev, facts.st_ino, facts.st_size, facts.st_mtime_ns, facts.st_ctime_ns)
        if self._known.get(path) == (sha256, marks):
            return True
        if hashlib.file_digest(file, "sha256").hexdigest() != sha256:
            self._known.pop(path, None)
            return False
        self._known[path] = (sha256, marks)
        return True

    def report(self, item: str) -> bytes:
        """The item's JSON report.

        Raises:
            OutputError: there is none.
        """
        if not _ID.match(item):
            raise OutputError("The report is not there.")
        try:
            return (self._out / "report" / "items" / f"{item}.json").read_bytes()
        except OSError as error:
            raise OutputError("The report is not there.") from error

    def plan(self, item: str) -> PlanText:
        """The plan that the item's file was drawn by: the very text that the ledger has the digest of.

        Raises:
            OutputError: it is not there, or was changed or made again since.
            LedgerError: the ledger cannot be read.
            PlanMismatchError: it is of another version of this tool.
        """
        state = self.state(item)
        if state is None or not state.plan_sha256:
            raise OutputError("There is no plan of this item.")
        try:
            data = (self._out / "plans" / f"{item}.json").read_bytes()
        except OSError as error:
            raise OutputError("The item's plan is not there; run the folder again.") from error
        if hashlib.sha256(data).hexdigest() != state.plan_sha256:
            raise OutputError(
                "The item's plan is not the one that its file was drawn by; run the folder again."
            )
        return PlanText(Plan.from_json(data), data.decode("utf-8"), state.plan_sha256)
