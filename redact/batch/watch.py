"""`Watcher`: new files of a folder go through the batch when they are complete, for as long as it runs.

The batch does the work, and its ledger is the only memory: after a restart, or a kill, whatever it holds is
not done again. The input is only read. Notices of the file system are a reason to look, never the truth: the
folder is listed again every few seconds in any case, because shares and full notice queues lose them.
"""

from __future__ import annotations

import contextlib
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

from redact.batch.arrivals import Arrivals, Mark, mark_of, retry_after
from redact.batch.events import Event
from redact.batch.faults import public_error
from redact.batch.health import Health, State
from redact.batch.run import RunOptions, RunSummary, run
from redact.batch.walk import Entry, walk
from redact.errors import MissingToolError, ModelError, OutputError, RedactError, UsageError
from redact.policy import Policy

RESCAN_S = 15.0
"""The folder is listed at least this often."""
WAKE_MS = 1000
"""How long one wait for notices takes."""
HEARTBEAT_S = 5.0
"""The health file is written this often while a batch works."""

Say = Callable[[str], None]


class Watcher:
    """One watched folder. `say` gets one line for each error; lines hold no names and no paths.

    `stop` may be set from anywhere; `interrupt` is for signal handlers and ends a batch at work as well.
    """

    def __init__(
        self,
        source: Path,
        out: Path,
        policy: Policy,
        options: RunOptions,
        *,
        settle_s: float = 10.0,
        health: Path | None = None,
        listener: Callable[[Event], None] = lambda _: None,
        say: Say = lambda _: None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._source, self._out, self._policy, self._options = source, out, policy, options
        self._listener, self._say, self._clock = listener, say, clock
        self._arrivals = Arrivals(settle_s)
        self._health = Health(health or out / "health.json")
        self._health_lost = False
        self._failures = 0
        self._not_before = 0.0
        self._working = False
        self.stop = threading.Event()

    def interrupt(self) -> None:
        """Stop, in the main thread: a batch at work ends as if by Ctrl-C, once."""
        first = not self.stop.is_set()
        self.stop.set()
        if first and self._working:
            raise KeyboardInterrupt

    def begin(self) -> None:
        """Say what is wrong with the set-up before anything waits.

        Raises:
            UsageError: the folders are not usable together.
            ModelError: weights are missing or altered.
        """
        try:
            if not self._source.is_dir():
                raise UsageError("IN is no folder.")
            with self._beating():
                # an empty run: it looks at the places, the models and the record, and ends what a kill left
                run(self._source, self._out, self._policy, replace(self._options, only=lambda _: False))
        except (UsageError, ModelError):
            raise
        except (RedactError, OSError) as error:
            self._failed(public_error(error))
        self._tell(State.WAITING if not self._failures else State.BACKING_OFF)

    def round(self) -> RunSummary | None:
        """List the folder and take what is complete; the batch's summary, or None if there was nothing."""
        now = self._clock()
        if now < self._not_before:
            self._tell()
            return None
        try:
            self._arrivals.look(walk(self._source), now)
            taken = self._arrivals.ready(now)
            summary, listed = self._take(taken) if taken else (None, {})
        except (RedactError, OSError) as error:
            self._failed(public_error(error))
            return None
        self._failures, self._not_before = 0, 0.0
        if summary is not None:
            self._health.ended(summary)
            if not summary.interrupted:
                self._arrivals.finish(listed, summary.again, self._clock())
                if summary.again:
                    number = len(summary.again)
                    self._say(
                        f"{number} inputs could not be read, or failed by this machine's fault; "
                        "trying again later."
                    )
            if summary.unheard:
                self._say("Not all that was done could be shown (standard output closed or its disk full?).")
        self._tell(State.WAITING)
        return summary

    def _take(self, taken: dict[Path, Mark]) -> tuple[RunSummary | None, dict[Path, Mark]]:
        """Run over `taken`; the summary, and what of it the run really listed."""
        self._tell(State.WORKING)
        listed: dict[Path, Mark] = {}

        def only(entry: Entry) -> bool:
            # a file that changed since it was listed, or cannot be looked at now, is left for a later round
            mark = taken.get(entry.path)
            if mark is None or mark_of(entry.path) != mark:
                return False
            listed[entry.path] = mark
            return True

        with self._beating():
            self._working = True
            try:
                if self.stop.is_set():
                    return None, {}
                options = replace(self._options, only=only)
                return run(self._source, self._out, self._policy, options, self._listener), listed
            finally:
                self._working = False

    @contextlib.contextmanager
    def _beating(self) -> Iterator[None]:
        """The health file moves on while a batch works, which may tell nothing for minutes."""
        over = threading.Event()

        def beat() -> None:
            while not over.wait(HEARTBEAT_S):
                self._tell()

        thread = threading.Thread(target=beat, name="heartbeat", daemon=True)
        thread.start()
        try:
            yield
        finally:
            over.set()
            thread.join()

    def _failed(self, error: RedactError) -> None:
        self._failures += 1
        wait = retry_after(self._failures)
        self._not_before = self._clock() + wait
        self._health.failed(error)
        self._say(f"{error.reason}: {error} Trying again in {wait:.0f} s.")
        self._tell(State.BACKING_OFF)

    def _tell(self, state: State | None = None) -> None:
        """Write the health file; that it cannot be written is said once and stops nothing."""
        self._health.waiting = {
            "settling": self._arrivals.settling(self._clock()),
            "unfinished_names": self._arrivals.unfinished,
            "retrying": self._arrivals.retrying,
        }
        try:
            self._health.write(state)
            self._health_lost = False
        except OutputError as error:
            if not self._health_lost:
                self._say(f"{error.reason}: {error}")
            self._health_lost = True

    def serve(self) -> None:
        """Watch until `stop` is set.

        Raises:
            UsageError, ModelError: see `begin`.
            MissingToolError: watchfiles is not installed.
        """
        notices = self._notices()
        try:
            self.begin()
            looked = float("-inf")
            for changed in notices:
                waited = self._clock() - looked
                # the moment a file is complete brings no notice
                if changed or waited >= RESCAN_S or self._arrivals.is_due(self._clock()):
                    self.round()
                    looked = self._clock()
                if self.stop.is_set():
                    break
        except KeyboardInterrupt:
            pass  # `interrupt`, at work: the item stays undone, the next start takes it
        finally:
            self._tell(State.STOPPED)

    def _notices(self) -> Iterator[bool]:
        """Wake about once a second; True if the system says that something changed."""
        try:
            from watchfiles import watch
        except ImportError as error:
            raise MissingToolError(
                "The watcher needs watchfiles: run `make setup`, or in its checkout pip install '.[watch]'."
            ) from error
        return self._wake(watch)

    def _wake(self, watch: Callable[..., Iterator[set[Any]]]) -> Iterator[bool]:
        yield True
        try:
            for changes in watch(
                self._source,
                watch_filter=None,
                rust_timeout=WAKE_MS,
                yield_on_timeout=True,
                stop_event=self.stop,
                debug=False,
                raise_interrupt=False,
                ignore_permission_denied=True,
            ):
                yield bool(changes)
        except (OSError, RuntimeError):
            self._say(f"The system gives no notice of changes; looking every {RESCAN_S:.0f} s instead.")
        while not self.stop.wait(WAKE_MS / 1000):
            yield False
