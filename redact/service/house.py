"""The output folder, lent to the threads that work on jobs, and given back whenever nobody needs it.

Only one process may hold the folder, and reviewers need it too: so it is opened when there is work, closed
when there is none, and closed for a moment now and then while there is much. It cannot be closed while a job
is at work, which for a film is hours: others go on beside it, and nobody ever waits here. Each opening is a
run in the ledger, like one of `redact run`.
"""

from __future__ import annotations

import contextlib
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from redact.batch.events import ItemDone
from redact.batch.history import ItemHistory
from redact.batch.reporting import write_report
from redact.batch.settle import identity
from redact.batch.store import Store
from redact.batch.versions import libraries
from redact.detect.weights import ModelStore
from redact.errors import OutputError, RedactError
from redact.httpd.log import log
from redact.names.watchlist import WatchList
from redact.policy import Policy
from redact.workers import Confinement

HOLD_S = 20.0
"""After so long the folder is to be given back, whatever waits. It is still lent while a job that was begun
before is at work, and then to nobody: whoever wants it waits for two jobs in a row at most."""
TURN_S = 1.0
"""For so long others may take it then."""
PAGE_EVERY_S = 60.0
"""The report is written at most so often: it reads every item's report."""
LONGEST_PAUSE_S = 30.0
TROUBLE_S = 120.0
"""When a folder that cannot be had makes the service unhealthy."""


class ClosedHouseError(Exception):
    """The folder cannot be had now: another process has it or is to have it, or it is not in order."""


@dataclass
class Opened:
    """The folder while it is ours."""

    store: Store
    made_by: dict[str, Any]
    histories: dict[str, ItemHistory]
    """As of the opening: what this opening did is not in it."""
    since: float
    done: Counter[str] = field(default_factory=Counter)
    begun: bool = False


class House:
    """Safe to share between threads. `waiting` counts the jobs there are, for the ledger."""

    def __init__(
        self, out: Path, policy: Policy, watch: WatchList | None, waiting: Callable[[], int]
    ) -> None:
        self._out, self._policy, self._watch, self._waiting = out, policy, watch, waiting
        self._models = ModelStore().digests()
        self._lock = threading.Lock()
        self._opened: Opened | None = None
        self._loans = self._early = 0
        self._not_before = 0.0
        self._pause_s = 1.0
        self._page_written = float("-inf")
        self._page_due = False
        self._trouble_since: float | None = None

    def in_trouble(self) -> bool:
        """Whether the folder could not be had for longer than somebody's turn with it takes."""
        since = self._trouble_since
        return since is not None and time.monotonic() - since > TROUBLE_S

    def may_open(self) -> bool:
        """Whether it makes sense to ask now."""
        with self._lock:
            if self._opened is not None:
                return not self._to_be_given_back()
            return time.monotonic() >= self._not_before

    @contextmanager
    def lend(self, level: Confinement) -> Iterator[Opened]:
        """The opened folder. `level`: what holds the workers back, for the ledger.

        Raises:
            ClosedHouseError: another process has it or is to have it next, or it cannot be opened.
        """
        opened, early = self._take(level)
        try:
            yield opened
        finally:
            with self._lock:
                self._loans -= 1
                self._early -= early
                if self._loans == 0 and self._tired():
                    self._close()
                    self._not_before = time.monotonic() + TURN_S

    def count(self, opened: Opened, done: ItemDone) -> None:
        """Note what became of an item, for the run's last row."""
        with self._lock:
            opened.done[done.status] += 1

    def rest(self, last: bool = False) -> None:
        """Give the folder back if nobody uses it. `last`: the service ends."""
        with self._lock:
            overdue = last or time.monotonic() - self._page_written > PAGE_EVERY_S
            if self._opened is None and self._page_due and overdue and time.monotonic() >= self._not_before:
                with contextlib.suppress(ClosedHouseError):
                    self._opened = self._open()
            if self._opened is not None and self._loans == 0:
                self._close(last)

    def _tired(self) -> bool:
        return self._opened is not None and time.monotonic() - self._opened.since > HOLD_S

    def _to_be_given_back(self) -> bool:
        """Whether it would be closed by now, but for jobs that were begun too late."""
        return self._tired() and self._loans > 0 and self._early == 0

    def _take(self, level: Confinement) -> tuple[Opened, bool]:
        """The opened folder, and whether it was taken before the folder was due back."""
        with self._lock:
            early = not self._tired()
            if self._to_be_given_back():
                raise ClosedHouseError
            if self._opened is None:
                if time.monotonic() < self._not_before:
                    raise ClosedHouseError
                self._opened = self._open()
            opened = self._opened
            waiting = 0 if opened.begun else self._waiting()
            if not opened.begun:
                opened.begun = True
                try:
                    ledger = opened.store.ledger
                    ledger.append("isolation", level=level.describe(), complete=level.complete)
                    ledger.append(
                        "run",
                        service=True,
                        items=waiting,
                        policy_name=self._policy.name,
                        libraries=libraries(),
                        **opened.made_by,
                    )
                except OutputError as error:
                    self._failed(error)
                    self._close()
                    raise ClosedHouseError from error
            self._loans += 1
            self._early += early
            return opened, early

    def _failed(self, error: RedactError) -> None:
        if self._trouble_since is None:
            self._trouble_since = time.monotonic()
            log("output folder not to be had", reason=error.reason)
        self._not_before = time.monotonic() + self._pause_s
        self._pause_s = min(self._pause_s * 2, LONGEST_PAUSE_S)

    def _open(self) -> Opened:
        store = Store(self._out)
        try:
            store.__enter__()
        except RedactError as error:
            self._failed(error)
            raise ClosedHouseError from error
        self._pause_s, self._trouble_since = 1.0, None
        made_by = identity(self._policy, self._models, store, self._watch)
        return Opened(store, made_by, store.histories(), time.monotonic())

    def _close(self, last: bool = False) -> None:
        opened = self._opened
        if opened is None:
            return
        self._opened = None
        store = opened.store
        try:
            if opened.begun:
                self._page_due = True
                store.ledger.append("run_ended", interrupted=False, counts=dict(opened.done))
            if self._page_due and (last or time.monotonic() - self._page_written > PAGE_EVERY_S):
                write_report(store)
                self._page_written, self._page_due = time.monotonic(), False
        except RedactError as error:
            log("output folder not to be closed in order", reason=error.reason)
        finally:
            store.__exit__(None, None, None)
