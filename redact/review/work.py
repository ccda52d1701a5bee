"""Longer work that a person asks for - drawing an edited plan, following a region - one after the other.

Each is a job that can be asked about and stopped. The output folder is held only while a plan is drawn; what
was stopped or failed has released nothing.
"""

from __future__ import annotations

import secrets
import threading
from collections import OrderedDict
from collections.abc import Callable
from concurrent.futures import CancelledError, Future
from dataclasses import dataclass, field
from typing import Any, Literal

from redact.batch.jobs import WorkerStages
from redact.errors import RedactError
from redact.httpd.log import log
from redact.pipeline import StageProgress
from redact.review.hands import Hand
from redact.review.shapes import JobShown

MOST_WAITING = 8
REMEMBERED = 200

Result = dict[str, object]
Work = Callable[[WorkerStages, StageProgress], Result]


@dataclass
class Job:
    """One piece of work. Changed by the thread that does it, read by all."""

    id: str
    owner: object
    """The session that asked for it; nobody else is told of it."""
    future: Future[Any] | None = None
    state: Literal["running", "done", "failed"] = "running"
    stage: str = "waiting"
    done: int = 0
    total: int = 0
    result: Result | None = None
    error: str = ""
    message: str = ""
    lock: threading.Lock = field(default_factory=threading.Lock)

    def progress(self, stage: str, done: int, total: int) -> None:
        """See `StageProgress`."""
        with self.lock:
            self.stage, self.done, self.total = stage, done, total

    def ended(self, result: Result | None, error: str = "", message: str = "") -> None:
        """It came to its end, once."""
        with self.lock:
            if self.state == "running":
                self.state = "failed" if result is None else "done"
                self.result, self.error, self.message = result, error, message

    def shown(self) -> JobShown:
        """For whoever asked for it."""
        with self.lock:
            return JobShown(
                state=self.state,
                stage=self.stage,
                done=self.done,
                total=self.total,
                result=self.result,
                error=self.error,
                message=self.message,
            )


class Jobs:
    """The jobs of one app. `hand` does them."""

    def __init__(self, hand: Hand[WorkerStages]) -> None:
        self._hand = hand
        self._jobs: OrderedDict[str, Job] = OrderedDict()
        self._lock = threading.Lock()

    def begin(self, owner: object, kind: str, work: Work) -> Job:
        """Have `work` done; its result is the job's.

        Raises:
            BusyError: too many wait.
        """
        job = Job(secrets.token_hex(12), owner)
        future = self._hand.ask(lambda stages: work(stages, job.progress))
        job.future = future
        with self._lock:
            self._jobs[job.id] = job
            while len(self._jobs) > REMEMBERED:
                self._jobs.popitem(last=False)
        future.add_done_callback(lambda done: self._ended(job, kind, done))
        return job

    def _ended(self, job: Job, kind: str, future: Future[Result]) -> None:
        try:
            job.ended(future.result())
        except CancelledError:
            job.ended(None, "stopped", "It was stopped; nothing was changed.")
        except RedactError as error:
            job.ended(None, error.reason, str(error))
        except Exception as error:  # noqa: BLE001 - a trace or a text could hold a path
            log("internal error", kind=type(error).__name__)
            job.ended(None, "internal", "The app met a fault of its own; nothing was published by this.")
        log("job ended", kind=kind, state=job.state, reason=job.error)

    def get(self, job_id: str, owner: object) -> Job | None:
        """The job of that id, if that session asked for it."""
        with self._lock:
            job = self._jobs.get(job_id)
        return job if job is not None and job.owner is owner else None

    def stop(self, job: Job) -> None:
        """Stop it, whether it waits or is at work. What has been released by then stays."""
        if job.future is not None:
            self._hand.stop(job.future)
