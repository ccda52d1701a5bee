"""One batch that the crash benchmark kills, or that kills itself at a chosen point.

`python -m bench.crash_child IN OUT PRIVATE MAKER GATE [POINT N]`: with a point, the process sends itself
SIGKILL the N-th time it comes there.
"""

from __future__ import annotations

import os
import signal
import sqlite3
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from redact.batch import durable
from redact.batch.ledger import Ledger
from redact.batch.private import PrivateMapping
from redact.batch.run import RunOptions, run
from redact.policy import load_policy

POINTS = (
    "before the row releasing",
    "inside the commit of the row releasing",
    "after the row releasing, before the rename",
    "after the rename, before its folder is synced",
    "after the rename, before the row released",
    "inside the commit of the row released",
    "after the row released, before the head is noted",
    "half of a plan or report written",
    "a plan or report written, not renamed",
    "inside a commit of the private mapping",
    "before the contact sheet",
)


class _Fuse:
    """Kills this process the n-th time it is lit."""

    def __init__(self, point: str, n: int) -> None:
        self._point, self._left = point, n

    def __call__(self, point: str) -> None:
        if point == self._point:
            self._left -= 1
            if self._left == 0:
                os.kill(os.getpid(), signal.SIGKILL)

    def next(self, point: str) -> bool:
        return point == self._point and self._left == 1


def _arm(fuse: _Fuse) -> None:
    append, move, write = Ledger.append, durable.move, durable.write_text
    change: Callable[..., None] = PrivateMapping._change

    def appending(self: Ledger, event: str, item: str = "", **data: Any) -> None:
        if event == "releasing":
            fuse("before the row releasing")
        if event == "released":
            fuse("after the rename, before the row released")
        inside = f"inside the commit of the row {event}"
        if fuse.next(inside):
            self._db.execute("PRAGMA cache_size=1")  # dirty pages reach the file before the commit
            self._db.execute("BEGIN IMMEDIATE")
            for n in range(400):
                self._db.execute(
                    "INSERT INTO ledger (previous, digest, event, item, data) VALUES ('', ?, ?, ?, '{}')",
                    (f"{n}", event, item),
                )
        fuse(inside)
        append(self, event, item, **data)
        if event == "releasing":
            fuse("after the row releasing, before the rename")
        if event == "released":
            fuse("after the row released, before the head is noted")

    def moving(source: Path, target: Path) -> None:
        if source.name.startswith("done-"):
            source.replace(target)
            fuse("after the rename, before its folder is synced")
            durable.sync(target.parent)
            durable.sync(source.parent)
            return
        if target.suffix == ".json":
            fuse("a plan or report written, not renamed")
        move(source, target)

    def writing(target: Path, text: str, scratch: Path) -> None:
        if target.name == "index.html":
            fuse("before the contact sheet")
        elif fuse.next("half of a plan or report written"):
            (scratch / f"{target.parent.name}-{target.name}").write_text(text[: len(text) // 2])
        fuse("half of a plan or report written")
        write(target, text, scratch)

    def changing(self: PrivateMapping, statement: str, values: tuple[str, ...]) -> None:
        if fuse.next("inside a commit of the private mapping"):
            db: sqlite3.Connection = self._db
            db.execute("BEGIN IMMEDIATE")
            db.execute(statement, values)
        fuse("inside a commit of the private mapping")
        change(self, statement, values)

    Ledger.append = appending  # type: ignore[method-assign]
    durable.move, durable.write_text = moving, writing
    PrivateMapping._change = changing  # type: ignore[method-assign]


def main(arguments: list[str]) -> int:
    """Run the batch; the exit status is the batch's."""
    source, out, private = map(Path, arguments[:3])
    maker, gate, *fuse = arguments[3:]
    if fuse:
        _arm(_Fuse(fuse[0], int(fuse[1])))
    options = RunOptions(jobs=1, private_folder=private, maker=maker, gate=gate)
    summary = run(source, out, load_policy("strict"), options)
    return int(summary.exit_code)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
