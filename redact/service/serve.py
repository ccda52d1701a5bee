"""The service put together: everything is opened and checked before the first request is let in.

`serve` returns when the process was asked to end: uploads and jobs under way got their time, whatever was
accepted is in the database, and what is not done is done after the next start.
"""

from __future__ import annotations

import asyncio
import contextlib
import fcntl
import logging
import os
import secrets
import signal
import socket
import stat
import threading
from collections.abc import Iterator
from pathlib import Path

import uvicorn

from redact.batch.durable import write_text
from redact.batch.jobs import GATE, MAKER
from redact.detect.weights import ModelStore
from redact.errors import OutputError, UsageError
from redact.names.watchlist import WatchList
from redact.policy import load_policy
from redact.service.api import create_app
from redact.service.config import ServiceConfig
from redact.service.desk import Desk
from redact.service.guards import Guards, timed_protocol
from redact.service.house import House
from redact.service.jobs import DATABASE_ERRORS, QUEUED, WORKING, JobStore
from redact.service.limits import Admission
from redact.service.log import log
from redact.service.metrics import Metrics
from redact.service.results import Results
from redact.service.spool import JobSpool
from redact.service.tokens import TokenFile
from redact.service.webhooks import Caller
from redact.service.work import Plant, Runner

HEAD_BYTES = 32 << 10
KEEP_ALIVE_S = 15


class _Server(uvicorn.Server):
    """Uvicorn that leaves signals to us: it would end the process before jobs had their time."""

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Do nothing."""
        yield


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


def _listen(host: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        listening = socket.create_server((host, port), family=family, backlog=256)
    except OSError as error:
        raise UsageError("The service cannot listen there: the port is taken or not allowed.") from error
    listening.set_inheritable(False)  # workers must not hold it
    return listening


def _quiet() -> None:
    """No library writes a log of its own: a line of theirs may hold an address, a path or a header."""
    root = logging.getLogger()
    root.handlers[:] = [logging.NullHandler()]
    for name in ("uvicorn", "uvicorn.error", "uvicorn.access", "uvicorn.asgi", "fastapi", "httpx"):
        logger = logging.getLogger(name)
        logger.handlers.clear()
        logger.propagate = False
        logger.addHandler(logging.NullHandler())
        logger.setLevel(logging.CRITICAL)


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
    _quiet()
    with (
        _held(config.state) as owner,
        contextlib.closing(_listen(config.listen.host, config.listen.port)) as door,
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
    server = _Server(
        uvicorn.Config(
            Guards(create_app(desk), config.listen.hosts, metrics),
            http=timed_protocol(config.limits.head_s),
            ws="none",
            loop="asyncio",
            lifespan="off",
            log_config=None,
            access_log=False,
            server_header=False,
            proxy_headers=False,
            limit_concurrency=config.limits.connections,
            timeout_keep_alive=KEEP_ALIVE_S,
            timeout_graceful_shutdown=max(1, config.limits.grace_s),
            h11_max_incomplete_event_size=HEAD_BYTES,
        )
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
