"""Proving an output folder against its ledger, as an outsider would: nothing is written, no model is loaded.

Takes the folder, and a head of the ledger that somebody noted; gives the chain's head and every discrepancy
between the ledger and the files in `published/` and `review/`. Needs no private mapping: files are known by
their digests, and problems are named by public ids. Never shows a path.
"""

from __future__ import annotations

import fcntl
import os
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from redact.batch.history import histories, room_of
from redact.batch.ledger import Head, Ledger
from redact.batch.private import read_anchor
from redact.batch.store import sha256_file
from redact.errors import InUseError, UsageError

ROOMS = ("published", "review")


@dataclass
class Audit:
    """What was compared and what did not fit."""

    head: Head
    released: Counter[str] = field(default_factory=Counter)
    """Files that are as the ledger says, by room."""
    problems: list[str] = field(default_factory=list)
    """One sentence each, with the item's public id where there is one."""
    notes: list[str] = field(default_factory=list)
    """What the next run will put in order."""
    anchored: bool = False
    """Whether the chain was also held against a head noted earlier."""


@contextmanager
def _held(out: Path) -> Iterator[None]:
    """Keep a run from starting meanwhile. A copy of a folder may have no lock file, and needs none."""
    lock = out / ".work" / "lock"
    if not lock.is_file():
        yield
        return
    handle = os.open(lock, os.O_RDONLY)
    try:
        fcntl.flock(handle, fcntl.LOCK_SH | fcntl.LOCK_NB)
        yield
    except BlockingIOError as error:
        raise InUseError("A run is working on this output folder; wait for it.") from error
    finally:
        os.close(handle)


@contextmanager
def open_ledger(out: Path) -> Iterator[Ledger]:
    """The folder's ledger, for reading, while no run works there.

    Raises:
        UsageError: there is none.
        InUseError: a run holds the folder.
        LedgerError: it cannot be read.
    """
    path = out / "ledger.sqlite"
    if not path.is_file():
        raise UsageError("OUT holds no ledger.")
    with _held(out):
        ledger = Ledger.for_reading(path)
        try:
            yield ledger
        finally:
            ledger.close()


def audit(out: Path, known: str = "") -> Audit:
    """Check the chain, that `known` (a head noted earlier) is in it, and every released file.

    The head that the private mapping noted last is used as well, if it is on this machine.

    Raises:
        UsageError, InUseError: see `open_ledger`.
        LedgerError: the chain breaks, or a head noted earlier is not in it.
    """
    with open_ledger(out) as ledger:
        ledger.verify(known)
        own = read_anchor(ledger.identity())
        if own:
            ledger.verify(own)
        result = Audit(ledger.head(), anchored=bool(known or own))
        expected: dict[str, dict[str, list[str]]] = {room: {} for room in ROOMS}
        known_items: set[str] = set()
        taken_back: set[str] = set()
        for item, history in histories(ledger.rows()).items():
            known_items.add(item)
            for data in filter(None, (history.settled, history.pending)):
                if data is history.pending or data["event"] == "released":
                    expected[room_of(data)].setdefault(data["sha256"], []).append(item)
            if history.settled is None or history.settled["event"] != "released":
                taken_back.add(item)
            if history.too_few:
                result.problems.append(
                    f"{item}: it was published with fewer approvals than its row asks for; take it back."
                )
            if history.pending is not None or history.withdrawing:
                result.notes.append(f"{item}: a move was interrupted; the next run completes it.")
        unsettled = {note.partition(":")[0] for note in result.notes}
        for room in ROOMS:
            _compare(out / room, expected[room], known_items, taken_back, unsettled, result)
        return result


def _files(folder: Path) -> Iterator[Path]:
    for here, folders, files in os.walk(folder, followlinks=False):
        linked = [name for name in folders if (Path(here) / name).is_symlink()]
        yield from (Path(here) / name for name in sorted([*files, *linked]))


def _compare(
    folder: Path,
    expected: dict[str, list[str]],
    known: set[str],
    taken_back: set[str],
    unsettled: set[str],
    result: Audit,
) -> None:
    room = folder.name
    waiting = {digest: list(items) for digest, items in expected.items()}
    for path in _files(folder):
        if path.is_symlink() or not path.is_file():
            result.problems.append(f"{room}/ holds a link or special file; take it out.")
            continue
        digest = sha256_file(path)
        if waiting.get(digest):
            item = path.name.partition(".")[0]
            items = waiting[digest]
            items.remove(item if item in items else items[0])
            result.released[room] += 1
            continue
        item = path.name.partition(".")[0]
        if item in taken_back:
            result.problems.append(
                f"{item}: it was taken back, but a file of it lies in {room}/; run again, or take it out."
            )
        elif item in known:
            result.problems.append(
                f"{item}: its file in {room}/ is not the one that was judged; take it out."
            )
        else:
            result.problems.append(
                f"{room}/ holds a stranger (SHA-256 {digest[:16]}…) that was never released; take it out."
            )
    for items in waiting.values():
        for item in items:
            if item not in unsettled:
                result.problems.append(f"{item}: its file is missing from {room}/.")
