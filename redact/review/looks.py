"""Pictures of finished files and of originals, made by confined workers when somebody looks.

Nothing is kept on a disk. Finished files and originals have a thread with workers each. Small pictures and
frame times of finished files are remembered in memory; of an original nothing is.
"""

from __future__ import annotations

import asyncio
import threading
from collections import OrderedDict
from collections.abc import Awaitable, Callable
from concurrent.futures import Future
from pathlib import Path
from typing import TypeVar

from redact.batch.jobs import WorkerStages
from redact.batch.results import Results, State
from redact.policy import Policy
from redact.review.hands import Hand
from redact.review.originals import Originals

LOOK_EVERY_S = 0.1
PICTURES, FILMS = 2000, 16
"""So many small pictures and lists of frame times are remembered."""
MOST_WIDTH = 4096

T = TypeVar("T")


class GoneError(Exception):
    """Nobody waits for the answer any more."""


async def wanted(future: Future[T], gone: Callable[[], Awaitable[bool]]) -> T:
    """The future's result; taken back if whoever asked has gone before its turn came.

    Raises:
        GoneError: they have.
    """
    waiting = asyncio.wrap_future(future)
    while not waiting.done():
        await asyncio.wait({waiting}, timeout=LOOK_EVERY_S)
        if not waiting.done() and await gone() and future.cancel():
            raise GoneError
    return await waiting


class Looks:
    """Frames and small pictures."""

    def __init__(
        self,
        results: Results,
        originals: Originals,
        policy: Policy,
        finished: Hand[WorkerStages],
        inputs: Hand[WorkerStages],
    ) -> None:
        self._results, self._originals, self._policy = results, originals, policy
        self._finished, self._inputs = finished, inputs
        self._small: OrderedDict[str, bytes] = OrderedDict()
        self._times: OrderedDict[str, tuple[float, ...]] = OrderedDict()
        self._lock = threading.Lock()

    def frame(self, state: State, index: int, width: int, frames: int) -> Future[bytes]:
        """A frame of the finished file. `frames`: how many the item has."""

        def look(stages: WorkerStages) -> bytes:
            path = self._results.place(state)
            return stages.frame(path, index, finished=True, width=width, policy=self._policy, frames=frames)

        return self._finished.ask(look)

    def original(self, state: State, index: int, width: int, frames: int) -> Future[bytes]:
        """A frame of the input: what nobody outside must see."""

        def look(stages: WorkerStages) -> bytes:
            with self._originals.opened(state) as path:
                return stages.frame(
                    path, index, finished=False, width=width, policy=self._policy, frames=frames
                )

        return self._inputs.ask(look)

    def thumbnail(self, state: State) -> Future[bytes]:
        """A small picture of the finished file."""
        return self._once(self._small, PICTURES, state, lambda stages, path: stages.thumbnail(path))

    def times(self, state: State, frames: int) -> Future[tuple[float, ...]]:
        """Seconds of every frame of the finished file."""
        return self._once(
            self._times,
            FILMS,
            state,
            lambda stages, path: stages.frame_times(path, finished=True, policy=self._policy, frames=frames),
        )

    def _once(
        self,
        known: OrderedDict[str, T],
        most: int,
        state: State,
        make: Callable[[WorkerStages, Path], T],
    ) -> Future[T]:
        """What is remembered of the finished file, or will be."""
        with self._lock:
            if state.sha256 in known:
                known.move_to_end(state.sha256)
                ready: Future[T] = Future()
                ready.set_result(known[state.sha256])
                return ready

        def look(stages: WorkerStages) -> T:
            made = make(stages, self._results.place(state))
            with self._lock:
                known[state.sha256] = made
                while len(known) > most:
                    known.popitem(last=False)
            return made

        return self._finished.ask(look)
