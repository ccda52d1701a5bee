"""How much a token and all of them together may ask for: a bucket of requests each, and room for uploads."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

from redact.service.config import Limits


class FullError(Exception):
    """There is no room for another upload now. `what` is a word for the answer: queue, uploads or storage."""

    def __init__(self, what: str) -> None:
        super().__init__(what)
        self.what = what


class RateLimit:
    """A token bucket for each key. The number of keys is bounded by the number of tokens."""

    def __init__(self, per_minute: int, burst: int, clock: Callable[[], float] = time.monotonic) -> None:
        self._rate, self._burst, self._clock = per_minute / 60, float(burst), clock
        self._lock = threading.Lock()
        self._buckets: dict[str, tuple[float, float]] = {}

    def take(self, key: str) -> float:
        """0 if the request may pass, else seconds until the next one may."""
        now = self._clock()
        with self._lock:
            left, since = self._buckets.get(key, (self._burst, now))
            left = min(self._burst, left + (now - since) * self._rate)
            if left >= 1:
                self._buckets[key] = (left - 1, now)
                return 0.0
            self._buckets[key] = (left, now)
            return (1 - left) / self._rate


class Admission:
    """Room for uploads: so many at once, so many jobs in all, so much space.

    `waiting` counts the jobs that are accepted and not settled, `free_bytes` the space on the spool's disk.
    """

    def __init__(self, limits: Limits, waiting: Callable[[], int], free_bytes: Callable[[], int]) -> None:
        self._limits, self._waiting, self._free = limits, waiting, free_bytes
        self._lock = threading.Lock()
        self.uploads = 0
        self._bytes = 0

    def enter(self, size: int) -> None:
        """Reserve a place for an upload of at most `size` bytes; `leave` gives it back.

        Raises:
            FullError: there is none.
        """
        limits = self._limits
        with self._lock:
            if self.uploads >= limits.uploads:
                raise FullError("uploads")
            self.uploads += 1
            self._bytes += size
            uploads, reserved = self.uploads, self._bytes
        try:
            # an upload that is accepted meanwhile counts twice, never not at all
            if self._waiting() + uploads > limits.queue:
                raise FullError("queue")
            if self._free() < reserved + (limits.free_mb << 20):
                raise FullError("storage")
        except BaseException:
            self.leave(size)
            raise

    def leave(self, size: int) -> None:
        """The upload ended, accepted or not."""
        with self._lock:
            self.uploads -= 1
            self._bytes -= size
