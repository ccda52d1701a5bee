"""One thread that owns worker processes and does one thing after the other with them, as it is asked.

Workers start with the first thing to do and end when there was nothing for a while, so that no picture of an
original stays in a process longer than somebody looks at it.
"""

from __future__ import annotations

import contextlib
import queue
import threading
from collections.abc import Callable
from concurrent.futures import Future
from typing import Generic, Protocol, TypeVar

from redact.errors import UsageError

IDLE_S = 60.0
MOST_WAITING = 64


class Ending(Protocol):
    """Stages that own processes."""

    def close(self) -> None:
        """End them."""


S = TypeVar("S", bound=Ending)
T = TypeVar("T")


class BusyError(Exception):
    """More waits than makes sense."""


class StoppedError(UsageError):
    """A person stopped it, or the app ends."""

    reason = "stopped"


class _Task(Generic[S]):
    def __init__(self, work: Callable[[S], None], future: Future[None]) -> None:
        self.work, self.future = work, future


class Hand(Generic[S]):
    """The thread. `make` gives new stages that heed the event: once it is set, their work ends."""

    def __init__(
        self,
        name: str,
        make: Callable[[threading.Event], S],
        idle_s: float = IDLE_S,
        most_waiting: int = MOST_WAITING,
    ) -> None:
        self._make, self._idle_s, self._most = make, idle_s, most_waiting
        self._tasks: queue.Queue[tuple[Callable[[S], object], Future[object]] | None] = queue.Queue()
        self._stop = threading.Event()
        self._lock = threading.Lock()
        self._at_work: Future[object] | None = None
        self._ending = False
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def ask(self, work: Callable[[S], T]) -> Future[T]:
        """Have `work` done after what was asked before; a future that can be cancelled while it waits.

        Raises:
            BusyError: too much waits, or the app ends.
        """
        future: Future[object] = Future()
        with self._lock:
            if self._ending or self._tasks.qsize() >= self._most:
                raise BusyError
            self._tasks.put((work, future))
        return future  # type: ignore[return-value]

    def stop(self, future: Future[T]) -> None:
        """Take what was asked back: it is not begun, or ends now with `StoppedError`."""
        with self._lock:
            if self._at_work is future:
                self._stop.set()
                return
        future.cancel()

    def end(self, wait_s: float) -> None:
        """Stop what is at work, drop what waits, end the workers; waits for that at most so long."""
        with self._lock:
            self._ending = True
            self._stop.set()
        with contextlib.suppress(queue.Empty):
            while True:
                task = self._tasks.get_nowait()
                if task is not None:
                    task[1].cancel()
        self._tasks.put(None)
        if self._thread.ident is not None:
            self._thread.join(wait_s)

    def _run(self) -> None:
        stages: S | None = None
        while True:
            try:
                task = self._tasks.get(timeout=self._idle_s if stages is not None else None)
            except queue.Empty:
                task = None
                if stages is not None:
                    stages.close()
                    stages = None
                continue
            if task is None:
                break
            work, future = task
            if not self._begin(future):
                continue
            try:
                stages = stages or self._make(self._stop)
                result = work(stages)
            except KeyboardInterrupt:
                future.set_exception(StoppedError("It was stopped; nothing was changed."))
            except BaseException as error:  # noqa: BLE001 - it belongs to whoever asked
                future.set_exception(error)
            else:
                future.set_result(result)
            finally:
                with self._lock:
                    self._at_work = None
        if stages is not None:
            stages.close()

    def _begin(self, future: Future[object]) -> bool:
        with self._lock:
            if self._ending:
                future.cancel()
                return False
            if not future.set_running_or_notify_cancel():
                return False
            self._stop.clear()
            self._at_work = future
            return True
