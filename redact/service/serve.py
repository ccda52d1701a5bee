"""The service put together: everything is opened and checked before the first request is let in.

`serve` returns when the process was asked to end: uploads and jobs under way got their time, whatever was
accepted is in the database, and what is not done is done after the next start.
"""

from __future__ import annotations

import asyncio
import contextlib
import fcntl
import os
import secrets
import signal
import socket
import stat
import threading
from collections.abc import Iterator
from pathlib import Path

from redact.batch.durable import write_text
from redact.batch.results import Results
from redact.batch.worker_jobs import GATE, MAKER
from redact.detect.weights import ModelStore
from redact.errors import OutputError
from redact.httpd.guards import Guards, served_names
from redact.httpd.log import log, quiet
from redact.httpd.server import listen, make_server
from redact.names.watchlist import WatchList
from redact.policy import load_policy
from redact.service.api import create_app
from redact.service.config import ServiceConfig
from redact.service.desk import Desk
from redact.service.house import House
from redact.service.jobs import QUEUED, WORKING, JobStore
from redact.service.limits import Admission
from redact.service.metrics import Metrics
from redact.service.spool import JobSpool
from redact.service.tables import DATABASE_ERRORS
from redact.service.tokens import TokenFile
from redact.service.webhooks import Caller
from redact.service.work import Plant, Runner


@contextlib.contextmanager
def _held(state: Path) -> Iterator[str]:
    """The state folder, its owner's alone and held by one service at a time; gives its random id.

    Raises:
        OutputError: it cannot be made, others can enter it, or another service holds it.
    """
    try:
        state.mkdir(parents=True, exist_ok=True, mode=0o700)
        facts = state.stat()
        if facts.st_uid != os.geteuid() or stat.S_IMODE(facts.st_mode) & 0o077:
            raise OutputError("Others can enter the state folder of the service; chmod 700 it.")
        handle = os.open(state / "lock", os.O_CREAT | os.O_RDWR | os.O_CLOEXEC, 0o600)
    except OSError as error:
        raise OutputError("The state folder of the service cannot be written.") from error
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        path = state / "id"
        if not path.is_file():
            scratch = state / "scratch"
            scratch.mkdir(exist_ok=True, mode=0o700)
            write_text(path, secrets.token_hex(8), scratch)
        yield path.read_text(encoding="ascii")
    except BlockingIOError as error:
        raise OutputError("Another service works with this state folder.") from error
    finally:
        os.close(handle)


def serve(config: ServiceConfig, *, maker: str = MAKER, gate: str = GATE) -> None:
    """Run until SIGTERM or SIGINT. `maker` and `gate` name the factories of the workers' jobs.

    Raises:
        UsageError: the configuration cannot be used as it is.
        OutputError: a folder or the database cannot be used.
        ModelError: weights are missing or altered.
    """
    config.check_places()
    policy = load_policy(config.policy, list(config.set))
    watch = WatchList.read(config.names) if config.names is not None else None
    ModelStore().verify()
    quiet()
    with (
        _held(config.state) as owner,
        contextlib.closing(listen(config.listen.host, config.listen.port)) as door,
    ):
        jobs = JobStore(config.database_url, config.state, owner)
        try:
            metrics = Metrics()
            spool = JobSpool(config.state)
            house = House(config.out, policy, watch, lambda: sum(jobs.counts().values()))
            callers = [Caller(hook, jobs, metrics) for hook in config.webhooks]
            jobs.drop_calls([hook.name for hook in config.webhooks])
            plant = Plant(config, policy, watch, jobs, spool, house, metrics, maker, gate)
            runner = Runner(plant, tuple(caller.wake for caller in callers))
            _run(config, plant, runner, callers, door)
        finally:
            jobs.close()


def _run(
    config: ServiceConfig, plant: Plant, runner: Runner, callers: list[Caller], door: socket.socket
) -> None:
    jobs, metrics = plant.jobs, plant.metrics
    admission = Admission(config.limits, lambda: sum(jobs.counts().values()), plant.spool.free_bytes)
    ending = threading.Event()

    def healthy() -> bool:
        try:
            jobs.counts()
        except DATABASE_ERRORS:
            return False
        return runner.alive() and not plant.house.in_trouble()

    def count(state: str) -> float:
        try:
            return float(jobs.counts()[state])
        except DATABASE_ERRORS:
            return float("nan")

    metrics.watch("queue_jobs", lambda: count(QUEUED))
    metrics.watch("working_jobs", lambda: count(WORKING))
    metrics.watch("uploads", lambda: float(admission.uploads))
    metrics.watch("healthy", lambda: float(healthy()))
    desk = Desk(
        limits=config.limits,
        tokens=TokenFile(config.state),
        jobs=jobs,
        spool=plant.spool,
        results=Results(config.out),
        admission=admission,
        metrics=metrics,
        accepted=runner.wake,
        healthy=healthy,
        stopping=ending.is_set,
    )
    limits = config.limits
    server = make_server(
        Guards(create_app(desk), served_names(config.listen.hosts), metrics.request),
        head_s=limits.head_s,
        connections=limits.connections,
        grace_s=limits.grace_s,
    )

    def end(number: int, _: object) -> None:
        ending.set()
        server.should_exit = True

    before = {number: signal.signal(number, end) for number in (signal.SIGTERM, signal.SIGINT)}
    try:
        runner.start()
        for caller in callers:
            caller.start()
        log("listening", port=door.getsockname()[1])
        asyncio.run(server.serve(sockets=[door]))
    finally:
        ending.set()
        log("stopping")
        runner.stop(config.limits.grace_s)
        for caller in callers:
            caller.stop()
        try:
            log("stopped", **jobs.counts())
        except DATABASE_ERRORS:
            log("stopped, database unreachable")
        for number, handler in before.items():
            signal.signal(number, handler)
