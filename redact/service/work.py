"""Jobs at work: one thread a slot, each with its own confined workers, until the service is stopped.

A job's result goes into the output folder by the batch's own `settle`, under an id that belongs to the job; a
job that a killed service had begun is taken up again, and if its result lies there already it is not made
twice. The bytes are deleted when the job is settled.
"""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, replace

from redact.batch.decided import Decided
from redact.batch.events import ItemDone
from redact.batch.jobs import WorkerStages
from redact.batch.settle import STATUS_WORDS, settle, settled_before, write_failure
from redact.batch.store import sha256_file
from redact.batch.worker_jobs import GATE, MAKER
from redact.errors import InputError, MissingToolError, ModelError, OutputError, RedactError
from redact.httpd.log import log
from redact.names.watchlist import WatchList
from redact.pipeline import process
from redact.policy import Policy
from redact.service.config import ServiceConfig
from redact.service.house import ClosedHouseError, House, Opened
from redact.service.jobs import CHECK, SUBMIT, Job, JobStore, now_ms
from redact.service.metrics import Metrics
from redact.service.spool import JobSpool
from redact.service.tables import DATABASE_ERRORS

IDLE_S = 0.5
MACHINE_PAUSE_S = 30.0
"""Pause after a failure that is this machine's: a full disk, a missing model."""
AGAIN_S = 5.0
DATABASE_PAUSE_S = 2.0
"""Pause before a database that could not be reached is tried again."""
HOUSEKEEPING_S = 3600.0
_MACHINE = (OutputError, MissingToolError, ModelError)


class _InternalError(RedactError):
    """A fault of this program."""

    reason = "internal"


@dataclass(frozen=True)
class Plant:
    """What every slot works with."""

    config: ServiceConfig
    policy: Policy
    watch: WatchList | None
    jobs: JobStore
    spool: JobSpool
    house: House
    metrics: Metrics
    maker: str = MAKER
    gate: str = GATE


@dataclass(frozen=True)
class _End:
    """How a job ended."""

    status: str
    reason: str
    report: str = ""


class Runner:
    """All slots. `on_settled` are called after a job has ended, from a slot's thread."""

    def __init__(self, plant: Plant, on_settled: tuple[Callable[[], None], ...]) -> None:
        self.plant, self._on_settled = plant, on_settled
        self._ending, self._interrupt = threading.Event(), threading.Event()
        self._wake = threading.Condition()
        self._threads = [
            threading.Thread(target=self._serve, name=f"slot-{n}") for n in range(plant.config.jobs)
        ]
        self._cleaner = threading.Thread(target=self._housekeeping, name="housekeeping", daemon=True)

    def start(self) -> None:
        """Take up what a killed service left, then work."""
        plant = self.plant
        again = plant.jobs.take_up_again()
        swept = plant.spool.sweep(plant.jobs.unsettled())
        log("started", again=again, swept=swept, queued=plant.jobs.counts()["queued"])
        for thread in (*self._threads, self._cleaner):
            thread.start()

    def wake(self) -> None:
        """There is a new job."""
        with self._wake:
            self._wake.notify_all()

    def stop(self, grace_s: float) -> None:
        """Begin no job; let those at work end for so long, then put them back into the queue."""
        self._ending.set()
        self.wake()
        until = time.monotonic() + grace_s
        for thread in self._threads:
            thread.join(max(0.0, until - time.monotonic()))
        self._interrupt.set()
        for thread in self._threads:
            thread.join()
        self.plant.house.rest(last=True)

    def alive(self) -> bool:
        """Whether every slot is there."""
        return all(thread.is_alive() for thread in self._threads)

    def _serve(self) -> None:
        plant = self.plant
        stages = WorkerStages(
            plant.policy.limits.item_timeout_s,
            self._interrupt,
            plant.maker,
            plant.gate,
            policy=plant.policy,
            follow_links=False,
            watch=plant.watch,
        )
        try:
            while not self._ending.is_set():
                try:
                    self._next(stages)
                except DATABASE_ERRORS:
                    log("database unreachable")
                    self._ending.wait(DATABASE_PAUSE_S)
                except Exception as error:  # noqa: BLE001 - the slot must live; a trace could hold a path
                    log("internal error", kind=type(error).__name__)
                    self._ending.wait(2)
        finally:
            stages.close()

    def _next(self, stages: WorkerStages) -> None:
        """One job, or a short rest if there is none."""
        plant = self.plant
        job = plant.jobs.claim((SUBMIT, CHECK) if plant.house.may_open() else (CHECK,))
        if job is not None:
            try:
                self._work_on(job, stages)
            finally:
                plant.jobs.leave(job.id)
            return
        plant.house.rest()
        with self._wake:
            self._wake.wait(IDLE_S)

    def _work_on(self, job: Job, stages: WorkerStages) -> None:
        begun = time.monotonic()
        try:
            end = self._check(job, stages) if job.kind == CHECK else self._make(job, stages)
        except ClosedHouseError:
            self._surely(lambda: self.plant.jobs.put_back(job.id))
            return
        except KeyboardInterrupt:
            self._surely(lambda: self.plant.jobs.put_back(job.id))
            log("put back", job=job.id)
            return
        except _MACHINE as error:
            # not the job's fault: it waits for as long as it takes
            log("machine trouble", job=job.id, reason=error.reason)
            self._surely(lambda: self.plant.jobs.put_back(job.id, MACHINE_PAUSE_S))
            return
        except RedactError as error:
            log("tried", job=job.id, reason=error.reason)
            # what dies while the service is stopped says nothing about the file
            tries = 0 if self._ending.is_set() else 1
            self._surely(lambda: self.plant.jobs.put_back(job.id, AGAIN_S, tries=tries))
            return
        except DATABASE_ERRORS:
            # nothing is wrong with the job or this machine: it goes on as soon as the database is back
            log("database unreachable")
            self._surely(lambda: self.plant.jobs.put_back(job.id, DATABASE_PAUSE_S))
            return
        except Exception as error:  # noqa: BLE001 - the job must not stay at work for ever
            log("machine trouble", job=job.id, reason=type(error).__name__)
            self._surely(lambda: self.plant.jobs.put_back(job.id, MACHINE_PAUSE_S))
            return
        self._settle(job, end, time.monotonic() - begun)

    def _settle(self, job: Job, end: _End, seconds: float) -> None:
        plant = self.plant
        body = json.dumps(
            {
                "job": job.id,
                "kind": job.kind,
                "status": end.status,
                "reason": end.reason,
                "settled": now_ms() // 1000,
            }
        )
        calls = [(hook.name, body) for hook in plant.config.webhooks]
        if not self._surely(lambda: plant.jobs.settle(job.id, end.status, end.reason, end.report, calls)):
            return
        if not plant.spool.remove(job.id):
            log("bytes of a settled job are still on the disk", job=job.id)
        plant.metrics.settled(job.kind, end.status, seconds)
        log("settled", job=job.id, kind=job.kind, status=end.status)
        for tell in self._on_settled:
            tell()

    def _surely(self, change: Callable[[], object]) -> bool:
        """Repeat a change of the database until it holds; False if the service is interrupted before."""
        while True:
            try:
                change()
            except DATABASE_ERRORS:
                log("database unreachable")
                if self._interrupt.wait(DATABASE_PAUSE_S):
                    return False
            else:
                return True

    def _last_try(self, job: Job) -> bool:
        return job.tries + 1 >= self.plant.config.limits.tries and not self._ending.is_set()

    def _check(self, job: Job, stages: WorkerStages) -> _End:
        plant = self.plant
        try:
            report = stages.inspect(
                plant.spool.media(job.id), plant.policy, (), lambda *_: None, standalone=True
            )
        except RedactError as error:
            if isinstance(error, InputError) or (self._last_try(job) and not isinstance(error, _MACHINE)):
                return _End("failed", f"{error.reason}: {error}")
            raise
        except Exception as error:
            raise _InternalError("The job met a fault of this program.") from error
        reason = ", ".join(sorted({finding.detail or finding.kind.value for finding in report.findings}))
        word = STATUS_WORDS[report.verdict]
        return _End("passed" if word == "published" else word, reason, report.model_dump_json())

    def _make(self, job: Job, stages: WorkerStages) -> _End:
        plant = self.plant
        with plant.house.lend(stages.isolation()) as opened:
            private = opened.store.private
            item = private.id_for(private.job("job of the service", job.id), plant.spool.name(job.id))
            self._surely(lambda: plant.jobs.assign(job.id, item))
            history = opened.histories.get(item)
            done = settled_before(opened.store, item, history, opened.made_by)
            if done is None:
                done = self._process(job, item, opened, stages)
                plant.house.count(opened, done)
            return _End(done.status, done.reason)

    def _process(self, job: Job, item: str, opened: Opened, stages: WorkerStages) -> ItemDone:
        plant, store = self.plant, opened.store
        try:
            with store.workspace(item) as folder:
                source = plant.spool.media(job.id)
                outcome = process(source, item, plant.policy, stages, folder, lambda *_: None)
                store.private.note_content(item, sha256_file(source))  # another job's may have been rejected
                report = Decided(store, opened.histories).noted(item, outcome.report)
                outcome = replace(outcome, report=report)
                name = item + outcome.file.suffix
                return settle(store, item, outcome, plant.policy, opened.made_by, name, stages)
        except OSError as error:
            raise OutputError("A file operation was refused (disk full?).") from error
        except RedactError as error:
            if isinstance(error, InputError) or (self._last_try(job) and not isinstance(error, _MACHINE)):
                return write_failure(store, item, error, plant.policy, opened.made_by)
            raise
        except Exception as error:
            fault = _InternalError("The job met a fault of this program.")
            if self._last_try(job):
                return write_failure(store, item, fault, plant.policy, opened.made_by)
            raise fault from error

    def _housekeeping(self) -> None:
        days = self.plant.config.limits.keep_days
        while True:
            try:
                self.plant.jobs.forget(now_ms() - days * 86_400_000)
                self.plant.jobs.take_up_again()  # a lost change may come into force late
            except DATABASE_ERRORS:
                log("database unreachable")
            if self._ending.wait(HOUSEKEEPING_S):
                return
